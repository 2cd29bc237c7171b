//! Deposits: on a page of ours (S88pay reference, section 5), and on a page that the merchant draws
//! (sections 6.1 and 6.4).

use std::sync::Arc;

use domain::command::fingerprint;
use domain::{Amount, Currency, Detail, EndpointKey, Flow, Kind, Order, OrderState, Reference};
use gateway::collect::told;
use gateway::{CollectionRequest, Rejection};
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use sha2::Sha256;

use super::identify::Caller;
use super::{Call, Served, denied, is_digits, optional, required, transaction_code, web_address};
use crate::exchange::Answer;
use crate::s88pay::lists::{self, Listed};
use crate::s88pay::wire::answer::{
    Created, Denial, FirstStep, ListedBank, json, nothing_here, redirect,
};
use crate::s88pay::wire::local_time;
use crate::s88pay::wire::money::{self, Number};
use crate::s88pay::wire::parameters::Parameters;
use crate::s88pay::wire::standing::Standing;
use crate::s88pay::{NAME, codes, pages, particulars, preferences};

pub(super) const DIALECT_HOSTED: &str = "v2";
pub(super) const DIALECT_HOST_TO_HOST: &str = "v3";
pub(super) const DIALECT_KRW: &str = "v3-krw";

const CREATED: &str = "Submit Transaction Success!";
const FIRST_STEP: &str = "Submit Transaction Success! Please submit Depositor Name, Bank Code and \
                          Account Number.";
/// The two ways between which the provider chooses a Vietnamese bank.
const RANDOM_BANKS: [&str; 2] = ["BankQR", "OBT"];
/// What is kept of a request besides what has a name of its own. A card's number never is.
const KEPT: [&str; 8] = [
    "depositor_account_number",
    "depositor_bank",
    "depositor_bank_code",
    "email",
    "identity_id",
    "ip_address",
    "phone",
    "random_bank_code",
];

/// What a deposit's parameters come to.
struct Wanted<'a> {
    code: &'a str,
    channel: &'a str,
    user: &'a str,
    currency: Currency,
    amount: &'a str,
}

impl Served {
    pub(super) async fn deposit(&self, caller: &Caller, call: Call) -> Result<Answer, Denial> {
        let parameters = &caller.parameters;
        let merchant = &caller.merchant;
        let wanted = Wanted {
            code: transaction_code(parameters)?,
            channel: required(parameters, "payment_code")?,
            user: required(parameters, "user_id")?,
            currency: merchant.currency,
            amount: required(parameters, "transaction_amount")?,
        };
        let time = required(parameters, "transaction_timestamp")?;
        let currency = required(parameters, "currency_code")?;
        self.check_time(time)?;
        let dialect = dialect(call, merchant.currency);
        let asked = digest(dialect, parameters);
        if let Some(before) = self.named(merchant, wanted.code, Flow::In).await? {
            return self.again(caller, dialect, &before, asked);
        }
        if currency != merchant.currency.code()
            || (call == Call::Krw && merchant.currency != Currency::Krw)
        {
            return Err(codes::CURRENCY.into());
        }
        let order = self.open(caller, dialect, &wanted, asked).await?;
        match dialect {
            DIALECT_HOSTED => Ok(redirect(&self.page(order.id))),
            DIALECT_KRW => Ok(first_step(&order)),
            _ => self.created(caller, &order),
        }
    }

    /// A transaction code that is used. A browser that reloads may be led to the page that is there.
    fn again(
        &self,
        caller: &Caller,
        dialect: &str,
        before: &Order,
        asked: [u8; 32],
    ) -> Result<Answer, Denial> {
        if Standing::of(before).is_final() {
            return Err(codes::PROCESSED_OR_NO_RATE.into());
        }
        let key = EndpointKey { merchant: caller.merchant.id, protocol: self.protocol.clone() };
        let catalogue = self.gateway.catalogue();
        let lenient = preferences::is_on(catalogue.preference(&key, preferences::LENIENT_RELOAD));
        let same = before.kind == Kind::Collection && before.fingerprint == asked;
        if lenient && same && dialect == DIALECT_HOSTED {
            return Ok(redirect(&self.page(before.id)));
        }
        Err(codes::CODE_USED.into())
    }

