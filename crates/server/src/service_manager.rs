//! Tells the service manager how the program is, by systemd's protocol: a word in a datagram to the
//! socket that `NOTIFY_SOCKET` names (`sd_notify(3)`). Without that variable nothing is told.
//!
//! What cannot be told is not an error: the program must run the same without a manager.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::{debug, warn};

/// What can be told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum News {
    /// It serves.
    Ready,
    /// It has begun to stop.
    Stopping,
    /// It is alive. Silence for as long as the manager's patience makes the manager kill it.
    Alive,
}

impl News {
    const fn word(self) -> &'static str {
        match self {
            Self::Ready => "READY=1",
            Self::Stopping => "STOPPING=1",
            Self::Alive => "WATCHDOG=1",
        }
    }
}

/// Tells the manager, if there is one.
pub(crate) fn tell(news: News) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    match send(name.as_encoded_bytes(), news.word()) {
        Ok(_) => debug!(word = news.word(), "told the service manager"),
        Err(error) => warn!(%error, word = news.word(), "the service manager cannot be told"),
    }
}

fn send(name: &[u8], word: &str) -> io::Result<usize> {
    UnixDatagram::unbound()?.send_to_addr(word.as_bytes(), &address(name)?)
}

/// A path, or after `@` a name without a file, which only Linux has.
fn address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::unix::ffi::OsStrExt;

    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))
}

/// Tells the manager again and again that this task still gets its turn, which on the one thread
/// that serves means that everybody else does. Returns at once where nobody asked for it.
pub(crate) async fn stay_alive() {
    let Some(patience) = patience() else { return };
    let mut beat = tokio::time::interval(patience / 2);
    loop {
        beat.tick().await;
        tell(News::Alive);
    }
}

/// After how much silence the manager would kill us (`sd_watchdog_enabled(3)`).
fn patience() -> Option<Duration> {
    let text = |name| std::env::var(name).ok();
    let is_ours = |process: String| process.parse() == Ok(std::process::id());
    if !text("WATCHDOG_PID").is_none_or(is_ours) {
        return None;
    }
    let microseconds = text("WATCHDOG_USEC")?.parse().ok().filter(|it| *it > 1)?;
    Some(Duration::from_micros(microseconds))
}
