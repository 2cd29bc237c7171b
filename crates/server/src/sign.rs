//! `lunas sign`: prints signed request bodies, ready to be sent. Nothing is sent here.

pub(crate) mod ilenpay;
pub(crate) mod isikuota;
pub(crate) mod s88pay;

use anyhow::Context;
use domain::Timestamp;
use gateway::ports::Clock;
use protocols::iak::sign::sign;
use serde_json::{Map, Value, json};

use crate::command_line::{SignCommand, SignIakOptions, SignIakRequest};
use crate::system::SystemClock;

/// The text that `lunas sign` prints.
pub(crate) fn signed(command: &SignCommand) -> anyhow::Result<String> {
    match command {
        SignCommand::Iak(options) => iak(options),
        SignCommand::Isikuota(options) => isikuota::signed(options),
        SignCommand::Ilenpay(options) => ilenpay::signed(options),
        SignCommand::S88pay(options) => s88pay::signed(options),
    }
}

/// The text that `lunas sign iak` prints.
fn iak(options: &SignIakOptions) -> anyhow::Result<String> {
    let now = SystemClock::default().now();
    let (commands, signed, fields) = match &options.request {
        SignIakRequest::Text { text } => {
            return Ok(sign(&options.username, &options.api_key, text));
        }
        SignIakRequest::PricelistPasca { status } => {
            ("pricelist-pasca", "pl".to_owned(), vec![("status", json!(status))])
        }
        SignIakRequest::InqPasca { code, hp, ref_id, month, year, nomor_identitas, amount } => {
            let ref_id = ref_id.clone().unwrap_or_else(|| new_reference(now));
            let mut fields = vec![("code", json!(code)), ("hp", json!(hp))];
            fields.push(("ref_id", json!(ref_id)));
            fields.extend(month.map(|month| ("month", json!(month.to_string()))));
            fields.extend(year.as_ref().map(|year| ("year", json!(year))));
            fields.extend(nomor_identitas.as_ref().map(|it| ("nomor_identitas", json!(it))));
            fields.extend(amount.map(|amount| ("desc", json!({ "amount": amount }))));
            ("inq-pasca", ref_id, fields)
        }
        SignIakRequest::PayPasca { tr_id } => {
            ("pay-pasca", tr_id.clone(), vec![("tr_id", json!(tr_id))])
        }
        SignIakRequest::Checkstatus { ref_id } => {
            ("checkstatus", "cs".to_owned(), vec![("ref_id", json!(ref_id))])
        }
    };
    let mut body = Map::new();
    body.insert("commands".to_owned(), json!(commands));
    body.insert("username".to_owned(), json!(options.username));
    body.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    body.insert("sign".to_owned(), json!(sign(&options.username, &options.api_key, &signed)));
    serde_json::to_string(&Value::Object(body)).context("the request could not be written")
}

/// A reference that does not come again: the time to the millisecond.
pub(crate) fn new_reference(now: Timestamp) -> String {
    format!("LUNAS-{}", now.milliseconds())
}
