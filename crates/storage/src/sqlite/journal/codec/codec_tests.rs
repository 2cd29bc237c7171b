use domain::account::Counters;
use domain::administration::{Action, Actor, AuditRecord, Effect, KeptAnswer, Role, Standing};
use domain::callback::{Event, Received, Rendered};
use domain::command::{DayClaimKey, Funding, FundingKey, PayerReferenceKey};
use domain::evidence::Doubtful;
use domain::posting::Direction;
use domain::product::{CutOff, Fee};
use domain::{
    Account, AccountId, AccountKey, Alias, Attempt, AttemptState, Callback, CallbackId,
    CallbackState, Channel, Collecting, Credential, Detail, Doubt, Endpoint, EndpointKey, Evidence,
    EvidenceKey, EvidenceState, Flow, Hash, Hold, Level, Merchant, MerchantId, MerchantStatus,
    Mode, OrderId, OrderState, Preferences, Price, ProcessId, Product, ProductId, ProductStatus,
    ProtocolName, RateLimit, Reference, ReferenceKey, Repetition, Secret, Terms, TopUp, Transfer,
    TransferId, TransferKind, UpstreamName,
};
use gateway::ports::{SealFault, Unsealed};
use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::changes;
use super::*;

/// Writes the place in front and the text backwards.
struct Backwards;

impl Sealer for Backwards {
    fn seal(&self, plain: &str, context: &str) -> String {
        format!("{context}\n{}", plain.chars().rev().collect::<String>())
    }

    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault> {
        let reversed = sealed.strip_prefix(context).and_then(|rest| rest.strip_prefix('\n'));
        Ok(reversed.ok_or(SealFault)?.chars().rev().collect())
    }
}

/// Whether two sets of changes are the same.
fn same(left: &Changes, right: &Changes) -> bool {
    let Changes {
        accounts,
        transfers,
        new_orders,
        orders,
        fundings,
        merchants,
        credentials,
        products,
        audit_records,
        kept_answers,
        callbacks,
        deliveries,
        endpoints,
        day_claims,
        evidence,
        payer_references,
        preferences,
    } = left;
    *accounts == right.accounts
        && *transfers == right.transfers
        && *new_orders == right.new_orders
        && *orders == right.orders
        && *fundings == right.fundings
        && *merchants == right.merchants
        && *credentials == right.credentials
        && *products == right.products
        && *audit_records == right.audit_records
        && *kept_answers == right.kept_answers
        && *callbacks == right.callbacks
        && *deliveries == right.deliveries
        && *endpoints == right.endpoints
        && *day_claims == right.day_claims
        && *evidence == right.evidence
        && *payer_references == right.payer_references
        && *preferences == right.preferences
}

fn encoded(changes: &Changes) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(changes, &Backwards, &mut bytes).expect("encoded");
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn changes_come_back_as_they_were(changes in changes()) {
        let decoded = decode(&encoded(&changes), &Backwards).expect("decoded");
        prop_assert!(same(&decoded, &changes), "{:?} became {:?}", changes, decoded);
    }

    #[test]
    fn without_a_key_only_secrets_are_missing(changes in changes()) {
        let sealed = decode_sealed(&encoded(&changes)).expect("decoded");
        let names = changes.kept_answers.iter().map(|kept| (kept.key.clone(), kept.audit));
        prop_assert!(sealed.kept_answers.into_iter().eq(names));
        let mut bare = changes;
        bare.kept_answers.clear();
        bare.credentials.iter_mut().for_each(|credential| credential.secrets.clear());
        bare.endpoints.values_mut().for_each(|endpoint| endpoint.secret = Secret::new(""));
        prop_assert!(same(&sealed.changes, &bare));
    }

    /// Whatever is left over or altered is refused or is something else; it never goes unnoticed
    /// that something is missing at the end.
    #[test]
    fn what_is_cut_or_flipped_is_never_a_panic(
        changes in changes(),
        flips in vec((any::<prop::sample::Index>(), 0..8_u8), 64),
    ) {
        let bytes = encoded(&changes);
        for length in 0..bytes.len() {
            if let Ok(decoded) = decode(&bytes[..length], &Backwards) {
                prop_assert!(!same(&decoded, &changes), "{} of {}", length, bytes.len());
            }
        }
        for (place, bit) in flips {
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(place.index(bytes.len().max(1))) {
                *byte ^= 1 << bit;
            }
            let _ = decode(&flipped, &Backwards);
            let _ = decode_sealed(&flipped);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200), kind in 1..=17_u8) {
        let _ = decode(&bytes, &Unsealed);
        let section = [&[kind, 1, 3], bytes.as_slice()].concat();
        let _ = decode(&section, &Unsealed);
    }
}

