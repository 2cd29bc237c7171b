//! Games: which parts identify a player, in which order (IAK reference, sections 12.3 and 13.4).

use crate::iak::wire::number::is_game_code;

/// What is to be typed to identify a player.
const FORMATS: [(&str, &str); 17] = [
    ("103", "[userid]|[zoneid]"),
    ("127", "[userid]|[serverId]"),
    ("130", "[userid]"),
    ("135", "[userid]"),
    ("136", "[userid]"),
    ("139", "[userid]"),
    // The list of formats calls the last part a server, the vendor's test cases a zone.
    ("140", "[rolename]|[userid]|[zoneid]"),
    ("141", "[rolename]|[userid]|[serverid]"),
    ("142", "[rolename]|[serverId]"),
    ("146", "[userid]"),
    ("150", "[userid]"),
    ("152", "[userid]"),
    ("153", "[userid]"),
    ("154", "[userid]|[serverid]"),
    ("172", "[userid]|[serverid]"),
    ("176", "[userid]|[tag]"),
    ("230", "[userid]|[serverid]"),
];

/// What is known of a game code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Game {
    /// Topped up directly, for a player who is identified so.
    Direct(&'static str),
    /// Sold as vouchers: every three-digit code that no list has.
    Voucher,
    /// No game.
    Unknown,
}

impl Game {
    /// The game of this code.
    pub(crate) fn of(code: &str) -> Self {
        let direct = FORMATS.iter().find(|(known, _)| *known == code);
        match direct {
            Some((_, format)) => Self::Direct(format),
            None if is_game_code(code) && code.len() == 3 && !code.starts_with('0') => {
                Self::Voucher
            }
            None => Self::Unknown,
        }
    }

    /// Whether nothing but a user identifies a player.
    pub(crate) fn user_alone(self) -> bool {
        matches!(self, Self::Direct(format) if !format.contains('|'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_of_the_reference() {
        let table = [
            ("103", Game::Direct("[userid]|[zoneid]")),
            ("135", Game::Direct("[userid]")),
            ("140", Game::Direct("[rolename]|[userid]|[zoneid]")),
            ("127", Game::Direct("[userid]|[serverId]")),
            ("142", Game::Direct("[rolename]|[serverId]")),
            ("104", Game::Voucher),
            ("1234", Game::Unknown),
            ("12", Game::Unknown),
            ("012", Game::Unknown),
            ("12a", Game::Unknown),
            ("", Game::Unknown),
        ];
        for (code, game) in table {
            assert_eq!(Game::of(code), game, "{code}");
        }
    }

    #[test]
    fn some_games_know_players_by_their_user_alone() {
        assert!(Game::of("135").user_alone());
        for code in ["103", "104", "1234"] {
            assert!(!Game::of(code).user_alone(), "{code}");
        }
    }
}
