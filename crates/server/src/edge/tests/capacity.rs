//! A full house: who is evicted, who waits, who is refused, and that the silent starve nobody.

use super::*;

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let stand = Stand::open(Limits { connections: 3, ..patient() }).await;
    let mut first = stand.idle_client().await;
    let mut second = stand.idle_client().await;
    let mut third = stand.idle_client().await;
    // The first has now been active more recently than the second.
    assert_eq!(first.ask(GET).await.status, 200);
    let mut fourth = stand.idle_client().await;
    second.closed().await;
    let mut fifth = stand.idle_client().await;
    third.closed().await;
    for stayed in [&mut first, &mut fourth, &mut fifth] {
        assert_eq!(stayed.ask(GET).await.status, 200);
    }
}

#[tokio::test]
async fn silent_connections_go_before_idle_ones_and_the_oldest_first() {
    let stand = Stand::open(Limits { connections: 3, ..patient() }).await;
    let mut idle = stand.idle_client().await;
    let mut older = stand.connect().await;
    assert!(older.is_open().await);
    let mut newer = stand.connect().await;
    assert!(newer.is_open().await);
    let mut worker = stand.idle_client().await;
    older.closed().await;
    assert!(newer.is_open().await);
    let mut another = stand.idle_client().await;
    newer.closed().await;
    for stayed in [&mut idle, &mut worker, &mut another] {
        assert_eq!(stayed.ask(GET).await.status, 200);
    }
}

#[tokio::test]
async fn stalled_requests_go_before_idle_connections() {
    let limits = Limits { connections: 3, stalled: millis(50), ..patient() };
    let stand = Stand::open(limits).await;
    let mut idle = stand.idle_client().await;
    let mut half_head = stand.connect().await;
    half_head.send(b"GET / HT").await;
    assert!(timeout(millis(60), half_head.stream.readable()).await.is_err());
    let mut half_body = stand.connect().await;
    half_body.send(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf").await;
    assert!(timeout(millis(60), half_body.stream.readable()).await.is_err());
    let mut worker = stand.idle_client().await;
    half_head.closed().await;
    let mut another = stand.idle_client().await;
    half_body.closed().await;
    for stayed in [&mut idle, &mut worker, &mut another] {
        assert_eq!(stayed.ask(GET).await.status, 200);
    }
}

#[tokio::test]
async fn a_request_in_progress_is_never_evicted() {
    let limits = Limits { connections: 2, admission: millis(200), ..patient() };
    let stand = Stand::open(limits).await;
    let mut held = stand.held_client().await;
    for _ in 0..20 {
        stand.idle_client().await;
    }
    stand.script.release.add_permits(1);
    assert_eq!(held.reply().await.body, b"released");
}

#[tokio::test]
async fn a_newcomer_waits_for_a_request_to_finish_and_takes_its_place() {
    let stand = Stand::open(Limits { connections: 1, ..patient() }).await;
    let mut held = stand.held_client().await;
    let mut newcomer = stand.connect().await;
    newcomer.send(GET).await;
    assert!(newcomer.is_open().await);
    stand.script.release.add_permits(1);
    let reply = held.reply().await;
    assert_eq!(reply.body, b"released");
    assert!(reply.head.contains("connection: close\r\n"));
    held.closed().await;
    let reply = newcomer.reply().await;
    assert_eq!(reply.status, 200);
    // Nobody waits any more, so nobody is asked to leave.
    assert!(!reply.head.contains("connection: close"));
}

#[tokio::test]
async fn nobody_is_asked_to_close_for_a_newcomer_that_found_another_place() {
    let stand = Stand::open(Limits { connections: 2, ..patient() }).await;
    let mut held = stand.held_client().await;
    let mut half = stand.connect().await;
    half.send(b"GET / HT").await;
    assert!(half.is_open().await);
    let mut newcomer = stand.connect().await;
    newcomer.send(GET).await;
    assert!(newcomer.is_open().await);
    drop(half);
    assert!(!newcomer.reply().await.head.contains("connection: close"));
    stand.script.release.add_permits(1);
    assert!(!held.reply().await.head.contains("connection: close"));
}

#[tokio::test]
async fn a_newcomer_that_waited_in_vain_is_refused_and_the_next_at_once() {
    let limits = Limits { connections: 1, admission: millis(200), ..patient() };
    let stand = Stand::open(limits).await;
    let mut held = stand.held_client().await;
    let begun = Instant::now();
    let mut newcomer = stand.connect().await;
    newcomer.send(GET).await;
    let reply = newcomer.reply().await;
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("connection: close\r\n"));
    assert!(begun.elapsed() >= millis(195));
    newcomer.closed().await;
    newcomer.keeps_sending().await;

    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(stand.connect().await.ask(GET).await.status, 503);
    }
    assert!(begun.elapsed() < millis(1500), "refusing took {:?}", begun.elapsed());
    assert_eq!(stand.calls(), 1);

    stand.script.release.add_permits(1);
    let reply = held.reply().await;
    assert_eq!(reply.body, b"released");
    assert!(!reply.head.contains("connection: close"));
    drop(held);
    assert_eq!(stand.connect().await.ask(GET).await.status, 200);
}