#[test]
fn nothing_is_set_aside_for_what_is_only_announced() {
    for kind in Kind::ALL {
        let Form { tag, version, .. } = kind.form();
        let many = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        let announced = [[tag, version].as_slice(), &many].concat();
        assert!(decode(&announced, &Unsealed).is_err(), "{kind:?}");
    }
}

#[test]
fn kinds_and_forms_of_a_newer_program_are_refused() {
    assert!(decode(&[18, 1, 0], &Unsealed).is_err_and(|it| it.contains("kind 18")));
    assert!(decode(&[1, 2, 0], &Unsealed).is_err_and(|it| it.contains("form 2")));
    assert!(decode(&[2, 1, 0, 1, 1, 0], &Unsealed).is_err_and(|it| it.contains("place")));
    assert!(decode(&[], &Unsealed).is_ok_and(|changes| changes.is_empty()));
}

#[test]
fn secrets_are_sealed_and_only_opened_for_their_place() {
    let credential = Credential {
        merchant: MerchantId(7),
        protocol: ProtocolName::new("iak"),
        identifier: "0812".to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new("canary"))]),
        expires_at: None,
        revoked_at: None,
    };
    let kept = KeptAnswer {
        key: RequestKey { actor: "ana".to_owned(), text: "r1".to_owned() },
        fingerprint: [3; 32],
        audit: AuditNumber(4),
        effect: Effect::Credential(credential.clone()),
    };
    let endpoint = Endpoint {
        key: EndpointKey { merchant: MerchantId(7), protocol: ProtocolName::new("iak") },
        url: "https://toko.example".to_owned(),
        secret: Secret::new("canary"),
        stopped_at: None,
    };
    let changes = Changes {
        credentials: vec![credential],
        kept_answers: vec![kept],
        endpoints: BTreeMap::from([(endpoint.key.clone(), endpoint)]),
        ..Changes::default()
    };
    let bytes = encoded(&changes);
    let readable = String::from_utf8_lossy(&bytes);
    assert!(!readable.contains("canary"), "{readable}");
    for place in ["credential/iak/0812/1", "answer/ana/r1", "endpoint/7/iak"] {
        assert!(readable.contains(place), "{readable}");
    }
    for (place, other) in [("answer/ana/r1", "answer/ana/r2"), ("endpoint/7/iak", "endpoint/8/iak")]
    {
        let moved = readable.replace(place, other);
        assert!(decode(moved.as_bytes(), &Backwards).is_err(), "{place}");
    }
}

/// A tree of this many levels.
fn nested(depth: usize) -> Detail {
    (1..depth).fold(Detail::Number(1), |inner, _| Detail::List(vec![inner]))
}

#[test]
fn details_nest_as_deep_as_in_the_rows_and_no_deeper() {
    let order = |depth| {
        let bill = domain::Bill {
            customer_name: String::new(),
            period: domain::Period::None,
            nominal: domain::Amount::rupiah(1),
            count: 1,
            details: nested(depth),
        };
        let mut order = sample();
        order.bill = Some(Arc::new(bill));
        Changes { orders: BTreeMap::from([(order.id, Arc::new(order))]), ..Changes::default() }
    };
    let deepest = order(32);
    assert!(decode(&encoded(&deepest), &Backwards).is_ok_and(|decoded| same(&decoded, &deepest)));
    assert!(encode(&order(33), &Backwards, &mut Vec::new()).is_err());
}

