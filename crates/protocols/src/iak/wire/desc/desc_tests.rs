use std::sync::Arc;

use domain::bill::names;
use domain::{
    Amount, Bill, Detail, Kind, MerchantId, Mode, Order, OrderId, OrderState, Period, ProductId,
    ProtocolName, Quote, Reference, ReferenceKey, Timestamp, UpstreamName,
};
use proptest::prelude::*;

use super::*;
use crate::iak::wire::json;

/// An order of this code with these details.
fn order(code: &str, details: Detail) -> Order {
    let at = Timestamp::from_milliseconds(0);
    Order {
        id: OrderId(1),
        key: ReferenceKey {
            merchant: MerchantId(1),
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            reference: Reference::new("INV1"),
        },
        kind: Kind::Purchase,
        state: OrderState::Quoted,
        fingerprint: [0; 32],
        product: ProductId::new("product"),
        code: code.to_owned(),
        destination: "770000".to_owned(),
        dialect: String::new(),
        calls_back: false,
        callback_url: None,
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
        upstream: UpstreamName::new("supplier"),
        bill: Some(Arc::new(Bill {
            customer_name: String::new(),
            period: Period::None,
            nominal: Amount::rupiah(10_000),
            count: 1,
            details,
        })),
        quote: Some(Quote {
            nominal: Amount::rupiah(10_000),
            admin_fee: Amount::rupiah(2500),
            admin: Amount::rupiah(2500),
            price: Amount::rupiah(12_500),
            charge: Amount::rupiah(12_000),
        }),
        created_at: at,
        updated_at: at,
        expires_at: at,
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: None,
    }
}

fn shown(code: &str, group: &str, stage: Stage, details: Detail) -> Option<String> {
    let order = order(code, details);
    let bill = order.bill.as_ref().expect("just made");
    let quote = order.quote.as_ref().expect("just made");
    let transaction = Transaction { tr_id: 1, order: &order, bill, quote, group };
    let written = desc(&transaction, stage).map(|node| json::write(&node));
    written.map(|json| String::from_utf8(json).expect("JSON is UTF-8"))
}

/// One code of every layout, with the group where the code does not tell.
const LAYOUTS: [(&str, &str, Layout); 27] = [
    ("PLNPOSTPAID", "", Layout::Electricity),
    ("PLNX", "pln", Layout::Electricity),
    ("PLNNONH", "", Layout::ElectricityWork),
    ("PLNNONTAG", "pln", Layout::ElectricityWork),
    ("BPJS", "", Layout::HealthInsurance),
    ("BPJSDENDA", "bpjs", Layout::HealthInsurancePenalty),
    ("BPJSTK", "bpjs", Layout::SelfPaidEmployment),
    ("BPJSTKPU", "bpjs", Layout::CompanyEmployment),
    ("PGAS", "", Layout::Gas),
    ("FNMEGA", "finance", Layout::Finance),
    ("TASPEN.ASURANSI", "asuransi", Layout::Finance),
    ("FNMF", "finance", Layout::BriefFinance),
    ("AIA.PREMICONVEN", "asuransi", Layout::Insurance),
    ("AETRA", "pdam", Layout::Water),
    ("PDAMKAB.KUDUS", "pdam", Layout::Water),
    ("PDAMKOTA.SURABAYA", "pdam", Layout::Water),
    ("TVTLKMV", "tv", Layout::Telkomvision),
    ("TVBIG", "tv", Layout::Television),
    ("HPTSEL", "hp", Layout::Mobile),
    ("TELKOMPSTN", "internet", Layout::Telkom),
    ("CBN", "internet", Layout::Internet),
    ("ESAMSAT.JABAR", "", Layout::VehicleTax),
    ("SAMSAT.BALI", "pajak-kendaraan", Layout::VehicleTax),
    ("PBBKOT.CIMAHI", "pbb", Layout::PropertyTax),
    ("SHOPEEPAY", "", Layout::FreeAmount),
    ("MEMBER.X-Y_2024", "", Layout::Church),
    ("NONMEMBER.X-Y_2024", "emoney", Layout::Church),
];

