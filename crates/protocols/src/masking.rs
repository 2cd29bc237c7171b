//! Writes JSON and XML bodies so that they may be kept: what may be shown is listed by a protocol's
//! policy, and everything else is masked.
//!
//! Values are masked by the names above them. Names are masked too unless they are plain words,
//! because a caller may put a secret where a name belongs. A body that cannot be read is not shown
//! at all. This runs on the thread of the exchange log and never on the path of a request.

use std::fmt;

use domain::Masked;
use gateway::exchanges::Side;
use quick_xml::Reader;
use quick_xml::escape::partial_escape;
use quick_xml::events::Event;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

const HIDDEN: &str = "****";
/// How many items of a list are shown.
const ITEMS_MAX: usize = 4;
/// How many digits a word may have: no customer's number or key has as few.
const WORD_DIGITS_MAX: usize = 7;
/// How long a word may be, in bytes.
const WORD_LENGTH_MAX: usize = 64;
/// How many digits an amount may have that a caller names.
const AMOUNT_DIGITS_MAX: usize = 9;
/// How deep a document may nest.
const DEPTH_MAX: usize = 32;

/// How a value may be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    /// Not at all: secrets, and whatever the policy does not know.
    Hidden,
    /// Its ends only: customers' numbers and names.
    Masked,
    /// Whole if it looks like a code, a reference or a state, and masked otherwise.
    Word,
    /// Whole if it is an amount or a count, and masked otherwise.
    Amount,
    /// Whole if this says so, and masked otherwise.
    Accepted(fn(&str) -> bool),
    /// Whole. Only for what we wrote ourselves.
    Whole,
}

impl Shown {
    fn of(self, text: &str) -> String {
        let is_shown = match self {
            Self::Hidden => return HIDDEN.to_owned(),
            Self::Masked => text.is_empty(),
            Self::Word => is_word(text),
            Self::Amount => is_amount(text),
            Self::Accepted(is_shown) => is_shown(text),
            Self::Whole => true,
        };
        if is_shown { text.to_owned() } else { Masked(text).to_string() }
    }
}

/// How the value below these names, the outermost first, may be shown.
pub(crate) type Policy = fn(Side, &[&str]) -> Shown;

fn is_word(text: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() <= WORD_LENGTH_MAX && digits <= WORD_DIGITS_MAX && text.bytes().all(harmless)
}

fn is_amount(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() <= AMOUNT_DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name as it may be shown: a plain word of small letters.
fn name_shown(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit();
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = name.len() <= WORD_LENGTH_MAX && digits <= 2 && name.bytes().all(plain);
    if is_plain { name } else { HIDDEN }
}

/// A JSON body, masked; none if it is no JSON.
pub(crate) fn json(policy: Policy, side: Side, body: &[u8]) -> Option<String> {
    let tree: Tree = serde_json::from_slice(body).ok()?;
    let masked = tree.masked(policy, side, &mut Vec::new());
    serde_json::to_string(&masked).ok()
}

/// A JSON value with its names in their order, those that stand twice included.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Null,
    Boolean(bool),
    /// In the digits that are left of it.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Record(Vec<(String, Tree)>),
}

impl Tree {
    fn masked<'tree>(&'tree self, policy: Policy, side: Side, names: &mut Vec<&'tree str>) -> Tree {
        match self {
            Self::Null => Self::Null,
            Self::Boolean(boolean) => Self::Boolean(*boolean),
            Self::Number(text) | Self::Text(text) => {
                let shown = policy(side, names).of(text);
                match self {
                    Self::Number(_) if shown == *text => Self::Number(shown),
                    _ => Self::Text(shown),
                }
            }
            Self::List(items) => {
                let shown = items.iter().take(ITEMS_MAX);
                let mut shown: Vec<_> =
                    shown.map(|item| item.masked(policy, side, names)).collect();
                if let Some(more) = items.len().checked_sub(ITEMS_MAX).filter(|more| *more > 0) {
                    shown.push(Self::Text(format!("… +{more}")));
                }
                Self::List(shown)
            }
            Self::Record(entries) => Self::Record(
                entries
                    .iter()
                    .map(|(name, value)| {
                        names.push(name);
                        let value = value.masked(policy, side, names);
                        names.pop();
                        (name_shown(name).to_owned(), value)
                    })
                    .collect(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Record(entries))
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Number(text) => match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (Err(_), Ok(number)) => serializer.serialize_u64(number),
                (Err(_), Err(_)) => serializer.serialize_str(text),
            },
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Record(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// An XML body, masked and without declaration, comments and attributes; none if it is no
/// well-formed XML, or has what the API does not take.
pub(crate) fn xml(policy: Policy, side: Side, body: &[u8]) -> Option<String> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut document = Document { policy, side, open: Vec::new(), written: String::new() };
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => document.open(start.name().into_inner())?,
            Event::End(_) => document.close()?,
            Event::Empty(start) => {
                document.open(start.name().into_inner())?;
                document.close()?;
            }
            Event::Text(text) => document.text(&text.xml10_content()),
            Event::CData(text) => document.text(&text.xml10_content()),
            // What a reference stands for does not matter: it counts as one more character.
            Event::GeneralRef(_) => document.text("?"),
            Event::Comment(_) | Event::Decl(_) => {}
            Event::PI(_) | Event::DocType(_) => return None,
            Event::Eof => return document.finish(),
        }
    }
}

/// An element that is still open.
struct Open {
    name: String,
    text: String,
    has_children: bool,
}

struct Document {
    policy: Policy,
    side: Side,
    open: Vec<Open>,
    written: String,
}

