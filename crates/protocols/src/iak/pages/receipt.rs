//! A receipt as facts: what it says, before it is set on paper or written as JSON (IAK reference,
//! sections 5.5 and 5.6).
//!
//! A receipt is a pure function of the order, its product and who issues it. The JSON has exactly
//! the labels of section 5.5, in their order; with an own header the names of `desc` follow them.
//! The paper says all that, and what else the bill tells.

use domain::bill::names;
use domain::{Amount, Bill, Order, OrderState, Product, Quote};

use super::particulars::{Line, Particulars};
use super::wording;

/// In whose name a receipt is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iak) enum Letterhead<'a> {
    /// The merchant's, by its name with us.
    Merchant(&'a str),
    /// One that the merchant sent along (section 5.6).
    Own {
        /// `custom.header.company_name`.
        company_name: &'a str,
        /// `custom.header.company_address`; `<br>` begins a new line.
        company_address: &'a str,
    },
}

/// The receipt of a paid bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::iak) struct Receipt {
    /// The flat map of the JSON.
    labels: Vec<(&'static str, String)>,
    pub(super) sheet: Sheet,
}

/// What stands on paper, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) issuer: String,
    /// One text per line.
    pub(super) address: Vec<String>,
    pub(super) title: String,
    pub(super) fields: Vec<Line>,
    pub(super) bills: Vec<SingleBill>,
    /// Money, ending with what is added up to the total.
    pub(super) amounts: Vec<Line>,
    pub(super) total: String,
    /// What the payer must not overlook.
    pub(super) notice: Option<String>,
    /// The day of payment, for the stamp.
    pub(super) paid_on: String,
    /// What the biller has to say.
    pub(super) footer: Vec<String>,
}

/// One of the bills that were paid together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SingleBill {
    pub(super) heading: String,
    pub(super) amount: String,
    pub(super) lines: Vec<Line>,
}

/// The parts of an order of which a receipt is made.
#[derive(Clone, Copy)]
struct Paid<'a> {
    order: &'a Order,
    /// What was bought, by its name.
    product: &'a str,
    /// The group of the product.
    group: &'a str,
    bill: &'a Bill,
    quote: &'a Quote,
    given: Particulars<'a>,
}

impl Receipt {
    /// The receipt of an order; none before it has succeeded. A product that is no longer in the
    /// catalogue is called by its code.
    pub(in crate::iak) fn of(
        order: &Order,
        product: Option<&Product>,
        letterhead: Letterhead<'_>,
    ) -> Option<Self> {
        if order.state != OrderState::Succeeded {
            return None;
        }
        let (bill, quote) = (order.bill.as_ref()?, order.quote.as_ref()?);
        let paid = Paid {
            order,
            product: product.map_or(&order.code, |product| &product.name),
            group: product.map_or("", |product| &product.group),
            bill,
            quote,
            given: Particulars(order.details()),
        };
        let mut labels = paid.labels();
        if matches!(letterhead, Letterhead::Own { .. }) {
            labels.extend(paid.keyed());
        }
        Some(Self { labels, sheet: paid.sheet(letterhead) })
    }

    /// The labels of the JSON with their values, in order.
    pub(super) fn labels(&self) -> &[(&'static str, String)] {
        &self.labels
    }
}

impl Paid<'_> {
    fn labels(&self) -> Vec<(&'static str, String)> {
        let serial_number = self.serial_number();
        let mut labels = vec![("HEADER", self.title())];
        if self.is_health_insurance() {
            labels.push(("NO REFERENSI", serial_number.to_owned()));
        }
        labels.extend([
            ("TANGGAL", wording::time(self.order.updated_at)),
            ("NO. RESI", serial_number.to_owned()),
            ("NAMA PRODUK", self.product.to_owned()),
        ]);
        if self.is_health_insurance() {
            labels.extend(self.health_insurance());
        }
        labels.extend([
            ("ID PELANGGAN", self.order.destination.clone()),
            ("NAMA", self.bill.customer_name.clone()),
            ("JUMLAH TAGIHAN", wording::money(self.quote.nominal)),
            ("ADMIN", wording::money(self.quote.admin)),
        ]);
        labels
    }

