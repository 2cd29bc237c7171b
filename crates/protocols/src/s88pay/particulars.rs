//! The names under which a deposit keeps what it was asked with and what its payer is to be told. Pages
//! that show a deposit read them; evidence is matched by those of [`gateway::collect::told`] besides.

/// Where the payer sends the money, as it was told when the deposit was made. It stays, whatever becomes
/// of the channel.
pub const RECEIVING_ACCOUNT: &str = "receiving_account";
/// Whose that account is.
pub const RECEIVING_NAME: &str = "receiving_name";
/// What the payer writes into the note of the transfer; Vietnam alone has it.
pub const MATCH_CODE: &str = "match_code";
/// Through which bank the payer pays.
pub const BANK_CODE: &str = "bank_code";
/// That bank's name.
pub const BANK_NAME: &str = "bank_name";
/// The payer's name.
pub const DEPOSITOR_NAME: &str = "depositor_name";
/// The payer's bank, where that is told apart from the one that is paid through.
pub const DEPOSITOR_BANK: &str = "depositor_bank";
