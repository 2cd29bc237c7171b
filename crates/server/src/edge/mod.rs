//! The edge: the accept loop, and what stands between a socket and a protocol.
//!
//! It speaks HTTP/1.1, in clear or under TLS, reads each request whole within its limits, hands it to one service,
//! and sends what the service answers. Its promises are:
//!
//! - Every connection is closed by a deadline, whatever it does or does not send.
//! - Clients that are silent or slow take room only as long as nobody else needs it.
//! - A request that has reached the service is dropped only if its client's connection breaks or
//!   the grace of a shutdown runs out.
//! - A request costs no task, no timer and no copy of its body as long as it arrives whole.
//!
//! It deliberately does not route, decode content codings, look into a body, count requests per
//! client, or answer in place of a protocol: a body that is too large, too slow or broken is
//! reported to the service. Only a head that cannot be understood is answered by the HTTP layer,
//! with a 4xx status and no body.

mod accept;
mod body;
mod certificate;
mod connection;
mod crowd;
mod encrypted;
mod limits;
mod phase;
mod request;
mod server;
mod traffic;
mod watched;

#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use protocols::exchange::Serve;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use accept::listen;
use accept::{Accept, concerns_one_connection};
pub use certificate::{Certificate, CertificateFault};
use crowd::Crowd;
use encrypted::EncryptedListener;
pub use limits::Limits;
use server::Server;
pub use traffic::Traffic;

/// How long to leave the listener alone after an error that would only come again, such as having
/// no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the connections of `listener` until `shutdown` is cancelled, and returns once the last
/// of them has ended, which takes no longer than the grace in `limits`.
pub async fn serve(
    listener: TcpListener,
    limits: Limits,
    service: Arc<dyn Serve>,
    shutdown: CancellationToken,
) {
    serve_counted(listener, limits, service, Arc::default(), shutdown).await;
}

/// [`serve`] where somebody wants to know of the traffic.
pub async fn serve_counted(
    listener: TcpListener,
    limits: Limits,
    service: Arc<dyn Serve>,
    traffic: Arc<Traffic>,
    shutdown: CancellationToken,
) {
    serve_from(listener, Server::new(limits, service, traffic), shutdown).await;
}

/// [`serve_counted`] under TLS: each new connection is shown the certificate that is current at that moment.
pub async fn serve_encrypted(
    listener: TcpListener,
    certificate: Arc<Certificate>,
    limits: Limits,
    service: Arc<dyn Serve>,
    traffic: Arc<Traffic>,
    shutdown: CancellationToken,
) {
    let server = Server::new(limits, service, traffic);
    serve_from(EncryptedListener::new(listener, certificate), server, shutdown).await;
}

/// [`serve`] over any source of connections.
async fn serve_from<A: Accept>(mut acceptor: A, server: Server, shutdown: CancellationToken) {
    let mut crowd = Crowd::new(Arc::new(server));
    let mut cancelled = pin!(shutdown.cancelled());
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancelled.as_mut() => break,
            () = crowd.departure() => continue,
            accepted = acceptor.accept() => accepted,
        };
        tokio::select! {
            biased;
            () = cancelled.as_mut() => break,
            () = take_in(&mut crowd, accepted) => {}
        }
    }
    // Closing the listener sends new clients elsewhere while the last requests finish.
    drop(acceptor);
    crowd.disperse().await;
}

/// Takes in what the acceptor gave.
async fn take_in<S>(crowd: &mut Crowd, accepted: io::Result<(S, IpAddr)>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match accepted {
        Ok((stream, peer)) => {
            if crowd.room().await {
                crowd.admit(stream, peer);
            } else {
                crowd.refuse(stream);
            }
        }
        Err(error) if concerns_one_connection(&error) => {
            tracing::debug!(%error, "a connection broke while it was being accepted");
        }
        Err(error) => {
            tracing::warn!(%error, "connections cannot be accepted at the moment");
            // The commonest cause is having no descriptors left, and this gives one back.
            crowd.order_one_out();
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}