impl Document {
    fn open(&mut self, name: &str) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            return None;
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        self.written.extend(["<", name_shown(name), ">"]);
        let name = name.to_owned();
        self.open.push(Open { name, text: String::new(), has_children: false });
        Some(())
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    /// Text between elements is only what separates them.
    fn close(&mut self) -> Option<()> {
        let names: Vec<&str> = self.open.iter().map(|element| element.name.as_str()).collect();
        let shown = (self.policy)(self.side, &names);
        let element = self.open.pop()?;
        if !element.has_children && !element.text.is_empty() {
            self.written.push_str(&partial_escape(shown.of(&element.text)));
        }
        self.written.extend(["</", name_shown(&element.name), ">"]);
        Some(())
    }

    fn finish(self) -> Option<String> {
        self.open.is_empty().then_some(self.written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(_side: Side, names: &[&str]) -> Shown {
        match names.last() {
            Some(&"hp") => Shown::Masked,
            Some(&"code") => Shown::Word,
            Some(&"amount") => Shown::Amount,
            Some(&"message") => Shown::Whole,
            _ => Shown::Hidden,
        }
    }

    #[test]
    fn only_what_is_listed_is_shown() {
        let table = [
            (r#"{"hp":"081234567345","sign":"x"}"#, r#"{"hp":"0812****345","sign":"****"}"#),
            (r#"{"hp":81234567345,"code":7}"#, r#"{"hp":"8123****345","code":7}"#),
            (r#"{"code":"PLN.A_b-1"}"#, r#"{"code":"PLN.A_b-1"}"#),
            (r#"{"code":"530000000000"}"#, r#"{"code":"5300****000"}"#),
            (r#"{"code":"9f1c2ab34de5f678"}"#, r#"{"code":"9f1c****678"}"#),
            (r#"{"code":"two words"}"#, r#"{"code":"****"}"#),
            (r#"{"amount":150000}"#, r#"{"amount":150000}"#),
            (r#"{"amount":"-5"}"#, r#"{"amount":"-5"}"#),
            (r#"{"amount":81234567345}"#, r#"{"amount":"8123****345"}"#),
            (r#"{"amount":1.5}"#, r#"{"amount":"****"}"#),
            (r#"{"081234567345":1,"9f1c2ab34de5f678":true}"#, r#"{"****":"****","****":true}"#),
            (r#"{"hp":{"hp":"081234567345","x":null}}"#, r#"{"hp":{"hp":"0812****345","x":null}}"#),
            (r#"{"hp":"a","hp":"b"}"#, r#"{"hp":"****","hp":"****"}"#),
            (r#"{"code":["A","B","C","D","E","F"]}"#, r#"{"code":["A","B","C","D","… +2"]}"#),
            (
                r#"{"message":"Halo dunia 081234567345"}"#,
                r#"{"message":"Halo dunia 081234567345"}"#,
            ),
            (r#"["bare"]"#, r#"["****"]"#),
            (r#""bare""#, r#""****""#),
        ];
        for (body, masked) in table {
            assert_eq!(json(policy, Side::Request, body.as_bytes()).as_deref(), Some(masked));
        }
    }

    #[test]
    fn elements_are_masked_like_names() {
        let table = [
            (
                "<?xml version=\"1.0\"?><mp a=\"secret\"><!-- secret --><hp>081234567345</hp> <sign>x</sign></mp>",
                "<mp><hp>0812****345</hp><sign>****</sign></mp>",
            ),
            ("<mp><code>A&amp;B</code><hp/></mp>", "<mp><code>****</code><hp></hp></mp>"),
            ("<mp><hp><![CDATA[081234567345]]></hp></mp>", "<mp><hp>0812****345</hp></mp>"),
            ("<mp><a081234567345>1</a081234567345></mp>", "<mp><****>****</****></mp>"),
            ("<mp>081234567345<hp>1</hp></mp>", "<mp><hp>****</hp></mp>"),
            ("<mp><message>a &lt; b</message></mp>", "<mp><message>a ? b</message></mp>"),
        ];
        for (body, masked) in table {
            assert_eq!(xml(policy, Side::Request, body.as_bytes()).as_deref(), Some(masked));
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let deep = "[".repeat(200);
        for body in ["", "{", "{\"hp\":\"1\"", "{} 081234567345", &deep] {
            assert_eq!(json(policy, Side::Request, body.as_bytes()), None, "{body}");
        }
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for body in ["<mp>", "<mp></hp>", "<!DOCTYPE a><mp/>", "<mp><?a b?></mp>", &deep] {
            assert_eq!(xml(policy, Side::Request, body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A long number is nowhere whole, wherever a caller puts it.
        #[test]
        fn no_long_number_is_shown(
            number in "[0-9]{10,20}",
            name in "hp|code|amount|sign|other",
            xml_too: bool,
        ) {
            let bodies = [
                format!(r#"{{"{name}":"{number}"}}"#),
                format!(r#"{{"{name}":{{"{number}":["{number}",{{"{name}":"{number}"}}]}}}}"#),
            ];
            for body in bodies {
                if let Some(shown) = json(policy, Side::Request, body.as_bytes()) {
                    prop_assert!(!shown.contains(&number), "{}", shown);
                }
            }
            if xml_too {
                let body = format!("<mp><{name}>{number}</{name}><n{number}/></mp>");
                let shown = xml(policy, Side::Request, body.as_bytes()).expect("well-formed");
                prop_assert!(!shown.contains(&number), "{}", shown);
            }
        }
    }
}
