//! `pricelist` (IAK reference, sections 7.2, 8 and 13.2).

use domain::Merchant;

use super::{Call, Denial, Served};
use crate::iak::NAME;
use crate::iak::lists::brands;
use crate::iak::serve::price_list::status;
use crate::iak::wire::answer::Message;
use crate::iak::wire::prepaid::{self as wire, Version};

/// How a path narrows a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::iak::serve) struct Listed<'a> {
    /// The type of product, percent-encoded as paths are.
    kind: Option<&'a str>,
    /// The brand, likewise.
    brand: Option<&'a str>,
}

impl<'a> Listed<'a> {
    /// What stands behind the path of a price list; `None` if that is no type and no type and brand.
    pub(super) fn of(rest: &'a str) -> Option<Self> {
        if rest.is_empty() {
            return Some(Self::default());
        }
        let rest = rest.strip_prefix('/')?;
        let (kind, brand) = match rest.split_once('/') {
            None => (rest, None),
            Some((kind, brand)) => (kind, Some(brand)),
        };
        let sound = |segment: &str| !segment.is_empty() && !segment.contains('/');
        let both = sound(kind) && brand.is_none_or(sound);
        both.then_some(Self { kind: Some(kind), brand })
    }
}

/// A segment of a path as it was meant. What is no text is nobody's brand, and stays as it is.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let encoded = after.split_at_checked(2).filter(|_| *first == b'%');
        let byte = encoded.and_then(|(digits, after)| {
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            Some((byte, after))
        });
        match byte {
            Some(([byte], after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| segment.to_owned())
}

impl Served {
    /// The top-ups that the merchant may buy and their prices, in the order of the codes. One without
    /// a price for the merchant's level is not shown, nor one whose price is in another currency than
    /// is asked for.
    pub(super) fn prepaid_price_list(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let (status, currency) = (status(call.fields)?, call.currency()?);
        let kind = call.listed.kind.map(decoded);
        let brand = call.listed.brand.map(decoded);
        let catalogue = self.gateway.catalogue();
        let entries = catalogue.codes(NAME).filter_map(|(code, product)| {
            let top_up = product.top_up.as_ref()?;
            let of_status = status.is_none_or(|status| product.status == status);
            if !of_status || !brands::lists(kind.as_deref(), brand.as_deref(), product) {
                return None;
            }
            let price = product.price_for(&merchant.level, &self.protocol)?;
            if currency.is_some_and(|currency| currency != price.currency().code()) {
                return None;
            }
            let sold = (product.as_ref(), top_up);
            Some(wire::price_list_entry(call.version(), code, sold, price, currency.is_some()))
        });
        let entries = entries.collect();
        Ok(match call.version() {
            Version::Current => wire::price_list(entries),
            Version::Legacy => Message::legacy_price_list(entries),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_narrows_by_type_and_then_by_brand() {
        let listed = |kind, brand| Some(Listed { kind, brand });
        let table = [
            ("", listed(None, None)),
            ("/pulsa", listed(Some("pulsa"), None)),
            ("/pulsa/xl", listed(Some("pulsa"), Some("xl"))),
            ("/", None),
            ("//xl", None),
            ("/pulsa/", None),
            ("/pulsa/xl/more", None),
            ("s", None),
        ];
        for (rest, expected) in table {
            assert_eq!(Listed::of(rest), expected, "{rest}");
        }
    }

    #[test]
    fn segments_are_decoded_where_they_can_be() {
        let table = [
            ("by.U", "by.U"),
            ("light_of_thel%3a_glory", "light_of_thel:_glory"),
            ("Free%20Fire", "Free Fire"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%ff", "%ff"),
        ];
        for (segment, meant) in table {
            assert_eq!(decoded(segment), meant, "{segment}");
        }
    }
}
