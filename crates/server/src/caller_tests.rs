//! A matrix of peers and headers, and the one property that matters: who is not trusted has no say.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request};
use proptest::prelude::*;
use protocols::exchange::Answer;

use super::*;

const PROXY: &str = "10.0.0.1";

fn trusted() -> Vec<IpNet> {
    ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap()).to_vec()
}

fn headers(values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn called_by(peer: &str, values: &[&[u8]]) -> String {
    caller(peer.parse().unwrap(), &headers(values), &trusted()).to_string()
}

#[test]
fn the_caller_is_whom_trusted_proxies_name() {
    let table: &[(&str, &[&[u8]], &str)] = &[
        // Nobody but a trusted proxy is believed.
        ("203.0.113.7", &[b"198.51.100.1"], "203.0.113.7"),
        ("203.0.113.7", &[b"10.0.0.9"], "203.0.113.7"),
        ("203.0.113.7", &[], "203.0.113.7"),
        ("2001:db8:2::1", &[b"198.51.100.1"], "2001:db8:2::1"),
        // One proxy, and several.
        (PROXY, &[b"198.51.100.1"], "198.51.100.1"),
        (PROXY, &[b"198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (PROXY, &[b"198.51.100.1,10.0.0.2 ,\t10.0.0.3"], "198.51.100.1"),
        ("2001:db8:1::5", &[b"198.51.100.1, 2001:db8:1::6"], "198.51.100.1"),
        // What the caller wrote himself stands left of what was added.
        (PROXY, &[b"192.0.2.9, 198.51.100.1"], "198.51.100.1"),
        (PROXY, &[b"10.0.0.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (PROXY, &[b"nonsense, , \", 198.51.100.1"], "198.51.100.1"),
        // Several header lines are one list.
        (PROXY, &[b"192.0.2.9", b"198.51.100.1"], "198.51.100.1"),
        (PROXY, &[b"198.51.100.1", b"10.0.0.2, 10.0.0.3"], "198.51.100.1"),
        (PROXY, &[b"\xff", b"198.51.100.1"], "198.51.100.1"),
        // Only proxies: the first of them called by itself.
        (PROXY, &[b"10.0.0.9"], "10.0.0.9"),
        (PROXY, &[b"10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        (PROXY, &[], PROXY),
        // Nothing that can be read where a proxy should have written.
        (PROXY, &[b""], PROXY),
        (PROXY, &[b"unknown"], PROXY),
        (PROXY, &[b"198.51.100.1,"], PROXY),
        (PROXY, &[b"198.51.100.1, nonsense, 10.0.0.2"], PROXY),
        (PROXY, &[b"198.51.100.1 10.0.0.2"], PROXY),
        (PROXY, &[b"198.51.100.256"], PROXY),
        (PROXY, &[b"198.51.100.1:99999"], PROXY),
        (PROXY, &[b"[198.51.100.1"], PROXY),
        (PROXY, &[b"198.51.100.1", b"\xff"], PROXY),
        // The ways in which proxies write addresses.
        (PROXY, &[b"198.51.100.1:51234"], "198.51.100.1"),
        (PROXY, &[b"2001:db8:2::1"], "2001:db8:2::1"),
        (PROXY, &[b"[2001:db8:2::1]"], "2001:db8:2::1"),
        (PROXY, &[b"[2001:db8:2::1]:51234"], "2001:db8:2::1"),
        // Mapped addresses are what they map.
        ("::ffff:10.0.0.1", &[b"198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.7", &[b"198.51.100.1"], "203.0.113.7"),
        (PROXY, &[b"::ffff:198.51.100.1"], "198.51.100.1"),
        (PROXY, &[b"198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
    ];
    for (peer, values, expected) in table {
        let shown: Vec<_> = values.iter().map(|it| String::from_utf8_lossy(it)).collect();
        assert_eq!(called_by(peer, values), *expected, "{peer} {shown:?}");
    }
}

#[test]
fn the_other_header_is_not_believed() {
    let mut headers = HeaderMap::new();
    headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.1"));
    let peer = PROXY.parse().unwrap();
    assert_eq!(caller(peer, &headers, &trusted()), peer);
}

#[test]
fn without_trusted_proxies_the_header_says_nothing() {
    let peer = PROXY.parse().unwrap();
    assert_eq!(caller(peer, &headers(&[b"198.51.100.1"]), &[]), peer);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a caller sends, the proxy's own word about him is what counts.
    #[test]
    fn a_caller_cannot_choose_his_address(own in proptest::collection::vec("[ -~]{0,40}", 0..4)) {
        let mut values: Vec<_> = own.iter().map(String::as_bytes).collect();
        values.push(b"198.51.100.1, 10.0.0.2");
        prop_assert_eq!(called_by(PROXY, &values), "198.51.100.1");
        prop_assert_eq!(called_by("203.0.113.7", &values), "203.0.113.7");
    }
}

/// Notes who called.
#[derive(Default)]
struct Noting(Mutex<Vec<IpAddr>>);

#[async_trait]
impl Serve for Noting {
    async fn serve(&self, arrival: Arrival) -> Answer {
        self.0.lock().unwrap().push(arrival.peer);
        Answer::new(Bytes::new())
    }
}

#[tokio::test]
async fn services_see_only_the_caller() {
    let noting = Arc::new(Noting::default());
    let service = BehindProxies::new(trusted(), Arc::clone(&noting) as _);
    let request = Request::builder().header(X_FORWARDED_FOR, "198.51.100.1").body(()).unwrap();
    let (head, ()) = request.into_parts();
    let peer = PROXY.parse().unwrap();
    service.serve(Arrival { head, body: Ok(Bytes::new()), peer, note: None }).await;
    assert_eq!(*noting.0.lock().unwrap(), ["198.51.100.1".parse::<IpAddr>().unwrap()]);
}
