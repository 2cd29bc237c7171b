//! The API's messages: what is asked, inside and around the encrypted text, and what is answered.

pub(crate) mod answer;
pub(crate) mod envelope;
pub(crate) mod local_time;
pub(crate) mod money;
pub(crate) mod parameters;
pub(crate) mod standing;
pub(crate) mod transaction_no;
