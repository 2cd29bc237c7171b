//! Asking suppliers what costs nothing and is kept nowhere: whose a number is, and what a game offers.
//!
//! Nothing here touches the store: a look-up has no reference, makes no order, and can be repeated as
//! often as one likes.

use std::sync::Arc;

use domain::{Merchant, MerchantStatus, Mode, Order, ProtocolName, Refusal};
use tokio::time::timeout;

use crate::observer::Operation;
use crate::ports::Upstream;
use crate::{Gateway, Rejection};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// The customer behind a prepaid electricity meter.
    Meter {
        /// The meter's number.
        number: String,
    },
    /// The owner of a wallet.
    Wallet {
        /// Whose wallet it is, such as `ovo`.
        brand: &'static str,
        /// The wallet's telephone number.
        number: String,
    },
    /// The name of a player.
    Player {
        /// The game, in the protocol's own code.
        game: String,
        /// What identifies the player, in the form that the game has.
        identity: String,
    },
    /// The servers of a game among which a player must choose.
    Servers {
        /// The game, in the protocol's own code.
        game: String,
    },
}

/// What came of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The customer behind the meter.
    Meter(MeterHolder),
    /// The name of the wallet's owner or of the player; suppliers may mask it.
    Name(String),
    /// The servers; none where players type the server themselves.
    Servers(Vec<GameServer>),
}

/// The customer behind a prepaid electricity meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterHolder {
    /// The number of the meter.
    pub meter_number: String,
    /// The number under which the electricity company knows the customer.
    pub subscriber_number: String,
    /// The customer's name; suppliers may mask it.
    pub name: String,
    /// Tariff and power as the supplier writes them.
    pub segment_and_power: String,
}

/// One of a game's servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameServer {
    /// What players call it.
    pub name: String,
    /// What stands for it in what identifies a player.
    pub value: String,
}

/// A look-up as it is put to an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUpQuestion {
    /// The protocol in which the merchant asked; the sandbox honours that protocol's test numbers.
    pub protocol: ProtocolName,
    /// Live or test.
    pub mode: Mode,
    /// What is asked.
    pub sought: Sought,
}

impl Gateway {
    /// Asks the supplier. One that does not answer in time has refused for the merchant's purposes,
    /// because nothing depends on the answer.
    pub async fn look_up(
        &self,
        merchant: &Merchant,
        question: LookUpQuestion,
    ) -> Result<Found, Rejection> {
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        let upstream = self.upstream_of(question.mode)?;
        let call = timeout(self.settings.answer_within, upstream.look_up(question));
        let found = self.timed(upstream.name(), Operation::Inquire, call).await;
        Ok(found.unwrap_or(Err(Refusal::SupplierTimeout))?)
    }

    /// Has the supplier mail once more to this address how to activate what an order delivered.
    pub async fn mail_activation(
        &self,
        order: Arc<Order>,
        address: String,
    ) -> Result<(), Rejection> {
        let upstream = self.upstream(&order.upstream).ok_or(Refusal::ProductUnavailable)?;
        let call = timeout(self.settings.answer_within, upstream.mail_activation(order, address));
        let mailed = self.timed(upstream.name(), Operation::Inquire, call).await;
        Ok(mailed.unwrap_or(Err(Refusal::SupplierTimeout))?)
    }

    fn upstream_of(&self, mode: Mode) -> Result<&Arc<dyn Upstream>, Refusal> {
        self.upstream(self.upstream_for(mode)).ok_or(Refusal::ProductUnavailable)
    }
}

#[cfg(test)]
#[path = "look_up_tests.rs"]
mod tests;