    async fn open(
        &self,
        caller: &Caller,
        dialect: &str,
        wanted: &Wanted<'_>,
        asked: [u8; 32],
    ) -> Result<Arc<Order>, Denial> {
        let (parameters, currency) = (&caller.parameters, wanted.currency);
        let channel = self.gateway.channel(&self.protocol, wanted.channel, Flow::In, currency);
        let (product, channel) = channel.map_err(|refusal| codes::of_refusal(refusal, Flow::In))?;
        let catalogue = self.gateway.catalogue();
        let channel_name = catalogue.product(&product).map_or("", |product| product.name.as_str());
        let bank = bank(parameters, dialect, currency)?;
        let amount = money::read(wanted.amount, currency).map_err(|_| codes::INCOMPLETE)?;
        check_particulars(parameters, dialect, currency)?;
        let account = channel.account_for(currency).ok_or(codes::CURRENCY)?;
        let account = receiving(account, channel_name);
        if dialect == DIALECT_HOST_TO_HOST && currency == Currency::Inr && !account.0.contains('@')
        {
            return Err(codes::CURRENCY.into());
        }
        let request = CollectionRequest {
            merchant: Arc::clone(&caller.merchant),
            protocol: self.protocol.clone(),
            reference: Reference::new(wanted.code),
            code: wanted.channel.to_owned(),
            destination: wanted.user.to_owned(),
            due: amount,
            gross: amount,
            particulars: self.particulars(caller, wanted, account, bank)?,
            return_url: web_address(parameters, &["return_url", "redirect_url"])?,
            dialect: dialect.to_owned(),
            calls_back: true,
            callback_url: self.own_address(caller)?,
            lifetime: Some(self.settings.lifetime),
            fingerprint: asked,
        };
        match self.gateway.open_collection(request).await {
            // A twin that came at the same moment was first.
            Ok(collected) if collected.repeated => Err(codes::CODE_USED.into()),
            Ok(collected) => Ok(collected.order),
            Err(rejection) => Err(denied(rejection, Flow::In)),
        }
    }

    fn particulars(
        &self,
        caller: &Caller,
        wanted: &Wanted<'_>,
        (account, holder): (&str, &str),
        bank: Option<(&str, &str)>,
    ) -> Result<Detail, Denial> {
        let mut entries: Vec<(&str, String)> = vec![
            (particulars::RECEIVING_ACCOUNT, account.to_owned()),
            (particulars::RECEIVING_NAME, holder.to_owned()),
        ];
        if let Some((code, name)) = bank {
            entries.push((particulars::BANK_CODE, code.to_owned()));
            entries.push((particulars::BANK_NAME, name.to_owned()));
        }
        if wanted.currency == Currency::Vnd {
            let code = self.match_code(caller, wanted.code);
            entries.push((particulars::MATCH_CODE, code.clone()));
            entries.push((told::REFERENCE, code));
        }
        if let Some(name) = optional(&caller.parameters, &["deposit_name", "depositor_name"])? {
            entries.push((particulars::DEPOSITOR_NAME, name.to_owned()));
        }
        for name in KEPT {
            if let Some(text) = optional(&caller.parameters, &[name])? {
                entries.push((name, text.to_owned()));
            }
        }
        let text = |(name, text): (&str, String)| (name.to_owned(), Detail::Text(text));
        Ok(Detail::Record(entries.into_iter().map(text).collect()))
    }

    /// Six digits that depend on nothing but the transaction, and that nobody can guess.
    fn match_code(&self, caller: &Caller, code: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.settings.number_key)
            .expect("HMAC takes keys of every length");
        mac.update(b"match code");
        mac.update(&caller.merchant.id.0.to_be_bytes());
        mac.update(code.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let [a, b, c, d, ..] = digest;
        format!("{:06}", u32::from_be_bytes([a, b, c, d]) % 1_000_000)
    }

