//! From where a merchant may call: networks as the operator writes them, and whether an address is
//! in one.
//!
//! An IPv4 address that arrives in the form of IPv6 is taken for what it is, so that no form of an
//! address slips past a list or is kept out by it.

use std::net::IpAddr;
use std::sync::Arc;

use gateway::Gateway;
use ipnet::IpNet;
use protocols::admission::AddressRule;

/// Reads a network, or a single address as the network of itself. A network with bits set beyond
/// its prefix is refused: it is not the one that was meant.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let network: IpNet = text.parse().ok()?;
    (network.trunc() == network).then_some(network)
}

/// Whether an address is in one of these networks. No network at all allows every address; one that
/// cannot be read allows none.
pub(crate) fn admits(networks: &[String], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.is_empty()
        || networks.iter().filter_map(|text| parse(text)).any(|network| network.contains(&address))
}

/// Whether an address is in one of these networks. No network at all has every address.
pub(crate) fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}

/// The rule that merchants' own lists make, as they stand at each moment.
pub(crate) fn by_merchant(gateway: Arc<Gateway>) -> AddressRule {
    Arc::new(move |merchant, address| {
        let catalogue = gateway.catalogue();
        let known = catalogue.merchant(merchant);
        known.is_some_and(|merchant| admits(&merchant.addresses, address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_the_same_address() {
        let table = [
            ("203.0.113.0/24", "203.0.113.7", true),
            ("203.0.113.0/24", "::ffff:203.0.113.7", true),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.7", "203.0.113.7", true),
            ("203.0.113.0/24", "203.0.114.7", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("nonsense", "203.0.113.7", false),
        ];
        for (network, address, expected) in table {
            let address = address.parse().expect("an address");
            assert_eq!(admits(&[network.to_owned()], address), expected, "{network} {address}");
        }
        assert!(admits(&[], "203.0.113.7".parse().expect("an address")));
        let networks = [parse("203.0.113.0/24").expect("a network")];
        for (address, expected) in [("::ffff:203.0.113.7", true), ("203.0.114.7", false)] {
            let address = address.parse().expect("an address");
            assert_eq!((is_in(&networks, address), is_in(&[], address)), (expected, true));
        }
    }

    #[test]
    fn a_network_has_one_spelling() {
        let table = [
            ("203.0.113.0/24", Some("203.0.113.0/24")),
            ("203.0.113.7", Some("203.0.113.7/32")),
            ("2001:DB8:0::1", Some("2001:db8::1/128")),
            ("203.0.113.7/24", None),
            ("203.0.113.0/33", None),
            ("203.0.113", None),
            ("0313.0.0.1", None),
            ("", None),
        ];
        for (text, written) in table {
            let parsed = parse(text).map(|network| network.to_string());
            assert_eq!(parsed.as_deref(), written, "{text}");
        }
    }
}
