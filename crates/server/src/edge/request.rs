//! One request: its body is received, the service is asked, and the answer is handed back.
//!
//! Invariant: the service is asked exactly once for every request whose head was complete, unless
//! the connection is lost or given up before the body was. A body that could not be received is
//! part of what the service is told. The only answer made here is the one to a service that
//! panicked.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use protocols::exchange::{Answer, Arrival, Serve};

use super::body::{AnswerBody, receive};
use super::connection::Connection;

/// The service panicked.
struct Panicked;

/// Answers one request.
pub(super) async fn answer(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let (head, body) = request.into_parts();
    let server = connection.server();
    let body = receive(body, &server.limits).await;
    connection.request_is_whole();
    let fault = body.is_err();
    let arrival = Arrival { head, body, peer: connection.peer(), note: None };
    let outcome = call(&*server.service, arrival).await;
    connection.answer_begins();
    let panicked = outcome.is_err();
    let mut answer = outcome.unwrap_or_else(|Panicked| {
        // Nothing of the request or the message is logged: any of it could carry a secret.
        tracing::error!(peer = %connection.peer(), "the service panicked; answered 500");
        internal_error()
    });
    if fault {
        connection.linger_at_the_end();
    }
    if fault || panicked || server.takes_a_slot() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer.map(|bytes| AnswerBody::new(bytes, Arc::clone(&connection))))
}

/// Calls the service and contains a panic inside it. Where the program is built to abort on a
/// panic, as the release profile is, the panic ends the process before it gets here.
async fn call(service: &dyn Serve, arrival: Arrival) -> Result<Answer, Panicked> {
    // A service that panicked is never touched again by this request, and it must already guard
    // what it shares between requests, because they run side by side.
    let made = catch_unwind(AssertUnwindSafe(|| service.serve(arrival)));
    let mut future = made.map_err(|_message| Panicked)?;
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
        Err(_message) => Poll::Ready(Err(Panicked)),
    })
    .await
}

fn internal_error() -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
}
