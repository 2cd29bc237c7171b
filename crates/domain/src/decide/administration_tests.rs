//! Acts of operators against stored records in memory, and the record that is kept of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::administration::{Actor, KeptAnswer, NamedRequest, Role};
use crate::command::{Command, FundingKey};
use crate::fixtures::{
    Books, MERCHANT, NOW, STRANGER, at, delivered, make_quote, request, resolve, rupiah,
};
use crate::identifier::{Mode, ProtocolName};
use crate::merchant::{Level, RateLimit, Secret};
use crate::money::{Amount, Currency};
use crate::product::Alias;

const KEY: &str = "0123456789abcdef";

fn administer(name: &str, content: u8, act: Act) -> Command {
    let request = NamedRequest { text: name.to_owned(), fingerprint: [content; 32] };
    Command::Administer(Administer {
        actor: Actor { name: "ana".to_owned(), role: Role::Administrator },
        request: (!name.is_empty()).then_some(request),
        at: at(NOW),
        act,
    })
}

fn add_merchant(name: &str) -> Act {
    Act::AddMerchant(NewMerchant {
        name: name.to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
    })
}

fn suspend(merchant: MerchantId) -> Act {
    Act::SetMerchantStatus { merchant, status: MerchantStatus::Suspended }
}

fn credential_key(identifier: &str) -> CredentialKey {
    CredentialKey { protocol: ProtocolName::new("iak"), identifier: identifier.to_owned() }
}

fn add_credential(merchant: MerchantId, identifier: &str, secret: &str) -> Act {
    Act::AddCredential(NewCredential {
        merchant,
        key: credential_key(identifier),
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(secret))]),
        expires_at: None,
        previous_expires_at: None,
    })
}

fn fund(reference: &str, direction: Direction, amount: Amount) -> Act {
    Act::Fund(Fund {
        key: FundingKey { merchant: MERCHANT, reference: reference.to_owned() },
        direction,
        amount,
        reason: "transfer BCA".to_owned(),
        at: at(NOW),
    })
}

fn product(id: &str, code: &str) -> Product {
    Product {
        id: ProductId::new(id),
        name: id.to_owned(),
        group: "pln".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![Alias { protocol: ProtocolName::new("iak"), code: code.to_owned() }],
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: None,
    }
}

/// Two merchants, the first with money.
fn books() -> Books {
    let mut books = Books::default();
    effect(&mut books, add_merchant("Toko Contoh"));
    effect(&mut books, add_merchant("Toko Lain"));
    effect(&mut books, fund("opening", Direction::Credit, rupiah(1000)));
    books
}

fn effect(books: &mut Books, act: Act) -> Effect {
    match books.run(&administer("", 0, act)) {
        Ok(Reply::Administered { effect, repeated: false, .. }) => effect,
        other => panic!("{other:?}"),
    }
}

