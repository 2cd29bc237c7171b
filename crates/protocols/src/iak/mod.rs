//! IAK, formerly mobilepulsa: bills and top-ups, in JSON and XML.

pub mod codes;
