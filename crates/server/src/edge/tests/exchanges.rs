//! Requests that arrive whole: methods, versions, keep-alive, pipelining, refusals of the head,
//! and a service that panics.

use super::*;

#[tokio::test]
async fn a_request_is_answered_with_few_headers() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let reply = client.ask(b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello").await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"hello".as_slice()));
    let mut names: Vec<&str> =
        reply.head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "date"]);
}

#[tokio::test]
async fn the_service_is_told_the_peer() {
    let stand = Stand::open(patient()).await;
    let reply = stand.connect().await.ask(b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(reply.body, b"127.0.0.1");
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    for count in 1..=50 {
        let reply = client.ask(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok").await;
        assert_eq!(reply.body, b"ok");
        assert_eq!(stand.calls(), count);
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let mut all = Vec::new();
    for count in 0..100 {
        let body = count.to_string();
        let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        all.extend_from_slice(head.as_bytes());
    }
    client.send(&all).await;
    for count in 0..100 {
        assert_eq!(client.reply().await.body, count.to_string().as_bytes());
    }
    assert!(client.is_open().await);
}

#[tokio::test]
async fn requests_cut_at_every_byte_are_understood() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.stream.set_nodelay(true).unwrap();
    let request = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
    for cut in 1..request.len() {
        client.send(&request[..cut]).await;
        tokio::task::yield_now().await;
        client.send(&request[cut..]).await;
        assert_eq!(client.reply().await.body, b"abc");
    }
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    client.send(b"HEAD /peer HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(client.head().await.contains("content-length: 9\r\n"));
    // The next answer follows directly, so no body was sent.
    assert_eq!(client.ask(GET).await.status, 200);
}

#[tokio::test]
async fn an_empty_answer_keeps_the_connection() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    for _ in 0..3 {
        let reply = client.ask(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(reply.head.contains("content-length: 0\r\n"));
    }
}

#[tokio::test]
async fn the_older_version_closes_unless_asked_to_stay() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let reply = client.ask(b"POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nok").await;
    assert!(reply.head.starts_with("http/1.0 200"));
    assert_eq!(reply.body, b"ok");
    client.closed().await;

    let mut client = stand.connect().await;
    for _ in 0..2 {
        let reply = client.ask(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
        assert!(reply.head.contains("connection: keep-alive\r\n"));
    }
}

#[tokio::test]
async fn a_client_may_ask_to_close() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    let reply = client.ask(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(reply.head.contains("connection: close\r\n"));
    client.closed().await;
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_is_answered() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.held_client().await;
    client.stream.shutdown().await.unwrap();
    assert!(client.is_open().await);
    stand.script.release.add_permits(1);
    assert_eq!(client.reply().await.body, b"released");
    client.closed().await;
}

#[tokio::test]
async fn a_malformed_head_is_refused_and_the_connection_closed() {
    let stand = Stand::open(patient()).await;
    let malformed: [&[u8]; 5] = [
        b"GET\r\n\r\n",
        b"G\0T / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
    ];
    for head in malformed {
        let mut client = stand.connect().await;
        let reply = client.ask(head).await;
        assert_eq!(reply.status, 400, "{:?}", String::from_utf8_lossy(head));
        client.closed().await;
    }
    assert_eq!(stand.calls(), 0);
}

#[tokio::test]
async fn a_client_whose_head_was_refused_may_still_be_sending() {
    let stand = Stand::open(patient()).await;
    let mut client = stand.connect().await;
    assert_eq!(client.ask(b"GET\r\n\r\n").await.status, 400);
    client.closed().await;
    client.keeps_sending().await;
}

#[tokio::test]
async fn too_much_head_is_refused() {
    let stand = Stand::open(Limits { head_bytes: 1024, headers: 10, ..patient() }).await;
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(11));
    let endless = format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(1024));
    for head in [long, many, endless] {
        let mut client = stand.connect().await;
        assert_eq!(client.ask(head.as_bytes()).await.status, 431);
        client.closed().await;
    }
    let within = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(900));
    assert_eq!(stand.connect().await.ask(within.as_bytes()).await.status, 200);
    assert_eq!(stand.calls(), 1);
}

#[tokio::test]
async fn the_default_limits_refuse_a_flood_of_headers() {
    let stand = Stand::open(patient()).await;
    let within = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
    assert_eq!(stand.connect().await.ask(within.as_bytes()).await.status, 200);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
    assert_eq!(stand.connect().await.ask(many.as_bytes()).await.status, 431);
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(16 * 1024));
    assert_eq!(stand.connect().await.ask(long.as_bytes()).await.status, 431);
}

#[tokio::test]
async fn a_panic_is_answered_and_takes_nothing_else_down() {
    let stand = Stand::open(patient()).await;
    let mut neighbour = stand.held_client().await;
    let mut client = stand.connect().await;
    let reply = client.ask(b"GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(reply.status, 500);
    assert!(reply.head.contains("connection: close\r\n"));
    assert!(reply.body.is_empty());
    client.closed().await;
    stand.script.release.add_permits(1);
    assert_eq!(neighbour.reply().await.body, b"released");
    assert_eq!(stand.connect().await.ask(GET).await.status, 200);
}

/// A service that panics before there is even a future to poll.
struct Eager;

impl Serve for Eager {
    fn serve<'service, 'future>(
        &'service self,
        _arrival: Arrival,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + 'future>>
    where
        'service: 'future,
    {
        panic!("before the first poll")
    }
}

#[tokio::test]
async fn a_panic_before_the_first_poll_is_answered_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, patient(), Arc::new(Eager), CancellationToken::new()));
    let mut client = Client::over(TcpStream::connect(address).await.unwrap());
    assert_eq!(client.ask(GET).await.status, 500);
}
