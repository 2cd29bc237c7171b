//! Bodies: receiving one whole, and handing one to be sent.
//!
//! A body is received within one deadline and one size, or given up with the reason. A body that
//! came in one piece is handed on without copying. This module does not undo any content coding,
//! because only the protocol knows whether it accepts one.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use protocols::exchange::BodyFault;

use super::connection::Connection;
use super::limits::Limits;

/// Receives a whole body. Giving up drops what is left of it, after which the connection cannot
/// carry another request.
pub(super) async fn receive<B>(body: B, limits: &Limits) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // A declared length is judged before a byte is read, so that a client which asks first with
    // `Expect: 100-continue` is never invited to send a body that will be refused.
    if body.size_hint().lower() > u64::try_from(limits.body_bytes).unwrap_or(u64::MAX) {
        return Err(BodyFault::TooLarge);
    }
    // There is a timer only once the body is found to be incomplete, so a request that arrived whole
    // pays nothing for it.
    let mut whole = pin!(collect(body, limits.body_bytes));
    match poll_fn(|context| Poll::Ready(whole.as_mut().poll(context))).await {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => {
            let in_time = tokio::time::timeout(limits.body, whole).await;
            in_time.unwrap_or(Err(BodyFault::TooSlow))
        }
    }
}

async fn collect<B>(mut body: B, most: usize) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let first = match next_piece(&mut body).await? {
        None => return Ok(Bytes::new()),
        Some(first) if first.len() > most => return Err(BodyFault::TooLarge),
        Some(first) if body.is_end_stream() => return Ok(first),
        Some(first) => first,
    };
    let Some(second) = next_piece(&mut body).await? else {
        return Ok(first);
    };
    let left = usize::try_from(body.size_hint().lower()).unwrap_or(most);
    let known = first.len().saturating_add(second.len()).saturating_add(left);
    let mut whole = BytesMut::with_capacity(known.min(most));
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(bytes) = piece {
        if bytes.len() > most.saturating_sub(whole.len()) {
            return Err(BodyFault::TooLarge);
        }
        whole.extend_from_slice(&bytes);
        piece = next_piece(&mut body).await?;
    }
    Ok(whole.freeze())
}

/// The next piece of the body, or `None` at its end. Trailers are passed over: no protocol here
/// gives them a meaning.
async fn next_piece<B>(body: &mut B) -> Result<Option<Bytes>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Err(_framing_or_connection) => return Err(BodyFault::Broken),
        }
    }
    Ok(None)
}

/// The body of an answer. It tells the connection when the HTTP layer has let go of it, because
/// from then on the next flush means that the answer is written.
pub(super) struct AnswerBody {
    bytes: Bytes,
    connection: Arc<Connection>,
}

impl AnswerBody {
    /// The body `bytes` of an answer on `connection`.
    pub(super) fn new(bytes: Bytes, connection: Arc<Connection>) -> AnswerBody {
        AnswerBody { bytes, connection }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(bytes)))) }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.connection.answer_is_taken();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body in pieces that does not say in advance when it ends, as a chunked one does not.
    struct Pieces(Vec<&'static [u8]>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.0.is_empty() {
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.0.remove(0))))))
        }
    }

    fn limits(body_bytes: usize) -> Limits {
        Limits { body_bytes, ..Limits::default() }
    }

    #[tokio::test]
    async fn a_single_piece_is_handed_on_without_copying() {
        static PIECE: &[u8] = b"one piece";
        let declared = http_body_util::Full::new(Bytes::from_static(PIECE));
        let declared = receive(declared, &limits(9)).await.unwrap();
        assert_eq!(declared.as_ptr(), PIECE.as_ptr());
        let chunked = receive(Pieces(vec![PIECE]), &limits(9)).await.unwrap();
        assert_eq!(chunked.as_ptr(), PIECE.as_ptr());
    }

    #[tokio::test]
    async fn pieces_are_joined_up_to_the_limit() {
        let pieces = || Pieces(vec![b"ab", b"cd", b"e"]);
        assert_eq!(receive(pieces(), &limits(5)).await.unwrap(), "abcde");
        for most in 0..5 {
            assert_eq!(receive(pieces(), &limits(most)).await, Err(BodyFault::TooLarge));
        }
        assert_eq!(receive(Pieces(vec![]), &limits(0)).await.unwrap(), "");
    }
}
