//! What values settings take: how each kind is read, and how it is explained.
//!
//! Reading is strict. TOML types are not converted into each other, numbers are whole, durations
//! and sizes carry their unit, and nothing is rounded or guessed.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::base_url::BaseUrl;
use super::name::{NAME_RULE, Name};
use super::secret::Secret;
use super::value::{DURATION_UNITS, Raw, SIZE_UNITS, Value, duration_text, size_text};

/// The longest code of a product, in bytes.
const PRODUCT_LENGTH_MAX: usize = 64;

/// What a setting takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// An IP address and a port.
    Address,
    /// An `http` or `https` address, see [`BaseUrl`].
    BaseUrl,
    /// A list of networks in CIDR form.
    Networks,
    /// A whole number between these, both included.
    Integer(i64, i64),
    /// A span of time between these, both included.
    Duration(Duration, Duration),
    /// A list of at least one span of time between these, both included.
    Durations(Duration, Duration),
    /// A number of bytes between these, both included.
    Size(u64, u64),
    /// `true` or `false`.
    Boolean,
    /// A file or folder; what is relative starts where the program was started.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// What to log, in the language of `tracing_subscriber::EnvFilter`.
    LogFilter,
    /// The code of one product, or `*` for every product.
    Product,
    /// A list of at least one name, none of them twice.
    Names,
    /// A secret of at least so many visible characters.
    Secret(usize),
    /// Another kind, or nothing when the text is empty.
    Optional(&'static Self),
}

