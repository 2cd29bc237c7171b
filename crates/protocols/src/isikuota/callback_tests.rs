use std::sync::Arc;

use domain::callback::CallbackState;
use domain::command::fingerprint;
use domain::{
    Amount, Attempt, AttemptState, Bill, CallbackId, Delivery, Detail, Kind, MerchantId, Mode,
    Order, OrderId, Period, ProcessId, ProductId, ProtocolName, Quote, Reference, ReferenceKey,
    Refusal, Timestamp, UpstreamName,
};
use gateway::Catalogue;
use serde_json::Value;

use super::super::serve_tests::world::{SECRET_KEY, credential, merchant, products};
use super::*;

/// 1 June 2026, 10:15:12 in Jakarta, and 18 seconds later.
const CREATED: i64 = 1_780_283_712_000;
const ENDED: i64 = 1_780_283_730_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn order(state: OrderState) -> Order {
    let price = Amount::rupiah(21_425);
    let nothing = Amount::rupiah(0);
    Order {
        id: OrderId(90_017),
        key: ReferenceKey {
            merchant: MerchantId(1),
            protocol: ProtocolName::new(NAME),
            mode: Mode::Live,
            reference: Reference::new("TRX-20260601-0001"),
        },
        kind: Kind::Purchase,
        state,
        fingerprint: fingerprint(["x"]),
        product: ProductId::new("tsel21"),
        code: "TSEL21".to_owned(),
        destination: "081298765432".to_owned(),
        dialect: String::new(),
        upstream: UpstreamName::new("supplier"),
        bill: None,
        quote: Some(Quote {
            nominal: price,
            admin_fee: nothing,
            admin: nothing,
            price,
            charge: price,
        }),
        created_at: at(CREATED),
        updated_at: at(ENDED),
        expires_at: at(CREATED),
        holds: Vec::new(),
        attempts: vec![Attempt {
            number: 1,
            upstream: UpstreamName::new("supplier"),
            state: AttemptState::Delivered,
            owner: ProcessId(1),
            started_at: at(CREATED),
            questions: 0,
        }],
        question_due: None,
        delivery: (state == OrderState::Succeeded).then(|| Delivery {
            cost: Amount::rupiah(20_000),
            serial_number: "0041002233445566".to_owned(),
            details: None,
        }),
        calls_back: true,
        callback_url: None,
        collecting: None,
        recipient: None,
        callbacks: vec![CallbackId(1)],
    }
}

fn catalogue(credentials: Vec<Credential>) -> Catalogue {
    let mut products = products();
    products[0].name = "Telkomsel 21.000 / Reguler".to_owned();
    Catalogue::new(vec![merchant(1)], credentials, products)
}

fn callback(event: Event) -> Callback {
    Callback {
        id: CallbackId(1),
        order: OrderId(90_017),
        merchant: MerchantId(1),
        protocol: ProtocolName::new(NAME),
        event,
        to_own_address: false,
        at: at(ENDED),
        balance: Amount::rupiah(0),
        rendered: None,
        state: CallbackState::Waiting { due: at(ENDED) },
        tries: 0,
        tries_in_round: 0,
    }
}

fn rendered(order: &Order, event: Event, credentials: Vec<Credential>) -> Rendered {
    let (callback, catalogue) = (callback(event), catalogue(credentials));
    Writer.render(News { callback: &callback, order, catalogue: &catalogue, now: at(ENDED) })
}

fn header<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a str> {
    let found = rendered.headers.iter().find(|(taken, _)| taken == name);
    found.map(|(_, value)| value.as_str())
}

/// The data of a callback.
fn data(order: &Order, event: Event) -> Value {
    let rendered = rendered(order, event, Vec::new());
    let document: Value = serde_json::from_slice(&rendered.body).expect("JSON");
    assert_eq!(document["timestamp"], "2026-06-01T10:15:30+07:00");
    document["data"].clone()
}

