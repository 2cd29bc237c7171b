//! What a receipt calls the particulars of a bill: their labels on paper, and their names in the
//! flat map of a receipt with an own header, which are those of `desc` (IAK reference, sections 5.6
//! and 6).
//!
//! Labels belong to particulars rather than to products, so that a new product's receipt shows all
//! that is known of its bill. Invariant: what is absent, empty, or of a kind that has no short form
//! makes no line. Particulars may come as text where a number or money is meant, and are read so.

use domain::bill::names;
use domain::{Amount, Currency, Detail};

use super::wording;

/// A label with what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) value: String,
}

impl Line {
    pub(super) fn new(label: &'static str, value: impl Into<String>) -> Self {
        Self { label, value: value.into() }
    }
}

/// How a particular is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is given.
    Plain,
    /// A day, given as `YYYYMMDD`.
    Day,
    /// A count of these.
    Count(&'static str),
    /// Money.
    Money,
    /// A meter reading of six digits.
    Reading,
}

struct Particular {
    name: &'static str,
    /// Empty for what isn't printed, or printed together with something else.
    label: &'static str,
    /// Empty for what no `desc` has at its top.
    key: &'static str,
    form: Form,
}

const fn row(name: &'static str, label: &'static str, key: &'static str, form: Form) -> Particular {
    Particular { name, label, key, form }
}

/// What describes the customer, the contract or the thing, in the order of printing. The owner's
/// identity number stays off the paper, which passes through many hands.
const DESCRIPTIONS: [Particular; 49] = [
    row(names::ITEM_NAME, "NAMA BARANG", "item_name", Form::Plain),
    row(names::REGISTRATION_NUMBER, "NO. REGISTRASI", "no_registrasi", Form::Plain),
    row(names::REGISTRATION_DATE, "TGL REGISTRASI", "tanggal_registrasi", Form::Day),
    row(names::PRODUCT_DESCRIPTION, "LAYANAN", "product_desc", Form::Plain),
    row(names::TARIFF, "", "tarif", Form::Plain),
    row(names::POWER, "", "daya", Form::Plain),
    row(names::REMAINING_BILLS, "", "lembar_tagihan_sisa", Form::Plain),
    row(names::BILLER_NAME, "PENYEDIA", "pdam_name", Form::Plain),
    row(names::ADDRESS, "ALAMAT", "address", Form::Plain),
    row(names::METER_START, "", "first_meter", Form::Reading),
    row(names::METER_END, "", "last_meter", Form::Reading),
    row(names::USAGE, "PEMAKAIAN", "usage", Form::Plain),
    row(names::AREA_CODE, "KODE AREA", "kode_area", Form::Plain),
    row(names::REGIONAL_DIVISION, "DIVRE", "divre", Form::Plain),
    row(names::LOCAL_OFFICE, "DATEL", "datel", Form::Plain),
    row(names::COMPANY_NAME, "BADAN USAHA", "nama_badan_usaha", Form::Plain),
    row(names::COMPANY_NUMBER, "NPP", "npp", Form::Plain),
    row(names::DIVISION_CODE, "KODE DIVISI", "kode_divisi", Form::Plain),
    row(names::CONTRIBUTION_CODE, "KODE IURAN", "kode_iuran", Form::Plain),
    row(names::PROGRAMMES, "PROGRAM", "kode_program", Form::Plain),
    row(names::BRANCH_CODE, "", "kode_cabang", Form::Plain),
    row(names::BRANCH_NAME, "CABANG", "nama_cabang", Form::Plain),
    row(names::PARTICIPANTS, "JUMLAH PESERTA", "jumlah_peserta", Form::Count("ORANG")),
    row(names::RESIDUAL, "SISA SBLMNYA", "sisa_pembayaran", Form::Money),
    row(names::EFFECTIVE_FROM, "BERLAKU SEJAK", "tgl_efektif", Form::Plain),
    row(names::EFFECTIVE_UNTIL, "BERLAKU S/D", "tgl_expired", Form::Plain),
    row(names::INSURED, "TERTANGGUNG", "insured", Form::Plain),
    row(names::POLICY_STATUS, "STATUS POLIS", "policy_status", Form::Plain),
    row(names::IDENTITY_NUMBER, "", "nomor_identitas", Form::Plain),
    row(names::PLATE_NUMBER, "NO. POLISI", "no_pol", Form::Plain),
    row(names::BRAND, "MEREK", "merek_kb", Form::Plain),
    row(names::MODEL, "TIPE", "model_kb", Form::Plain),
    row(names::YEAR_BUILT, "TAHUN BUATAN", "tahun_buatan", Form::Plain),
    row(names::CHASSIS_NUMBER, "NO. RANGKA", "no_rangka", Form::Plain),
    row(names::ENGINE_NUMBER, "NO. MESIN", "nomor_mesin", Form::Plain),
    row(names::OWNERSHIP, "MILIK KE", "milik_kenama", Form::Plain),
    row(names::TAX_UNTIL, "PAJAK S/D", "tgl_akhir_pajak_baru", Form::Day),
    row(names::TAX_RECEIPT_NUMBER, "NTPD", "ntpd", Form::Plain),
    row(names::TENOR, "TENOR", "tenor", Form::Plain),
    row(names::LAST_PAID_DUE_DATE, "TEMPO TERAKHIR", "last_paid_due_date", Form::Plain),
    row(names::LENDER_REFERENCE, "NO. KONTRAK", "id_ref", Form::Plain),
    row(names::OBJECT_NUMBER, "NOP", "nop", Form::Plain),
    row(names::TAX_YEAR, "TAHUN PAJAK", "tahun_pajak", Form::Plain),
    row(names::LOCATION, "LOKASI", "lokasi", Form::Plain),
    row(names::VILLAGE, "KELURAHAN", "kelurahan", Form::Plain),
    row(names::DISTRICT, "KECAMATAN", "kecamatan", Form::Plain),
    row(names::CITY, "KAB/KOTA", "kab_kota", Form::Plain),
    row(names::LAND_AREA, "LUAS TANAH", "luas_tanah", Form::Plain),
    row(names::BUILDING_AREA, "LUAS BANGUNAN", "luas_gedung", Form::Plain),
];

