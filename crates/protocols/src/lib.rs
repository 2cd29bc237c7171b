//! The APIs that merchants call and upstreams speak, one folder each.

pub mod admission;
#[cfg(test)]
mod conversations;
pub mod dissection;
pub mod exchange;
pub mod feed;
mod form;
pub mod hosted;
pub mod iak;
pub mod ilenpay;
pub mod isikuota;
mod masking;
mod months;
pub mod order_numbers;
mod permutation;
pub mod s88pay;
pub mod sandbox;
#[cfg(test)]
mod standing_clock;

/// A protocol as whoever sends requests on sees it.
#[derive(Debug, Clone, Copy)]
pub struct Face {
    /// The protocol's name.
    pub name: &'static str,
    /// Whether it answers under a path.
    pub owns: fn(&str) -> bool,
}

/// Every protocol that is served, the pages of those that have some, and the feeds of evidence. Where a path could belong to
/// two of them, as those below `/api/` could, it is the first one's.
pub const FACES: [Face; 6] = [
    Face { name: feed::NAME, owns: feed::Served::owns },
    Face { name: s88pay::NAME, owns: s88pay::Served::owns },
    Face { name: ilenpay::NAME, owns: ilenpay::Served::owns },
    Face { name: hosted::NAME, owns: hosted::Served::owns },
    Face { name: iak::NAME, owns: iak::Served::owns },
    Face { name: isikuota::NAME, owns: isikuota::Served::owns },
];

/// The name of whoever answers under a path.
pub fn owner(path: &str) -> Option<&'static str> {
    FACES.iter().find(|face| (face.owns)(path)).map(|face| face.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendor_path_has_its_owner() {
        let table = [
            ("/api/v1/bill/check", Some("iak")),
            ("/api/v1/download/1000000001", Some("iak")),
            ("/api/top-up", Some("iak")),
            ("/api/anything", Some("iak")),
            ("/v1/legacy/index", Some("iak")),
            ("/v1/order", Some("isikuota")),
            ("/v1/balance", Some("isikuota")),
            ("/v1/transaksi/baru", Some("ilenpay")),
            ("/v1/webhook/ping/abc", Some("ilenpay")),
            ("/payment/abc", Some("hosted")),
            ("/pay/abc", Some("hosted")),
            ("/OPR001/v2/dopayment", Some("s88pay")),
            ("/api/OPR001/v3/dopayment", Some("s88pay")),
            ("/api/v1/payout/OPR001", Some("s88pay")),
            ("/api/v1/OPR001/transactions/status", Some("s88pay")),
            ("/api/sub-bank/available", Some("s88pay")),
            ("/livez", None),
            ("/admin/v1/merchants", None),
            ("/", None),
        ];
        for (path, expected) in table {
            assert_eq!(owner(path), expected, "{path}");
        }
    }
}
