//! Names into addresses.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

/// How many names are looked up at once. A name server that does not answer holds a thread for as
/// long as the system waits for it, also when nobody waits any more.
const AT_ONCE: usize = 256;

/// Looks names up.
#[async_trait]
pub(crate) trait Resolve: Send + Sync {
    /// The addresses of a host, the preferred one first, none of them twice.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system, which knows `/etc/hosts` and the name servers.
pub(crate) struct SystemResolver {
    places: Arc<Semaphore>,
}

impl SystemResolver {
    /// Looks up a limited number of names at once.
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let looking = tokio::task::spawn_blocking(move || {
            // It is given back when the system is done, not when the asker has lost patience.
            let _place = place;
            let mut seen = BTreeSet::new();
            let found = (name.as_str(), 0).to_socket_addrs()?.map(|address| address.ip());
            Ok(found.filter(|address| seen.insert(*address)).collect())
        });
        looking.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_this_machine_and_no_invalid_name() {
        let resolver = SystemResolver::new();
        let found = resolver.resolve("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), found.len());
        assert!(resolver.resolve("no-such-host.invalid").await.is_err());
    }
}
