//! What the admin API answers, as structures with schemas, and how they are made.
//!
//! Secrets stand in one of them only: the answer to the request that issued them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use domain::administration::{Actor, AuditRecord, Effect, Role, Standing};
use domain::posting::Direction;
use domain::{
    Account, Amount, AttemptState, Credential, Merchant, MerchantStatus, Mode, Order, OrderState,
    Timestamp, Transfer, TransferKind,
};
use gateway::Done;

use super::callback_views::{EndpointView, ResentCallback};
use super::evidence_views;
use super::preferences::PreferencesView;
use super::products::ProductView;
use super::requests::RateLimitShape;
use super::shape::shape;

/// An instant as people and programs read it.
pub(crate) fn instant(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.milliseconds());
    instant.unwrap_or(jiff::Timestamp::MAX).to_string()
}

pub(crate) fn optional_instant(at: Option<Timestamp>) -> Option<String> {
    at.map(instant)
}

shape! {
    /// What went wrong, by RFC 9457.
    Problem {
        /// Always `about:blank`; `code` tells.
        r#type: String = "about:blank",
        /// The status in words.
        title: String = "Not Found",
        /// The status.
        status: u16 = 404,
        /// A stable name for programs.
        code: String = "MERCHANT_UNKNOWN",
        /// What it means, in English.
        detail: String = "There is no such merchant.",
        /// What it means, in Indonesian.
        detail_id: String = "Merchant tidak ditemukan.",
    }
}

shape! {
    /// A merchant.
    MerchantView {
        /// The number.
        merchant: u32 = 1,
        /// The name on receipts and reports.
        name: String = "Toko Contoh",
        /// The currency of the balance.
        currency: String = "IDR",
        /// The price level.
        level: String = "retail",
        /// `active` or `suspended`.
        status: String = "active",
        /// From where it may call; empty for everywhere.
        networks: Vec<String> = ["203.0.113.0/24"],
        /// How often it may call; null is without a limit.
        rate_limit: Option<RateLimitShape> = { "requests_per_second": 10, "burst": 20 },
        /// How often it may top up one number a day: `free`, `once-per-product` or `once-per-number`.
        repetition: String = "free",
    }
}

impl From<&Merchant> for MerchantView {
    fn from(merchant: &Merchant) -> Self {
        let status = match merchant.status {
            MerchantStatus::Active => "active",
            MerchantStatus::Suspended => "suspended",
        };
        Self {
            merchant: merchant.id.0,
            name: merchant.name.clone(),
            currency: merchant.currency.code().to_owned(),
            level: merchant.level.0.clone(),
            status: status.to_owned(),
            networks: merchant.addresses.clone(),
            rate_limit: merchant.rate_limit.and_then(|limit| {
                Some(RateLimitShape {
                    requests_per_second: NonZeroU32::new(limit.requests_per_second)?,
                    burst: NonZeroU32::new(limit.burst)?,
                })
            }),
            repetition: merchant.repetition.name().to_owned(),
        }
    }
}

shape! {
    /// A merchant and what it may spend.
    MerchantDetail {
        /// The merchant.
        merchant: MerchantView = { "merchant": 1, "name": "Toko Contoh", "currency": "IDR",
            "level": "retail", "status": "active", "networks": [], "rate_limit": null,
            "repetition": "free" },
        /// What is available, in decimal digits.
        balance: String = "100000000",
    }
}

