//! What may be connected to, address by address.

use proptest::prelude::*;

use super::*;

const PUBLIC: [&str; 26] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
];

const REFUSED: [(&str, Region); 65] = [
    ("0.0.0.0", Region::Unspecified),
    ("0.1.2.3", Region::Unspecified),
    ("10.0.0.0", Region::Private),
    ("10.255.255.255", Region::Private),
    ("100.64.0.0", Region::Shared),
    ("100.100.100.200", Region::Shared),
    ("100.127.255.255", Region::Shared),
    ("127.0.0.1", Region::Loopback),
    ("127.255.255.254", Region::Loopback),
    ("168.63.129.16", Region::Cloud),
    ("169.254.0.1", Region::LinkLocal),
    ("169.254.169.254", Region::LinkLocal),
    ("172.16.0.1", Region::Private),
    ("172.31.255.255", Region::Private),
    ("192.0.0.1", Region::Protocol),
    ("192.0.0.192", Region::Protocol),
    ("192.0.2.1", Region::Documentation),
    ("192.31.196.1", Region::Protocol),
    ("192.52.193.1", Region::Protocol),
    ("192.88.99.1", Region::Protocol),
    ("192.168.0.1", Region::Private),
    ("192.168.255.255", Region::Private),
    ("198.18.0.1", Region::Benchmark),
    ("198.19.255.255", Region::Benchmark),
    ("198.51.100.7", Region::Documentation),
    ("203.0.113.9", Region::Documentation),
    ("224.0.0.1", Region::Multicast),
    ("239.255.255.250", Region::Multicast),
    ("240.0.0.1", Region::Reserved),
    ("255.255.255.255", Region::Reserved),
    ("::", Region::Unspecified),
    ("::1", Region::Loopback),
    ("::2", Region::Reserved),
    ("::127.0.0.1", Region::Reserved),
    ("::8.8.8.8", Region::Reserved),
    ("::ffff:0.0.0.0", Region::Unspecified),
    ("::ffff:10.1.2.3", Region::Private),
    ("::ffff:100.64.0.1", Region::Shared),
    ("::ffff:127.0.0.1", Region::Loopback),
    ("::ffff:7f00:1", Region::Loopback),
    ("::ffff:169.254.169.254", Region::LinkLocal),
    ("::ffff:192.168.1.1", Region::Private),
    ("::ffff:0:127.0.0.1", Region::Reserved),
    ("64:ff9b::10.0.0.1", Region::Private),
    ("64:ff9b::127.0.0.1", Region::Loopback),
    ("64:ff9b::169.254.169.254", Region::LinkLocal),
    ("64:ff9b:1::8.8.8.8", Region::Reserved),
    ("100::1", Region::Reserved),
    ("1fff::1", Region::Reserved),
    ("2001::1", Region::Protocol),
    ("2001:2::1", Region::Protocol),
    ("2001:10::1", Region::Protocol),
    ("2001:db8::1", Region::Documentation),
    ("2002:7f00:1::1", Region::Loopback),
    ("2002:a00:1::1", Region::Private),
    ("2002:a9fe:a9fe::", Region::LinkLocal),
    ("2620:4f:8000::1", Region::Protocol),
    ("3fff::1", Region::Documentation),
    ("4000::1", Region::Reserved),
    ("5f00::1", Region::Reserved),
    ("fc00::1", Region::Private),
    ("fd00:ec2::254", Region::Private),
    ("fe80::1", Region::LinkLocal),
    ("fec0::1", Region::Reserved),
    ("ff02::1", Region::Multicast),
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

#[test]
fn public_addresses_may_be_called() {
    for text in PUBLIC {
        assert_eq!(Policy::default().refusal(address(text)), None, "{text}");
    }
}

#[test]
fn all_others_are_refused_and_named() {
    for (text, region) in REFUSED {
        assert_eq!(Policy::default().refusal(address(text)), Some(region), "{text}");
    }
}

#[test]
fn what_is_allowed_is_allowed_however_it_is_written() {
    let networks = ["127.0.0.0/8", "::1/128", "10.1.0.0/16", "fd00:1::/32"];
    let policy = Policy::new(networks.map(|it| it.parse().unwrap()).to_vec());
    for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "fd00:1::9"]
    {
        assert_eq!(policy.refusal(address(text)), None, "{text}");
    }
    for text in ["10.2.0.1", "::ffff:10.2.0.1", "fd00:2::9", "169.254.169.254", "64:ff9b::10.1.2.3"]
    {
        assert!(policy.refusal(address(text)).is_some(), "{text}");
    }
}

#[test]
fn ports_of_other_services_are_refused() {
    for port in [80, 443, 1024, 3000, 8080, 65535] {
        assert!(Policy::admits_port(port), "{port}");
    }
    for port in [0, 1, 22, 25, 53, 79, 81, 442, 444, 465, 587, 993, 1023] {
        assert!(!Policy::admits_port(port), "{port}");
    }
}

proptest! {
    /// However an IPv4 address is carried, it is judged as itself.
    #[test]
    fn carried_addresses_are_judged_as_themselves(bits: u32) {
        let plain = Ipv4Addr::from(bits);
        let [a, b] = [bits >> 16, bits & 0xffff].map(|it| u16::try_from(it).unwrap());
        let forms = [
            plain.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
            Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
        ];
        for form in forms {
            prop_assert_eq!(region(IpAddr::V6(form)), region(IpAddr::V4(plain)));
        }
    }

    /// The standard library's stable predicates never know of a refusal that is not here.
    #[test]
    fn nothing_is_admitted_that_the_standard_library_knows_as_special(bits: u32) {
        let it = Ipv4Addr::from(bits);
        let special = it.is_private()
            || it.is_loopback()
            || it.is_link_local()
            || it.is_multicast()
            || it.is_broadcast()
            || it.is_documentation()
            || it.is_unspecified();
        prop_assert!(!special || region(IpAddr::V4(it)).is_some());
    }
}
