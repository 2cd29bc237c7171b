//! The story of an order as it is answered: everything that is known of it in one structure.
//!
//! Bodies are masked already where they are kept. Amounts are decimal digits in the order's
//! currency.

use super::shape::shape;
use super::views::{AttemptView, AuditView, OrderView, TransferView};

shape! {
    /// What is known under a name.
    Stories {
        /// The name that was given.
        name: String = "INV-0001",
        /// Every order that has it, the newest first.
        orders: Vec<OrderStory> = [],
        /// What was said under this reference and led to none of these orders.
        others: Vec<ExchangeView> = [],
        /// What to expect of the log of exchanges.
        log: LogView = { "on": true, "missed": 0 },
    }
}
shape! {
    /// The log of exchanges with merchants. It is no part of the books and may have gaps.
    LogView {
        /// Whether exchanges are kept.
        on: bool = true,
        /// When the oldest that is still kept was recorded.
        kept_since: Option<String> = "2026-01-01T00:00:00Z",
        /// How many exchanges of anybody were left out of what is kept.
        missed: u64 = 0,
    }
}
shape! {
    /// One order, told from all that is kept of it.
    OrderStory {
        /// As what the name was found: `reference`, `order`, or a protocol's field such as `tr_id`.
        found_by: Vec<String> = ["reference"],
        /// The order.
        order: OrderView = { "order": 17, "merchant": 1, "protocol": "iak", "mode": "live",
            "reference": "INV-0001", "state": "succeeded", "product": "pln-postpaid",
            "code": "PLNPOSTPAID", "destination": "530000000000",
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:06Z" },
        /// The merchant's name.
        merchant_name: String = "Toko Contoh",
        /// The product's name.
        product_name: String = "PLN POSTPAID",
        /// The number by which its merchant knows it.
        number: Option<NumberView> = { "field": "tr_id", "number": "1234567890" },
        /// What it costs; null for a declined inquiry.
        quote: Option<QuoteView> = null,
        /// The states that it passed through, and when.
        states: Vec<StateView> = [{ "state": "quoted", "at": "2026-01-02T03:04:05Z" }],
        /// What was set aside for it.
        holds: Vec<HoldView> = [],
        /// What was moved for it, in that order.
        movements: Vec<MovementView> = [],
        /// The calls made for it, oldest first.
        attempts: Vec<AttemptView> = [],
        /// When the supplier is asked next.
        question_due: Option<String> = null,
        /// What its merchant and we said about it, oldest first.
        exchanges: Vec<ExchangeView> = [],
        /// How many exchanges in the middle are not shown.
        exchanges_omitted: u64 = 0,
        /// How many exchanges of anybody were left out of the log while this order lived.
        exchanges_missed: u64 = 0,
        /// What operators decided about it, oldest first.
        decisions: Vec<AuditView> = [],
        /// Whether all of the audit record since the order was made was searched for them.
        decisions_complete: bool = true,
        /// What we owe its merchant as callbacks; empty in protocols that have none.
        callbacks: Vec<CallbackView> = [],
    }
}
shape! {
    /// The number by which a merchant knows an order.
    NumberView {
        /// The protocol's name for it.
        field: String = "tr_id",
        /// The number.
        number: String = "1234567890",
    }
}
shape! {
    /// What an order costs, and whom.
    QuoteView {
        /// What the biller wants.
        nominal: String = "150000",
        /// The fee of all its bills.
        admin: String = "2500",
        /// What the end customer pays.
        price: String = "152500",
        /// What leaves the merchant's balance.
        charge: String = "151900",
        /// Until when it can be confirmed.
        expires_at: String = "2026-01-02T17:00:00Z",
    }
}
shape! {
    /// A state and when it was reached.
    StateView {
        /// The state.
        state: String = "quoted",
        /// When.
        at: String = "2026-01-02T03:04:05Z",
    }
}
shape! {
    /// Money set aside.
    HoldView {
        /// The transfer that set it aside.
        transfer: u64 = 4,
        /// How much.
        amount: String = "151900",
        /// `open`, `posted` or `voided`.
        state: String = "posted",
        /// The transfer that posted or voided it.
        resolved_by: Option<u64> = 5,
    }
}
shape! {
    /// A transfer and what all transfers of the order came to with it.
    MovementView {
        /// The transfer.
        transfer: TransferView = { "transfer": 4, "order": 17, "kind": "hold", "hold": null,
            "debit": 2, "credit": 3, "side": null, "amount": "151900", "currency": "IDR",
            "at": "2026-01-02T03:04:05Z" },
        /// Who gives: `merchant`, `clearing`, `upstream`, `margin`, `receivable` or `other`.
        from: String = "merchant",
        /// Who receives.
        to: String = "clearing",
        /// What is set aside after it.
        held: String = "151900",
        /// What has left the merchant's balance for good after it.
        charged: String = "0",
        /// What the supplier has got after it.
        cost: String = "0",
        /// What we have earned after it; negative for a loss.
        margin: String = "0",
        /// What the merchant owes us after it.
        owed: String = "0",
    }
}
shape! {
    /// A request and our answer, masked.
    ExchangeView {
        /// Its number in the log.
        exchange: u64 = 1,
        /// When the whole request was there.
        at: String = "2026-01-02T03:04:05Z",
        /// How long the answer took, in microseconds.
        duration_us: u64 = 12000,
        /// From where it came.
        peer: String = "203.0.113.7",
        /// Its id, as in the log of the program.
        request_id: String = "kasir-7",
        /// In which protocol.
        protocol: String = "iak",
        /// The protocol's word for what was asked; empty if that was not understood.
        command: String = "inq-pasca",
        /// Whose it was; with an invalid signature, whose it claimed to be.
        merchant: Option<u32> = 1,
        /// The signature: `unsigned`, `unchecked`, `valid` or `invalid`.
        signature: String = "valid",
        /// The protocol's code of the answer.
        code: Option<String> = "00",
        /// What the answer means: `granted`, `open` or `refused`.
        meaning: Option<String> = "granted",
        /// The doubt or the refusal.
        reason: Option<String> = null,
        /// The HTTP status of the answer; null if the connection ended before it.
        http_status: Option<u16> = 200,
        /// The masked body of the request.
        request: String = "{\"commands\":\"inq-pasca\",\"hp\":\"5300****000\"}",
        /// The masked body of the answer.
        answer: String = "{\"data\":{\"response_code\":\"00\"}}",
    }
}
shape! {
    /// A fact that we owe a merchant, and how often we tried to hand it over.
    CallbackView {
        /// What happened.
        event: String = "succeeded",
        /// `due`, `delivered` or `given_up`.
        state: String = "due",
        /// How often it was tried.
        deliveries: u32 = 0,
        /// When it was tried last.
        last_delivery_at: Option<String> = null,
    }
}
