//! End-to-end tests by capability, against the real program with its own data and port.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod administration;
mod backup;
mod bad_input;
mod browser;
mod callbacks;
mod callbacks_at_kill;
mod callbacks_beside_orders;
mod channels;
mod crash_recovery;
mod deadlines;
mod deposits_and_payouts;
mod deposits_in_review;
mod evidence;
mod evidence_in_production;
mod explain;
mod first_run;
mod harness;
mod hosted_pages;
mod iak_client;
mod iak_postpaid;
mod iak_prepaid;
mod idempotency;
mod instance;
mod isikuota;
mod isikuota_client;
mod limits;
mod money_at_kill;
mod money_clients;
mod money_in_a_crowd;
mod money_instance;
mod one_merchant;
mod pages;
mod product_import;
mod production;
mod receipts;
mod receiver;
mod s88pay_client;
mod schemes;
mod secrets;
mod shop_pages;
mod silent_sockets;
mod supplier_faults;
mod traces;