/// An order whose every part is there.
fn sample() -> Order {
    let at = domain::Timestamp::from_milliseconds;
    let amount = domain::Amount::rupiah(152_500);
    Order {
        id: OrderId(300),
        key: ReferenceKey {
            merchant: MerchantId(7),
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            reference: Reference::new("r1"),
        },
        kind: domain::Kind::Purchase,
        state: OrderState::Processing,
        fingerprint: [9; 32],
        product: ProductId::new("pln"),
        code: "PLN".to_owned(),
        destination: "530".to_owned(),
        upstream: UpstreamName::new("sandbox"),
        bill: Some(Arc::new(domain::Bill {
            customer_name: "SRI".to_owned(),
            period: domain::Period::Months(vec![domain::YearMonth { year: 2026, month: 11 }]),
            nominal: amount,
            count: 1,
            details: Detail::Record(vec![("power".to_owned(), Detail::Number(-900))]),
        })),
        quote: Some(domain::Quote {
            nominal: amount,
            admin_fee: amount,
            admin: amount,
            price: amount,
            charge: amount,
        }),
        created_at: at(1_700_000_000_000),
        updated_at: at(1_700_000_000_001),
        expires_at: at(1_700_000_000_002),
        holds: vec![Hold { transfer: TransferId(5), amount, resolved_by: None }],
        attempts: vec![Attempt {
            number: 1,
            upstream: UpstreamName::new("sandbox"),
            state: AttemptState::Unknown(Doubt::Silent),
            owner: ProcessId(77),
            started_at: at(1_700_000_000_003),
            questions: 2,
        }],
        question_due: Some(at(1_700_000_060_000)),
        delivery: None,
        dialect: "xml".to_owned(),
        calls_back: true,
        callback_url: Some("https://toko.example".to_owned()),
        callbacks: vec![CallbackId(8), CallbackId(9)],
        collecting: Some(Collecting {
            channel: "pulsa".to_owned(),
            due: amount,
            gross: amount,
            fee: amount,
            return_url: Some("https://toko.example".to_owned()),
            in_review: true,
            particulars: Detail::Text("told".to_owned()),
            evidence: Some(evidence_key()),
        }),
        recipient: Some(Detail::Text("0123456789".to_owned())),
    }
}

fn evidence_key() -> EvidenceKey {
    EvidenceKey { source: "sim-1".to_owned(), id: "e1".to_owned() }
}

/// What belongs to news and collections, one of each.
fn more_samples(changes: Changes) -> Changes {
    let at = domain::Timestamp::from_milliseconds(1_700_000_000_000);
    let (merchant, protocol) = (MerchantId(7), ProtocolName::new("iak"));
    let key = EndpointKey { merchant, protocol: protocol.clone() };
    let rendered = Rendered { headers: vec![("a".to_owned(), "b".to_owned())], body: vec![0, 255] };
    let callback = Callback {
        id: CallbackId(8),
        order: OrderId(300),
        merchant,
        protocol: protocol.clone(),
        event: Event::SerialNumber,
        to_own_address: true,
        at,
        balance: domain::Amount::rupiah(500_000),
        rendered: Some(Arc::new(rendered)),
        state: CallbackState::Leased { owner: ProcessId(77), until: at },
        tries: 3,
        tries_in_round: 2,
    };
    let delivery = domain::callback::Delivery {
        callback: CallbackId(8),
        number: 3,
        at,
        took: std::time::Duration::from_millis(40),
        received: Received::Answered { status: 503, excerpt: "busy".to_owned() },
    };
    let endpoint = Endpoint {
        key: key.clone(),
        url: "https://toko.example".to_owned(),
        secret: Secret::new("canary"),
        stopped_at: Some(at),
    };
    let count = DayClaimKey {
        merchant,
        day: at.business_day(),
        destination: "0812".to_owned(),
        product: Some(ProductId::new("t10")),
    };
    let evidence = Evidence {
        key: evidence_key(),
        channel: "pulsa".to_owned(),
        amount: domain::Amount::rupiah(10_000),
        sender: "0812".to_owned(),
        reference: "TX-1".to_owned(),
        came_in_at: at,
        seen_at: at,
        state: EvidenceState::Suspended { reason: Doubtful::TooLate, transfer: TransferId(5) },
    };
    let named = PayerReferenceKey { channel: "pulsa".to_owned(), text: "TX-1".to_owned() };
    let values = BTreeMap::from([("lists".to_owned(), "short".to_owned())]);
    Changes {
        callbacks: BTreeMap::from([(callback.id, callback)]),
        deliveries: vec![delivery],
        endpoints: BTreeMap::from([(key, endpoint)]),
        day_claims: BTreeMap::from([(count, OrderId(300))]),
        evidence: BTreeMap::from([(evidence.key.clone(), evidence)]),
        payer_references: BTreeMap::from([(named, OrderId(300))]),
        preferences: vec![Preferences { merchant, protocol, values }],
        ..changes
    }
}

