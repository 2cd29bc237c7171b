//! What costs nothing: whose a number is, and what games want to know (IAK reference, sections 7.3 to
//! 7.8).
//!
//! Numbers are accepted in their documented forms only, see [`crate::iak::wire::number`].

use domain::{Merchant, Mode, Refusal};
use gateway::Rejection;
use gateway::look_up::{Found, LookUpQuestion, Sought};
use http::StatusCode;

use super::{Call, Denial, Served};
use crate::iak::codes::prepaid as codes;
use crate::iak::lists::games::Game;
use crate::iak::lists::operators;
use crate::iak::wire::answer::Message;
use crate::iak::wire::node::Node;
use crate::iak::wire::number::{is_game_code, meter, telephone};
use crate::iak::wire::prepaid::{self as wire, StatusForm};

/// Whose wallets the vendor's inquiry knows.
const WALLET: &str = "ovo";
/// What identifies a player is shorter, in characters.
const PLAYER_LENGTH_MAX: usize = 64;

/// Whose a telephone number is (section 7.3).
pub(super) fn operator(call: Call<'_>) -> Result<Message<'static>, Denial> {
    let number = call.customer()?;
    telephone(number).map_err(|_| Refusal::DestinationInvalid)?;
    let operator = operators::of_number(number).ok_or(Refusal::DestinationOperatorMismatch)?;
    Ok(wire::success(vec![("operator", Node::text(operator.name))], StatusForm::None))
}

/// What identifies the players of a game (section 7.8).
pub(super) fn game_format(call: Call<'_>) -> Result<Message<'static>, Denial> {
    match Game::of(call.fields.numeral("game_code")?) {
        Game::Direct(format) => {
            Ok(wire::success(vec![("formatGameId", Node::text(format))], StatusForm::Number))
        }
        Game::Voucher => Err(Refusal::InquiryNotNeeded.into()),
        Game::Unknown => Err(Refusal::ProductUnknown.into()),
    }
}

/// The code of a game, in the only form that it may have.
fn game(call: Call<'_>) -> Result<&str, Denial> {
    let code = call.fields.numeral("game_code")?;
    if is_game_code(code) { Ok(code) } else { Err(Refusal::ProductUnknown.into()) }
}

/// Whether a player may be identified so: whatever it is, it is short and can be printed.
fn is_player(identity: &str) -> bool {
    identity.chars().count() <= PLAYER_LENGTH_MAX && !identity.chars().any(char::is_control)
}

/// An answer of another kind than was asked for says nothing.
fn mismatched() -> Denial {
    Refusal::InquiryResponseUnknown.into()
}

impl Served {
    /// Whose a meter is (section 7.4).
    pub(super) async fn meter(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let number = call.customer()?;
        let found = match meter(number) {
            Ok(()) => self.find(merchant, Sought::Meter { number: number.to_owned() }).await,
            Err(_) => Err(Refusal::DestinationInvalid.into()),
        };
        match found {
            Ok(Found::Meter(holder)) => Ok(wire::meter(call.version(), number, &holder)),
            Ok(Found::Name(_) | Found::Servers(_)) => Err(mismatched()),
            Err(denial) => unknown(call, number, denial),
        }
    }

    /// Whose a wallet is (section 7.5).
    pub(super) async fn wallet(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let number = call.customer()?;
        let sought = Sought::Wallet { brand: WALLET, number: number.to_owned() };
        let found = match telephone(number) {
            Ok(()) => self.find(merchant, sought).await,
            Err(_) => Err(Refusal::DestinationInvalid.into()),
        };
        match found {
            Ok(Found::Name(name)) => Ok(wire::wallet(call.version(), number, &name)),
            Ok(Found::Meter(_) | Found::Servers(_)) => Err(mismatched()),
            Err(denial) => unknown(call, number, denial),
        }
    }

    /// Who a player is (section 7.6).
    pub(super) async fn player(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let (game, identity) = (game(call)?, call.customer()?);
        if !is_player(identity) {
            return Err(Refusal::DestinationInvalid.into());
        }
        let sought = Sought::Player { game: game.to_owned(), identity: identity.to_owned() };
        match self.find(merchant, sought).await {
            Ok(Found::Name(name)) => {
                Ok(wire::success(vec![("username", Node::text(name))], StatusForm::Number))
            }
            Ok(Found::Meter(_) | Found::Servers(_)) => Err(mismatched()),
            Err(Denial::Refused(refusal)) => {
                let code = codes::of_game_refusal(refusal, Game::of(game).user_alone());
                Ok(wire::refusal(StatusCode::OK, code, StatusForm::Number))
            }
            Err(denial) => Err(denial),
        }
    }

    /// The servers of a game (section 7.7).
    pub(super) async fn game_servers(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let sought = Sought::Servers { game: game(call)?.to_owned() };
        match self.find(merchant, sought).await? {
            Found::Servers(servers) => {
                Ok(wire::success(wire::servers(&servers), StatusForm::Number))
            }
            Found::Meter(_) | Found::Name(_) => Err(mismatched()),
        }
    }

    async fn find(&self, merchant: &Merchant, sought: Sought) -> Result<Found, Denial> {
        let question = LookUpQuestion { protocol: self.protocol.clone(), mode: Mode::Live, sought };
        self.gateway
            .look_up(merchant, question)
            .await
            .map_err(|rejection: Rejection| rejection.into())
    }
}

/// A refusal with the number that it is about.
fn unknown(call: Call<'_>, number: &str, denial: Denial) -> Result<Message<'static>, Denial> {
    match denial {
        Denial::Refused(refusal) => {
            Ok(wire::unknown_customer(call.version(), number, codes::of_refusal(refusal)))
        }
        Denial::Malformed(_) | Denial::Field(_) | Denial::TooOften | Denial::Fault(_) => {
            Err(denial)
        }
    }
}
