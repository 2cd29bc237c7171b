//! Pages that payers are shown: what to pay, where to, and how far it is.

mod token;

pub use token::Tokens;
