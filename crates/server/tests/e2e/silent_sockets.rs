//! Sockets that say nothing, or half of something, do not keep others from being served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, Sandbox};
use crate::iak_client::{inquired, pay};

/// Enough to fill every place that the server has.
const SOCKETS: usize = 300;

#[test]
fn half_a_request_is_given_up_on_while_others_are_served() {
    let sandbox = Sandbox::start(&["--connections", "256"]);
    let openings: [&[u8]; 3] = [
        b"",
        b"POST /api/v1/bill/check HTTP/1.1\r\nhost: x\r\ncontent-",
        b"POST /api/v1/bill/check HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
    ];
    let begun = Instant::now();
    let sockets: Vec<_> = (0..SOCKETS)
        .map(|number| {
            let mut socket = TcpStream::connect(sandbox.address()).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            // The server may have made room already by closing it.
            let _ = socket.write_all(openings[number % openings.len()]);
            socket
        })
        .collect();
    for number in 0..5 {
        let tr_id = inquired(&sandbox, "530000000000", &format!("BESIDE-{number}"));
        assert_eq!(pay(&sandbox, tr_id).code(), "00");
    }
    for mut socket in sockets {
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