/// One record of every kind.
fn samples() -> Changes {
    let at = domain::Timestamp::from_milliseconds(1_700_000_000_000);
    let amount = domain::Amount::rupiah(152_500);
    let account = Account {
        id: AccountId(3),
        key: AccountKey::merchant(MerchantId(7), domain::Currency::Idr),
        counters: Counters { credits_posted: 500_000, ..Counters::default() },
        latest: Some((TransferId(5), Hash([1; 32]))),
    };
    let transfer = Transfer {
        id: TransferId(5),
        order: Some(OrderId(300)),
        kind: TransferKind::Post(TransferId(4)),
        debit: AccountId(3),
        credit: AccountId(1),
        amount,
        at,
        previous_debit: Some(TransferId(4)),
        previous_credit: None,
        hash: Hash([1; 32]),
    };
    let funding = Funding {
        key: FundingKey { merchant: MerchantId(7), reference: "f1".to_owned() },
        direction: Direction::Credit,
        amount,
        reason: "bank".to_owned(),
        transfer: TransferId(5),
        at,
    };
    let merchant = Merchant {
        id: MerchantId(7),
        name: "Toko".to_owned(),
        currency: domain::Currency::Thb,
        level: Level("retail".to_owned()),
        status: MerchantStatus::Suspended,
        addresses: vec!["10.0.0.0/8".to_owned()],
        rate_limit: Some(RateLimit { requests_per_second: 3, burst: 9 }),
        repetition: Repetition::OncePerNumber,
    };
    let credential = Credential {
        merchant: MerchantId(7),
        protocol: ProtocolName::new("iak"),
        identifier: "0812".to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new("canary"))]),
        expires_at: Some(at),
        revoked_at: None,
    };
    let product = Product {
        id: ProductId::new("pln"),
        name: "PLN".to_owned(),
        group: "pln".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![Alias { protocol: ProtocolName::new("iak"), code: "PLN".to_owned() }],
        terms: vec![Terms {
            level: Level("retail".to_owned()),
            protocol: Some(ProtocolName::new("iak")),
            admin_fee: amount,
            commission: amount,
        }],
        cut_off: Some(CutOff { from_minute: 1380, until_minute: 60 }),
        top_up: Some(TopUp {
            operator: "telkomsel".to_owned(),
            denomination: "10000".to_owned(),
            details: "regular".to_owned(),
            active_days: 30,
            cost: Some(amount),
            prices: vec![Price {
                level: Level("retail".to_owned()),
                protocol: Some(ProtocolName::new("iak")),
                amount,
            }],
        }),
        channel: Some(Channel {
            flow: Flow::Out,
            currencies: vec![domain::Currency::Idr],
            fee: Fee { per_million: 25_000, fixed: 300 },
            rate_hundredths: Some(82),
            account: "0812".to_owned(),
            amount_max: Some(1_000_000),
        }),
    };
    let audit_record = AuditRecord {
        number: AuditNumber(1),
        at,
        actor: Actor { name: "ana".to_owned(), role: Role::Operator },
        action: Action::MerchantSuspended,
        subject: "merchant 7".to_owned(),
        before: BTreeMap::from([("status".to_owned(), "active".to_owned())]),
        after: BTreeMap::from([("status".to_owned(), "suspended".to_owned())]),
        request: Some("r1".to_owned()),
        hash: Hash([2; 32]),
    };
    let standing =
        Standing { order: OrderId(300), key: sample().key, state: OrderState::Succeeded };
    let kept = KeptAnswer {
        key: RequestKey { actor: "ana".to_owned(), text: "r1".to_owned() },
        fingerprint: [3; 32],
        audit: AuditNumber(1),
        effect: Effect::Resolved(standing),
    };
    let order = Arc::new(sample());
    let mut changed = sample();
    changed.id = OrderId(299);
    changed.state = OrderState::Failed(domain::Refusal::PaymentFailed);
    more_samples(Changes {
        accounts: BTreeMap::from([(account.id, account)]),
        transfers: vec![transfer],
        new_orders: BTreeMap::from([(order.id, order)]),
        orders: BTreeMap::from([(changed.id, Arc::new(changed))]),
        fundings: vec![funding],
        merchants: vec![merchant],
        credentials: vec![credential],
        products: vec![product],
        audit_records: vec![audit_record],
        kept_answers: vec![kept],
        ..Changes::default()
    })
}

