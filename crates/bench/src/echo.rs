//! The ceiling: the same edge, and a service that does nothing but answer. It has one thread, with which
//! it is fastest, where the server has one for each processor.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, header};
use protocols::exchange::{Answer, Arrival, Serve};
use server::edge::{self, Limits};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::child::announce;

/// As long as the answer to an inquiry, and read by the load generator as one.
const ANSWER: &[u8] = br#"{"data":{"tr_id":1234567890,"code":"SHOPEEPAY","hp":"082100000000","tr_name":"PELANGGAN UJI COBA","period":"","nominal":1000,"admin":800,"ref_id":"B-0000000000-00000000","response_code":"00","message":"INQUIRY SUCCESS","price":1800,"selling_price":1350,"desc":{"footer":""}},"meta":[]}"#;

struct Echo;

#[async_trait]
impl Serve for Echo {
    async fn serve(&self, _arrival: Arrival) -> Answer {
        let mut answer = Answer::new(Bytes::from_static(ANSWER));
        let kind = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

/// Serves until the parent ends this process.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
        announce(listener.local_addr().context("the listener has no address")?);
        let never = CancellationToken::new();
        edge::serve(listener, Limits::default(), Arc::new(Echo), never).await;
        Ok(())
    })
}
