//! Where the `key` of a request stands: in a JSON body, a form, a multipart field or the query,
//! whatever the content type says (S88pay reference, sections 2.5 and 3.5).

use std::borrow::Cow;

use crate::exchange::{Arrival, is_plain};

use super::parameters::Parameters;

const KEY: &str = "key";

/// What a request says in clear.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The encrypted text, as delivered.
    pub(crate) key: String,
    /// The merchant's name for a transaction, where it stands beside the key.
    pub(crate) transaction_code: Option<String>,
    /// Our number of a transaction, where it stands beside the key.
    pub(crate) transaction_no: Option<String>,
}

impl Envelope {
    /// The envelope of a request; none if there is no `key` in it, or nothing that can be read. Of a
    /// request that brings a key in both, the query counts for a GET and the body for anything else.
    pub(crate) fn of(arrival: &Arrival) -> Option<Self> {
        let in_query = || Self::of_form(arrival.head.uri.query().unwrap_or_default());
        let in_body = || {
            let readable = is_plain(&arrival.head.headers);
            let body = arrival.body.as_deref().ok().filter(|_| readable)?;
            Self::of_body(&String::from_utf8_lossy(body))
        };
        if arrival.head.method == http::Method::GET {
            in_query().or_else(in_body)
        } else {
            in_body().or_else(in_query)
        }
    }

    /// The envelope in a body of any of the three formats.
    pub(crate) fn of_body(body: &str) -> Option<Self> {
        let body = body.trim();
        if body.starts_with('{') {
            let members = Parameters::json(body)?;
            return Self::found(|name| members.given(name).map(Cow::Borrowed));
        }
        if body.starts_with("--") {
            return Self::found(|name| multipart_field(body, name).map(Cow::Borrowed));
        }
        Self::of_form(body)
    }

    /// A key in a form is taken as it stands: its receiver copes with what transports do to it, while
    /// decoding a form would turn a `+` into a space first.
    fn of_form(form: &str) -> Option<Self> {
        let form_value = |name: &str| {
            let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(it, _)| *it == name).map(|(_, value)| value).next_back()
        };
        Self::found(|name| {
            let value = form_value(name)?;
            if name == KEY {
                return Some(Cow::Borrowed(value));
            }
            let decoded = super::super::sign::percent_decoded(value.as_bytes());
            let decoded = decoded.map(|decoded| String::from_utf8_lossy(&decoded).into_owned());
            Some(decoded.map_or(Cow::Borrowed(value), Cow::Owned))
        })
    }

    fn found<'a>(value: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<Self> {
        let clear = |name| value(name).map(Cow::into_owned).filter(|it| !it.is_empty());
        Some(Self {
            key: clear(KEY)?,
            transaction_code: clear("transaction_code"),
            transaction_no: clear("transaction_no"),
        })
    }
}

/// The content of a field in a multipart body, whose first line is the boundary.
fn multipart_field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let boundary = body.lines().next()?.trim_end();
    let named = [format!("name=\"{name}\""), format!("name={name}")];
    body.split(boundary).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let mut parameters = head.split([';', '\r', '\n']).map(str::trim);
        parameters.any(|it| named.iter().any(|named| named == it)).then(|| content.trim())
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Method, Request};
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::exchange::BodyFault;

    fn envelope(method: Method, uri: &str, body: Result<&str, BodyFault>) -> Option<Envelope> {
        let request = Request::builder().method(method).uri(uri).body(()).expect("a request");
        let body = body.map(|body| Bytes::copy_from_slice(body.as_bytes()));
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Envelope::of(&Arrival { head: request.into_parts().0, body, peer, note: None })
    }

    fn key(method: Method, uri: &str, body: &str) -> Option<String> {
        envelope(method, uri, Ok(body)).map(|it| it.key)
    }

    #[test]
    fn a_key_is_found_wherever_it_stands() {
        let multipart = "--x9\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nno\r\n--x9\r\n\
                         Content-Disposition: form-data; name=\"key\"\r\n\r\na+b%2B\r\n--x9--\r\n";
        let table = [
            (Method::POST, "/", r#"{"key":"a+b%2B"}"#),
            (Method::POST, "/", " {\n\"key\": \"a+b%2B\"}"),
            (Method::POST, "/", "key=a+b%2B"),
            (Method::POST, "/", "x=1&key=a+b%2B&y"),
            (Method::POST, "/", multipart),
            (Method::POST, "/?key=a+b%2B", ""),
            (Method::POST, "/?key=query", r#"{"key":"a+b%2B"}"#),
            (Method::GET, "/?key=a+b%2B", r#"{"key":"body"}"#),
            (Method::GET, "/", r#"{"key":"a+b%2B"}"#),
        ];
        for (method, uri, body) in table {
            assert_eq!(key(method, uri, body).as_deref(), Some("a+b%2B"), "{uri} {body}");
        }
        let none = [
            "",
            "{}",
            "{",
            "key=",
            "[]",
            r#"{"key":null}"#,
            r#"{"key":"a","key":"b"}"#,
            "--",
            "--x",
        ];
        for body in none {
            assert_eq!(key(Method::POST, "/", body), None, "{body}");
        }
        assert_eq!(envelope(Method::POST, "/", Err(BodyFault::Broken)), None);
    }

    #[test]
    fn codes_beside_the_key_are_noted() {
        let bodies = [
            r#"{"key":"k","transaction_code":"A-1","transaction_no":"DP1"}"#,
            "key=k&transaction_code=A%2D1&transaction_no=DP1",
        ];
        for body in bodies {
            let found = envelope(Method::POST, "/", Ok(body)).expect("a key");
            assert_eq!(found.transaction_code.as_deref(), Some("A-1"), "{body}");
            assert_eq!(found.transaction_no.as_deref(), Some("DP1"), "{body}");
        }
    }
}
