//! Where a callback goes, read from the text of an address.
//!
//! What is accepted has one meaning only: `http` or `https`, a host, a port, a path and a query. A
//! host that is written in some other way of writing numbers is a name like any other, and whatever
//! it resolves to is judged when it is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use thiserror::Error;

use super::policy::Policy;

/// The longest address that is kept, in bytes.
pub(crate) const LENGTH_MAX: usize = 1024;
/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const NAME_LENGTH_MAX: usize = 253;

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TargetFault {
    /// It cannot be read, or is of another scheme.
    #[error("not an http or https address")]
    Unreadable,
    /// It is longer than [`LENGTH_MAX`].
    #[error("longer than {LENGTH_MAX} characters")]
    TooLong,
    /// It has a name or password in it.
    #[error("a name or password in an address is not allowed")]
    UserInformation,
    /// It has a part that is never sent.
    #[error("a fragment is not allowed")]
    Fragment,
    /// Its host is neither a name nor a number.
    #[error("not the name or number of a host")]
    Host,
    /// Its port is refused, see [`Policy::admits_port`].
    #[error("a port is 80, 443 or from 1024 to 65535")]
    Port,
}

/// The host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// To be resolved.
    Name(String),
    /// To be connected to.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

/// An address that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Whether it is spoken to under TLS.
    pub(crate) encrypted: bool,
    /// Whom to connect to.
    pub(crate) host: Host,
    /// At which port.
    pub(crate) port: u16,
    /// Path and query, as they are sent.
    pub(crate) path: String,
}

impl Target {
    /// Reads an address.
    pub(crate) fn parse(text: &str) -> Result<Self, TargetFault> {
        if text.len() > LENGTH_MAX {
            return Err(TargetFault::TooLong);
        }
        if text.contains('#') {
            return Err(TargetFault::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| TargetFault::Unreadable)?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(TargetFault::Unreadable),
        };
        let authority = uri.authority().ok_or(TargetFault::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(TargetFault::UserInformation);
        }
        let host = host(authority.host())?;
        let port = match authority.as_str().get(authority.host().len()..).unwrap_or_default() {
            "" if encrypted => 443,
            "" => 80,
            _ => authority.port_u16().ok_or(TargetFault::Port)?,
        };
        if !Policy::admits_port(port) {
            return Err(TargetFault::Port);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { encrypted, host, port, path })
    }

    /// The host as requests name it, with the port where it is not the usual one.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.encrypted { 443 } else { 80 };
        match self.port == usual {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// The one form in which an address is kept.
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.authority(), self.path)
    }
}

fn host(text: &str) -> Result<Host, TargetFault> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(TargetFault::Host)?;
        let address: Ipv6Addr = inner.parse().map_err(|_| TargetFault::Host)?;
        return Ok(Host::Address(IpAddr::V6(address)));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Host::Address(address));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    if name.len() > NAME_LENGTH_MAX || !name.split('.').all(is_label) {
        return Err(TargetFault::Host);
    }
    Ok(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_kept_in_one_form() {
        let table = [
            ("https://shop.example", "https://shop.example/"),
            ("HTTPS://Shop.Example./Hook", "https://shop.example/Hook"),
            ("https://shop.example:443/a?b=c", "https://shop.example/a?b=c"),
            ("http://shop.example:80?x", "http://shop.example/?x"),
            ("http://shop.example:8080/", "http://shop.example:8080/"),
            ("http://127.0.0.1:3000/hook", "http://127.0.0.1:3000/hook"),
            ("http://[::1]:3000/hook", "http://[::1]:3000/hook"),
            ("http://[::FFFF:10.0.0.1]/", "http://[::ffff:10.0.0.1]/"),
            ("http://2130706433/", "http://2130706433/"),
            ("http://a_b.example/", "http://a_b.example/"),
        ];
        for (text, kept) in table {
            assert_eq!(Target::parse(text).map(|it| it.to_string()).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let table = [
            ("", TargetFault::Unreadable),
            ("shop.example", TargetFault::Unreadable),
            ("/hook", TargetFault::Unreadable),
            ("ftp://shop.example/", TargetFault::Unreadable),
            ("file:///etc/passwd", TargetFault::Unreadable),
            ("gopher://shop.example/", TargetFault::Unreadable),
            ("https:///hook", TargetFault::Unreadable),
            ("https://shop .example/", TargetFault::Unreadable),
            ("https://shop.example/\r\nx: y", TargetFault::Unreadable),
            ("https://ana:geheim@shop.example/", TargetFault::UserInformation),
            ("https://127.0.0.1@shop.example/", TargetFault::UserInformation),
            ("https://shop.example/#top", TargetFault::Fragment),
            ("https://shop..example/", TargetFault::Host),
            ("https://sh!op.example/", TargetFault::Host),
            ("https://[::1/", TargetFault::Unreadable),
            ("https://[fe80::1%25eth0]/", TargetFault::Host),
            ("https://shop.example:0/", TargetFault::Port),
            ("https://shop.example:25/", TargetFault::Port),
            ("https://shop.example:/", TargetFault::Port),
            ("https://shop.example:99999/", TargetFault::Port),
        ];
        for (text, fault) in table {
            assert_eq!(Target::parse(text), Err(fault), "{text:?}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(LENGTH_MAX));
        assert_eq!(Target::parse(&long), Err(TargetFault::TooLong));
    }

    proptest! {
        #[test]
        fn the_kept_form_means_the_same(text in "https?://[a-z0-9.:\\[\\]]{1,20}/[ -~]{0,20}") {
            if let Ok(target) = Target::parse(&text) {
                prop_assert_eq!(Target::parse(&target.to_string()), Ok(target));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,60}") {
            let _ = Target::parse(&text);
        }
    }
}