macro_rules! page {
    ($(#[doc = $about:literal])+ $name:ident of $item:ty) => {
        shape! {
            $(#[doc = $about])+
            $name {
                /// In the order of the list. A part may be short and the list still go on.
                items: Vec<$item> = [],
                /// Whether the list goes on.
                has_more: bool = false,
                /// What to give as `cursor` for the next part; null at the end.
                next_cursor: Option<String> = null,
            }
        }

        impl $name {
            /// A part of the list, which goes on where the cursor tells.
            pub(crate) fn new(items: Vec<$item>, next_cursor: Option<String>) -> Self {
                Self { items, has_more: next_cursor.is_some(), next_cursor }
            }
        }
    };
}

pub(super) use page;

page! { /// A part of the list of merchants.
MerchantPage of MerchantView }
page! { /// A part of the list of products.
ProductPage of ProductView }
page! { /// A part of the list of orders.
OrderPage of OrderView }
page! { /// A part of the list of transfers.
TransferPage of TransferView }
page! { /// A part of the list of audit records.
AuditPage of AuditView }

shape! {
    /// A credential without its secrets.
    CredentialView {
        /// Whose.
        merchant: u32 = 1,
        /// In which protocol.
        protocol: String = "iak",
        /// The public part.
        identifier: String = "081200003333",
        /// Distinguishes the credentials of one identifier.
        serial: u32 = 1,
        /// From when on it is worth nothing; null for never.
        expires_at: Option<String> = null,
        /// When it was taken out of use.
        revoked_at: Option<String> = null,
    }
}

impl From<&Credential> for CredentialView {
    fn from(credential: &Credential) -> Self {
        Self {
            merchant: credential.merchant.0,
            protocol: credential.protocol.to_string(),
            identifier: credential.identifier.clone(),
            serial: credential.serial,
            expires_at: optional_instant(credential.expires_at),
            revoked_at: optional_instant(credential.revoked_at),
        }
    }
}

shape! {
    /// A merchant's credentials that were not revoked. There are few, so the list has one part.
    CredentialList {
        /// In the order of protocol, identifier and serial.
        items: Vec<CredentialView> = [],
    }
}
shape! {
    /// A credential that was just issued. Its secrets are shown here and nowhere else.
    IssuedCredential {
        /// The credential.
        credential: CredentialView = { "merchant": 1, "protocol": "iak",
            "identifier": "081200003333", "serial": 1, "expires_at": null, "revoked_at": null },
        /// The secrets, under the protocol's names for them.
        secrets: BTreeMap<String, String> = { "api_key": "0123456789abcdef0123456789abcdef" },
    }
}
shape! {
    /// A correction of a balance that was made.
    FundingView {
        /// Whose balance.
        merchant: u32 = 1,
        /// The operator's own name for it.
        reference: String = "BCA-20260102-0001",
        /// `credit` or `debit`.
        direction: String = "credit",
        /// How much, in decimal digits.
        amount: String = "150000",
        /// The currency.
        currency: String = "IDR",
        /// Why.
        reason: String = "Transfer BCA 2 Januari",
        /// The transfer that it made.
        transfer: u64 = 9,
        /// What was available after it.
        balance: String = "250000",
        /// When.
        at: String = "2026-01-02T03:04:05Z",
    }
}

shape! {
    /// An order. Viewers see the customer's number masked.
    OrderView {
        /// The number.
        order: u64 = 17,
        /// Whose.
        merchant: u32 = 1,
        /// Through which protocol.
        protocol: String = "iak",
        /// `live` or `test`.
        mode: String = "live",
        /// The merchant's own name for it.
        reference: String = "INV-0001",
        /// Where it stands.
        state: String = "succeeded",
        /// Why it was declined or failed.
        refusal: Option<String> = null,
        /// The product.
        product: String = "pln-postpaid",
        /// The code under which it was asked for.
        code: String = "PLNPOSTPAID",
        /// The customer's number.
        destination: String = "530000000000",
        /// The currency of the amounts.
        currency: Option<String> = "IDR",
        /// What the end customer pays.
        price: Option<String> = "152500",
        /// What leaves the merchant's balance.
        charge: Option<String> = "151900",
        /// What the supplier took, once it delivered.
        cost: Option<String> = "151750",
        /// What the supplier handed over.
        serial_number: Option<String> = "SN-1",
        /// When it was made.
        created_at: String = "2026-01-02T03:04:05Z",
        /// When its state last changed.
        updated_at: String = "2026-01-02T03:04:06Z",
    }
}
shape! {
    /// One call to one upstream for one order.
    AttemptView {
        /// Counts from 1.
        attempt: u16 = 1,
        /// Who was called.
        upstream: String = "sandbox",
        /// `intent`, `unknown`, `delivered` or `refused`.
        state: String = "delivered",
        /// The doubt or the refusal.
        reason: Option<String> = null,
        /// When it was made durable.
        started_at: String = "2026-01-02T03:04:05Z",
        /// How often it brought no outcome.
        questions: u32 = 0,
    }
}
shape! {
    /// The movement of an amount between two accounts.
    TransferView {
        /// The number.
        transfer: u64 = 4,
        /// The order that caused it; null for fundings.
        order: Option<u64> = 17,
        /// `direct`, `hold`, `post` or `void`.
        kind: String = "hold",
        /// The hold that it resolves.
        hold: Option<u64> = null,
        /// The account that gives.
        debit: u64 = 2,
        /// The account that receives.
        credit: u64 = 3,
        /// In a merchant's list: whether the merchant gives (`debit`) or receives (`credit`).
        side: Option<String> = "debit",
        /// How much, in decimal digits.
        amount: String = "151900",
        /// The currency.
        currency: String = "IDR",
        /// When.
        at: String = "2026-01-02T03:04:05Z",
    }
}
shape! {
    /// An order with all that was done for it.
    OrderDetail {
        /// The order.
        order: OrderView = { "order": 17, "merchant": 1, "protocol": "iak", "mode": "live",
            "reference": "INV-0001", "state": "succeeded", "product": "pln-postpaid",
            "code": "PLNPOSTPAID", "destination": "530000000000",
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:06Z" },
        /// The calls made for it, oldest first.
        attempts: Vec<AttemptView> = [],
        /// What was moved for it, in that order.
        transfers: Vec<TransferView> = [],
    }
}
shape! {
    /// Where an order stands after it was decided.
    OrderStanding {
        /// The number.
        order: u64 = 17,
        /// Whose.
        merchant: u32 = 1,
        /// Through which protocol.
        protocol: String = "iak",
        /// The merchant's own name for it.
        reference: String = "INV-0001",
        /// Where it stands.
        state: String = "succeeded",
    }
}
shape! {
    /// One act of an operator, as it is remembered for ever.
    AuditView {
        /// The number, from 1 without gaps.
        number: u64 = 1,
        /// When.
        at: String = "2026-01-02T03:04:05Z",
        /// Who.
        actor: String = "ana",
        /// In which role.
        role: String = "administrator",
        /// What was done.
        action: String = "merchant.suspended",
        /// To what.
        subject: String = "merchant 1",
        /// What differs, as it was.
        before: BTreeMap<String, String> = { "status": "active" },
        /// What differs, as it is now.
        after: BTreeMap<String, String> = { "status": "suspended" },
        /// The Idempotency-Key of the request.
        request: Option<String> = "01J0000000000001",
        /// The digest that chains it to the one before, in hexadecimal digits.
        hash: String = "33813f3295176d9819258f6e66ac4abe4def0022a346af638dc5ec8648e4a867",
    }
}

/// A customer's number of which only the ends can be read.
pub(super) fn masked(number: &str) -> String {
    let length = number.chars().count();
    let shown = |index: usize| length >= 8 && (index < 4 || index + 3 >= length);
    number.chars().enumerate().map(|(at, it)| if shown(at) { it } else { '*' }).collect()
}

/// An order as the holder of this role may see it.
pub(crate) fn order(order: &Order, role: Role) -> OrderView {
    let refusal = match order.state {
        OrderState::Declined(refusal) | OrderState::Failed(refusal) => Some(refusal),
        _ => None,
    };
    let mode = match order.key.mode {
        Mode::Live => "live",
        Mode::Test => "test",
    };
    let delivery = order.delivery.as_ref();
    OrderView {
        order: order.id.0,
        merchant: order.key.merchant.0,
        protocol: order.key.protocol.to_string(),
        mode: mode.to_owned(),
        reference: order.key.reference.to_string(),
        state: order.state.name().to_owned(),
        refusal: refusal.map(|refusal| refusal.name().to_owned()),
        product: order.product.to_string(),
        code: order.code.clone(),
        destination: if role > Role::Viewer {
            order.destination.clone()
        } else {
            masked(&order.destination)
        },
        currency: order.quote.map(|quote| quote.charge.currency().code().to_owned()),
        price: order.quote.map(|quote| quote.price.to_string()),
        charge: order.quote.map(|quote| quote.charge.to_string()),
        cost: delivery.map(|delivery| delivery.cost.to_string()),
        serial_number: delivery.map(|delivery| delivery.serial_number.clone()),
        created_at: instant(order.created_at),
        updated_at: instant(order.updated_at),
    }
}

/// The calls made for an order.
pub(crate) fn attempts(order: &Order) -> Vec<AttemptView> {
    let view = |attempt: &domain::Attempt| {
        let (state, reason) = match attempt.state {
            AttemptState::Intent => ("intent", None),
            AttemptState::Unknown(doubt) => ("unknown", Some(doubt.name())),
            AttemptState::Delivered => ("delivered", None),
            AttemptState::Refused(refusal) => ("refused", Some(refusal.name())),
        };
        AttemptView {
            attempt: attempt.number,
            upstream: attempt.upstream.to_string(),
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            started_at: instant(attempt.started_at),
            questions: attempt.questions,
        }
    };
    order.attempts.iter().map(view).collect()
}

/// A transfer, seen from an account where one is given.
pub(crate) fn transfer(transfer: &Transfer, seen_from: Option<&Account>) -> TransferView {
    let (kind, hold) = match transfer.kind {
        TransferKind::Direct => ("direct", None),
        TransferKind::Hold => ("hold", None),
        TransferKind::Post(hold) => ("post", Some(hold.0)),
        TransferKind::Void(hold) => ("void", Some(hold.0)),
    };
    let side = seen_from.map(|it| if it.id == transfer.debit { "debit" } else { "credit" });
    TransferView {
        transfer: transfer.id.0,
        order: transfer.order.map(|order| order.0),
        kind: kind.to_owned(),
        hold,
        debit: transfer.debit.0,
        credit: transfer.credit.0,
        side: side.map(str::to_owned),
        amount: transfer.amount.to_string(),
        currency: transfer.amount.currency().code().to_owned(),
        at: instant(transfer.at),
    }
}

impl From<&AuditRecord> for AuditView {
    fn from(record: &AuditRecord) -> Self {
        let Actor { name, role } = &record.actor;
        Self {
            number: record.number.0,
            at: instant(record.at),
            actor: name.clone(),
            role: role.name().to_owned(),
            action: record.action.name().to_owned(),
            subject: record.subject.clone(),
            before: record.before.clone(),
            after: record.after.clone(),
            request: record.request.clone(),
            hash: hex::encode(record.hash.0),
        }
    }
}

impl From<&Standing> for OrderStanding {
    fn from(standing: &Standing) -> Self {
        Self {
            order: standing.order.0,
            merchant: standing.key.merchant.0,
            protocol: standing.key.protocol.to_string(),
            reference: standing.key.reference.to_string(),
            state: standing.state.name().to_owned(),
        }
    }
}

/// The answer to an act. It follows from what is kept alone, so that a repeat gets the same bytes.
pub(crate) fn of_act(done: &Done) -> serde_json::Value {
    let value = match &done.effect {
        Effect::Merchant(merchant) => serde_json::to_value(MerchantView::from(merchant)),
        Effect::Product(product) => serde_json::to_value(ProductView::from(product)),
        Effect::Credential(credential) if credential.revoked_at.is_some() => {
            serde_json::to_value(CredentialView::from(credential))
        }
        Effect::Credential(credential) => {
            let secrets = credential.secrets.iter();
            serde_json::to_value(IssuedCredential {
                credential: credential.into(),
                secrets: secrets
                    .map(|(name, secret)| (name.clone(), secret.reveal().to_owned()))
                    .collect(),
            })
        }
        Effect::Funded { funding, balance } => {
            serde_json::to_value(funding_view(funding, *balance))
        }
        Effect::Endpoint(endpoint) => serde_json::to_value(EndpointView::from(endpoint)),
        Effect::Resent(callback) => serde_json::to_value(ResentCallback { callback: callback.0 }),
        Effect::Preferences(preferences) => {
            serde_json::to_value(PreferencesView::from(preferences))
        }
        Effect::Released(evidence) => {
            serde_json::to_value(evidence_views::evidence(evidence, Role::Administrator))
        }
        Effect::Resolved(standing) => serde_json::to_value(OrderStanding::from(standing)),
    };
    // Serialising our own structures of texts and numbers cannot fail; null would say so.
    value.unwrap_or_default()
}

fn funding_view(funding: &domain::command::Funding, balance: Amount) -> FundingView {
    let direction = match funding.direction {
        Direction::Credit => "credit",
        Direction::Debit => "debit",
    };
    FundingView {
        merchant: funding.key.merchant.0,
        reference: funding.key.reference.clone(),
        direction: direction.to_owned(),
        amount: funding.amount.to_string(),
        currency: funding.amount.currency().code().to_owned(),
        reason: funding.reason.clone(),
        transfer: funding.transfer.0,
        balance: balance.to_string(),
        at: instant(funding.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ends_of_a_number_are_shown() {
        let table = [
            ("081234560345", "0812*****345"),
            ("12345678", "1234*678"),
            ("1234567", "*******"),
            ("", ""),
        ];
        for (number, shown) in table {
            assert_eq!(masked(number), shown);
        }
    }
}
