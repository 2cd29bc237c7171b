//! The demo feeds of evidence: a bank's and a SIM reader's, for tests of what such a feed sends.

use std::sync::Arc;

use domain::{Currency, ProductId, Secret};

use super::EVIDENCE_SECRET;
use crate::feed::Source;

/// Name, channel, and whether senders are telephone numbers.
const FEEDS: [(&str, &str, bool); 2] =
    [("demo_bank", "transfer-in", false), ("demo_sim", "credit-telkomsel", true)];

/// The demo feeds. They share the published secret.
pub fn feeds() -> Vec<Source> {
    let feed = |(name, channel, senders_are_numbers): (&str, &str, bool)| Source {
        name: name.to_owned(),
        secret: Secret::new(EVIDENCE_SECRET),
        channel: ProductId::new(channel),
        currency: Currency::Idr,
        peers: Arc::new(|_| true),
        senders_are_numbers,
    };
    FEEDS.map(feed).into()
}
