//! IAK, formerly mobilepulsa: bills and top-ups, in JSON and XML, signed with MD5.

pub mod codes;
pub mod sign;

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "iak";
