//! The served face over a whole gateway whose ports are in memory, with a fixed clock.

mod bad_input;
mod bills;
mod callbacks;
mod containment;
mod golden;
mod notes;
mod ports;
mod prepaid;
mod prepaid_bad_input;
mod prepaid_services;
mod properties;
mod receipts;
mod states;
mod top_ups;
mod world;
