//! Who is let in besides whoever has the right signature: rules about merchants that hold for every
//! protocol, asked by the protocol because only it knows when the caller is known.

use std::net::IpAddr;
use std::sync::Arc;

use domain::MerchantId;

/// Whether a merchant may call from an address.
pub type AddressRule = Arc<dyn Fn(MerchantId, IpAddr) -> bool + Send + Sync>;

/// The rule of a sandbox: every address is allowed.
pub fn any_address() -> AddressRule {
    Arc::new(|_, _| true)
}

/// Whether a merchant may make one more request now; asking counts as making it. It is asked once the
/// request is known to be the merchant's.
pub type RateRule = Arc<dyn Fn(MerchantId) -> bool + Send + Sync>;

/// The rule without limits.
pub fn any_rate() -> RateRule {
    Arc::new(|_| true)
}

/// Keeps strangers from trying signatures without end.
pub trait SignatureGuard: Send + Sync {
    /// Whether a signature that comes from this address in this name is looked at.
    fn admits(&self, peer: IpAddr, name: &str) -> bool;

    /// One was looked at and is nobody's.
    fn was_wrong(&self, peer: IpAddr, name: &str);
}

/// The guard that admits everybody.
#[derive(Debug, Clone, Copy)]
pub struct AnySignature;

impl SignatureGuard for AnySignature {
    fn admits(&self, _: IpAddr, _: &str) -> bool {
        true
    }

    fn was_wrong(&self, _: IpAddr, _: &str) {}
}
