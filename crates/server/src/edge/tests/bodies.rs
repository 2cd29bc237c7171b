//! Bodies: lengths, chunking, invitations to send, and each of the faults.

use super::*;

fn declared(length: usize) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

async fn expect_fault(client: &mut Client, status: u16, fault: &str) {
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_slice()), (status, fault.as_bytes()));
    assert!(reply.head.contains("connection: close\r\n"), "{}", reply.head);
    client.closed().await;
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_accepted() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let body: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    for _ in 0..3 {
        client.send(&declared(body.len())).await;
        let reply = client.ask(&body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, body);
    }
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_refused_without_reading() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.send(&declared(64 * 1024 + 1)).await;
    expect_fault(&mut client, 413, "TooLarge").await;
    assert_eq!(stand.calls(), 1);
}

#[tokio::test]
async fn a_client_sending_too_much_can_read_why() {
    let stand = Stand::open(patient()).await;
    for head in [declared(200_000), CHUNKED.to_vec()] {
        let mut client = stand.connect().await;
        client.send(&head).await;
        client.send(b"186a0\r\n").await;
        client.send(&[b'x'; 100_000]).await;
        expect_fault(&mut client, 413, "TooLarge").await;
        client.keeps_sending().await;
    }
}

#[tokio::test]
async fn a_refused_client_is_not_listened_to_without_end() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.send(&declared(99_999)).await;
    expect_fault(&mut client, 413, "TooLarge").await;
    let mut sent = 0;
    while client.stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {
        sent += 64 * 1024;
        assert!(sent < 64 * 1024 * 1024, "the server read on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn chunks_are_joined() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    for _ in 0..2 {
        client.send(CHUNKED).await;
        client.send(b"3\r\nabc\r\n").await;
        client.send(b"4;note=x\r\ndefg\r\n1\r\nh\r\n").await;
        let reply = client.ask(b"0\r\ntrailer: ignored\r\n\r\n").await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"abcdefgh".as_slice()));
    }
    client.send(CHUNKED).await;
    assert_eq!(client.ask(b"0\r\n\r\n").await.body, b"");
    client.send(CHUNKED).await;
    assert_eq!(client.ask(b"2\r\nok\r\n0\r\n\r\n").await.body, b"ok");
}

#[tokio::test]
async fn chunks_up_to_the_limit_are_accepted_and_beyond_it_refused() {
    let stand = Stand::open(Limits { body_bytes: 1000, ..patient() }).await;
    let mut client = stand.connect().await;
    let hundred = [b"64\r\n".as_slice(), &[b'x'; 100], b"\r\n"].concat();
    client.send(CHUNKED).await;
    client.send(&hundred.repeat(10)).await;
    assert_eq!(client.ask(b"0\r\n\r\n").await.body, [b'x'; 1000]);

    client.send(CHUNKED).await;
    client.send(&hundred.repeat(10)).await;
    client.send(b"1\r\nx\r\n").await;
    expect_fault(&mut client, 413, "TooLarge").await;

    let mut client = stand.connect().await;
    client.send(CHUNKED).await;
    client.send(&[b"7d0\r\n".as_slice(), &[b'x'; 2000]].concat()).await;
    expect_fault(&mut client, 413, "TooLarge").await;
}

#[tokio::test]
async fn a_content_coding_is_left_to_the_protocol() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let reply = client
        .ask(
            b"POST /coding HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b",
        )
        .await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"gzip".as_slice()));
}

#[tokio::test]
async fn a_client_that_asks_first_is_invited() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client
        .send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("http/1.1 100 "));
    assert_eq!(client.ask(b"ok").await.body, b"ok");
    assert_eq!(client.ask(GET).await.status, 200);
}

#[tokio::test]
async fn a_client_that_asks_first_is_not_invited_to_send_too_much() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.send(b"POST / HTTP/1.1\r\ncontent-length: 99999\r\nexpect: 100-continue\r\n\r\n").await;
    expect_fault(&mut client, 413, "TooLarge").await;
}

#[tokio::test]
async fn an_invited_client_that_then_says_nothing_is_too_slow() {
    let stand = Stand::open(Limits { body: millis(100), ..patient() }).await;
    let mut client = stand.connect().await;
    client.send(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    assert!(client.head().await.starts_with("http/1.1 100 "));
    expect_fault(&mut client, 408, "TooSlow").await;
}

#[tokio::test]
async fn broken_bodies_are_reported() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.send(CHUNKED).await;
    client.send(b"not a length\r\n").await;
    expect_fault(&mut client, 400, "Broken").await;

    for unfinished in [declared(10), CHUNKED.to_vec()] {
        let mut client = stand.connect().await;
        client.send(&unfinished).await;
        client.send(b"3\r\nabc\r\n").await;
        client.stream.shutdown().await.unwrap();
        expect_fault(&mut client, 400, "Broken").await;
    }
    assert_eq!(stand.calls(), 3);
}
