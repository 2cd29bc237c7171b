//! The APIs that merchants call and upstreams speak, one folder each.

pub mod admission;
pub mod exchange;
pub mod hosted;
pub mod iak;
mod months;
mod permutation;
pub mod s88pay;
pub mod sandbox;
