//! What opening an engine gives, the same for every engine.

use std::sync::Arc;

use async_trait::async_trait;
use gateway::ports::{CallbackReports, CollectionReports, Reports, Store};

/// Opened data, ready to serve.
pub struct Opened {
    /// The commit pipeline and its point reads.
    pub store: Arc<dyn Store>,
    /// The list reads.
    pub reports: Arc<dyn Reports>,
    /// The list reads of callbacks.
    pub callbacks: Arc<dyn CallbackReports>,
    /// The list reads of collections.
    pub collections: Arc<dyn CollectionReports>,
    /// Random bytes drawn when the data was created, the same for as long as it lives.
    pub instance_key: [u8; 32],
    /// Whether the data was created just now.
    pub created: bool,
    /// How to end in order.
    pub shutdown: Arc<dyn Shutdown>,
}

/// The orderly end of an engine.
#[async_trait]
pub trait Shutdown: Send + Sync {
    /// Finishes what is queued, leaves the data tidy and gives up its lock. Whatever is asked of
    /// the store after this finds it stopped. Calling it again does nothing.
    async fn shutdown(&self);
}