impl Kind {
    /// Whether values of this kind must not be shown.
    pub(crate) const fn is_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Optional(kind) => kind.is_secret(),
            _ => false,
        }
    }

    /// Understands a value. The error says what is wrong and what to write; of a secret it tells
    /// nothing.
    pub(crate) fn read(&self, raw: &Raw) -> Result<Value, String> {
        let read = match self {
            Self::Integer(least, most) => integer(raw, *least, *most),
            Self::Boolean => boolean(raw),
            Self::Networks => list(raw).and_then(|texts| networks(&texts)),
            Self::Names => list(raw).and_then(|texts| names(&texts)),
            Self::Durations(least, most) => {
                list(raw).and_then(|texts| durations(&texts, *least, *most))
            }
            _ => text(raw).and_then(|text| self.read_text(text)),
        };
        read.map_err(|problem| format!("{problem}; write {}", self.remedy()))
    }

    fn read_text(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::Optional(_) if text.is_empty() => Ok(Value::Nothing),
            // The remedy of the inner kind would not say that the value may be left empty.
            Self::Optional(kind) => kind.read_text(text),
            Self::Address => text
                .parse::<SocketAddr>()
                .map(Value::Address)
                .map_err(|_| "not an address and port".to_owned()),
            Self::BaseUrl => BaseUrl::new(text).map(Value::BaseUrl).map_err(str::to_owned),
            Self::Duration(least, most) => duration(text, *least, *most).map(Value::Duration),
            Self::Size(least, most) => size(text, *least, *most),
            Self::Path => path(text),
            Self::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Self::Choice(_) => Err("not one of its words".to_owned()),
            Self::LogFilter => log_filter(text),
            Self::Product => product(text),
            Self::Secret(least) => secret(text, *least),
            Self::Integer(..)
            | Self::Boolean
            | Self::Networks
            | Self::Names
            | Self::Durations(..) => Err("not a text".to_owned()),
        }
    }

    /// What to write instead, as it follows the word *write*.
    fn remedy(&self) -> String {
        match self {
            Self::Address => "for example \"0.0.0.0:8080\"".to_owned(),
            Self::BaseUrl => "for example \"https://pay.example.id\"".to_owned(),
            Self::Networks => "for example [\"10.0.0.0/8\", \"192.0.2.7\"]".to_owned(),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Duration(least, most) => format!(
                "a whole number with a unit (ms, s, m, h), from \"{}\" to \"{}\"",
                duration_text(*least),
                duration_text(*most)
            ),
            Self::Durations(least, most) => format!(
                "for example [\"5s\", \"5m\"], each from \"{}\" to \"{}\"",
                duration_text(*least),
                duration_text(*most)
            ),
            Self::Size(least, most) => format!(
                "a whole number with a unit (B, KiB, MiB, GiB), from \"{}\" to \"{}\"",
                size_text(*least),
                size_text(*most)
            ),
            Self::Boolean => "true or false".to_owned(),
            Self::Path => "the path of a file or folder".to_owned(),
            Self::Choice(words) => format!("\"{}\"", words.join("\" or \"")),
            Self::LogFilter => "for example \"info\" or \"warn,gateway=debug\"".to_owned(),
            Self::Product => "the code of one product, or \"*\" for every product".to_owned(),
            Self::Names => "for example [\"sandbox\"]".to_owned(),
            Self::Secret(least) => {
                format!("at least {least} visible characters, such as `openssl rand -hex 32` makes")
            }
            Self::Optional(kind) => format!("{}, or \"\" for none", kind.remedy()),
        }
    }

    /// The form of its values in the default file, in signs rather than words, because that file
    /// speaks two languages.
    pub(crate) fn form(&self) -> String {
        match self {
            Self::Address => "\"IP:PORT\"".to_owned(),
            Self::BaseUrl => "\"http://…\" | \"https://…\"".to_owned(),
            Self::Networks => "[\"IP/PREFIX\", …]".to_owned(),
            Self::Integer(least, most) => format!("{least} … {most}"),
            Self::Duration(least, most) => {
                let (least, most) = (duration_text(*least), duration_text(*most));
                format!("\"{least}\" … \"{most}\" (ms, s, m, h)")
            }
            Self::Durations(least, most) => {
                let (least, most) = (duration_text(*least), duration_text(*most));
                format!("[\"{least}\" … \"{most}\", …] (ms, s, m, h)")
            }
            Self::Size(least, most) => {
                let (least, most) = (size_text(*least), size_text(*most));
                format!("\"{least}\" … \"{most}\" (B, KiB, MiB, GiB)")
            }
            Self::Boolean => "true | false".to_owned(),
            Self::Path => "\"PATH\"".to_owned(),
            Self::Choice(words) => format!("\"{}\"", words.join("\" | \"")),
            Self::LogFilter => "\"LEVEL,TARGET=LEVEL,…\"".to_owned(),
            Self::Product => "\"PRODUCT\" | \"*\"".to_owned(),
            Self::Names => "[\"NAME\", …]".to_owned(),
            Self::Secret(least) => format!("\"…\" (≥ {least})"),
            Self::Optional(kind) => format!("\"\" | {}", kind.form()),
        }
    }
}

fn text(raw: &Raw) -> Result<&str, String> {
    match raw {
        Raw::Untyped(text) | Raw::Text(text) => Ok(text),
        _ => Err(format!("a string is expected, not {}", raw.describe())),
    }
}

fn list(raw: &Raw) -> Result<Vec<&str>, String> {
    match raw {
        Raw::List(texts) => Ok(texts.iter().map(String::as_str).collect()),
        // In the environment a list is written with commas.
        Raw::Untyped(text) if text.trim().is_empty() => Ok(Vec::new()),
        Raw::Untyped(text) => Ok(text.split(',').map(str::trim).collect()),
        _ => Err(format!("an array of strings is expected, not {}", raw.describe())),
    }
}

fn boolean(raw: &Raw) -> Result<Value, String> {
    match raw {
        Raw::Boolean(boolean) => Ok(Value::Boolean(*boolean)),
        Raw::Untyped(text) if text == "true" => Ok(Value::Boolean(true)),
        Raw::Untyped(text) if text == "false" => Ok(Value::Boolean(false)),
        _ => Err("not a boolean".to_owned()),
    }
}

