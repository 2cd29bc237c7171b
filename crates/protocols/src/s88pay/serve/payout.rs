//! Money out (S88pay reference, section 7). Accepted is not paid: the answer says only whether the
//! request was taken, and a transaction code is taken once, whatever is repeated under it.

use std::sync::Arc;

use domain::{Currency, Detail, Flow, Reference};
use gateway::PayOutRequest;

use super::deposit::digest;
use super::identify::Caller;
use super::{Served, denied, is_digits, optional, required, transaction_code};
use crate::exchange::Answer;
use crate::s88pay::codes;
use crate::s88pay::lists::{self, Listed};
use crate::s88pay::wire::answer::{Denial, Shape, note};
use crate::s88pay::wire::money::{self, Misfit};
use crate::s88pay::wire::parameters::Parameters;

pub(super) const ACCEPTED: &str = "request withdraw successful";
/// The recipient's account; older pages of the vendor misspell it.
const ACCOUNT: [&str; 2] = ["bank_account_number", "back_account_number"];
/// What is kept of the recipient besides account and bank.
const KEPT: [&str; 9] = [
    "account_name",
    "account_type",
    "address",
    "branch_code",
    "branch_name",
    "ifsc_code",
    "ip_address",
    "phone_number",
    "user_id",
];

/// A bank to pay out to: its code, and its name as it is listed or as it was given.
struct Bank<'a> {
    code: &'a str,
    name: &'a str,
}

impl Served {
    pub(super) async fn pay_out(&self, caller: &Caller, shape: Shape) -> Result<Answer, Denial> {
        let (parameters, merchant) = (&caller.parameters, &caller.merchant);
        let flow = shape.flow();
        let code = transaction_code(parameters)?;
        let time = required(parameters, "transaction_timestamp")?;
        let channel = required(parameters, "payout_code")?;
        let amount = required(parameters, "transaction_amount")?;
        required(parameters, "user_id")?;
        let currency_code = required(parameters, "currency_code")?;
        required(parameters, "account_name")?;
        self.check_time(time)?;
        if self.named(merchant, code, flow).await?.is_some() {
            return Err(codes::CODE_USED.into());
        }
        let currency = merchant.currency;
        if currency_code != currency.code() {
            return Err(codes::CURRENCY.into());
        }
        let known = self.gateway.channel(&self.protocol, channel, flow, currency);
        known.map_err(|refusal| codes::of_refusal(refusal, flow))?;
        let bank = bank(parameters, currency)?;
        let amount = money::read(amount, currency).map_err(|misfit| match misfit {
            Misfit::Fraction => codes::FRACTION,
            Misfit::NoAmount => codes::INCOMPLETE,
        })?;
        let destination = destination(parameters, currency)?;
        check_particulars(parameters, currency)?;
        let request = PayOutRequest {
            merchant: Arc::clone(merchant),
            protocol: self.protocol.clone(),
            reference: Reference::new(code),
            code: channel.to_owned(),
            destination: destination.to_owned(),
            recipient: recipient(parameters, destination, bank.as_ref())?,
            amount,
            dialect: "v1".to_owned(),
            calls_back: true,
            callback_url: self.own_address(caller)?,
            fingerprint: digest("payout", parameters),
        };
        match self.gateway.pay_out(request).await {
            // A twin that came at the same moment was first.
            Ok(payment) if payment.repeated => Err(codes::CODE_USED.into()),
            Ok(_) => Ok(note(true, ACCEPTED)),
            Err(rejection) => Err(denied(rejection, flow)),
        }
    }
}