    /// What the merchant's page has to show, by currency (section 6.1).
    fn created(&self, caller: &Caller, order: &Order) -> Result<Answer, Denial> {
        let amount = due(order)?;
        let currency = amount.currency();
        let told = |name| told(order, name);
        let account = told(particulars::RECEIVING_ACCOUNT).unwrap_or_default();
        let bank = told(particulars::BANK_NAME);
        let code = told(particulars::BANK_CODE).unwrap_or_default();
        let holder = told(particulars::RECEIVING_NAME);
        let common = Created {
            status: "success",
            message: CREATED,
            transaction_no: self.number(order)?,
            transaction_code: order.key.reference.as_str(),
            amount: money::with_two_decimals(amount),
            expired_at: local_time::local(order.expires_at, currency),
            expired_timezone: local_time::zone(currency),
            ..Created::default()
        };
        let wallet = Created { wallet_number: Some(account), wallet_code: Some(code), ..common };
        let created = match currency {
            Currency::Inr => Created {
                upi_id: Some(account),
                wallet_number: None,
                wallet_code: None,
                qr: Some(self.qr(caller, order)),
                ..wallet
            },
            Currency::Bdt => Created {
                wallet_number_type: Some(Some("Agent")),
                wallet_name: bank.or(holder),
                ..wallet
            },
            Currency::Vnd => {
                Created { wallet_name: holder, match_code: told(particulars::MATCH_CODE), ..wallet }
            }
            Currency::Jpy => {
                Created { wallet_number_type: Some(None), wallet_name: holder, ..wallet }
            }
            Currency::Brl => {
                Created { wallet_name: holder, qr: Some(self.qr(caller, order)), ..wallet }
            }
            _ => Created { wallet_name: holder, ..wallet },
        };
        Ok(json(StatusCode::OK, &created))
    }

    /// The address of the picture of a payment code.
    fn qr(&self, caller: &Caller, order: &Order) -> String {
        let base = self.settings.public_url.trim_end_matches('/');
        let catalogue = self.gateway.catalogue();
        let credentials = catalogue.credentials_of(caller.merchant.id);
        let own = credentials.iter().find(|it| it.protocol.as_str() == NAME);
        let code = own.map_or("", |it| it.identifier.as_str());
        format!("{base}/{code}/v3/qr/{}", self.settings.tokens.of(order.id))
    }

    /// The picture of the payment code of a deposit, which whoever has the name of its page may see.
    pub(super) async fn picture(&self, token: &str) -> Answer {
        let Some(id) = self.settings.tokens.order(token) else { return nothing_here() };
        let picture = match self.gateway.order_of_any_merchant(id).await {
            Ok(order) if order.state == OrderState::Awaiting => {
                payment_code(&order).and_then(|code| pages::picture(&code))
            }
            Ok(_) | Err(Rejection::Refused(_)) => None,
            Err(Rejection::Fault(fault)) => {
                tracing::error!(%fault, "a picture could not be drawn");
                None
            }
        };
        picture.unwrap_or_else(nothing_here)
    }
}

/// In which variant a deposit is made. Won always take two steps (section 6.4).
const fn dialect(call: Call, currency: Currency) -> &'static str {
    match (call, currency) {
        (Call::Hosted, _) => DIALECT_HOSTED,
        (_, Currency::Krw) => DIALECT_KRW,
        _ => DIALECT_HOST_TO_HOST,
    }
}

/// Digest of all that was asked. The merchant's key is left out, since it changes at a rotation.
pub(super) fn digest(variant: &str, parameters: &Parameters) -> [u8; 32] {
    let asked = parameters.entries().filter(|(name, _)| *name != "merchant_api_key");
    fingerprint([variant].into_iter().chain(asked.flat_map(|(name, value)| [name, value])))
}