#[tokio::test]
async fn after_a_refusal_newcomers_may_wait_again_once_there_has_been_room() {
    let limits = Limits { connections: 1, admission: millis(200), ..patient() };
    let stand = Stand::open(limits).await;
    let mut held = stand.held_client().await;
    assert_eq!(stand.connect().await.ask(GET).await.status, 503);
    stand.script.release.add_permits(1);
    assert_eq!(held.reply().await.body, b"released");
    drop(held);
    let _held = stand.held_client().await;
    let begun = Instant::now();
    assert_eq!(stand.connect().await.ask(GET).await.status, 503);
    assert!(begun.elapsed() >= millis(195));
}

#[tokio::test]
async fn connections_that_only_linger_make_room_first() {
    let stand = Stand::open(Limits { connections: 2, ..patient() }).await;
    let mut idle = stand.idle_client().await;
    let mut refused = stand.connect().await;
    let reply = refused.ask(b"POST / HTTP/1.1\r\ncontent-length: 99999\r\n\r\nx").await;
    assert_eq!(reply.status, 413);
    assert!(stand.idle_client().await.is_open().await);
    assert_eq!(idle.ask(GET).await.status, 200);
}

#[tokio::test]
async fn hundreds_of_silent_sockets_starve_nobody() {
    let stand = Stand::open(Limits { connections: 64, ..patient() }).await;
    let mut healthy = stand.idle_client().await;
    let mut silent = Vec::new();
    let mut slowest = Duration::ZERO;
    for round in 0..600 {
        silent.push(stand.connect().await);
        if round % 10 == 0 {
            let begun = Instant::now();
            assert_eq!(healthy.ask(GET).await.status, 200);
            assert_eq!(stand.connect().await.ask(GET).await.status, 200);
            slowest = slowest.max(begun.elapsed());
        }
    }
    assert!(slowest < Duration::from_secs(2), "a healthy client waited {slowest:?}");
    // The oldest were the ones to go.
    for client in &mut silent[..500] {
        client.closed().await;
    }
    assert_eq!(healthy.ask(GET).await.status, 200);
}

#[tokio::test]
async fn silent_sockets_below_the_cap_are_held_beside_healthy_clients() {
    let stand = Stand::open(Limits { head: millis(2000), ..patient() }).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(stand.connect().await);
    }
    let mut healthy = stand.connect().await;
    for _ in 0..100 {
        assert_eq!(healthy.ask(GET).await.status, 200);
    }
    for client in &mut silent {
        client.closed().await;
    }
    assert_eq!(healthy.ask(GET).await.status, 200);
}

