//! The prepaid API's reference lists: which operator has which telephone numbers, what the brands on
//! price lists are called, and how games identify players (IAK reference, section 13).
//!
//! They are facts of the API, not of what is sold here: products come from the catalogue, and one
//! that no list knows is sold all the same.

pub(crate) mod brands;
pub(crate) mod games;
pub(crate) mod operators;