/// The bank to pay through, code and name, where the currency wants one or one is given.
fn bank<'a>(
    parameters: &'a Parameters,
    dialect: &str,
    currency: Currency,
) -> Result<Option<(&'a str, &'static str)>, Denial> {
    let random = optional(parameters, &["random_bank_code"])?;
    if random.is_some_and(|way| currency == Currency::Vnd && !RANDOM_BANKS.contains(&way)) {
        return Err(codes::METHOD_UNKNOWN.into());
    }
    let Some(code) = optional(parameters, &["bank_code"])? else {
        let chosen_by_us =
            currency == Currency::Vnd && dialect == DIALECT_HOSTED && random.is_some();
        let needed = match currency {
            Currency::Vnd | Currency::Thb | Currency::Idr | Currency::Myr | Currency::Php => true,
            Currency::Bdt | Currency::Mmk => dialect != DIALECT_HOSTED,
            _ => false,
        };
        return if needed && !chosen_by_us { Err(codes::INCOMPLETE.into()) } else { Ok(None) };
    };
    match lists::find(currency, Flow::In, code) {
        Listed::Bank(bank) if bank.in_maintenance => Err(codes::MAINTENANCE.into()),
        Listed::Bank(bank) => Ok(Some((code, bank.name))),
        Listed::NoList => Ok(Some((code, ""))),
        Listed::Nobody => Err(codes::METHOD_UNKNOWN.into()),
    }
}

/// What some currencies want besides where the merchant draws the page (section 6.1).
fn check_particulars(
    parameters: &Parameters,
    dialect: &str,
    currency: Currency,
) -> Result<(), Denial> {
    let complete = match currency {
        _ if dialect == DIALECT_HOSTED => true,
        Currency::Krw => optional(parameters, &["deposit_name", "depositor_name"])?.is_some(),
        Currency::Try => optional(parameters, &["identity_id"])?.is_some(),
        Currency::Bdt => optional(parameters, &["phone"])?.is_some_and(|it| is_digits(it, 11)),
        _ => true,
    };
    if complete { Ok(()) } else { Err(codes::INCOMPLETE.into()) }
}

/// An account as the operator wrote it: the number, and after a blank whose it is, or else the channel's
/// name.
fn receiving<'a>(account: &'a str, channel: &'a str) -> (&'a str, &'a str) {
    account.split_once(' ').map_or((account, channel), |(number, holder)| (number, holder.trim()))
}

fn first_step(order: &Order) -> Answer {
    let amount = order.collecting.as_ref().map_or(Amount::zero(Currency::Krw), |it| it.due);
    let listed = lists::banks().filter(|it| it.currency == Currency::Krw.code());
    let bank_lists =
        listed.map(|it| ListedBank { bank_code: it.code, bank_name: it.name }).collect();
    let step = FirstStep {
        status: "success",
        step: 1,
        message: FIRST_STEP,
        transaction_code: order.key.reference.as_str(),
        amount: Number(amount),
        bank_lists,
    };
    json(StatusCode::OK, &step)
}

/// What the payer of a deposit has to hand over.
pub(super) fn due(order: &Order) -> Result<Amount, Denial> {
    let collecting = order.collecting.as_ref();
    collecting.map(|it| it.due).ok_or(Denial::Code(codes::SERVER_ERROR))
}

/// What a deposit keeps under a name.
pub(super) fn told<'a>(order: &'a Order, name: &str) -> Option<&'a str> {
    match order.collecting.as_ref()?.particulars.get(name) {
        Some(Detail::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// What a camera reads from the picture: India's link for payments, or else where to pay.
fn payment_code(order: &Order) -> Option<String> {
    let amount = due(order).ok()?;
    let account = told(order, particulars::RECEIVING_ACCOUNT)?;
    if amount.currency() != Currency::Inr {
        return Some(account.to_owned());
    }
    let holder = told(order, particulars::RECEIVING_NAME).unwrap_or_default();
    let plain = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'@' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    Some(format!("upi://pay?pa={}&pn={}&am={amount}&cu=INR", plain(account), plain(holder)))
}