/// The bank to pay out to, where the currency wants one or one is given. Indian banks are told by
/// [`check_particulars`]'s `ifsc_code`.
fn bank<'a>(parameters: &'a Parameters, currency: Currency) -> Result<Option<Bank<'a>>, Denial> {
    let name = optional(parameters, &["bank_name"])?;
    let Some(code) = optional(parameters, &["bank_code"])? else {
        let needed = matches!(
            currency,
            Currency::Cny
                | Currency::Vnd
                | Currency::Thb
                | Currency::Bdt
                | Currency::Idr
                | Currency::Myr
                | Currency::Krw
                | Currency::Jpy
                | Currency::Brl
                | Currency::Php
        );
        return if needed { Err(codes::INCOMPLETE.into()) } else { Ok(None) };
    };
    let listed = match lists::find(currency, Flow::Out, code) {
        Listed::Bank(bank) if bank.in_maintenance => return Err(codes::MAINTENANCE.into()),
        Listed::Bank(bank) => Some(bank.name),
        Listed::Nobody => return Err(codes::BANK_UNKNOWN.into()),
        Listed::NoList => None,
    };
    // One code stands for all of these banks, and the name tells which.
    if currency == Currency::Bdt && code == "b2b" {
        let name = name.ok_or(codes::INCOMPLETE)?;
        if !lists::is_named(currency, Flow::Out, code, name) {
            return Err(codes::BANK_UNKNOWN.into());
        }
    }
    let name = match currency {
        // The account itself, and no bank's name.
        Currency::Brl => name.ok_or(codes::INCOMPLETE)?,
        _ => name.or(listed).unwrap_or_default(),
    };
    Ok(Some(Bank { code, name }))
}

/// Where the money goes: an account, or where the currency does without one, a wallet or a telephone.
fn destination(parameters: &Parameters, currency: Currency) -> Result<&str, Denial> {
    let needs_account = matches!(
        currency,
        Currency::Inr
            | Currency::Cny
            | Currency::Vnd
            | Currency::Thb
            | Currency::Krw
            | Currency::Bdt
            | Currency::Jpy
            | Currency::Brl
    );
    let account = optional(parameters, &ACCOUNT)?;
    let other = || optional(parameters, &["address", "phone_number"]);
    let destination = match account {
        None if !needs_account => other()?,
        account => account,
    };
    destination.ok_or(Denial::Code(codes::INCOMPLETE))
}

/// What some currencies want besides (section 7).
fn check_particulars(parameters: &Parameters, currency: Currency) -> Result<(), Denial> {
    let given = |name| optional(parameters, &[name]);
    let complete = match currency {
        Currency::Inr => {
            let code = given("ifsc_code")?.ok_or(codes::INCOMPLETE)?;
            if !is_ifsc(code) {
                return Err(codes::IFSC.into());
            }
            true
        }
        Currency::Bdt => given("phone_number")?.is_some_and(|it| is_digits(it, 11)),
        Currency::Jpy => given("branch_code")?.is_some_and(|it| is_digits(it, 3)),
        Currency::Brl => optional(parameters, &ACCOUNT)?.is_some_and(|it| is_digits(it, 11)),
        _ => true,
    };
    if complete { Ok(()) } else { Err(codes::INCOMPLETE.into()) }
}

/// Four capital letters, a zero, and six capital letters or digits.
fn is_ifsc(text: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_uppercase();
    match text.as_bytes() {
        [a, b, c, d, b'0', rest @ ..] if rest.len() == 6 => {
            [a, b, c, d].into_iter().all(letter)
                && rest.iter().all(|it| letter(it) || it.is_ascii_digit())
        }
        _ => false,
    }
}

fn recipient(
    parameters: &Parameters,
    destination: &str,
    bank: Option<&Bank<'_>>,
) -> Result<Detail, Denial> {
    let mut entries = vec![("bank_account_number", destination)];
    if let Some(bank) = bank {
        entries.extend([("bank_code", bank.code), ("bank_name", bank.name)]);
    }
    for name in KEPT {
        entries.extend(optional(parameters, &[name])?.map(|text| (name, text)));
    }
    let text = |(name, text): (&str, &str)| (name.to_owned(), Detail::Text(text.to_owned()));
    Ok(Detail::Record(entries.into_iter().map(text).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indian_branch_has_one_spelling() {
        for right in ["SBIN0001234", "HDFC0ABC12Z"] {
            assert!(is_ifsc(right), "{right}");
        }
        for wrong in ["", "SBIN1001234", "sbin0001234", "SBIN000123", "SBIN00012345", "SBI00001234"]
        {
            assert!(!is_ifsc(wrong), "{wrong}");
        }
    }
}
