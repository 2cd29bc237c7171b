//! Where connections come from.
//!
//! The accept loop is written against [`Accept`], so that a plain and an encrypted listener are
//! served alike. This module accepts and prepares sockets; it does not decide which of them are
//! served.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How many connections may wait to be accepted; the system may allow fewer. A client for whom there
/// is no room in the queue is not told so: it tries again after a second, and then after two.
const WAITING_MAX: u32 = 4096;

/// Listens on an address, with room for a crowd that comes at once.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was stopped a moment ago must not keep its successor off the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// A source of connections.
pub(super) trait Accept: Send {
    /// One accepted connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection and says who is on its other end. Dropping the future loses
    /// no connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, IpAddr)>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, IpAddr)> {
        let (stream, address) = TcpListener::accept(self).await?;
        // An answer is written in one piece, so waiting to fill a segment could only delay it. A
        // socket that refuses the option is already broken, which reading from it will tell.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a new connection would not take TCP_NODELAY");
        }
        Ok((stream, peer(address)))
    }
}

/// Who is on the other end. A listener on an IPv6 address sees IPv4 clients in mapped form, and
/// they must not thereby escape a rule that names their IPv4 address.
fn peer(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

/// Whether an error of accepting concerns only the connection that was being accepted. Any other
/// error, such as having no descriptors left, would come again at once.
pub(super) fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_unwrapped() {
        let mapped: SocketAddr = "[::ffff:203.0.113.7]:443".parse().unwrap();
        assert_eq!(peer(mapped), "203.0.113.7".parse::<IpAddr>().unwrap());
        let plain: SocketAddr = "[2001:db8::1]:443".parse().unwrap();
        assert_eq!(peer(plain), "2001:db8::1".parse::<IpAddr>().unwrap());
    }

    /// The usual thousand places are not enough, and who finds none waits for a second.
    #[tokio::test]
    async fn a_crowd_that_comes_at_once_finds_room() {
        let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
        if allowed.trim().parse().is_ok_and(|allowed: u32| allowed < WAITING_MAX) {
            eprintln!("SKIPPED: this system lets fewer wait");
            return;
        }
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let at_once = std::time::Duration::from_millis(500);
        let crowd: Vec<_> = (0..1100)
            .map(|_| std::net::TcpStream::connect_timeout(&address, at_once).unwrap())
            .collect();
        assert_eq!(crowd.len(), 1100);
        assert!(listen(address).is_err(), "an address that is taken is refused");
    }

    #[tokio::test]
    async fn an_accepted_socket_sends_at_once() {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = Accept::accept(&mut listener).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(peer, "127.0.0.1".parse::<IpAddr>().unwrap());
    }
}