fn objection(books: &mut Books, act: Act) -> Objection {
    let decision = books.decide(&administer("", 0, act));
    assert_eq!(decision.changes, []);
    match decision.answer {
        Ok(Reply::Objected(objection)) => objection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn merchants_are_numbered_and_changed() {
    let mut books = books();
    assert_eq!(books.merchants.keys().copied().collect::<Vec<_>>(), [MERCHANT, STRANGER]);
    effect(&mut books, suspend(MERCHANT));
    let addresses = vec!["10.0.0.0/8".to_owned()];
    effect(&mut books, Act::SetAddresses { merchant: MERCHANT, addresses: addresses.clone() });
    let limit = Some(RateLimit { requests_per_second: 5, burst: 10 });
    effect(&mut books, Act::SetRateLimit { merchant: MERCHANT, rate_limit: limit });
    let merchant = &books.merchants[&MERCHANT];
    assert_eq!(merchant.status, MerchantStatus::Suspended);
    assert_eq!((&merchant.addresses, merchant.rate_limit), (&addresses, limit));
    let record = books.audit_records.iter().find(|it| it.action == Action::MerchantSuspended);
    let record = record.expect("recorded");
    assert_eq!(record.before, facts([("status", "active".to_owned())]));
    assert_eq!(record.after, facts([("status", "suspended".to_owned())]));
    assert_eq!(record.subject, "merchant 1");
    books.audit().expect("in order");
}

#[test]
fn what_is_unknown_is_objected_to() {
    let nobody = MerchantId(9);
    let mut books = books();
    let table = [
        (suspend(nobody), Objection::MerchantUnknown),
        (add_credential(nobody, "a", KEY), Objection::MerchantUnknown),
        (
            Act::RevokeCredential { merchant: MERCHANT, key: credential_key("a"), serial: 1 },
            Objection::CredentialUnknown,
        ),
        (
            Act::SetProductStatus {
                product: ProductId::new("none"),
                status: ProductStatus::Active,
            },
            Objection::ProductUnknown,
        ),
        (Act::Resolve(resolve(7, delivered(rupiah(1)))), Objection::OrderUnknown),
    ];
    for (act, expected) in table {
        assert_eq!(objection(&mut books, act.clone()), expected, "{act:?}");
    }
    let Act::Fund(mut stray) = fund("x", Direction::Credit, rupiah(5)) else { panic!("a funding") };
    stray.key.merchant = nobody;
    assert_eq!(objection(&mut books, Act::Fund(stray)), Objection::MerchantUnknown);
}

#[test]
fn a_funding_reference_is_used_once() {
    let mut books = books();
    let baht = crate::fixtures::amount(5, Currency::Thb);
    let table = [
        (fund("opening", Direction::Credit, rupiah(1000)), Objection::FundingReferenceUsed),
        (fund("opening", Direction::Debit, rupiah(1)), Objection::FundingReferenceUsed),
        (fund("too-much", Direction::Debit, rupiah(1001)), Objection::BalanceInsufficient),
        (fund("nothing", Direction::Credit, rupiah(0)), Objection::AmountInvalid),
        (fund("beyond", Direction::Credit, rupiah(i64::MAX)), Objection::AmountInvalid),
        (fund("baht", Direction::Credit, baht), Objection::CurrencyMismatch),
    ];
    for (act, expected) in table {
        assert_eq!(objection(&mut books, act.clone()), expected, "{act:?}");
    }
    let done = effect(&mut books, fund("back", Direction::Debit, rupiah(400)));
    assert!(matches!(done, Effect::Funded { balance, .. } if balance == rupiah(600)), "{done:?}");
    assert_eq!(books.available("M"), 600);
    books.audit().expect("in order");
}

#[test]
fn two_credentials_of_an_identifier_are_live_at_most() {
    let mut books = books();
    effect(&mut books, add_credential(MERCHANT, "a", KEY));
    effect(&mut books, add_credential(MERCHANT, "a", KEY));
    let third = add_credential(MERCHANT, "a", KEY);
    assert_eq!(objection(&mut books, third.clone()), Objection::CredentialsTooMany);
    let taken = add_credential(STRANGER, "a", KEY);
    assert_eq!(objection(&mut books, taken.clone()), Objection::IdentifierTaken);
    let revoke =
        |serial| Act::RevokeCredential { merchant: MERCHANT, key: credential_key("a"), serial };
    effect(&mut books, revoke(1));
    assert_eq!(objection(&mut books, revoke(1)), Objection::CredentialUnknown);
    let Effect::Credential(next) = effect(&mut books, third) else { panic!("a credential") };
    assert_eq!(next.serial, 3, "a serial is never given out again");
    effect(&mut books, revoke(2));
    effect(&mut books, revoke(3));
    assert_eq!(objection(&mut books, taken), Objection::IdentifierTaken, "nor an identifier");
    assert!(books.credentials.iter().all(|it| it.secrets.is_empty() && !it.is_live(at(NOW))));
}

#[test]
fn a_rotation_brings_the_end_of_the_old_key_nearer() {
    let mut books = books();
    effect(&mut books, add_credential(MERCHANT, "a", KEY));
    let rotate = |expiry: i64| {
        let Act::AddCredential(new) = add_credential(MERCHANT, "a", KEY) else { panic!("adds") };
        Act::AddCredential(NewCredential { previous_expires_at: Some(at(expiry)), ..new })
    };
    effect(&mut books, rotate(NOW));
    let expiries = |books: &Books| {
        books.credentials.iter().map(|it| (it.serial, it.expires_at)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(expiries(&books), BTreeMap::from([(1, Some(at(NOW))), (2, None)]));
    effect(&mut books, rotate(NOW + 5));
    let later = BTreeMap::from([(1, Some(at(NOW))), (2, Some(at(NOW + 5))), (3, None)]);
    assert_eq!(expiries(&books), later);
}

#[test]
fn short_secrets_are_refused() {
    let mut books = books();
    for secret in ["", "short", &KEY[1..], "åååååååååååååå"] {
        let act = add_credential(MERCHANT, "a", secret);
        assert_eq!(objection(&mut books, act), Objection::SecretTooShort, "{secret}");
    }
    let none = NewCredential {
        merchant: MERCHANT,
        key: credential_key("a"),
        secrets: BTreeMap::new(),
        expires_at: None,
        previous_expires_at: None,
    };
    assert_eq!(objection(&mut books, Act::AddCredential(none)), Objection::SecretTooShort);
}

#[test]
fn a_code_belongs_to_one_product() {
    let mut books = books();
    effect(&mut books, Act::PutProduct(product("a", "PLN")));
    effect(&mut books, Act::PutProduct(product("a", "PLN")));
    let expected = Objection::AliasTaken {
        alias: product("a", "PLN").aliases.remove(0),
        holder: ProductId::new("a"),
    };
    assert_eq!(objection(&mut books, Act::PutProduct(product("b", "PLN"))), expected);
    effect(&mut books, Act::PutProduct(product("a", "PLNPOST")));
    effect(&mut books, Act::PutProduct(product("b", "PLN")));
}

#[test]
fn a_decision_about_an_order_is_recorded() {
    let mut books = books();
    books.run(&make_quote(request("r", "x", Mode::Live), rupiah(100))).expect("quoted");
    let act = Act::Resolve(resolve(1, delivered(rupiah(90))));
    assert_eq!(objection(&mut books, act.clone()), Objection::OrderNotPending);
    books.run(&Command::Accept(crate::fixtures::accept(1))).expect("accepted");
    let Effect::Resolved(standing) = effect(&mut books, act.clone()) else { panic!("resolved") };
    assert_eq!(standing.state, crate::order::OrderState::Succeeded);
    // The supplier's own notice may have come first; the decision is recorded, the money stays.
    effect(&mut books, act);
    assert_eq!(books.available("M"), 900);
    books.audit().expect("in order");
}

#[test]
fn a_named_request_is_carried_out_once() {
    let mut books = books();
    let command = administer("k1", 1, add_merchant("Toko Baru"));
    let first = books.run(&command).expect("done");
    let decision = books.decide(&command);
    assert_eq!(decision.changes, []);
    let Ok(Reply::Administered { audit, effect, repeated: true }) = decision.answer else {
        panic!("{:?}", decision.answer)
    };
    assert_eq!(first, Reply::Administered { audit, effect, repeated: false });
    let other = books.decide(&administer("k1", 2, add_merchant("Toko Baru")));
    assert_eq!(other.answer, Ok(Reply::Objected(Objection::RequestKeyReused)));
    assert_eq!(books.merchants.len(), 3);
    // An objection uses no name up.
    let refused = administer("k2", 3, suspend(MerchantId(9)));
    assert_eq!(books.run(&refused), Ok(Reply::Objected(Objection::MerchantUnknown)));
    assert!(books.run(&administer("k2", 4, suspend(MERCHANT))).is_ok());
    books.audit().expect("in order");
}

#[test]
fn an_edited_history_is_found_out() {
    let mut books = books();
    books.run(&administer("k1", 1, suspend(MERCHANT))).expect("done");
    books.run(&administer("k2", 2, add_merchant("Toko Baru"))).expect("done");
    assert_eq!(books.audit().expect("in order").audit_records, 5);
    type Edit = fn(&mut Books);
    let edits: [(&str, Edit); 6] = [
        ("actor", |books| books.audit_records[1].actor.name.push('x')),
        ("first removed", |books| drop(books.audit_records.remove(0))),
        ("last removed", |books| drop(books.audit_records.pop())),
        ("swapped", |books| books.audit_records.swap(2, 3)),
        ("answer removed", |books| drop(books.kept_answers.pop_first())),
        ("answer moved", |books| {
            let kept: Vec<KeptAnswer> = books.kept_answers.values().cloned().collect();
            let key = kept[0].key.clone();
            books.kept_answers.insert(key.clone(), KeptAnswer { key, ..kept[1].clone() });
        }),
    ];
    for (what, edit) in edits {
        let mut edited = books.clone();
        edit(&mut edited);
        assert!(edited.audit().is_err(), "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked in whatever order: the history is in order, every act is recorded once,
    /// and no identifier has more live credentials or owners than it may.
    #[test]
    fn acts_keep_the_rules(steps in prop::collection::vec((0_u8..7, 1_u32..4, 0_u8..3), 1..40)) {
        let mut books = books();
        let mut done = books.audit_records.len();
        for (index, (kind, merchant, which)) in steps.into_iter().enumerate() {
            let id = MerchantId(merchant);
            let name = format!("identifier {which}");
            let act = match kind {
                0 => add_merchant(&name),
                1 => suspend(id),
                2 | 3 => add_credential(id, &name, KEY),
                4 => Act::RevokeCredential {
                    merchant: id, key: credential_key(&name), serial: which.into()
                },
                5 => fund(&format!("reference {which}"), Direction::Credit, rupiah(7)),
                _ => Act::PutProduct(product(&format!("product {merchant}"), &name)),
            };
            let request = format!("request {}", index / 2);
            if let Ok(Reply::Administered { repeated: false, .. }) =
                books.run(&administer(&request, kind, act))
            {
                done += 1;
            }
        }
        prop_assert_eq!(books.audit_records.len(), done);
        prop_assert!(books.audit().is_ok());
        for which in 0..3 {
            let name = format!("identifier {which}");
            let of_name = || books.credentials.iter().filter(|it| it.identifier == name);
            prop_assert!(of_name().filter(|it| it.is_live(at(NOW))).count() <= 2);
            let mut owners: Vec<_> = of_name().map(|it| it.merchant).collect();
            owners.dedup();
            prop_assert!(owners.len() <= 1);
        }
    }
}