/// Byte for byte the example of section 9.4, and its signature.
#[test]
fn the_references_own_callback_comes_out() {
    let live = vec![credential(1, "IK-1001", 1, SECRET_KEY)];
    let rendered = rendered(&order(OrderState::Succeeded), Event::Succeeded, live);
    assert_eq!(std::str::from_utf8(&rendered.body), Ok(EXAMPLE));
    assert_eq!(header(&rendered, "Content-Type"), Some("application/json"));
    assert_eq!(header(&rendered, "X-Type-Transaction"), Some("ppob"));
    assert_eq!(
        header(&rendered, "X-Signature"),
        Some("0aa10a0ae67757ec7e0ea4cf143e3107d5407b116cdc965ff7515f8edc4bba7c")
    );
}

#[test]
fn the_newest_live_key_signs() {
    let expired = |serial| Credential {
        expires_at: Some(at(ENDED)),
        ..credential(1, "IK-1001", serial, "sk_expired")
    };
    let revoked =
        Credential { revoked_at: Some(at(0)), ..credential(1, "IK-1001", 4, "sk_revoked") };
    let foreign =
        Credential { protocol: ProtocolName::new("iak"), ..credential(1, "0812", 9, "sk_foreign") };
    let old = || credential(1, "IK-1001", 1, "sk_old");
    let new = || credential(1, "IK-1001", 2, SECRET_KEY);
    let others = credential(2, "IK-1002", 5, "sk_others");
    let signature = |credentials| {
        let rendered = rendered(&order(OrderState::Succeeded), Event::Succeeded, credentials);
        let signature = header(&rendered, "X-Signature").map(str::to_owned);
        (rendered.body, signature)
    };
    let with = |key: &str| Some(sign::sign_callback(&Secret::new(key), EXAMPLE.as_bytes()));
    let table = [
        (
            vec![old(), new(), expired(3), revoked, foreign.clone(), others.clone()],
            with(SECRET_KEY),
        ),
        (vec![old(), expired(2)], with("sk_old")),
        (vec![expired(1), foreign, others, credential(1, "IK-1001", 7, "")], None),
    ];
    for (credentials, expected) in table {
        assert_eq!(signature(credentials), (EXAMPLE.as_bytes().to_vec(), expected));
    }
}

#[test]
fn every_event_says_what_happened() {
    let failed = order(OrderState::Failed(Refusal::DestinationBlocked));
    let told = data(&failed, Event::Failed);
    assert_eq!((&told["status"], &told["sn"]), (&Value::from("Failed"), &Value::from("")));
    assert_eq!(told["message"], "Nomor pelanggan diblokir");
    let told = data(&order(OrderState::Succeeded), Event::SerialNumber);
    assert_eq!(told["status"], "Success");
    assert_eq!(told["sn"], "0041002233445566");
    let mut bare = order(OrderState::Succeeded);
    if let Some(delivery) = &mut bare.delivery {
        delivery.serial_number.clear();
    }
    assert_eq!(data(&bare, Event::Succeeded)["sn"], "");
    for (happened, name) in [
        (Event::Succeeded, "order.success"),
        (Event::Failed, "order.failed"),
        (Event::SerialNumber, "order.sn_received"),
    ] {
        assert_eq!(event(happened), name);
    }
}

#[test]
fn a_bill_tells_its_total_and_when_it_was_paid() {
    let mut bill = order(OrderState::Succeeded);
    bill.bill = Some(Arc::new(Bill {
        customer_name: "Budi Contoh".to_owned(),
        period: Period::None,
        nominal: Amount::rupiah(150_000),
        count: 1,
        details: Detail::none(),
    }));
    let price = Amount::rupiah(152_700);
    bill.quote = Some(Quote {
        nominal: Amount::rupiah(150_000),
        admin_fee: Amount::rupiah(2700),
        admin: Amount::rupiah(2700),
        price,
        charge: price,
    });
    bill.created_at = at(CREATED - 60_000);
    let told = data(&bill, Event::Succeeded);
    assert_eq!(told["price"], 152_700);
    assert_eq!(told["created_at"], "2026-06-01T10:15:12+07:00");
}

#[test]
fn a_product_that_is_gone_is_called_by_its_code() {
    let mut gone = order(OrderState::Succeeded);
    gone.product = ProductId::new("gone");
    assert_eq!(data(&gone, Event::Succeeded)["product_name"], "TSEL21");
    let _: Arc<dyn CallbackWriter> = Arc::new(Writer);
    assert_eq!(Writer.protocol(), "isikuota");
}
