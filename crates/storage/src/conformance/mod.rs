//! What every engine must do, as tests that know no engine.
//!
//! An engine's tests implement [`Subject`] and name the type in `conformance!`; the list at the end
//! of this file is the only one there is. Each test gets fresh data, talks to it through the ports
//! that the gateway uses, and leaves books behind that the auditor finds in order, or it fails.

pub(crate) mod administration;
pub(crate) mod arbitrary;
pub(crate) mod callbacks;
pub(crate) mod catalogue;
pub(crate) mod collections;
pub(crate) mod crowds;
pub(crate) mod evidence;
pub(crate) mod lifecycles;
pub(crate) mod purchases;
pub(crate) mod reading;
pub(crate) mod references;
mod together;

use std::sync::Arc;

use domain::audit::Summary;
use domain::command::{
    Accept, Answer, Decline, Fund, FundingKey, MakeQuote, Request, Resolve, fingerprint,
};
use domain::posting::Direction;
use domain::{
    Account, AccountKey, AccountRole, Amount, Bill, Command, Currency, Delivery, Detail,
    MerchantId, Mode, Order, OrderId, Outcome, Period, ProcessId, ProductId, ProtocolName, Quote,
    Reference, ReferenceKey, Refusal, Reply, Timestamp, UpstreamName,
};
use gateway::ports::StoreFault;

use crate::Opened;
use crate::pipeline::Options;

pub(crate) use arbitrary::{bill, details};
pub(crate) use together::all;

/// Data of an engine under test, somewhere, gone when this is dropped.
pub(crate) trait Subject: Sized {
    /// A place where nothing is yet.
    fn new() -> Self;

    /// Opens what is there.
    fn open(&self, options: Options) -> Opened;

    /// Audits what is there, whether it is open or not.
    fn audit(&self) -> Result<Summary, String>;
}

/// Opened data and the shorthand that the tests speak in.
pub(crate) struct World<S> {
    subject: S,
    options: Options,
    opened: Opened,
}

/// Runs a test on fresh data and audits what it leaves.
pub(crate) fn check<S: Subject>(options: Options, test: impl AsyncFnOnce(&mut World<S>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let subject = S::new();
        let opened = subject.open(options.clone());
        let mut world = World { subject, options, opened };
        test(&mut world).await;
        world.audit();
        world.opened.shutdown.shutdown().await;
        world.audit();
    });
}

impl<S: Subject> World<S> {
    fn audit(&self) -> Summary {
        self.subject.audit().expect("the books are in order")
    }

    /// Ends in order and opens again.
    async fn reopen(&mut self) {
        self.opened.shutdown.shutdown().await;
        self.opened = self.subject.open(self.options.clone());
    }

    async fn execute(&self, command: Command) -> Result<Answer, StoreFault> {
        self.opened.store.execute(command, None).await
    }

    /// Carries out a command that no fault of ours may hinder.
    async fn answer(&self, command: Command) -> Answer {
        self.execute(command).await.expect("no fault")
    }

    /// Carries out a command that is not to be refused.
    async fn reply(&self, command: Command) -> Reply {
        self.answer(command).await.expect("no refusal")
    }

    async fn order(&self, id: OrderId) -> Arc<Order> {
        self.opened.store.order(id).await.expect("no fault").expect("the order is there")
    }

    async fn account(&self, key: &AccountKey) -> Option<Account> {
        self.opened.store.account(key).await.expect("no fault")
    }

    async fn available(&self, merchant: MerchantId) -> i64 {
        let account = self.account(&AccountKey::merchant(merchant, Currency::Idr)).await;
        account.map_or(0, |account| account.counters.available().expect("fits"))
    }

    /// Gives a merchant rupiah to spend.
    async fn fund(&self, merchant: MerchantId, reference: &str, amount: u32) {
        let credit = Direction::Credit;
        self.reply(fund(merchant, reference, credit, Amount::rupiah(amount))).await;
    }

