//! What the sandbox finds when it is asked whose a number is or what a game offers: the documented
//! test inputs are known, and nothing else is (IAK reference, section 12.3).

use domain::Refusal;
use gateway::look_up::{Found, GameServer, MeterHolder, Sought};

/// The one meter that somebody has.
const METER: &str = "12345678901";
/// The wallets that somebody has; the reference prints two.
const WALLETS: [&str; 2] = ["082179374708", "082179374778"];
/// The one game whose players are known, and the one player.
const PLAYED: &str = "103";
const PLAYER: &str = "156378300|8483";
/// The games whose servers are known. Players of the first type theirs themselves.
const SERVERS_TYPED: &str = "103";
const SERVERS_LISTED: &str = "142";
const SERVERS: [(&str, &str); 3] =
    [("Server A", "90001"), ("Server B", "90002"), ("Server C", "90003")];

/// Answers a look-up.
pub(super) fn found(sought: &Sought) -> Result<Found, Refusal> {
    match sought {
        Sought::Meter { number } if number == METER => Ok(Found::Meter(MeterHolder {
            meter_number: "540011223344".to_owned(),
            subscriber_number: METER.to_owned(),
            name: "PELANGGAN CONTOH".to_owned(),
            segment_and_power: "R1 /000001300".to_owned(),
        })),
        Sought::Wallet { number, .. } if WALLETS.contains(&number.as_str()) => {
            Ok(Found::Name("PEL****** CON***".to_owned()))
        }
        Sought::Player { game, .. } if game != PLAYED => Err(Refusal::ProductUnknown),
        Sought::Player { identity, .. } if identity == PLAYER => {
            Ok(Found::Name("pemain01".to_owned()))
        }
        Sought::Meter { .. } | Sought::Wallet { .. } | Sought::Player { .. } => {
            Err(Refusal::DestinationInvalid)
        }
        Sought::Servers { game } => match game.as_str() {
            SERVERS_TYPED => Ok(Found::Servers(Vec::new())),
            SERVERS_LISTED => Ok(Found::Servers(SERVERS.map(server).into())),
            _ => Err(Refusal::ProductUnknown),
        },
    }
}

fn server((name, value): (&str, &str)) -> GameServer {
    GameServer { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{Mode, ProtocolName, UpstreamName};
    use gateway::look_up::LookUpQuestion;
    use gateway::ports::Upstream;
    use tokio::sync::mpsc::channel;

    use super::super::scratch::{Directory, NOW, Standing, top_up};
    use super::super::{NAME, Sandbox, Settings};
    use super::*;

    #[tokio::test]
    async fn the_sandbox_answers_look_ups_and_mails_nothing() {
        let (directory, clock) = (Directory::new(), Arc::new(Standing(NOW)));
        let name = UpstreamName::new(NAME);
        let (notices, _) = channel(1);
        let opened = Sandbox::open(directory.path(), name, Settings::default(), clock, notices);
        let sandbox = opened.expect("a sandbox");
        let question = LookUpQuestion {
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            sought: Sought::Servers { game: SERVERS_TYPED.to_owned() },
        };
        assert_eq!(sandbox.look_up(question).await, Ok(Found::Servers(Vec::new())));
        let order = top_up(1, "iak", Mode::Live, "xld25000", "081712340000");
        let mailed = sandbox.mail_activation(Arc::new(order), "a@b.example".to_owned());
        assert_eq!(mailed.await, Ok(()));
    }

    #[test]
    fn only_the_documented_inputs_are_known() {
        let player = |game: &str, identity: &str| Sought::Player {
            game: game.to_owned(),
            identity: identity.to_owned(),
        };
        let wallet = |number: &str| Sought::Wallet { brand: "ovo", number: number.to_owned() };
        let servers = |game: &str| Sought::Servers { game: game.to_owned() };
        let table = [
            (Sought::Meter { number: METER.to_owned() }, None),
            (Sought::Meter { number: "12345678902".to_owned() }, Some(Refusal::DestinationInvalid)),
            (wallet("082179374708"), None),
            (wallet("082179374778"), None),
            (wallet("082179374709"), Some(Refusal::DestinationInvalid)),
            (player("103", PLAYER), None),
            (player("103", "156378300|8484"), Some(Refusal::DestinationInvalid)),
            (player("135", PLAYER), Some(Refusal::ProductUnknown)),
            (servers("103"), None),
            (servers("142"), None),
            (servers("100"), Some(Refusal::ProductUnknown)),
        ];
        for (sought, refusal) in table {
            assert_eq!(found(&sought).err(), refusal, "{sought:?}");
        }
        assert_eq!(found(&servers("103")), Ok(Found::Servers(Vec::new())));
    }
}
