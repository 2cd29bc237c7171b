//! What the payer told about a deposit, handed on by the merchant (S88pay reference, sections 6.2, 6.3,
//! 6.5 and 6.6). It credits nothing; it tells whose money has come in.

use std::sync::Arc;

use domain::{Currency, Detail, Flow, Kind, Order, Refusal};
use gateway::Rejection;
use gateway::collect::{Told, told};
use http::StatusCode;

use super::deposit::{DIALECT_KRW, due, told as kept};
use super::identify::Caller;
use super::{Call, Served, denied, is_digits, optional, required, transaction_code};
use crate::exchange::Answer;
use crate::s88pay::lists::{self, Listed};
use crate::s88pay::wire::answer::{Denial, SecondStep, Submitted, json};
use crate::s88pay::wire::money;
use crate::s88pay::wire::standing::Standing;
use crate::s88pay::{codes, particulars};

const UTR: &str = "Success Submit Utr!";
const REF_NO: &str = "Success Submit RefNo!";
const DEPOSITOR: &str = "[DP] Success Submitted Depositor Name!.";
const SECOND_STEP: &str = "Submit Depositor Information Success.";
const UTR_LENGTH: usize = 12;

impl Served {
    /// The bank's reference of the payment, good for one deposit. The same again for the same deposit is
    /// welcome, even when that has ended meanwhile.
    pub(super) async fn submit_reference(
        &self,
        caller: &Caller,
        call: Call,
    ) -> Result<Answer, Denial> {
        let code = transaction_code(&caller.parameters)?;
        let (names, message): (&[&str], _) = match call {
            Call::Utr => (&["utr"], UTR),
            _ => (&["ref_no", "utr"], REF_NO),
        };
        let reference = optional(&caller.parameters, names)?.ok_or(codes::INCOMPLETE)?;
        let fits = match (call, caller.merchant.currency) {
            (Call::Utr, Currency::Inr) => is_digits(reference, UTR_LENGTH),
            _ => is_reference(reference),
        };
        if !fits {
            return Err(codes::INCOMPLETE.into());
        }
        let order = self.waiting(caller, code).await?;
        let text = Detail::Text(reference.to_owned());
        let told = Told {
            particulars: vec![(told::REFERENCE.to_owned(), text)],
            reference: Some(reference.to_owned()),
        };
        self.tell(caller, &order, told).await?;
        Ok(json(StatusCode::OK, &Submitted { status: "success", message }))
    }

    pub(super) async fn submit_depositor(&self, caller: &Caller) -> Result<Answer, Denial> {
        let code = transaction_code(&caller.parameters)?;
        let name = required(&caller.parameters, "depositor_name")?;
        let order = self.waiting(caller, code).await?;
        let named = |by: &str| (by.to_owned(), Detail::Text(name.to_owned()));
        let particulars = vec![named(particulars::DEPOSITOR_NAME), named(told::SENDER)];
        self.tell(caller, &order, Told { particulars, reference: None }).await?;
        Ok(json(StatusCode::OK, &Submitted { status: "success", message: DEPOSITOR }))
    }

    /// The second step of a Korean deposit: the payer's bank and account for where to pay to.
    pub(super) async fn submit_information(&self, caller: &Caller) -> Result<Answer, Denial> {
        let code = transaction_code(&caller.parameters)?;
        let bank_code = required(&caller.parameters, "bank_code")?;
        let account = required(&caller.parameters, "account_number")?;
        let order = self.waiting(caller, code).await?;
        if order.dialect != DIALECT_KRW {
            return Err(Denial::NoTransaction);
        }
        // Korea has one list, of the banks to pay out to.
        let Listed::Bank(bank) = lists::find(Currency::Krw, Flow::Out, bank_code) else {
            return Err(codes::METHOD_UNKNOWN.into());
        };
        let is_account = account.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_account || account.len() > 34 {
            return Err(codes::INCOMPLETE.into());
        }
        if Standing::of(&order).is_final() {
            return Err(denied(Refusal::InvoicePaid.into(), Flow::In));
        }
        let text = |name: &str, text: &str| (name.to_owned(), Detail::Text(text.to_owned()));
        let particulars =
            vec![text(particulars::DEPOSITOR_BANK, bank.name), text(told::SENDER, account)];
        let order = self.tell(caller, &order, Told { particulars, reference: None }).await?;
        let receiving = |name| kept(&order, name).unwrap_or_default();
        let catalogue = self.gateway.catalogue();
        let channel = catalogue.product(&order.product).map_or("", |it| it.name.as_str());
        let step = SecondStep {
            status: "success",
            step: 2,
            message: SECOND_STEP,
            transaction_no: self.number(&order)?,
            transaction_code: order.key.reference.as_str(),
            amount: money::with_two_decimals(due(&order)?),
            bank_name: channel,
            account_name: receiving(particulars::RECEIVING_NAME),
            account_number: receiving(particulars::RECEIVING_ACCOUNT),
        };
        Ok(json(StatusCode::OK, &step))
    }

    /// The merchant's deposit of this name, whether or not it still waits.
    async fn waiting(&self, caller: &Caller, code: &str) -> Result<Arc<Order>, Denial> {
        let order = self.named(&caller.merchant, code, Flow::In).await?;
        order.filter(|order| order.kind == Kind::Collection).ok_or(Denial::NoTransaction)
    }

    /// Notes what was told. Once the deposit has ended only what was noted before may be told, which
    /// somebody may have done at the same moment.
    async fn tell(&self, caller: &Caller, order: &Order, told: Told) -> Result<Arc<Order>, Denial> {
        let particulars = told.particulars.clone();
        match self.gateway.tell_collection(&caller.merchant, order.id, told).await {
            Ok(collected) => Ok(collected.order),
            Err(Rejection::Refused(Refusal::OrderNotFound)) => Err(Denial::NoTransaction),
            Err(ended @ Rejection::Refused(Refusal::InvoicePaid)) => {
                let order = self.gateway.order(&caller.merchant, order.id).await;
                let order = order.map_err(|rejection| denied(rejection, Flow::In))?;
                let noted = order.collecting.as_ref().map(|it| &it.particulars);
                let is_noted = |(name, detail): &(String, Detail)| {
                    noted.and_then(|noted| noted.get(name)) == Some(detail)
                };
                if particulars.iter().all(is_noted) {
                    Ok(order)
                } else {
                    Err(denied(ended, Flow::In))
                }
            }
            Err(rejection) => Err(denied(rejection, Flow::In)),
        }
    }
}

/// Whether a bank may call a payment so.
fn is_reference(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    text.len() <= 64 && text.bytes().all(fits)
}
