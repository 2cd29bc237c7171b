//! Response codes: every refusal and outcome to its code and text (IAK reference, sections 10, 11 and
//! 15.4).
//!
//! The two APIs have a table each, with different meanings for the same codes: [`postpaid`], whose
//! names stand here as well, and [`prepaid`]. Neither has a wildcard arm: a new refusal does not
//! compile before its code is chosen in both.

pub mod postpaid;
pub mod prepaid;

pub use postpaid::{
    FAULT, INQUIRY_SUCCESS, Meaning, NOT_RECEIVED, PAYMENT_SUCCESS, meaning, of_doubt, of_refusal,
};

/// A code with the text that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As it stands on the wire, leading zeros kept.
    pub code: &'static str,
    /// For people.
    pub message: &'static str,
    /// What it stands for, told apart where the API has one code for several things.
    pub meaning: Meaning,
}

/// A code of the table before it is said what it stands for.
const fn code(code: &'static str, message: &'static str) -> Code {
    Code { code, message, meaning: Meaning::Granted }
}