fn integer(raw: &Raw, least: i64, most: i64) -> Result<Value, String> {
    let number = match raw {
        Raw::Integer(number) => *number,
        Raw::Untyped(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            let number = is_number.then(|| text.parse().ok()).flatten();
            number.ok_or("not a whole number")?
        }
        _ => return Err(format!("an integer is expected, not {}", raw.describe())),
    };
    if number < least || number > most {
        return Err("out of range".to_owned());
    }
    Ok(Value::Integer(number))
}

/// Reads digits with one of the units; the result counts in the smallest of them.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("not a whole number with a unit".to_owned());
    }
    if unit.is_empty() {
        return Err("the unit is missing".to_owned());
    }
    let (_, worth) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or("not a whole number with a known unit")?;
    let number: u64 = number.parse().map_err(|_| "out of range")?;
    number.checked_mul(*worth).ok_or_else(|| "out of range".to_owned())
}

/// Reads a span of time of any length, as it is written everywhere: `500ms`, `25s`, `2m`, `1h`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    with_unit(text, &DURATION_UNITS).map(Duration::from_millis)
}

fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration < least || duration > most {
        return Err("out of range".to_owned());
    }
    Ok(duration)
}

fn durations(texts: &[&str], least: Duration, most: Duration) -> Result<Value, String> {
    if texts.is_empty() {
        return Err("at least one span of time is needed".to_owned());
    }
    let shown = |text: &str| Raw::Text(text.to_owned());
    let each = texts.iter().map(|text| {
        duration(text, least, most).map_err(|problem| format!("{}: {problem}", shown(text)))
    });
    each.collect::<Result<_, _>>().map(Value::Durations)
}

fn size(text: &str, least: u64, most: u64) -> Result<Value, String> {
    let bytes = with_unit(text, &SIZE_UNITS)?;
    if bytes < least || bytes > most {
        return Err("out of range".to_owned());
    }
    Ok(Value::Size(bytes))
}

fn path(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("a path is expected, not nothing".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("a path has no control characters".to_owned());
    }
    // Only a shell knows whose home it is; here it would become a folder of that name.
    if text.starts_with('~') {
        return Err("`~` is not understood here".to_owned());
    }
    Ok(Value::Path(PathBuf::from(text)))
}

fn networks(texts: &[&str]) -> Result<Value, String> {
    texts.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Value::Networks)
}

/// A network whose prefix is empty means everybody, which no list of chosen networks can mean.
fn network(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text
            .parse::<IpNet>()
            .map_err(|_| format!("{} is not a network", Raw::Text((*text).to_owned())))?,
    };
    if network.prefix_len() == 0 {
        return Err(format!("{network} is everybody"));
    }
    if network.trunc() != network {
        return Err(format!(
            "{network} has bits beyond its prefix and may mean {}",
            network.trunc()
        ));
    }
    Ok(network)
}

fn names(texts: &[&str]) -> Result<Value, String> {
    let mut names = Vec::with_capacity(texts.len());
    for text in texts {
        let shown = Raw::Text((*text).to_owned());
        let name = Name::new(text).ok_or_else(|| format!("{shown} is no name: {NAME_RULE}"))?;
        if names.contains(&name) {
            return Err(format!("{shown} stands in it twice"));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err("at least one name is needed".to_owned());
    }
    Ok(Value::Names(names))
}

fn product(text: &str) -> Result<Value, String> {
    let is_code = !text.is_empty()
        && text.len() <= PRODUCT_LENGTH_MAX
        && text.chars().all(|it| it.is_ascii_alphanumeric() || "-_.:".contains(it));
    if !is_code && text != "*" {
        return Err("not the code of a product".to_owned());
    }
    Ok(Value::Text(text.to_owned()))
}

fn log_filter(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("nothing would be logged".to_owned());
    }
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(Value::Text(text.to_owned())),
        Err(_) => Err("not a filter for the log".to_owned()),
    }
}

fn secret(text: &str, least: usize) -> Result<Value, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has spaces, line breaks or characters beyond ASCII".to_owned());
    }
    if text.len() < least {
        return Err("it is too short to be safe from guessing".to_owned());
    }
    Ok(Value::Secret(Secret::new(text)))
}
