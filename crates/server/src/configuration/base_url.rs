//! The start of an address on the web, to which paths are added.
//!
//! It is kept in one form, lower-case host and no slash at the end, so that adding a path can
//! neither double nor lose a slash. Passwords, queries and fragments have no place in it.

use std::fmt;

use http::Uri;

/// An `http` or `https` address without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(Box<str>);

impl BaseUrl {
    /// Reads an address. The error says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        if text.contains('@') {
            return Err("a name or password in an address is not allowed");
        }
        if text.contains(['?', '#']) {
            return Err("a query or fragment is not allowed");
        }
        let uri: Uri = text.parse().map_err(|_| "not an http or https address")?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else {
            return Err("not an http or https address");
        };
        let host = authority.host().to_ascii_lowercase();
        let is_host = |it: char| it.is_ascii_alphanumeric() || "-._:[]".contains(it);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err("not the name or number of a host");
        }
        let port = match authority.as_str().get(host.len()..).unwrap_or_default() {
            "" => String::new(),
            _ => match authority.port_u16() {
                None | Some(0) => return Err("a port lies between 1 and 65535"),
                Some(port) => format!(":{port}"),
            },
        };
        let path = uri.path().trim_end_matches('/');
        Ok(Self(format!("{scheme}://{host}{port}{path}").into()))
    }

    /// The address without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with a path after it; a slash comes between them exactly once.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}/{}", self.0, path.trim_start_matches('/'))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_one_form() {
        let table = [
            ("https://pay.example.id", "https://pay.example.id"),
            ("https://pay.example.id/", "https://pay.example.id"),
            ("HTTPS://Pay.Example.ID//", "https://pay.example.id"),
            ("http://127.0.0.1:8080/lunas/", "http://127.0.0.1:8080/lunas"),
            ("http://[::1]:4318", "http://[::1]:4318"),
            ("https://pay.example.id:443/A/b", "https://pay.example.id:443/A/b"),
        ];
        for (text, expected) in table {
            assert_eq!(BaseUrl::new(text).map(|url| url.to_string()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_plain_web_address_is_refused() {
        let table = [
            "",
            "pay.example.id",
            "/pay",
            "ftp://pay.example.id",
            "file:///etc/passwd",
            "https://",
            "https:///pay",
            "https://name:password@pay.example.id",
            "https://pay.example.id/?a=1",
            "https://pay.example.id/#top",
            "https://pay.example.id:0",
            "https://pay.example.id:",
            "https://pay.example.id:99999",
            "https://pay.example.id:port",
            "https://pay example.id",
            " https://pay.example.id",
        ];
        for text in table {
            assert!(BaseUrl::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn joining_puts_exactly_one_slash_between() {
        let table = [
            ("https://a.id", "/pay/1", "https://a.id/pay/1"),
            ("https://a.id/", "pay/1", "https://a.id/pay/1"),
            ("https://a.id/x/", "//pay", "https://a.id/x/pay"),
        ];
        for (base, path, expected) in table {
            let base = BaseUrl::new(base).unwrap();
            assert_eq!(base.join(path), expected);
        }
    }
}
