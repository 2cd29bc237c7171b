//! Connections under TLS.
//!
//! The handshake is part of the first read, so that it is held to the deadline of the first head: a
//! client that never finishes it is closed as one that never speaks. A handshake that fails ends
//! its own connection and nothing else.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::accept::Accept;
use super::certificate::Certificate;

/// A listener whose connections are encrypted.
pub(super) struct EncryptedListener {
    listener: TcpListener,
    certificate: Arc<Certificate>,
}

impl EncryptedListener {
    /// Encrypts what this listener accepts.
    pub(super) const fn new(listener: TcpListener, certificate: Arc<Certificate>) -> Self {
        Self { listener, certificate }
    }
}

impl Accept for EncryptedListener {
    type Stream = Encrypted<TcpStream>;

    async fn accept(&mut self) -> io::Result<(Self::Stream, IpAddr)> {
        let (stream, peer) = Accept::accept(&mut self.listener).await?;
        let handshake = TlsAcceptor::from(self.certificate.current()).accept(stream);
        Ok((Encrypted::Handshake(Box::new(handshake)), peer))
    }
}

/// A stream that shakes hands before anything is read or written.
pub(super) enum Encrypted<S> {
    /// Not yet done.
    Handshake(Box<tokio_rustls::Accept<S>>),
    /// Done.
    Open(Box<TlsStream<S>>),
    /// It failed, and the stream is of no further use.
    Failed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Encrypted<S> {
    /// The stream behind the handshake, once that is done.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<S>>>> {
        if let Self::Handshake(handshake) = self {
            match ready!(Pin::new(handshake.as_mut()).poll(context)) {
                Ok(stream) => *self = Self::Open(Box::new(stream)),
                Err(error) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    *self = Self::Failed;
                    return Poll::Ready(Err(error));
                }
            }
        }
        match self {
            Self::Open(stream) => Poll::Ready(Ok(Pin::new(stream.as_mut()))),
            Self::Handshake(_) | Self::Failed => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?.poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Open(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            // Nothing was written yet, and waiting for the handshake here would wait for a client
            // that may never speak.
            Self::Handshake(_) | Self::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Open(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Handshake(handshake) => match handshake.get_mut() {
                Some(stream) => Pin::new(stream).poll_shutdown(context),
                None => Poll::Ready(Ok(())),
            },
            Self::Failed => Poll::Ready(Ok(())),
        }
    }
}