/// A change here would make a journal unreadable that an older program left behind: a new form
/// needs a new version, and this one is still read.
#[test]
fn the_first_form_never_changes() {
    let changes = samples();
    let bytes = encoded(&changes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, FIRST_FORM.replace(' ', ""));
    assert!(decode(&bytes, &Backwards).is_ok_and(|decoded| same(&decoded, &changes)));
}

const FIRST_FORM: &str = "\
    01010103010701000000c0843d010501010101010101010101010101010101010101010101010101010101010101 \
    010201010501ac020304030101e8ce1280a0abfef962010400010101010101010101010101010101010101010101 \
    0101010101010101010101030101ac02070369616b01027231010409090909090909090909090909090909090909 \
    0909090909090909090909090903706c6e03504c4e033533300773616e64626f7801035352490201ea0f0b01e8ce \
    1201050105706f77657202870e0101e8ce1201e8ce1201e8ce1201e8ce1201e8ce1280a0abfef96282a0abfef962 \
    84a0abfef962010501e8ce120001010773616e64626f7802044d86a0abfef9620201c0c9b2fef9620003786d6c01 \
    011468747470733a2f2f746f6b6f2e6578616d706c65020809010570756c736101e8ce1201e8ce1201e8ce120114 \
    68747470733a2f2f746f6b6f2e6578616d706c65010104746f6c64010573696d2d3102653101010a303132333435 \
    36373839040101ab02070369616b0102723101060d5061796d656e744661696c6564090909090909090909090909 \
    090909090909090909090909090909090909090903706c6e03504c4e033533300773616e64626f78010353524902 \
    01ea0f0b01e8ce1201050105706f77657202870e0101e8ce1201e8ce1201e8ce1201e8ce1201e8ce1280a0abfef9 \
    6282a0abfef96284a0abfef962010501e8ce120001010773616e64626f7802044d86a0abfef9620201c0c9b2fef9 \
    620003786d6c01011468747470733a2f2f746f6b6f2e6578616d706c65020809010570756c736101e8ce1201e8ce \
    1201e8ce12011468747470733a2f2f746f6b6f2e6578616d706c65010104746f6c64010573696d2d310265310101 \
    0a30313233343536373839050101070266310101e8ce120462616e6b0580a0abfef9620601010704546f6b6f0606 \
    72657461696c02010a31302e302e302e302f3801030903070101070369616b0430383132012a63726564656e7469 \
    616c2f69616b2f303831322f310a7d227972616e6163223a2279656b5f697061227b0180a0abfef9620008010103 \
    706c6e03504c4e03706c6e0001010369616b03504c4e010672657461696c010369616b01e8ce1201e8ce1201e40a \
    3c010974656c6b6f6d73656c05313030303007726567756c61721e0101e8ce12010672657461696c010369616b01 \
    e8ce1201020101a8c301ac020152043038313201c0843d0901010180a0abfef96203616e6102126d65726368616e \
    742e73757370656e6465640a6d65726368616e742037010673746174757306616374697665010673746174757309 \
    73757370656e6465640102723102020202020202020202020202020202020202020202020202020202020202020a \
    010103616e610272310303030303030303030303030303030303030303030303030303030303030303018601616e \
    737765722f616e612f72310a7d7d6c6c756e3a226c617375666572222c22646564656563637573223a2265746174 \
    73222c223172223a2265636e657265666572222c657572743a226576696c222c226b6169223a226c6f636f746f72 \
    70222c373a22746e61686372656d222c3030333a22726564726f227b3a226465766c6f736572227b0b010108ac02 \
    070369616b030180a0abfef96201c0843d0101016101620200ff024d80a0abfef96203020c0101080380a0abfef9 \
    625001f70304627573790d0101070369616b1468747470733a2f2f746f6b6f2e6578616d706c6515656e64706f69 \
    6e742f372f69616b0a7972616e61630180a0abfef9620e010107b8b30204303831320103743130ac020f01010573 \
    696d2d310265310570756c736101a09c0104303831320454582d3180a0abfef96280a0abfef96203030510010105 \
    70756c73610454582d31ac02110101070369616b01056c697374730573686f7274";
