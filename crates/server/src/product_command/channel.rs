//! Channels, the ways for money in and out, as the commands add, change and show them.
//!
//! Pure functions over the API's own JSON; the server alone knows which channel could work.

use anyhow::bail;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use super::content;
use crate::operator_client::field;

/// What takes a part of a channel away.
const NONE: &str = "none";

/// A channel that is to be added.
#[derive(Debug, Args)]
pub(super) struct NewChannel {
    /// Our own name for it, such as credit-telkomsel; it is kept for ever
    pub(super) product: String,
    /// The name that payers see
    #[arg(long)]
    name: String,
    /// Masuk atau keluar · money in or out; it never changes
    #[arg(long, value_parser = PossibleValuesParser::new(["in", "out"]))]
    flow: String,
    /// PROTOCOL:CODE by which merchants ask for it, such as ilenpay:telkomsel or s88pay:P001; may be
    /// given several times
    #[arg(long, required = true)]
    code: Vec<String>,
    #[command(flatten)]
    parts: Parts,
    /// The group of products
    #[arg(long, default_value = "channel")]
    group: String,
    /// Belum dibuka · do not open it yet
    #[arg(long)]
    off: bool,
}

/// What of a channel is to be changed.
#[derive(Debug, Args)]
pub(super) struct ChangedChannel {
    /// Our own name for it
    pub(super) product: String,
    #[command(flatten)]
    parts: Parts,
}

/// What a channel has besides its direction.
#[derive(Debug, Args)]
struct Parts {
    /// A currency that goes through it; may be given several times. None given is all
    #[arg(long)]
    currency: Vec<String>,
    /// What we take of each amount, in per cent, such as 1 or 0.75
    #[arg(long)]
    fee_percent: Option<String>,
    /// What we take in any case, in the channel's one currency; none takes it away
    #[arg(long)]
    fee_fixed: Option<String>,
    /// Nilai pulsa · what a rupiah of telephone credit is worth, such as 0.82; ilenpay needs it
    #[arg(long)]
    rate: Option<String>,
    /// Tujuan transfer · where payers send money: NUMBER, "NUMBER HOLDER", or for several currencies
    /// "INR=shop@bank Holder;0011 Holder"
    #[arg(long)]
    account: Option<String>,
    /// The highest amount of one order, in the channel's one currency; none takes it away
    #[arg(long)]
    amount_max: Option<String>,
}

impl Parts {
    /// What was given, by the API's names.
    fn given(&self) -> Map<String, Value> {
        let texts = [
            ("fee_percent", &self.fee_percent),
            ("fee_fixed", &self.fee_fixed),
            ("rate", &self.rate),
            ("account", &self.account),
            ("amount_max", &self.amount_max),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        let mut given: Map<_, _> = texts
            .map(|(name, text)| {
                let value = if text == NONE { Value::Null } else { json!(text) };
                (name.to_owned(), value)
            })
            .collect();
        if !self.currency.is_empty() {
            given.insert("currencies".to_owned(), json!(self.currency));
        }
        given
    }
}

impl NewChannel {
    /// All of it, as the API takes it.
    pub(super) fn content(&self) -> Value {
        let mut channel = json!({ "flow": self.flow, "currencies": [], "fee_percent": "0" });
        put(&mut channel, self.parts.given());
        let mut content = json!({
            "name": self.name, "group": self.group,
            "status": if self.off { "inactive" } else { "active" },
            "terms": [], "channel": channel,
        });
        for code in &self.code {
            content::add_alias(&mut content, content::alias(code));
        }
        content
    }
}

impl ChangedChannel {
    /// Puts what was given into a product. Fails where that is no channel, or nothing was given.
    pub(super) fn put_into(&self, content: &mut Value) -> anyhow::Result<()> {
        let given = self.parts.given();
        if given.is_empty() {
            bail!("tidak ada yang diubah · nothing is to be changed; see --help");
        }
        if !content["channel"].is_object() {
            bail!("bukan kanal · not a channel");
        }
        put(&mut content["channel"], given);
        Ok(())
    }
}

fn put(channel: &mut Value, given: Map<String, Value>) {
    for (name, value) in given {
        channel[name] = value;
    }
}

/// A channel as lines; none for a product that is none.
pub(super) fn lines(channel: &Value) -> Vec<String> {
    if channel.is_null() {
        return Vec::new();
    }
    let part = |name| field(channel, name);
    let currencies = channel["currencies"].as_array().into_iter().flatten();
    let currencies: Vec<_> = currencies.filter_map(Value::as_str).collect();
    let currencies =
        if currencies.is_empty() { "semua · all".into() } else { currencies.join(" ") };
    let mut lines = vec![format!(
        "Kanal · channel: {}, {currencies}, biaya · fee {}% + {}, maks. · at most {}",
        part("flow"),
        part("fee_percent"),
        part("fee_fixed"),
        part("amount_max")
    )];
    if !channel["rate"].is_null() {
        lines.push(format!("Nilai pulsa · rate: {}", part("rate")));
    }
    if !channel["account"].is_null() {
        lines.push(format!("Tujuan transfer · account: {}", part("account")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Adding {
        #[command(flatten)]
        new: NewChannel,
    }

    #[derive(Parser)]
    struct Changing {
        #[command(flatten)]
        changed: ChangedChannel,
    }

    fn change(arguments: &[&str], content: &mut Value) -> anyhow::Result<()> {
        let line = Changing::parse_from([&["channel", "it"], arguments].concat());
        line.changed.put_into(content)
    }

    #[test]
    fn a_channel_is_added_as_it_was_typed_and_changed_in_its_parts() {
        let line = Adding::parse_from([
            "add-channel",
            "credit-xl",
            "--name",
            "XL/Axis",
            "--flow",
            "in",
            "--code",
            "ilenpay:xl",
            "--currency",
            "IDR",
            "--rate",
            "0.80",
            "--account",
            "0817",
        ]);
        let mut content = line.new.content();
        let expected = json!({
            "name": "XL/Axis", "group": "channel", "status": "active", "terms": [],
            "aliases": [{ "protocol": "ilenpay", "code": "xl" }],
            "channel": { "flow": "in", "currencies": ["IDR"], "fee_percent": "0", "rate": "0.80",
                "account": "0817" },
        });
        assert_eq!(content, expected);
        change(&["--rate", "0.79", "--amount-max", "500000"], &mut content).unwrap();
        assert_eq!(
            (&content["channel"]["rate"], &content["channel"]["amount_max"]),
            (&json!("0.79"), &json!("500000"))
        );
        change(&["--amount-max", "none"], &mut content).unwrap();
        assert_eq!(content["channel"]["amount_max"], Value::Null);
        let told = lines(&content["channel"]).join("\n");
        assert_eq!(
            told,
            "Kanal · channel: in, IDR, biaya · fee 0% + -, maks. · at most -\n\
             Nilai pulsa · rate: 0.79\nTujuan transfer · account: 0817"
        );
        assert!(change(&[], &mut content).is_err());
        let mut bill = json!({ "channel": null });
        assert!(change(&["--rate", "0.79"], &mut bill).is_err());
        assert!(lines(&bill["channel"]).is_empty());
    }
}
