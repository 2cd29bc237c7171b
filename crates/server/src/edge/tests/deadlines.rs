//! Each way of taking one's time, closed by its own deadline and by no other.

use super::*;

/// How much later than its deadline a connection may close on a busy machine.
const SLACK: Duration = Duration::from_millis(1500);

fn assert_near(took: Duration, deadline: Duration) {
    assert!(took + millis(5) >= deadline, "closed after {took:?}, not {deadline:?}");
    assert!(took < deadline + SLACK, "closed only after {took:?}, not {deadline:?}");
}

/// Sends one byte of `drip` at a time until the connection ends, and says how long that took.
async fn drip(client: &mut Client, drip: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut bytes = drip.iter().cycle();
    while begun.elapsed() < PATIENCE {
        let byte = *bytes.next().unwrap();
        if client.stream.write_all(&[byte]).await.is_err() {
            return begun.elapsed();
        }
        match timeout(millis(10), client.stream.read_buf(&mut client.unread)).await {
            Err(_nothing_yet) => {}
            Ok(_answer_or_end) => return begun.elapsed(),
        }
    }
    panic!("the server let the client drip")
}

#[tokio::test]
async fn a_socket_that_never_speaks_is_closed() {
    let stand = Stand::open(Limits { head: millis(150), ..patient() }).await;
    let mut client = stand.connect().await;
    assert_near(client.closed().await, millis(150));
    assert_eq!(stand.calls(), 0);
}

#[tokio::test]
async fn half_a_head_is_closed() {
    let stand = Stand::open(Limits { head: millis(150), ..patient() }).await;
    let mut client = stand.connect().await;
    client.send(b"GET / HTTP/1.1\r\nho").await;
    assert_near(client.closed().await, millis(150));
    assert_eq!(stand.calls(), 0);
}

#[tokio::test]
async fn silence_and_a_slow_head_share_one_deadline() {
    let stand = Stand::open(Limits { head: millis(300), ..patient() }).await;
    let mut client = stand.connect().await;
    let begun = Instant::now();
    assert!(timeout(millis(150), client.stream.readable()).await.is_err());
    client.send(b"GET / HT").await;
    client.closed().await;
    assert_near(begun.elapsed(), millis(300));
}

#[tokio::test]
async fn a_dripping_head_is_closed() {
    let stand = Stand::open(Limits { head: millis(200), ..patient() }).await;
    let mut client = stand.connect().await;
    client.send(b"GET / HTTP/1.1\r\nx: ").await;
    assert_near(drip(&mut client, b"y").await, millis(200));
    assert!(client.unread.is_empty());
}

#[tokio::test]
async fn half_a_head_on_a_used_connection_is_closed_by_the_head_deadline() {
    let stand = Stand::open(Limits { head: millis(200), ..patient() }).await;
    let mut client = stand.idle_client().await;
    client.send(b"GET / HTTP/1.1\r\nho").await;
    assert_near(client.closed().await, millis(200));

    let mut client = stand.idle_client().await;
    client.send(b"GET / HTTP/1.1\r\nx: ").await;
    assert_near(drip(&mut client, b"y").await, millis(200));
    assert_eq!(stand.calls(), 2);
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_deadline_and_not_the_idle_one() {
    let limits = Limits { head: millis(100), idle: millis(400), ..patient() };
    let stand = Stand::open(limits).await;
    let mut client = stand.idle_client().await;
    assert_near(client.closed().await, millis(400));
}

#[tokio::test]
async fn every_answer_starts_the_idle_deadline_anew() {
    let limits = Limits { head: millis(300), idle: millis(300), ..patient() };
    let stand = Stand::open(limits).await;
    let mut client = stand.connect().await;
    let begun = Instant::now();
    while begun.elapsed() < millis(900) {
        assert_eq!(client.ask(GET).await.status, 200);
        assert!(timeout(millis(50), client.stream.readable()).await.is_err());
    }
    assert_eq!(client.ask(GET).await.status, 200);
    assert_near(client.closed().await, millis(300));
}

#[tokio::test]
async fn the_idle_deadline_also_holds_where_it_is_the_shorter() {
    let stand = Stand::open(Limits { idle: millis(100), ..patient() }).await;
    let mut client = stand.idle_client().await;
    assert_near(client.closed().await, millis(100));
}

#[tokio::test]
async fn half_a_body_is_reported_and_closed() {
    let stand = Stand::open(Limits { body: millis(150), ..patient() }).await;
    for used in [false, true] {
        let mut client = if used { stand.idle_client().await } else { stand.connect().await };
        let begun = Instant::now();
        let reply = client.ask(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf").await;
        assert_near(begun.elapsed(), millis(150));
        assert_eq!((reply.status, reply.body.as_slice()), (408, b"TooSlow".as_slice()));
        client.closed().await;
    }
}

#[tokio::test]
async fn a_dripping_body_is_held_to_one_deadline() {
    let stand = Stand::open(Limits { body: millis(200), ..patient() }).await;
    let bodies: [(&[u8], &[u8]); 2] = [
        (b"POST / HTTP/1.1\r\ncontent-length: 9999\r\n\r\n", b"x"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ];
    for (head, body) in bodies {
        let mut client = stand.connect().await;
        client.send(head).await;
        assert_near(drip(&mut client, body).await, millis(200));
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_slice()), (408, b"TooSlow".as_slice()));
        client.closed().await;
    }
}

#[tokio::test]
async fn the_work_of_the_service_has_no_deadline_here() {
    let short = millis(50);
    let limits = Limits {
        head: short,
        body: short,
        answer: short,
        idle: short,
        stalled: short,
        ..patient()
    };
    let stand = Stand::open(limits).await;
    let mut client = stand.held_client().await;
    assert!(timeout(millis(300), client.stream.readable()).await.is_err());
    stand.script.release.add_permits(1);
    assert_eq!(client.reply().await.body, b"released");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_closed() {
    let limits = Limits { answer: millis(200), linger: millis(100), ..patient() };
    let stand = Stand::open(limits).await;
    let mut client = stand.connect().await;
    client.send(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await;
    // The end of the serving shows that the connection is gone: the grace would keep it.
    let begun = Instant::now();
    while stand.calls() == 0 {
        tokio::task::yield_now().await;
    }
    stand.shutdown.cancel();
    timeout(PATIENCE, stand.serving).await.unwrap().unwrap();
    assert_near(begun.elapsed(), millis(200));
    drop(client);
}

#[tokio::test]
async fn a_refused_client_that_does_not_close_is_closed_on() {
    let stand = Stand::open(Limits { linger: millis(200), ..patient() }).await;
    let mut client = stand.connect().await;
    let reply = client.ask(b"POST / HTTP/1.1\r\ncontent-length: 99999\r\n\r\nx").await;
    assert_eq!(reply.status, 413);
    let begun = Instant::now();
    stand.shutdown.cancel();
    timeout(PATIENCE, stand.serving).await.unwrap().unwrap();
    assert_near(begun.elapsed(), millis(190));
    client.closed().await;
}
