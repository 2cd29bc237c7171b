//! The APIs that merchants call and upstreams speak, one folder each.

pub mod admission;
pub mod dissection;
pub mod exchange;
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

/// A protocol as whoever sends requests on sees it.
#[derive(Debug, Clone, Copy)]
pub struct Face {
    /// The protocol's name.
    pub name: &'static str,
    /// Whether it answers under a path.
    pub owns: fn(&str) -> bool,
}

/// Every protocol that is served. No path has two owners.
pub const FACES: [Face; 2] = [
    Face { name: iak::NAME, owns: iak::Served::owns },
    Face { name: isikuota::NAME, owns: isikuota::Served::owns },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_has_two_owners() {
        let paths = [
            "/api/v1/bill/check",
            "/api/top-up",
            "/v1/legacy/index",
            "/v1/order",
            "/v1/balance",
            "/v1/transaksi/baru",
            "/v1/webhook/ping/abc",
            "/api/v1/payout/OPR001",
            "/api/OPR001/v3/dopayment",
            "/OPR001/v2/dopayment",
            "/livez",
            "/admin/v1/merchants",
            "/",
        ];
        for path in paths {
            let owners: Vec<_> =
                FACES.iter().filter(|face| (face.owns)(path)).map(|face| face.name).collect();
            assert!(owners.len() <= 1, "{path} belongs to {owners:?}");
        }
    }
}