const DUE_DATE: Particular = row(names::DUE_DATE, "JATUH TEMPO", "due_date", Form::Plain);

/// The parts of what is owed, in the order of printing.
const PARTS: [Particular; 14] = [
    row(names::AMOUNT, "POKOK PAJAK", "total_tagihan", Form::Money),
    row(names::INSTALMENT, "ANGSURAN", "installment", Form::Money),
    row(names::PREMIUM, "PREMI", "premi", Form::Money),
    row(names::OLD_AGE, "JHT", "jht", Form::Money),
    row(names::ACCIDENT, "JKK", "jkk", Form::Money),
    row(names::DEATH, "JKM", "jkm", Form::Money),
    row(names::HEALTH, "JPK", "jpk", Form::Money),
    row(names::PENSION, "JPN", "jpn", Form::Money),
    row(names::REGISTRATION_FEE, "ADM STNK", "", Form::Money),
    row(names::PLATE_FEE, "ADM TNKB", "", Form::Money),
    row(names::PARKING_FEE, "PARKIR", "biaya_parkir_pokok", Form::Money),
    row(names::PROGRESSIVE_TAX, "PAJAK PROGRESIF", "biaya_pajak_progresif", Form::Money),
    row(names::PENALTY, "DENDA", "penalty_bill", Form::Money),
    row(names::MISCELLANEOUS, "BIAYA LAIN", "misc_fee", Form::Money),
];

/// The taxes on a vehicle, which a bill tells apart into principal and penalty.
const VEHICLE_TAXES: [(&str, &str, &str); 3] = [
    (names::TRANSFER_TAX, "POKOK BBNKB", "DENDA BBNKB"),
    (names::VEHICLE_TAX, "POKOK PKB", "DENDA PKB"),
    (names::ACCIDENT_FUND, "POKOK SWDKLLJ", "DENDA SWDKLLJ"),
];

/// Where a product, named by its code or its group, has another `desc` name than the others.
const OTHER_KEYS: [(&str, &str, &str); 6] = [
    ("pln", names::ITEM_NAME, "transaksi"),
    ("pdam", names::TARIFF, "kode_tarif"),
    ("BPJSTK", names::BRANCH_NAME, "kantor_cabang"),
    ("pajak-kendaraan", names::ADDRESS, "alamat"),
    ("pajak-kendaraan", names::CHASSIS_NUMBER, "nomor_rangka"),
    ("pajak-kendaraan", names::PLATE_NUMBER, "nomor_polisi"),
];

/// The particulars as the supplier gave them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Particulars<'a>(pub(super) Option<&'a Detail>);

