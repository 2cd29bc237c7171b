//! Shutting down: what is closed at once, what may finish, and when the serving is over.

use super::*;

async fn over(serving: JoinHandle<()>) -> Duration {
    let begun = Instant::now();
    timeout(PATIENCE, serving).await.unwrap().unwrap();
    begun.elapsed()
}

#[tokio::test]
async fn without_requests_in_progress_it_is_over_at_once() {
    let stand = Stand::open(patient()).await;
    let mut idle = stand.idle_client().await;
    let mut silent = stand.connect().await;
    assert!(silent.is_open().await);
    stand.shutdown.cancel();
    idle.closed().await;
    silent.closed().await;
    assert!(over(stand.serving).await < Duration::from_secs(5));
    assert!(TcpStream::connect(stand.address).await.is_err());
}

#[tokio::test]
async fn a_request_in_progress_may_finish() {
    let stand = Stand::open(patient()).await;
    let mut idle = stand.idle_client().await;
    let mut held = stand.held_client().await;
    stand.shutdown.cancel();
    idle.closed().await;
    assert!(held.is_open().await);
    assert!(!stand.serving.is_finished());
    stand.script.release.add_permits(1);
    let reply = held.reply().await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"released".as_slice()));
    assert!(reply.head.contains("connection: close\r\n"));
    held.closed().await;
    over(stand.serving).await;
}

#[tokio::test]
async fn a_half_received_request_may_finish() {
    let stand = Stand::open(patient()).await;
    let mut half_body = stand.connect().await;
    half_body.send(b"POST / HTTP/1.1\r\ncontent-length: 8\r\n\r\nhalf").await;
    let mut half_head = stand.connect().await;
    half_head.send(b"GET / HTTP/1.1\r\nho").await;
    assert!(half_head.is_open().await);
    stand.shutdown.cancel();
    assert_eq!(half_body.ask(b"full").await.body, b"halffull");
    assert_eq!(half_head.ask(b"st: a\r\n\r\n").await.status, 200);
    half_body.closed().await;
    half_head.closed().await;
    over(stand.serving).await;
}

#[tokio::test]
async fn the_grace_ends_what_does_not_finish() {
    let stand = Stand::open(Limits { grace: millis(200), ..patient() }).await;
    let mut held = stand.held_client().await;
    stand.shutdown.cancel();
    let took = over(stand.serving).await;
    assert!(took >= millis(190) && took < Duration::from_secs(5), "{took:?}");
    held.closed().await;
}

#[tokio::test]
async fn a_newcomer_waiting_for_room_does_not_hold_it_up() {
    let stand = Stand::open(Limits { connections: 1, ..patient() }).await;
    let mut held = stand.held_client().await;
    let mut waiting = stand.connect().await;
    assert!(waiting.is_open().await);
    stand.shutdown.cancel();
    waiting.closed().await;
    stand.script.release.add_permits(1);
    assert_eq!(held.reply().await.body, b"released");
    over(stand.serving).await;
}
