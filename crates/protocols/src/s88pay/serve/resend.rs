//! Callbacks sent again (S88pay reference, section 11). The page can be read in two ways, and both are
//! served: a merchant asks for a callback, or a merchant plays a callback back to where the vendor's
//! sample has it sent.

use std::sync::Arc;

use domain::{Flow, Order};

use super::identify::Caller;
use super::{Served, denied};
use crate::exchange::Answer;
use crate::s88pay::wire::answer::{Denial, acknowledgement, note};
use crate::s88pay::wire::parameters::STATUS;
use crate::s88pay::wire::standing::Standing;

const SENT: &str = "Resend callback successful";
const PENDING: &str = "Transaction is still pending";
const NOT_FOUND: &str = "Transaction not found";

impl Served {
    pub(super) async fn resend(&self, caller: &Caller) -> Result<Answer, Denial> {
        let Some(order) = self.meant(caller).await? else { return Ok(note(false, NOT_FOUND)) };
        let standing = Standing::of(&order);
        if let Some(told) = caller.parameters.given(STATUS) {
            let right = [standing.number().to_string().as_str(), standing.name()].contains(&told)
                || told == standing.name_in_callbacks(order.kind);
            return Ok(if right { acknowledgement() } else { note(false, NOT_FOUND) });
        }
        let sent = self.gateway.redeliver(&caller.merchant, &order).await;
        match sent.map_err(|rejection| denied(rejection, Flow::Out))? {
            0 => Ok(note(false, PENDING)),
            _ => Ok(note(true, SENT)),
        }
    }

    /// The transaction that is meant, of which everything that is said has to be true, inside the key and
    /// beside it.
    async fn meant(&self, caller: &Caller) -> Result<Option<Arc<Order>>, Denial> {
        let (inner, clear) = (&caller.parameters, &caller.envelope);
        let codes = [inner.given("transaction_code"), clear.transaction_code.as_deref()];
        let numbers = [inner.given("transaction_no"), clear.transaction_no.as_deref()];
        let (code, number) = (codes.iter().flatten().next(), numbers.iter().flatten().next());
        let order = match (code, number) {
            (Some(code), _) => self.named(&caller.merchant, code, Flow::Out).await?,
            (None, Some(number)) => self.numbered(&caller.merchant, number).await?,
            (None, None) => return Err(crate::s88pay::codes::INCOMPLETE.into()),
        };
        Ok(order.filter(|order| {
            codes.iter().flatten().all(|code| order.key.reference.as_str() == *code)
                && numbers.iter().flatten().all(|number| self.numbers.is_of(number, order))
        }))
    }
}
