//! Who holds which bearer token.

use domain::administration::{Actor, Role};
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A token as it is given in data.
#[derive(Clone)]
pub(crate) struct Holder {
    /// The name that stands in the audit record.
    pub(crate) name: String,
    /// What the holder may do.
    pub(crate) role: Role,
    /// The token itself.
    pub(crate) token: String,
}

/// All tokens, as digests.
pub(crate) struct Tokens(Vec<([u8; 32], Actor)>);

impl Tokens {
    /// Keeps the digests of these.
    pub(crate) fn new(holders: Vec<Holder>) -> Self {
        let digest = |holder: Holder| {
            let actor = Actor { name: holder.name, role: holder.role };
            (Sha256::digest(holder.token).into(), actor)
        };
        Self(holders.into_iter().map(digest).collect())
    }

    /// Who presents a token, if anybody. Every token is compared, in constant time and by digest,
    /// so that the time taken says nothing about any of them.
    pub(crate) fn holder(&self, headers: &HeaderMap) -> Option<&Actor> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let presented: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (digest, actor) in &self.0 {
            if bool::from(digest.ct_eq(&presented)) {
                found = Some(actor);
            }
        }
        found.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_whole_token_finds_its_holder() {
        let holder = |name: &str, role, token: &str| Holder {
            name: name.to_owned(),
            role,
            token: token.to_owned(),
        };
        let tokens = Tokens::new(vec![
            holder("ana", Role::Administrator, "token-of-ana"),
            holder("budi", Role::Viewer, "token-of-budi"),
        ]);
        let table = [
            ("Bearer token-of-ana", Some("ana")),
            ("bearer token-of-budi", Some("budi")),
            ("Bearer token-of-an", None),
            ("Bearer token-of-anax", None),
            ("Bearer  token-of-ana", None),
            ("Basic token-of-ana", None),
            ("token-of-ana", None),
            ("Bearer ", None),
            ("", None),
        ];
        for (value, name) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            let found = tokens.holder(&headers).map(|actor| actor.name.as_str());
            assert_eq!(found, name, "{value}");
            headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer token-of-ana"));
            assert_eq!(tokens.holder(&headers), None, "twice");
        }
        assert_eq!(tokens.holder(&HeaderMap::new()), None);
    }
}
