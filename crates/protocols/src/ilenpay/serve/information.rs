//! Rates and operators (ilenpay reference, sections 4.3 and 4.4).

use domain::{Flow, Merchant, Refusal};

use super::{Denial, Served, nominal};
use crate::exchange::Answer;
use crate::ilenpay::NAME;
use crate::ilenpay::wire::answer::{self, Operator, Price, SUCCESS};
use crate::ilenpay::wire::credit;
use crate::ilenpay::wire::fields::Fields;

impl Served {
    /// How much credit pays an amount.
    pub(super) fn price(&self, merchant: &Merchant, fields: &Fields) -> Result<Answer, Denial> {
        let operator = fields.text("operator").ok_or(Refusal::ChannelUnknown)?;
        let amount = fields.text("nominal").ok_or(Refusal::AmountInvalid)?;
        let (channel, rate) = self.operator(merchant, operator)?;
        let amount = nominal(amount, &channel)?;
        let total_tf = credit::total_tf(amount, rate).ok_or(Refusal::AmountInvalid)?;
        Ok(answer::success(Price {
            respon: SUCCESS,
            operator,
            rate: credit::rate(rate),
            nominal: amount.to_string(),
            total_tf: total_tf.to_string(),
        }))
    }

    /// The operator that is asked for, or all of them. One that cannot be paid through now is offline.
    pub(super) fn operators(&self, merchant: &Merchant, fields: &Fields) -> Result<Answer, Denial> {
        let catalogue = self.gateway.catalogue();
        let operators = catalogue.codes(NAME).filter_map(|(code, product)| {
            let channel = product.channel.as_ref().filter(|it| it.flow == Flow::In)?;
            let online = self.operator(merchant, code).is_ok();
            let status = if online { "online" } else { "offline" };
            Some(Operator { operator: code, rate: credit::rate(channel.rate_hundredths?), status })
        });
        match fields.text("operator") {
            None => Ok(answer::success(operators.collect::<Vec<_>>())),
            Some(wanted) => {
                let mut operators = operators;
                let operator = operators.find(|it| it.operator == wanted);
                Ok(answer::success(operator.ok_or(Refusal::ChannelUnknown)?))
            }
        }
    }
}