    /// Quotes an order at this charge.
    async fn quoted(&self, merchant: MerchantId, reference: &str, charge: u32) -> Arc<Order> {
        match self.reply(quote(key(merchant, reference), Amount::rupiah(charge))).await {
            Reply::Inquired { order, .. } => order,
            other => panic!("{other:?}"),
        }
    }

    /// Quotes an order at this charge and accepts it.
    async fn accepted(&self, merchant: MerchantId, reference: &str, charge: u32) -> Arc<Order> {
        let order = self.quoted(merchant, reference, charge).await;
        match self.reply(accept(&order)).await {
            Reply::Accepted { order, .. } => order,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) const TOKO: MerchantId = MerchantId(1);
const WARUNG: MerchantId = MerchantId(2);

/// When everything happens, unless a test says otherwise. 14 November 2023.
const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);
/// When quotes expire, unless a test says otherwise.
pub(crate) const LATER: Timestamp = Timestamp::from_milliseconds(1_700_003_600_000);
/// When the first question about an attempt is due.
pub(crate) const ASK_AT: Timestamp = Timestamp::from_milliseconds(1_700_000_060_000);

fn upstream() -> UpstreamName {
    UpstreamName::new("sandbox")
}

pub(crate) fn key(merchant: MerchantId, reference: &str) -> ReferenceKey {
    ReferenceKey {
        merchant,
        protocol: ProtocolName::new("iak"),
        mode: Mode::Live,
        reference: Reference::new(reference),
    }
}

fn request(key: ReferenceKey) -> Request {
    Request {
        key,
        fingerprint: fingerprint(["PLN", "530000000001"]),
        product: ProductId::new("pln-postpaid"),
        code: "PLN".to_owned(),
        destination: "530000000001".to_owned(),
        upstream: upstream(),
        dialect: String::new(),
        calls_back: false,
        callback_url: None,
        at: NOW,
    }
}

pub(crate) fn quote(key: ReferenceKey, charge: Amount) -> Command {
    let nothing = Amount::zero(charge.currency());
    Command::MakeQuote(MakeQuote {
        request: request(key),
        bill: Arc::new(Bill {
            customer_name: "Sri".to_owned(),
            period: Period::None,
            nominal: charge,
            count: 1,
            details: Detail::none(),
        }),
        quote: Quote { nominal: charge, admin_fee: nothing, admin: nothing, price: charge, charge },
        expires_at: LATER,
        renews: false,
    })
}

pub(crate) fn decline(key: ReferenceKey, refusal: Refusal) -> Command {
    Command::Decline(Decline { request: request(key), refusal })
}

pub(crate) fn fund(
    merchant: MerchantId,
    reference: &str,
    direction: Direction,
    amount: Amount,
) -> Command {
    Command::Fund(Fund {
        key: FundingKey { merchant, reference: reference.to_owned() },
        direction,
        amount,
        reason: "transfer BCA".to_owned(),
        at: NOW,
    })
}

fn currency_of(order: &Order) -> Currency {
    order.quote.map_or(Currency::Idr, |quote| quote.charge.currency())
}

pub(crate) fn accept(order: &Order) -> Command {
    Command::Accept(Accept {
        order: order.id,
        merchant: order.key.merchant,
        currency: currency_of(order),
        upstream: order.upstream.clone(),
        owner: ProcessId(u64::MAX),
        at: NOW,
        question_due: ASK_AT,
    })
}

pub(crate) fn resolve(order: &Order, outcome: Outcome) -> Command {
    Command::Resolve(Resolve {
        order: order.id,
        attempt: 1,
        merchant: order.key.merchant,
        currency: currency_of(order),
        upstream: order.upstream.clone(),
        outcome,
        at: ASK_AT,
    })
}

pub(crate) fn delivered(cost: u32) -> Outcome {
    Outcome::Delivered(Delivery {
        cost: Amount::rupiah(cost),
        serial_number: "SN-1".to_owned(),
        details: None,
    })
}

fn account(role: AccountRole) -> AccountKey {
    AccountKey::new(role, Currency::Idr)
}

/// Makes the list below into the macro that turns it into an engine's tests.
macro_rules! suite {
    ($($module:ident::$name:ident,)+) => {
        macro_rules! conformance {
            ($subject:ty) => {
                mod conformance {
                    use super::*;
                    $(
                        #[test]
                        fn $name() {
                            let options = $crate::pipeline::Options::default();
                            $crate::conformance::check::<$subject>(
                                options,
                                $crate::conformance::$module::$name,
                            );
                        }
                    )+
                }
            };
        }
        pub(crate) use conformance;
    };
}

suite! {
    lifecycles::a_purchase_is_quoted_accepted_and_delivered,
    lifecycles::a_refused_purchase_gives_the_money_back,
    lifecycles::a_cost_above_the_charge_is_our_loss,
    lifecycles::an_unknown_outcome_leaves_the_order_open,
    lifecycles::a_declined_inquiry_is_kept,
    lifecycles::balances_are_funded_and_corrected,
    lifecycles::orders_in_test_mode_move_no_money,
    lifecycles::a_quote_expires,
    lifecycles::final_states_refuse_later_verbs,
    lifecycles::a_hold_is_resolved_once,
    lifecycles::repeats_change_nothing,
    references::twins_become_one_order,
    references::a_reference_is_taken_for_ever,
    references::everyone_has_references_of_their_own,
    references::a_funding_reference_is_used_once,
    references::numbers_are_never_given_out_again,
    crowds::a_balance_is_never_overspent,
    crowds::a_crowd_does_what_one_by_one_would,
    crowds::a_faulty_command_does_not_spoil_its_batch,
    crowds::a_late_command_does_nothing,
    crowds::a_busy_store_turns_away_and_does_nothing,
    crowds::a_stopped_store_does_nothing,
    crowds::amounts_reach_64_bits,
    reading::point_reads_see_every_acknowledged_commit,
    reading::what_is_not_there_is_not_found,
    reading::questions_come_longest_due_first,
    reading::open_orders_are_listed_in_pages,
    reading::open_orders_are_counted_with_the_age_of_the_oldest,
    reading::orders_are_found_by_their_name_alone,
    reading::orders_come_back_as_they_were,
    reading::accounts_come_back_as_they_were,
    catalogue::a_catalogue_comes_back_as_it_was,
    catalogue::what_is_put_again_is_replaced,
    catalogue::addresses_and_preferences_come_back_as_they_were,
    purchases::what_is_bought_needs_no_quote,
    purchases::a_payout_holds_amount_and_fee,
    purchases::a_refused_payout_gives_both_back,
    purchases::a_limit_counts_what_did_not_fail,
    purchases::a_crowd_keeps_to_a_limit,
    purchases::purchases_come_back_as_they_were,
    callbacks::an_end_is_owed_in_the_commit_that_makes_it,
    callbacks::a_callback_is_leased_and_tried_until_it_is_delivered,
    callbacks::a_lease_is_for_one_process,
    callbacks::a_receiver_that_is_gone_stops_its_address,
    callbacks::a_callback_that_was_given_up_is_sent_again,
    callbacks::due_callbacks_come_address_by_address,
    callbacks::callbacks_are_browsed_newest_first,
    callbacks::what_is_sent_comes_back_byte_for_byte,
    collections::a_collection_is_paid_by_evidence,
    collections::a_collection_ends_unpaid,
    collections::what_was_told_is_kept,
    collections::what_a_payer_named_is_named_once,
    collections::who_waits_is_found_by_what_is_due,
    collections::collections_come_back_as_they_were,
    evidence::evidence_is_recorded_once,
    evidence::evidence_that_fits_nothing_is_released,
    evidence::suspended_evidence_pays_after_all,
    evidence::evidence_pays_one_order,
    evidence::evidence_is_listed_in_parts,
    administration::acts_build_on_what_is_stored,
    administration::acts_of_a_crowd_keep_the_rules,
    administration::answers_are_kept_and_found,
    administration::audit_records_are_listed_in_parts,
    administration::orders_are_browsed_newest_first,
    administration::transfers_are_followed_along_their_links,
}
