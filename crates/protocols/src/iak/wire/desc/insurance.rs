//! Social insurance, lenders and insurers (IAK reference, sections 6.3 to 6.6, 6.8 and 6.9).

use domain::bill::names;

use super::particulars::Particulars;
use super::{Entries, Node, Stage, Transaction};

pub(super) fn health<'a>(given: Particulars<'a>) -> Entries<'a> {
    vec![
        ("kode_cabang", given.text(names::BRANCH_CODE)),
        ("nama_cabang", given.text(names::BRANCH_NAME)),
        ("sisa_pembayaran", given.money_text(names::RESIDUAL)),
        ("jumlah_peserta", given.text_or(names::PARTICIPANTS, "0")),
    ]
}

pub(super) fn health_penalty<'a>(given: Particulars<'a>, stage: Stage) -> Entries<'a> {
    let first = match stage {
        Stage::Inquiry => ("nama_badan_usaha", given.text(names::COMPANY_NAME)),
        Stage::Payment => ("premi", given.number(names::PREMIUM)),
    };
    vec![
        first,
        ("kode_cabang", given.text(names::BRANCH_CODE)),
        ("nama_cabang", given.text(names::BRANCH_NAME)),
        ("sisa_pembayaran", given.text(names::RESIDUAL)),
        ("jumlah_peserta", given.number(names::PARTICIPANTS)),
    ]
}

pub(super) fn self_paid_employment<'a>(given: Particulars<'a>, stage: Stage) -> Entries<'a> {
    let code = match stage {
        Stage::Inquiry => Node::text(""),
        Stage::Payment => given.text(names::CONTRIBUTION_CODE),
    };
    vec![
        ("kode_iuran", code),
        ("kode_program", given.text(names::PROGRAMMES)),
        ("jht", given.number(names::OLD_AGE)),
        ("jkk", given.number(names::ACCIDENT)),
        ("jkm", given.number(names::DEATH)),
        ("kantor_cabang", given.text(names::BRANCH_NAME)),
        ("tgl_efektif", given.text(names::EFFECTIVE_FROM)),
        ("tgl_expired", given.text(names::EFFECTIVE_UNTIL)),
    ]
}

pub(super) fn company_employment<'a>(
    transaction: &Transaction<'a>,
    given: Particulars<'a>,
) -> Entries<'a> {
    vec![
        ("kode_iuran", given.text_or(names::CONTRIBUTION_CODE, &transaction.order.destination)),
        ("jht", given.number(names::OLD_AGE)),
        ("jkk", given.number(names::ACCIDENT)),
        ("jkm", given.number(names::DEATH)),
        ("jpk", given.number(names::HEALTH)),
        ("jpn", given.number(names::PENSION)),
        ("npp", given.text(names::COMPANY_NUMBER)),
        ("kode_divisi", given.text_or(names::DIVISION_CODE, "000")),
    ]
}

pub(super) fn finance<'a>(given: Particulars<'a>) -> Entries<'a> {
    vec![
        ("misc_fee", given.number(names::MISCELLANEOUS)),
        ("item_name", given.text(names::ITEM_NAME)),
        ("no_rangka", given.text(names::CHASSIS_NUMBER)),
        ("no_pol", given.text(names::PLATE_NUMBER)),
        ("tenor", given.text(names::TENOR)),
        ("installment", given.number(names::INSTALMENT)),
        ("penalty_bill", given.number(names::PENALTY)),
        ("max_payment", given.number(names::PAYMENT_MAX)),
        ("last_paid_due_date", given.text(names::LAST_PAID_DUE_DATE)),
        ("id_ref", given.text(names::LENDER_REFERENCE)),
    ]
}

pub(super) fn brief_finance<'a>(given: Particulars<'a>) -> Entries<'a> {
    vec![
        ("installment", given.number(names::INSTALMENT)),
        ("penalty_bill", given.number(names::PENALTY)),
    ]
}

pub(super) fn policy<'a>(given: Particulars<'a>) -> Entries<'a> {
    vec![
        ("insured", given.text(names::INSURED)),
        ("policy_status", given.text(names::POLICY_STATUS)),
        ("due_date", given.text(names::DUE_DATE)),
        ("footer", given.texts(names::FOOTER)),
    ]
}