#[test]
fn the_code_decides_and_the_group_where_it_does_not() {
    for (code, group, layout) in LAYOUTS {
        assert_eq!(Layout::of(code, || group), Some(layout), "{code}");
    }
    for (code, group) in [("PARKIR", "retribusi"), ("KAI", "kereta"), ("X", ""), ("MEMBERS", "")] {
        assert_eq!(Layout::of(code, || group), None, "{code}");
        assert_eq!(shown(code, group, Stage::Inquiry, Detail::none()), None);
    }
}

#[test]
fn what_the_supplier_does_not_give_is_shown_empty() {
    use Stage::{Inquiry, Payment};
    let table = [
        (
            "PLNPOSTPAID",
            Inquiry,
            r#"{"tarif":"","daya":0,"lembar_tagihan":"1","tagihan":{"detail":[]}}"#,
        ),
        (
            "PLNPOSTPAID",
            Payment,
            r#"{"tarif":"","daya":0,"lembar_tagihan":"1","lembar_tagihan_sisa":0,"tagihan":{"detail":[]}}"#,
        ),
        (
            "PLNNONH",
            Inquiry,
            r#"{"transaksi":"","no_registrasi":"770000","tanggal_registrasi":""}"#,
        ),
        (
            "BPJS",
            Inquiry,
            r#"{"kode_cabang":"","nama_cabang":"","sisa_pembayaran":"0","jumlah_peserta":"0"}"#,
        ),
        (
            "BPJSDENDA",
            Payment,
            r#"{"premi":0,"kode_cabang":"","nama_cabang":"","sisa_pembayaran":"","jumlah_peserta":0}"#,
        ),
        (
            "BPJSTK",
            Payment,
            r#"{"kode_iuran":"","kode_program":"","jht":0,"jkk":0,"jkm":0,"kantor_cabang":"","tgl_efektif":"","tgl_expired":""}"#,
        ),
        (
            "BPJSTKPU",
            Inquiry,
            r#"{"kode_iuran":"770000","jht":0,"jkk":0,"jkm":0,"jpk":0,"jpn":0,"npp":"","kode_divisi":"000"}"#,
        ),
        ("PGAS", Inquiry, r#"{"address":"-","first_meter":"","last_meter":"","usage":0}"#),
        (
            "FNMEGA",
            Inquiry,
            r#"{"misc_fee":0,"item_name":"","no_rangka":"","no_pol":"","tenor":"","installment":0,"penalty_bill":0,"max_payment":0,"last_paid_due_date":"","id_ref":""}"#,
        ),
        ("FNMF", Inquiry, r#"{"installment":0,"penalty_bill":0}"#),
        (
            "AIA.PREMICONVEN",
            Inquiry,
            r#"{"insured":"","policy_status":"","due_date":"","footer":[]}"#,
        ),
        (
            "PDAMKAB.KUDUS",
            Inquiry,
            r#"{"bill_quantity":1,"address":"","biller_admin":"","pdam_name":"","stamp_duty":"","bill":{"detail":[]}}"#,
        ),
        (
            "PDAMKOTA.SURABAYA",
            Inquiry,
            r#"{"bill_quantity":1,"address":"","biller_admin":"","pdam_name":"","stamp_duty":"","due_date":"","kode_tarif":"","bill":{"detail":[]}}"#,
        ),
        (
            "TVTLKMV",
            Inquiry,
            r#"{"bill_quantity":"1","product_category":"","ppn":0,"tagihan":{"detail":[]}}"#,
        ),
        (
            "HPTSEL",
            Inquiry,
            r#"{"kode_area":"","divre":"","datel":"","jumlah_tagihan":1,"tagihan":{"detail":[{"periode":"","nilai_tagihan":"","admin":"","total":""}]}}"#,
        ),
        (
            "TELKOMPSTN",
            Inquiry,
            r#"{"kode_area":"","divre":"","datel":"","jumlah_tagihan":1,"tagihan":{"detail":[]}}"#,
        ),
        ("CBN", Inquiry, r#"{"product_desc":""}"#),
        (
            "PBBKOT.CIMAHI",
            Inquiry,
            r#"{"tanggal":"","nop":"770000","tahun_pajak":"","lokasi":"","kelurahan":"","kecamatan":"","kode_kab_kota":"","kab_kota":"","luas_tanah":"","luas_gedung":"","jatuh_tempo":"","total_tagihan":10000,"denda":0,"admin":2500,"total_bayar":12500}"#,
        ),
        (
            "ESAMSAT.JABAR",
            Payment,
            r#"{"nomor_identitas":"","nomor_rangka":"","nomor_mesin":"","alamat":"","nomor_polisi":"","milik_kenama":"","merek_kb":"","model_kb":"","tahun_buatan":"","tgl_akhir_pajak_baru":"","biaya_pokok":{"BBN":"0","PKB":"0","SWD":"0"},"biaya_denda":{"BBN":"0","PKB":"0","SWD":"0"},"biaya_admin":{"stnk":"0","tnkb":"0"},"biaya_parkir_pokok":"0","biaya_pajak_progresif":"0","ntpd":""}"#,
        ),
        ("SHOPEEPAY", Inquiry, r#"{"footer":""}"#),
        ("MEMBER.X-Y_2024", Payment, "[]"),
    ];
    for (code, stage, expected) in table {
        let group = LAYOUTS.iter().find(|row| row.0 == code).expect("listed").1;
        let shown = shown(code, group, stage, Detail::none());
        assert_eq!(shown.as_deref(), Some(expected), "{code}");
    }
}

#[test]
fn what_only_the_payment_shows_is_hidden_before_it() {
    let given = |name: &str| Detail::Record(vec![(name.to_owned(), Detail::Text("X1".to_owned()))]);
    for (code, name) in
        [("BPJSTK", names::CONTRIBUTION_CODE), ("ESAMSAT.JABAR", names::TAX_RECEIPT_NUMBER)]
    {
        let before = shown(code, "", Stage::Inquiry, given(name)).expect("a layout");
        let after = shown(code, "", Stage::Payment, given(name)).expect("a layout");
        assert!(!before.contains("X1") && after.contains("X1"), "{code}");
    }
}

/// Details of any kind under names that layouts look for.
fn details() -> impl Strategy<Value = Detail> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Detail::Text),
        "[0-9]{0,8}".prop_map(Detail::Text),
        any::<i64>().prop_map(Detail::Number),
        any::<u32>().prop_map(|amount| Detail::Money(Amount::rupiah(amount))),
    ];
    let name = prop::sample::select(vec![
        names::BILLS,
        names::PERIOD,
        names::AMOUNT,
        names::PENALTY,
        names::MISCELLANEOUS,
        names::METER_START,
        names::METER_END,
        names::FOOTER,
        names::PRINCIPAL,
        names::VEHICLE_TAX,
        names::PARTICIPANTS,
        names::POWER,
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Detail::List),
            prop::collection::vec((name.clone().prop_map(str::to_owned), inner), 0..8)
                .prop_map(Detail::Record),
        ]
    })
}

/// The shape of JSON: every text, number and list item forgotten.
fn shape(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(_) => "s".to_owned(),
        serde_json::Value::Number(_) => "n".to_owned(),
        serde_json::Value::Array(_) => "[]".to_owned(),
        serde_json::Value::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{name}:{}", shape(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn whatever_a_supplier_gives_names_and_types_stay(details in details()) {
        for (code, group, _) in LAYOUTS {
            for stage in [Stage::Inquiry, Stage::Payment] {
                let shape_of = |details| {
                    let json = shown(code, group, stage, details).expect("a layout");
                    shape(&serde_json::from_str(&json).expect("JSON"))
                };
                prop_assert_eq!(shape_of(details.clone()), shape_of(Detail::none()));
            }
        }
    }
}
