//! What merchants want otherwise of a protocol, between the admin API and the domain.
//!
//! All of it is put at once. Only names and words that the protocol knows are taken, so that a word
//! that is misspelt is not a wish that nobody grants.

use std::collections::BTreeMap;

use domain::Preferences;
use domain::administration::Act;
use protocols::{ilenpay, s88pay};

use super::calls::{Call, Outcome, shown};
use super::codes::{Code, Denial};
use super::forms::{CallbackUrl, PreferenceText};
use super::shape::shape;
use super::views;

shape! {
    /// What a merchant is to have otherwise; what is left out is as usual.
    PreferencesToSet {
        /// Values by name.
        values: BTreeMap<String, PreferenceText> = { "always_200": "yes", "callback_form": "kv" },
    }
}
shape! {
    /// What a merchant has otherwise in a protocol.
    PreferencesView {
        /// The protocol.
        protocol: String = "s88pay",
        /// Values by name.
        values: BTreeMap<String, String> = { "always_200": "yes", "callback_form": "kv" },
    }
}

impl From<&Preferences> for PreferencesView {
    fn from(preferences: &Preferences) -> Self {
        Self { protocol: preferences.protocol.to_string(), values: preferences.values.clone() }
    }
}

/// What stands under a name.
enum Takes {
    /// One of these words; the first is told to who asks.
    Words(&'static [&'static str]),
    /// An address for browsers.
    Address,
}

const SWITCH: Takes = Takes::Words(&["yes"]);

/// What merchants may want of a protocol.
const fn known(protocol: &str) -> &'static [(&'static str, Takes)] {
    match protocol.as_bytes() {
        b"ilenpay" => &[
            (ilenpay::preferences::BACK_URL, Takes::Address),
            (ilenpay::preferences::MASK_WEBHOOK_KEY, SWITCH),
            (ilenpay::preferences::SENDER_REQUIRED, SWITCH),
        ],
        b"s88pay" => &[
            (s88pay::preferences::ALWAYS_200, SWITCH),
            (s88pay::preferences::PAYOUT_ERRORS_SUCCEED, SWITCH),
            (s88pay::preferences::CALLBACK_FORM, Takes::Words(&["json", "kv"])),
            (s88pay::preferences::CALLBACK_STATUS, Takes::Words(&["numbers", "names"])),
            (s88pay::preferences::SUCCESS_URL, Takes::Address),
            (s88pay::preferences::FAILED_URL, Takes::Address),
            (s88pay::preferences::LENIENT_RELOAD, SWITCH),
        ],
        _ => &[],
    }
}

/// Denies a name or a word that the protocol does not know.
fn check(protocol: &str, name: &str, value: &str) -> Result<(), Denial> {
    let invalid = |what: String| Err(Denial::with(Code::PreferenceInvalid, what));
    let Some((_, takes)) = known(protocol).iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = known(protocol).iter().map(|(name, _)| *name).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return invalid(format!("{name} is no preference of {protocol}, which has: {names}"));
    };
    match takes {
        Takes::Words(words) if words.contains(&value) => Ok(()),
        Takes::Words(words) => invalid(format!("{name} is {}", words.join(" or "))),
        Takes::Address if CallbackUrl::try_from(value.to_owned()).is_ok() => Ok(()),
        Takes::Address => invalid(format!("{name} is an address such as https://shop.example/")),
    }
}

impl Call {
    pub(super) fn get_preferences(&self) -> Outcome {
        self.merchant()?;
        let key = self.endpoint_key()?;
        let catalogue = self.gateway.catalogue();
        let values = catalogue.preferences(&key).map(|it| it.values.clone()).unwrap_or_default();
        shown(&PreferencesView { protocol: key.protocol.to_string(), values })
    }

    pub(super) async fn put_preferences(&self) -> Outcome {
        let wanted: PreferencesToSet = self.body()?;
        let key = self.endpoint_key()?;
        let mut values = BTreeMap::new();
        for (name, value) in wanted.values {
            check(key.protocol.as_str(), &name, &value.0)?;
            values.insert(name, value.0);
        }
        let (merchant, protocol) = (key.merchant, key.protocol);
        let act = Act::SetPreferences(Preferences { merchant, protocol, values });
        let done = self.gateway.act(self.by.clone(), act).await?;
        Ok(views::of_act(&done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_protocol_knows_is_taken() {
        let table = [
            ("ilenpay", "back_url", "https://shop.example/", true),
            ("ilenpay", "back_url", "shop.example", false),
            ("ilenpay", "sender_required", "yes", true),
            ("ilenpay", "sender_required", "true", false),
            ("ilenpay", "always_200", "yes", false),
            ("s88pay", "always_200", "yes", true),
            ("s88pay", "callback_form", "kv", true),
            ("s88pay", "callback_form", "xml", false),
            ("s88pay", "callback_status", "names", true),
            ("s88pay", "success_url", "javascript:alert(1)", false),
            ("s88pay", "Always_200", "yes", false),
            ("iak", "always_200", "yes", false),
            ("isikuota", "", "", false),
        ];
        for (protocol, name, value, expected) in table {
            assert_eq!(check(protocol, name, value).is_ok(), expected, "{protocol} {name} {value}");
        }
        let told = check("s88pay", "always200", "yes").unwrap_err().particulars.unwrap_or_default();
        assert!(told.contains("always_200, payout_errors_succeed"), "{told}");
    }
}