#[tokio::test]
async fn half_sent_requests_starve_nobody() {
    let limits = Limits { connections: 32, stalled: millis(20), ..patient() };
    let stand = Stand::open(limits).await;
    let mut healthy = stand.idle_client().await;
    let mut slow = Vec::new();
    for round in 0..200 {
        let mut client = stand.connect().await;
        let half: &[u8] = match round % 2 {
            0 => b"GET / HT",
            _ => b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf",
        };
        client.send(half).await;
        slow.push(client);
        if round % 20 == 0 {
            assert_eq!(stand.connect().await.ask(GET).await.status, 200);
        }
    }
    // The healthy connection may have had to make room while too many others were still young,
    // and then comes back; that its client is served is what counts.
    healthy = if healthy.is_open().await { healthy } else { stand.connect().await };
    assert_eq!(healthy.ask(GET).await.status, 200);
}

#[tokio::test]
async fn a_limit_of_no_connections_is_taken_as_one() {
    let stand = Stand::open(Limits { connections: 0, ..patient() }).await;
    assert_eq!(stand.connect().await.ask(GET).await.status, 200);
}

/// Asks until the answer comes, opening a new connection whenever the last one made room for
/// somebody else. Gives the connection back for the next request.
async fn ask_until_answered(stand: &Stand, client: Option<Client>, body: &str) -> Client {
    let request =
        format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut client = match client {
        Some(client) => client,
        None => stand.connect().await,
    };
    loop {
        let mut answer = vec![0; 4096];
        let came = match client.stream.write_all(request.as_bytes()).await {
            Ok(()) => timeout(PATIENCE, client.stream.read(&mut answer)).await.unwrap(),
            Err(error) => Err(error),
        };
        if let Ok(1..) = came {
            let answer = String::from_utf8_lossy(&answer[..came.unwrap()]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.ends_with(body), "{answer} is not the answer to {body}");
            return client;
        }
        client = stand.connect().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crush_on_several_threads_serves_everybody_their_own_answer() {
    let stand = Arc::new(Stand::open(Limits { connections: 8, ..patient() }).await);
    let crowd: Vec<_> = (0..32)
        .map(|number| {
            let stand = Arc::clone(&stand);
            tokio::spawn(async move {
                let mut client = None;
                for request in 0..50 {
                    let body = format!("request {request} of {number}");
                    let used = ask_until_answered(&stand, client, &body).await;
                    client = (request % 5 != 0).then_some(used);
                }
            })
        })
        .collect();
    for client in crowd {
        timeout(PATIENCE * 3, client).await.unwrap().unwrap();
    }
    assert!(stand.calls() >= 32 * 50);
    stand.shutdown.cancel();
    let stand = Arc::into_inner(stand).unwrap();
    timeout(PATIENCE, stand.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_comes_stays_and_goes_is_counted() {
    let limits = Limits { connections: 2, admission: millis(50), head: millis(100), ..patient() };
    let stand = Stand::open(limits).await;
    let traffic = &stand.traffic;
    let mut idle = stand.idle_client().await;
    let first = stand.held_client().await;
    let second = stand.held_client().await;
    idle.closed().await;
    assert_eq!((traffic.evicted(), traffic.accepted()), (1, 3));
    assert_eq!(stand.connect().await.ask(GET).await.status, 503);
    assert_eq!((traffic.refused(), traffic.open()), (1, 2));
    stand.script.release.add_permits(2);
    drop((first, second));
    // The edge notices an end when it next looks, which a newcomer makes it do.
    let mut silent = stand.connect().await;
    silent.closed().await;
    let begun = Instant::now();
    while traffic.open() > 0 || traffic.overdue() == 0 {
        assert!(begun.elapsed() < PATIENCE, "{traffic:?}");
        tokio::task::yield_now().await;
    }
    assert_eq!((traffic.accepted(), traffic.overdue(), traffic.evicted()), (4, 1, 1));
}
