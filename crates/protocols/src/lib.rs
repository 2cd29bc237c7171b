//! The APIs that merchants call and upstreams speak, one folder each.

pub mod admission;
pub mod exchange;
mod form;
pub mod hosted;
pub mod iak;
pub mod ilenpay;
mod months;
pub mod sandbox;
