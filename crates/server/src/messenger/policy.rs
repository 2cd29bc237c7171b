//! Which addresses callbacks may be sent to.
//!
//! A merchant chooses where it is called back, and must not thereby reach into the operator's own
//! network. What is judged is an address that is about to be connected to, never a name. Everything
//! is refused that is not a public unicast address, however it is written: an IPv4 address that is
//! carried inside an IPv6 one is judged as itself. The operator may allow networks of its own.
//!
//! Sources: the special-purpose registries of IANA (RFC 6890 and its successors), RFC 6052 for
//! NAT64, RFC 3056 for 6to4, RFC 9637 for documentation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The kind of network that an address belongs to, where it is not a public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    /// No address at all, or "this network".
    Unspecified,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// Shared by the customers of a provider, RFC 6598.
    Shared,
    /// The link; the metadata of cloud machines are found here.
    LinkLocal,
    /// The host of a cloud machine, although its address looks public.
    Cloud,
    /// Set aside for a protocol of the network itself.
    Protocol,
    /// For examples in documents.
    Documentation,
    /// For measurements.
    Benchmark,
    /// Many receivers.
    Multicast,
    /// Not given out to anybody.
    Reserved,
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared by a provider",
            Self::LinkLocal => "link-local",
            Self::Cloud => "host of a cloud machine",
            Self::Protocol => "of a network protocol",
            Self::Documentation => "documentation",
            Self::Benchmark => "benchmark",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// By its first four segments; the others are zero.
const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// No network in this list contains another with a different region.
const V4: [(Ipv4Net, Region); 18] = [
    (v4(0, 0, 0, 0, 8), Region::Unspecified),
    (v4(10, 0, 0, 0, 8), Region::Private),
    (v4(100, 64, 0, 0, 10), Region::Shared),
    (v4(127, 0, 0, 0, 8), Region::Loopback),
    (v4(168, 63, 129, 16, 32), Region::Cloud),
    (v4(169, 254, 0, 0, 16), Region::LinkLocal),
    (v4(172, 16, 0, 0, 12), Region::Private),
    (v4(192, 0, 0, 0, 24), Region::Protocol),
    (v4(192, 0, 2, 0, 24), Region::Documentation),
    (v4(192, 31, 196, 0, 24), Region::Protocol),
    (v4(192, 52, 193, 0, 24), Region::Protocol),
    (v4(192, 88, 99, 0, 24), Region::Protocol),
    (v4(192, 168, 0, 0, 16), Region::Private),
    (v4(198, 18, 0, 0, 15), Region::Benchmark),
    (v4(198, 51, 100, 0, 24), Region::Documentation),
    (v4(203, 0, 113, 0, 24), Region::Documentation),
    (v4(224, 0, 0, 0, 4), Region::Multicast),
    (v4(240, 0, 0, 0, 4), Region::Reserved),
];

const V6: [(Ipv6Net, Region); 7] = [
    (v6(0x2001, 0, 0, 0, 23), Region::Protocol),
    (v6(0x2001, 0xdb8, 0, 0, 32), Region::Documentation),
    (v6(0x2620, 0x4f, 0x8000, 0, 48), Region::Protocol),
    (v6(0x3fff, 0, 0, 0, 20), Region::Documentation),
    (v6(0xfc00, 0, 0, 0, 7), Region::Private),
    (v6(0xfe80, 0, 0, 0, 10), Region::LinkLocal),
    (v6(0xff00, 0, 0, 0, 8), Region::Multicast),
];

/// The only part of IPv6 from which public addresses are given out.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 0, 3);
/// Where NAT64 translates to IPv4 for everybody. Its other form, 64:ff9b:1::/48, is for private use
/// and lies outside of what is given out.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 0, 16);

/// Why this address is not a public one; none if it is.
pub(crate) fn region(address: IpAddr) -> Option<Region> {
    match address {
        IpAddr::V4(address) => region_v4(address),
        IpAddr::V6(address) => region_v6(address),
    }
}

fn region_v4(address: Ipv4Addr) -> Option<Region> {
    V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, region)| *region)
}

fn region_v6(address: Ipv6Addr) -> Option<Region> {
    if address.is_loopback() {
        return Some(Region::Loopback);
    }
    if address.is_unspecified() {
        return Some(Region::Unspecified);
    }
    if let Some(carried) = carried(address) {
        return region_v4(carried);
    }
    let found = V6.iter().find(|(network, _)| network.contains(&address));
    match found {
        Some((_, region)) => Some(*region),
        None if GLOBAL_UNICAST.contains(&address) => None,
        None => Some(Region::Reserved),
    }
}

/// The IPv4 address to which the network would translate an IPv6 one. The form `::a.b.c.d`, which
/// nothing translates any more, is refused as reserved.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., g, h] = address.segments();
    let [_, b, c, ..] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.to_ipv4_mapped() {
        Some(mapped) => Some(mapped),
        None if NAT64.contains(&address) => Some(of(g, h)),
        None if SIX_TO_FOUR.contains(&address) => Some(of(b, c)),
        None => None,
    }
}

/// Where callbacks may go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    allowed: Vec<IpNet>,
}

impl Policy {
    /// Public addresses, and these networks of the operator's own.
    pub(crate) const fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Why nothing may be sent to this address; none if something may.
    pub(crate) fn refusal(&self, address: IpAddr) -> Option<Region> {
        let canonical = address.to_canonical();
        let allowed = self.allowed.iter().any(|network| network.contains(&canonical));
        region(address).filter(|_| !allowed)
    }

    /// Whether this port may be connected to: those of the web, and those that no program of the
    /// system itself listens on. Otherwise a callback could speak to mail or shell servers.
    pub(crate) const fn admits_port(port: u16) -> bool {
        matches!(port, 80 | 443 | 1024..)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