impl<'a> Particulars<'a> {
    fn get(self, name: &str) -> Option<&'a Detail> {
        self.0.and_then(|details| details.get(name))
    }

    fn record(self, name: &str) -> Self {
        Self(self.get(name))
    }

    /// The single bills.
    pub(super) fn bills(self) -> impl ExactSizeIterator<Item = Self> {
        let bills = self.get(names::BILLS).map_or(&[][..], Detail::items);
        bills.iter().map(|bill| Self(Some(bill)))
    }

    /// A particular as it is given, if there is anything to it.
    pub(super) fn text(self, name: &str) -> Option<String> {
        let text = match self.get(name)? {
            Detail::Text(text) => text.trim().to_owned(),
            Detail::Number(number) => number.to_string(),
            Detail::Money(amount) => amount.to_string(),
            Detail::List(_) | Detail::Record(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A particular that is a count.
    pub(super) fn count(self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Detail::Number(number) => Some(*number),
            Detail::Text(text) => text.trim().parse().ok(),
            Detail::Money(_) | Detail::List(_) | Detail::Record(_) => None,
        }
    }

    /// A particular that is money; a bare number is in rupiah.
    pub(super) fn amount(self, name: &str) -> Option<Amount> {
        match self.get(name)? {
            Detail::Money(amount) => Some(*amount),
            Detail::Number(number) => Amount::new(*number, Currency::Idr).ok(),
            Detail::Text(text) => Amount::from_decimal(text.trim(), Currency::Idr).ok(),
            Detail::List(_) | Detail::Record(_) => None,
        }
    }

    /// Lines for the foot of the receipt, one text or several.
    pub(super) fn footer(self) -> Vec<String> {
        let texts = match self.get(names::FOOTER) {
            Some(Detail::List(items)) => items.as_slice(),
            Some(text @ Detail::Text(_)) => std::slice::from_ref(text),
            _ => &[],
        };
        let text = |detail: &Detail| match detail {
            Detail::Text(text) => Some(text.clone()),
            Detail::Number(_) | Detail::Money(_) | Detail::List(_) | Detail::Record(_) => None,
        };
        texts.iter().filter_map(text).collect()
    }

    /// Both readings of a meter, numbers padded to `width`.
    pub(super) fn meter(self, width: usize) -> Option<Line> {
        let start = self.reading(names::METER_START, width)?;
        let end = self.reading(names::METER_END, width)?;
        Some(Line::new("STAND METER", format!("{start} - {end}")))
    }

    fn reading(self, name: &str, width: usize) -> Option<String> {
        match self.get(name)? {
            Detail::Number(number) => Some(format!("{number:0width$}")),
            _ => self.text(name),
        }
    }

    /// Tariff and power, which are said together.
    pub(super) fn tariff(self) -> Option<Line> {
        match (self.text(names::TARIFF), self.text(names::POWER)) {
            (Some(tariff), Some(power)) => {
                Some(Line::new("TARIF/DAYA", format!("{tariff} / {power} VA")))
            }
            (Some(tariff), None) => Some(Line::new("TARIF", tariff)),
            (None, Some(power)) => Some(Line::new("DAYA", format!("{power} VA"))),
            (None, None) => None,
        }
    }

    /// What describes the customer, the contract or the thing.
    pub(super) fn descriptions(self) -> impl Iterator<Item = Line> {
        DESCRIPTIONS.iter().chain([&DUE_DATE]).filter_map(move |particular| {
            let text = self.text(particular.name).filter(|_| !particular.label.is_empty())?;
            let value = match particular.form {
                Form::Plain | Form::Reading => text,
                Form::Day => wording::day_of_digits(&text),
                Form::Count(unit) => format!("{text} {unit}"),
                Form::Money => self.amount(particular.name).map_or(text, wording::money),
            };
            Some(Line::new(particular.label, value))
        })
    }

    /// The parts of what is owed that are more than nothing.
    pub(super) fn parts(self) -> Vec<(&'static str, Amount)> {
        let (principal, penalties) = (self.record(names::PRINCIPAL), self.record(names::PENALTIES));
        let principals =
            VEHICLE_TAXES.iter().map(|(name, label, _)| (*label, principal.amount(name)));
        let fines = VEHICLE_TAXES.iter().map(|(name, _, label)| (*label, penalties.amount(name)));
        let others = PARTS.iter().map(|part| (part.label, self.amount(part.name)));
        let some = |(label, amount): (_, Option<Amount>)| {
            Some((label, amount.filter(|amount| !amount.is_zero())?))
        };
        principals.chain(fines).chain(others).filter_map(some).collect()
    }

    /// Every particular that `desc` has at its top and that is a text or a number, under the name it
    /// has there for a product of this code and group. What `desc` nests has no place in a flat map.
    pub(super) fn keyed(self, code: &str, group: &str) -> Vec<(&'static str, String)> {
        let key = |particular: &Particular| {
            let other = OTHER_KEYS.iter().find(|(scope, name, _)| {
                (*scope == code || *scope == group) && *name == particular.name
            });
            other.map_or(particular.key, |(_, _, key)| key)
        };
        let entry = |particular: &Particular| {
            let key = Some(key(particular)).filter(|key| !key.is_empty())?;
            let value = match particular.form {
                Form::Reading => self.reading(particular.name, 6)?,
                _ => self.text(particular.name)?,
            };
            Some((key, value))
        };
        DESCRIPTIONS.iter().chain([&DUE_DATE]).chain(&PARTS).filter_map(entry).collect()
    }
}
