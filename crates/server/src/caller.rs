//! Who is calling, when reverse proxies stand between the caller and us.
//!
//! The address of a request is its socket's peer, unless that is a proxy which the operator trusts;
//! then it is whom that proxy names. Only `X-Forwarded-For` is read. A proxy that writes one of the
//! two headers in use passes the other on as the client made it up, so that believing both would let
//! anybody choose his address; `Forwarded` (RFC 7239) is therefore not looked at.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use protocols::exchange::{Arrival, Serve};

use crate::dispatch::Answering;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Gives every request the address of its caller before anybody else sees it.
pub(crate) struct BehindProxies {
    trusted: Vec<IpNet>,
    service: Arc<dyn Serve>,
}

impl BehindProxies {
    /// Serves like `service`, and believes these networks about addresses.
    pub(crate) const fn new(trusted: Vec<IpNet>, service: Arc<dyn Serve>) -> Self {
        Self { trusted, service }
    }
}

impl Serve for BehindProxies {
    fn serve<'service, 'answer>(&'service self, mut arrival: Arrival) -> Answering<'answer>
    where
        'service: 'answer,
        Self: 'answer,
    {
        arrival.peer = caller(arrival.peer, &arrival.head.headers, &self.trusted);
        self.service.serve(arrival)
    }
}

/// The address of the caller. Each proxy adds its own peer at the right of the header, so the header
/// is read from there for as long as trusted proxies vouch for it; what stands further left was
/// written by somebody whom nobody vouches for. Where the trusted part is missing or cannot be read,
/// the peer of the socket is the answer.
pub(crate) fn caller(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return peer;
    }
    let mut caller = peer;
    for value in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        let Ok(text) = value.to_str() else { return peer };
        for element in text.rsplit(',') {
            let Some(address) = address(element.trim_matches([' ', '\t'])) else { return peer };
            if !is_trusted(&address) {
                return address;
            }
            caller = address;
        }
    }
    caller
}

/// An address as proxies write it: bare, in brackets, or with the port of the connection.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse::<IpAddr>().ok();
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare().or_else(in_brackets).or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
#[path = "caller_tests.rs"]
mod tests;
