//! `esim/notification/activation`: has the supplier mail once more how to activate an eSIM (IAK
//! reference, section 7.12).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{BusinessDay, Merchant, MerchantId, OrderId, OrderState, Refusal};
use http::StatusCode;

use super::{Call, Denial, Served};
use crate::iak::codes::prepaid as codes;
use crate::iak::wire::answer::Message;
use crate::iak::wire::fields::{FieldFault, Fields, Flaw};
use crate::iak::wire::node::Node;
use crate::iak::wire::prepaid::{self as wire, StatusForm};

/// How many mails a merchant gets for one order between two midnights in Asia/Jakarta.
const MAILS_PER_DAY: u8 = 3;
/// The longest address that can be delivered to.
const ADDRESS_LENGTH_MAX: usize = 254;

/// How many mails were asked for today. It guards recipients against a merchant's mistake, so it is
/// enough that every process counts its own and forgets them when it ends.
#[derive(Debug, Default)]
pub(in crate::iak::serve) struct MailCount(Mutex<Today>);

#[derive(Debug, Default)]
struct Today {
    day: Option<BusinessDay>,
    mails: HashMap<(MerchantId, OrderId), u8>,
}

impl MailCount {
    /// Whether there may be one more; asking counts as sending it.
    fn admits(&self, merchant: MerchantId, order: OrderId, day: BusinessDay) -> bool {
        let mut today = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != Some(day) {
            *today = Today { day: Some(day), mails: HashMap::new() };
        }
        let mails = today.mails.entry((merchant, order)).or_default();
        if *mails >= MAILS_PER_DAY {
            return false;
        }
        *mails += 1;
        true
    }
}

/// Something that may be an address: one `@` with something on both sides, and nothing that would end
/// a header.
fn address<'a>(fields: Fields<'a>) -> Result<&'a str, FieldFault> {
    let field = "email";
    let text = fields.text(field)?;
    let formed = text.len() <= ADDRESS_LENGTH_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",;<>\"".contains(&byte))
        && text.split('@').count() == 2
        && text.split('@').all(|part| !part.is_empty());
    if formed { Ok(text) } else { Err(FieldFault { field, flaw: Flaw::Value }) }
}

impl Served {
    /// Only orders that have delivered an eSIM have anything to mail.
    pub(super) async fn activation_mail(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let tr_id = call.fields.numeral("tr_id")?;
        let address = address(call.fields)?;
        let number = self.numbers.order(tr_id).ok_or(Refusal::OrderNotFound)?;
        let order = self.gateway.order(merchant, number).await?;
        let delivered = self.is_top_up(&order) && order.state == OrderState::Succeeded;
        if !delivered || wire::activation_code(&order).is_none() {
            return Err(Refusal::OrderNotFound.into());
        }
        let bought = self.bought(&order)?.tr_id;
        let day = self.gateway.now().business_day();
        if !self.mails.admits(merchant.id, order.id, day) {
            return Ok(wire::refusal(StatusCode::OK, codes::MAIL_LIMIT, StatusForm::None));
        }
        self.gateway.mail_activation(order, address.to_owned()).await?;
        Ok(Message::prepaid(
            StatusCode::OK,
            Some(codes::SUCCESS),
            Node::Record(vec![
                ("tr_id", Node::Number(bought)),
                ("email", Node::own_text(address)),
                ("rc", Node::text(codes::SUCCESS.code)),
                ("message", Node::text(codes::SUCCESS.message)),
            ]),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_mails_a_day_for_each_order() {
        let count = MailCount::default();
        let (day, next) = (BusinessDay::from_number(1), BusinessDay::from_number(2));
        let merchant = MerchantId(1);
        let admitted = |order, day| count.admits(merchant, OrderId(order), day);
        assert_eq!([1, 1, 1, 1].map(|order| admitted(order, day)), [true, true, true, false]);
        assert!(admitted(2, day));
        assert!(admitted(1, next));
    }
}