    fn title(&self) -> String {
        format!("STRUK PEMBAYARAN {}", self.product)
    }

    fn serial_number(&self) -> &str {
        self.order.delivery.as_ref().map_or("", |delivery| &delivery.serial_number)
    }

    /// The other products of this group insure against other things and have a `desc` of their own
    /// (sections 6.3 to 6.6).
    fn is_health_insurance(&self) -> bool {
        self.group == "bpjs"
            && !matches!(self.order.code.as_str(), "BPJSDENDA" | "BPJSTK" | "BPJSTKPU")
    }

    fn health_insurance(&self) -> [(&'static str, String); 3] {
        let persons = self.given.text(names::PARTICIPANTS).unwrap_or_else(|| "0".to_owned());
        let nothing = Amount::zero(self.quote.nominal.currency());
        let residual = self.given.amount(names::RESIDUAL).unwrap_or(nothing);
        [
            ("JUMLAH PESERTA", format!("{persons} ORANG")),
            ("SISA SBLMNYA", wording::money(residual)),
            ("PERIODE", wording::period(&self.bill.period)),
        ]
    }

    fn keyed(&self) -> Vec<(&'static str, String)> {
        let group = self.group;
        if group == "pbb" {
            return self.property_tax();
        }
        let mut entries = self.given.keyed(&self.order.code, group);
        let count = match (group, self.order.code.as_str()) {
            ("pln", "PLNPOSTPAID") => Some("lembar_tagihan"),
            ("pdam" | "tv", _) => Some("bill_quantity"),
            ("hp", _) | (_, "TELKOMPSTN") => Some("jumlah_tagihan"),
            _ => None,
        };
        entries.extend(count.map(|key| (key, self.bill.count.to_string())));
        entries
    }

    /// The names of the sample of section 5.6, which has one that `desc` has not: `nama_nop`.
    fn property_tax(&self) -> Vec<(&'static str, String)> {
        let text = |name: &str| self.given.text(name).unwrap_or_default();
        let penalty = self.given.amount(names::PENALTY);
        let rest = || penalty.and_then(|penalty| self.quote.nominal.minus(penalty).ok());
        let tax = self.given.amount(names::AMOUNT).or_else(rest).unwrap_or(self.quote.nominal);
        let number = self.given.text(names::OBJECT_NUMBER);
        vec![
            ("nop", number.unwrap_or_else(|| self.order.destination.clone())),
            ("nama_nop", self.bill.customer_name.clone()),
            ("tahun_pajak", text(names::TAX_YEAR)),
            ("lokasi", text(names::LOCATION)),
            ("kelurahan", text(names::VILLAGE)),
            ("kecamatan", text(names::DISTRICT)),
            ("kab_kota", text(names::CITY)),
            ("luas_tanah", text(names::LAND_AREA)),
            ("luas_gedung", text(names::BUILDING_AREA)),
            ("jatuh_tempo", text(names::DUE_DATE)),
            ("total_tagihan", tax.to_string()),
            ("denda", penalty.map_or_else(|| "0".to_owned(), |penalty| penalty.to_string())),
            ("admin", self.quote.admin.to_string()),
            ("total_bayar", self.quote.price.to_string()),
        ]
    }

    fn sheet(&self, letterhead: Letterhead<'_>) -> Sheet {
        let (issuer, address) = match letterhead {
            Letterhead::Merchant(name) => (name, Vec::new()),
            Letterhead::Own { company_name, company_address } => {
                (company_name, broken_lines(company_address))
            }
        };
        let remaining = self.given.count(names::REMAINING_BILLS).filter(|count| *count > 0);
        Sheet {
            issuer: issuer.to_owned(),
            address,
            title: self.title(),
            fields: self.fields(),
            bills: self.bills(),
            amounts: self.amounts(),
            total: wording::money(self.quote.price),
            notice: remaining.map(|count| format!("SISA TAGIHAN {count} LEMBAR BELUM DIBAYAR")),
            paid_on: wording::date(self.order.updated_at),
            footer: self.given.footer(),
        }
    }

    fn fields(&self) -> Vec<Line> {
        let time = wording::time(self.order.updated_at);
        let mut fields = vec![
            Line::new("TANGGAL", format!("{time} WIB")),
            Line::new("NO. RESI", self.serial_number()),
            Line::new("NO. TRANSAKSI", self.order.key.reference.as_str()),
            Line::new("NAMA PRODUK", self.product),
            Line::new("ID PELANGGAN", self.order.destination.as_str()),
            Line::new("NAMA", self.bill.customer_name.as_str()),
        ];
        fields.extend(self.given.tariff());
        fields.extend(self.given.descriptions());
        fields.extend(self.given.meter(self.meter_digits()));
        fields.push(Line::new("PERIODE", wording::period(&self.bill.period)));
        fields.retain(|line| !line.value.trim().is_empty());
        fields
    }

    /// The digits that the biller's own receipts give a meter reading.
    fn meter_digits(&self) -> usize {
        match self.group {
            "pln" => 8,
            "gas" => 6,
            _ => 0,
        }
    }

    /// The single bills; none where that says no more than the receipt says anyway.
    fn bills(&self) -> Vec<SingleBill> {
        let bills: Vec<_> = self.given.bills().map(|bill| self.single(bill)).collect();
        let tells = |bill: &SingleBill| !bill.amount.is_empty() || !bill.lines.is_empty();
        let several = bills.iter().filter(|bill| tells(bill)).count() > 1;
        bills
            .into_iter()
            .filter(|bill| tells(bill) && (several || !bill.lines.is_empty()))
            .collect()
    }

    fn single(&self, bill: Particulars<'_>) -> SingleBill {
        let money = |amount: Amount| Some(amount).filter(|it| !it.is_zero()).map(wording::money);
        let line = |label, value: Option<String>| value.map(|value| Line::new(label, value));
        let lines = [
            line("NO. TAGIHAN", bill.text(names::BILL_NUMBER)),
            bill.meter(self.meter_digits()),
            line("DENDA", bill.amount(names::PENALTY).and_then(money)),
            line("BIAYA LAIN", bill.amount(names::MISCELLANEOUS).and_then(money)),
        ];
        let month = bill.text(names::PERIOD).map(|text| wording::month_of_digits(&text));
        SingleBill {
            heading: month.unwrap_or_else(|| "TAGIHAN".to_owned()),
            amount: bill.amount(names::AMOUNT).map_or_else(String::new, wording::money),
            lines: lines.into_iter().flatten().collect(),
        }
    }

    /// What the total is made of. A part that is the whole says nothing new.
    fn amounts(&self) -> Vec<Line> {
        let parts = self.given.parts().into_iter().filter(|(_, part)| *part != self.quote.nominal);
        let whole = [("JUMLAH TAGIHAN", self.quote.nominal), ("ADMIN", self.quote.admin)];
        parts.chain(whole).map(|(label, amount)| Line::new(label, wording::money(amount))).collect()
    }
}

/// The lines of an address in which `<br>` and its spellings `<br/>` and `<br />` break lines, as
/// real line breaks do.
fn broken_lines(address: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = address;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = after_break(rest) {
            lines.push(String::new());
            rest = after;
        } else {
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// What follows a line break at the start of this text; none if there is no break.
fn after_break(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('\n') {
        return Some(rest);
    }
    let (tag, rest) = text.split_at_checked(3)?;
    if !tag.eq_ignore_ascii_case("<br") {
        return None;
    }
    let rest = rest.trim_start();
    rest.strip_prefix('/').unwrap_or(rest).strip_prefix('>')
}
