//! A product as the admin API takes it, and the changes that the commands make to one.
//!
//! Pure functions over the API's own JSON: the server alone knows what is allowed, so that nothing
//! here checks a form that it checks too.

use anyhow::bail;
use serde_json::{Value, json};

/// What a list of products that was read back must not carry: the name stands in the path.
const NAME: &str = "product";

/// The protocol of a code or a price when none is named.
pub(super) const PROTOCOL: &str = "iak";

/// Our own name for a product and its content, of one that the server showed. Fails where there is
/// no name.
pub(super) fn taken_apart(mut shown: Value) -> anyhow::Result<(String, Value)> {
    let name = shown.as_object_mut().and_then(|it| it.remove(NAME));
    match name {
        Some(Value::String(name)) if !name.is_empty() => Ok((name, shown)),
        _ => bail!("tidak ada \"product\" · has no \"product\", our own name for it"),
    }
}

/// A code as it is typed: `CODE`, or `PROTOCOL:CODE`.
pub(super) fn alias(text: &str) -> Value {
    let (protocol, code) = text.split_once(':').unwrap_or((PROTOCOL, text));
    json!({ "protocol": protocol, "code": code })
}

/// Closing hours as they are typed: `FROM-UNTIL`, in minutes of Jakarta's day.
pub(super) fn hours(text: &str) -> Result<Value, String> {
    match text.split_once('-') {
        Some((from, until)) => Ok(json!({ "from": from, "until": until })),
        None => Err("write them as 23:00-01:00".to_owned()),
    }
}

/// Puts a code with the others of a product, once.
pub(super) fn add_alias(content: &mut Value, alias: Value) {
    let aliases = items(content, "aliases");
    if !aliases.contains(&alias) {
        aliases.push(alias);
    }
}

/// Takes a code from a product. Fails where the product does not have it.
pub(super) fn remove_alias(content: &mut Value, alias: &Value) -> anyhow::Result<()> {
    let aliases = items(content, "aliases");
    let before = aliases.len();
    aliases.retain(|it| it != alias);
    if aliases.len() == before {
        bail!("kode itu tidak ada · the product has no code {alias}");
    }
    Ok(())
}

/// Puts terms with the others of a product, in place of those for the same level and protocol.
pub(super) fn put_terms(content: &mut Value, terms: Value) {
    put_for_buyers(items(content, "terms"), terms);
}

/// Puts a price with the others of a top-up, in place of that for the same level and protocol. Fails
/// where the product is none.
pub(super) fn put_price(content: &mut Value, price: Value) -> anyhow::Result<()> {
    if !content["top_up"].is_object() {
        bail!("bukan top-up; pakai --admin-fee · not a top-up; use --admin-fee and --commission");
    }
    put_for_buyers(items(&mut content["top_up"], "prices"), price);
    Ok(())
}

/// Takes the price of a top-up, or the terms of a bill, for a level and protocol from a product. Fails
/// where it has none.
pub(super) fn remove_price_or_terms(content: &mut Value, like: &Value) -> anyhow::Result<()> {
    let all = match content["top_up"].is_object() {
        true => items(&mut content["top_up"], "prices"),
        false => items(content, "terms"),
    };
    let before = all.len();
    all.retain(|it| !same_buyers(it, like));
    if all.len() == before {
        bail!("ketentuan itu tidak ada · the product has no such terms");
    }
    Ok(())
}

fn put_for_buyers(all: &mut Vec<Value>, new: Value) {
    match all.iter_mut().find(|it| same_buyers(it, &new)) {
        Some(before) => *before = new,
        None => all.push(new),
    }
}

fn same_buyers(one: &Value, other: &Value) -> bool {
    one["level"] == other["level"] && one["protocol"] == other["protocol"]
}

/// A list of a product, made where it is missing.
fn items<'a>(content: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    let list = &mut content[name];
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut().expect("made an array just before")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(level: &str, protocol: Option<&str>, fee: &str) -> Value {
        json!({ "level": level, "protocol": protocol, "currency": "IDR", "admin_fee": fee,
            "commission": "1" })
    }

    #[test]
    fn a_product_that_was_shown_is_taken_apart() {
        let shown = json!({ "product": "pln", "name": "PLN" });
        assert_eq!(taken_apart(shown).unwrap(), ("pln".to_owned(), json!({ "name": "PLN" })));
        for without in [json!({ "name": "PLN" }), json!({ "product": "" }), json!([]), json!(5)] {
            assert!(taken_apart(without.clone()).is_err(), "{without}");
        }
    }

    #[test]
    fn codes_and_hours_are_read_as_typed() {
        assert_eq!(alias("PLNPOSTPAID"), json!({ "protocol": "iak", "code": "PLNPOSTPAID" }));
        assert_eq!(alias("iak:A:B"), json!({ "protocol": "iak", "code": "A:B" }));
        assert_eq!(hours("23:00-01:00"), Ok(json!({ "from": "23:00", "until": "01:00" })));
        assert!(hours("23:00").is_err());
    }

    #[test]
    fn a_code_is_there_once_and_goes_away_once() {
        let mut content = json!({ "name": "PLN" });
        for _ in 0..2 {
            add_alias(&mut content, alias("A"));
        }
        add_alias(&mut content, alias("B"));
        assert_eq!(content["aliases"], json!([alias("A"), alias("B")]));
        remove_alias(&mut content, &alias("A")).unwrap();
        assert_eq!(content["aliases"], json!([alias("B")]));
        assert!(remove_alias(&mut content, &alias("A")).is_err());
    }

    #[test]
    fn terms_replace_those_of_the_same_buyers_and_no_others() {
        let mut content = json!({ "terms": [terms("retail", None, "1")] });
        put_terms(&mut content, terms("retail", Some("iak"), "2"));
        put_terms(&mut content, terms("wholesale", None, "3"));
        put_terms(&mut content, terms("retail", None, "4"));
        let expected = json!([
            terms("retail", None, "4"),
            terms("retail", Some("iak"), "2"),
            terms("wholesale", None, "3"),
        ]);
        assert_eq!(content["terms"], expected);
        remove_price_or_terms(&mut content, &terms("retail", None, "")).unwrap();
        assert_eq!(content["terms"].as_array().unwrap().len(), 2);
        assert!(remove_price_or_terms(&mut content, &terms("retail", None, "")).is_err());
    }
    #[test]
    fn only_top_ups_have_prices() {
        let price = |amount: &str| json!({ "level": "retail", "protocol": null, "amount": amount });
        let mut bill = json!({ "terms": [], "top_up": null });
        assert!(put_price(&mut bill, price("1")).is_err());
        let mut top_up = json!({ "terms": [], "top_up": { "prices": [] } });
        for amount in ["1", "2"] {
            put_price(&mut top_up, price(amount)).unwrap();
        }
        assert_eq!(top_up["top_up"]["prices"], json!([price("2")]));
        remove_price_or_terms(&mut top_up, &price("")).unwrap();
        assert!(remove_price_or_terms(&mut top_up, &price("")).is_err());
    }
}
