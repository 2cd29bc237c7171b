//! A stream that tells its connection what passes through it.
//!
//! The HTTP layer does not say when the first byte of a head arrives, nor when an answer has been
//! written. Both can be seen from the outside: by a read that returns bytes, and by a flush, which
//! the HTTP layer asks for only when it has nothing left to write. This module reports those two
//! and drains what a refused client still sends; it does not measure any time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;

/// How much is read and thrown away at a time while lingering, in bytes.
const DRAIN_PIECE: usize = 4 * 1024;
/// How much is read and thrown away in all while lingering, in bytes. A client that sends more
/// than this at a refusal is not reading the answer, and is reset.
const DRAIN_TOTAL: usize = 1024 * 1024;

/// A stream whose traffic moves its connection from phase to phase.
pub(super) struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
    closing: Closing,
}

/// How far the closing of the stream has come.
enum Closing {
    Open,
    Draining { left: usize },
    Closed,
}

impl<S> Watched<S> {
    /// Watches `stream` on behalf of `connection`.
    pub(super) fn new(stream: S, connection: Arc<Connection>) -> Watched<S> {
        Watched { stream, connection, closing: Closing::Open }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.connection.bytes_came();
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.connection.all_is_written();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.closing {
                Closing::Open => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
                    this.closing = if this.connection.lingers_at_its_end() {
                        Closing::Draining { left: DRAIN_TOTAL }
                    } else {
                        Closing::Closed
                    };
                }
                Closing::Draining { left } => {
                    let came = ready!(poll_discard(&mut this.stream, context));
                    *left = left.saturating_sub(came);
                    if came == 0 || *left == 0 {
                        this.closing = Closing::Closed;
                    }
                }
                Closing::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Reads a piece and throws it away; gives its length, or zero when nothing more will come.
fn poll_discard<S: AsyncRead + Unpin>(stream: &mut S, context: &mut Context<'_>) -> Poll<usize> {
    let mut piece = [0; DRAIN_PIECE];
    let mut buffer = ReadBuf::new(&mut piece);
    match ready!(Pin::new(stream).poll_read(context, &mut buffer)) {
        Ok(()) => Poll::Ready(buffer.filled().len()),
        Err(_closed_by_the_client) => Poll::Ready(0),
    }
}
