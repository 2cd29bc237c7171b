//! The names under which a deposit keeps what it was asked with and what its payer is to be told. What a
//! page of ours shows goes by the names of [`shown`]; evidence is matched by those of
//! [`gateway::collect::told`] besides.

use crate::hosted::shown;

/// Where the payer sends the money, as it was told when the deposit was made. It stays, whatever becomes
/// of the channel.
pub const RECEIVING_ACCOUNT: &str = shown::ACCOUNT;
/// Whose that account is.
pub const RECEIVING_NAME: &str = shown::HOLDER;
/// What the payer writes into the note of the transfer; Vietnam alone has it.
pub const MATCH_CODE: &str = shown::NOTE;
/// Through which bank the payer pays.
pub const BANK_CODE: &str = "bank_code";
/// That bank's name.
pub const BANK_NAME: &str = shown::BANK;
/// The payer's name.
pub const DEPOSITOR_NAME: &str = "depositor_name";
/// The payer's bank, where that is told apart from the one that is paid through.
pub const DEPOSITOR_BANK: &str = "depositor_bank";
