//! Values of settings: as they were written, and as they were understood.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::base_url::BaseUrl;
use super::name::Name;
use super::secret::{MASK, Secret};

/// A value as somebody wrote it.
#[derive(Clone)]
pub(crate) enum Raw {
    /// Text without a type: from the environment, a flag, or the list of settings.
    Untyped(String),
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array of strings.
    List(Vec<String>),
    /// Anything else that TOML can write, which no setting takes: what it is, and its text.
    Unfit(&'static str, String),
}

impl Raw {
    /// What it is, for messages.
    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Untyped(_) => "a text",
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "an array of strings",
            Self::Unfit(what, _) => what,
        }
    }
}

/// As it would be written in the file. Whoever shows this has made sure that it is no secret.
impl fmt::Display for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untyped(text) | Self::Text(text) => write_quoted(formatter, text),
            Self::Integer(number) => number.fmt(formatter),
            Self::Boolean(boolean) => boolean.fmt(formatter),
            Self::List(texts) => write_list(formatter, texts),
            Self::Unfit(_, text) => formatter.write_str(text),
        }
    }
}

/// A value that a setting's kind accepts.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// An optional setting that is left empty.
    Nothing,
    /// An address and port to listen on.
    Address(SocketAddr),
    /// An address on the web.
    BaseUrl(BaseUrl),
    /// Networks, in the order in which they were written.
    Networks(Vec<IpNet>),
    /// A whole number.
    Integer(i64),
    /// A span of time in whole milliseconds.
    Duration(Duration),
    /// Spans of time, in the order in which they were written.
    Durations(Vec<Duration>),
    /// A number of bytes.
    Size(u64),
    /// Yes or no.
    Boolean(bool),
    /// A file or folder.
    Path(PathBuf),
    /// Any other text.
    Text(String),
    /// Names of other tables, in the order in which they were written.
    Names(Vec<Name>),
    /// What must not be seen.
    Secret(Secret),
}

/// As one would write it in the file, so that what `check` prints can be copied; secrets masked.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("\"\""),
            Self::Address(address) => write!(formatter, "\"{address}\""),
            Self::BaseUrl(url) => write_quoted(formatter, url.as_str()),
            Self::Networks(networks) => write_list(formatter, networks),
            Self::Integer(number) => number.fmt(formatter),
            Self::Duration(duration) => write!(formatter, "\"{}\"", duration_text(*duration)),
            Self::Durations(durations) => {
                let texts: Vec<_> = durations.iter().copied().map(duration_text).collect();
                write_list(formatter, &texts)
            }
            Self::Size(bytes) => write!(formatter, "\"{}\"", size_text(*bytes)),
            Self::Boolean(boolean) => boolean.fmt(formatter),
            Self::Path(path) => write_quoted(formatter, &path.to_string_lossy()),
            Self::Text(text) => write_quoted(formatter, text),
            Self::Names(names) => write_list(formatter, names),
            Self::Secret(_) => write!(formatter, "\"{MASK}\""),
        }
    }
}

/// A TOML basic string. Control characters are escaped, so that a value cannot move the cursor of
/// the terminal on which it is shown.
fn write_quoted(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(formatter, "\\{letter}")?,
            _ if letter.is_control() => write!(formatter, "\\u{:04X}", u32::from(letter))?,
            _ => write!(formatter, "{letter}")?,
        }
    }
    formatter.write_str("\"")
}

fn write_list(formatter: &mut fmt::Formatter<'_>, texts: &[impl ToString]) -> fmt::Result {
    formatter.write_str("[")?;
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(", ")?;
        }
        write_quoted(formatter, &text.to_string())?;
    }
    formatter.write_str("]")
}

/// The units of durations with their length in milliseconds, longest first.
pub(super) const DURATION_UNITS: [(&str, u64); 4] =
    [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// The units of sizes with their number of bytes, largest first.
pub(super) const SIZE_UNITS: [(&str, u64); 4] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A duration in the largest unit in which it is a whole number.
pub(super) fn duration_text(duration: Duration) -> String {
    in_largest_unit(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATION_UNITS)
}

/// A size in the largest unit in which it is a whole number.
pub(super) fn size_text(bytes: u64) -> String {
    in_largest_unit(bytes, &SIZE_UNITS)
}

fn in_largest_unit(amount: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .find(|(_, worth)| amount > 0 && amount.is_multiple_of(*worth))
        .or(units.last())
        .map_or_else(|| amount.to_string(), |(unit, worth)| format!("{}{unit}", amount / worth))
}
