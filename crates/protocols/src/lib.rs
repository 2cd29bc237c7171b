//! The APIs that merchants call and upstreams speak, one folder each.

pub mod admission;
pub mod dissection;
pub mod exchange;
pub mod feed;
pub mod hosted;
pub mod iak;
pub mod isikuota;
mod masking;
mod months;
pub mod order_numbers;
pub mod sandbox;
