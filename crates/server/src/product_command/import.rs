//! `lunas product import`: what a file of comma-separated values would change, told before anything
//! is put.
//!
//! A row says of one product what its columns say; a column that the file does not have changes
//! nothing, an empty cell takes away what was there, and products without a row stay as they are.
//! [`plan`] is pure. It finds all faults of a file at once, and where there is one, nothing is
//! planned.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::{Amount, Currency};
use serde_json::{Value, json};

use super::content;
use super::csv::{self, Cell, Fault, Place};
use super::sheet::{self, Buyers, Column, Sheet};
use crate::administration::forms::ProductName;

/// The column that names the product of a row.
const PRODUCT: &str = "product";

/// What a file would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// One step per row, in the order of the file.
    pub(super) steps: Vec<Step>,
    /// What would be sold for less than the supplier takes, of the products in the file.
    pub(super) below_cost: Vec<BelowCost>,
}

/// What becomes of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Our own name for it.
    pub(super) product: String,
    /// Whether the server does not have it yet.
    pub(super) is_new: bool,
    /// All of it, as the API takes it.
    pub(super) content: Value,
    /// In what it differs from what the server has.
    pub(super) differences: Vec<Difference>,
}

/// A column in which a product changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    column: Column,
    before: Option<String>,
    after: Option<String>,
}

/// A product that would be sold for less than it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BelowCost {
    product: String,
    level: String,
    protocol: String,
    price: Amount,
    cost: Amount,
}

/// What this text would change of these products, which are as the API lists them. Fails with
/// everything that is wrong with it.
pub(super) fn plan(text: &str, known: &[Value]) -> Result<Plan, Vec<Fault>> {
    let rows = csv::rows(text).map_err(|fault| vec![fault])?;
    let Some((header, rows)) = rows.split_first() else {
        let place = Place { line: 1, column: 1 };
        return Err(vec![Fault::new(place, "berkas kosong · the file is empty")]);
    };
    let header = Header::read(header)?;
    let mut planning = Planning::of(known);
    for row in rows {
        planning.take(&header, row);
    }
    if !planning.faults.is_empty() {
        planning.faults.sort_by_key(|fault| fault.place);
        return Err(planning.faults);
    }
    Ok(Plan { steps: planning.steps, below_cost: planning.below_cost })
}

/// What the columns of a file are.
struct Header {
    /// None for the one that names the product.
    columns: Vec<Option<Column>>,
    product: usize,
}

impl Header {
    fn read(cells: &[Cell]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut columns: Vec<Option<Column>> = Vec::new();
        let mut product = None;
        for (index, cell) in cells.iter().enumerate() {
            let column = Column::named(&cell.text);
            if column.is_none() && cell.text != PRODUCT {
                let what = format!("kolom tidak dikenal · unknown column {:?}", cell.text);
                faults.push(Fault::new(cell.place, what));
                continue;
            }
            if columns.contains(&column) {
                let what = format!("kolom dua kali · the column {} stands twice", cell.text);
                faults.push(Fault::new(cell.place, what));
            }
            if column.is_none() {
                product = Some(index);
            }
            columns.push(column);
        }
        match product {
            Some(product) if faults.is_empty() => Ok(Self { columns, product }),
            None if faults.is_empty() => {
                let place = Place { line: cells.first().map_or(1, |it| it.place.line), column: 1 };
                let what = "kolom product tidak ada · there is no column product";
                Err(vec![Fault::new(place, what)])
            }
            _ => Err(faults),
        }
    }
}

/// A plan in the making.
struct Planning {
    /// What each product says, with the steps so far carried out; what keeps one from being a row.
    sheets: BTreeMap<String, Result<Sheet, &'static str>>,
    /// Who has a code, by protocol and code.
    holders: BTreeMap<(String, String), String>,
    /// In which line a product was named.
    named: BTreeMap<String, usize>,
    faults: Vec<Fault>,
    steps: Vec<Step>,
    below_cost: Vec<BelowCost>,
}

impl Planning {
    fn of(known: &[Value]) -> Self {
        let mut sheets = BTreeMap::new();
        let mut holders = BTreeMap::new();
        for shown in known {
            let Ok((name, content)) = content::taken_apart(shown.clone()) else { continue };
            for alias in content["aliases"].as_array().into_iter().flatten() {
                let text = |name: &str| alias[name].as_str().unwrap_or_default().to_owned();
                holders.insert((text("protocol"), text("code")), name.clone());
            }
            sheets.insert(name, sheet::sheet(&content));
        }
        Self {
            sheets,
            holders,
            named: BTreeMap::new(),
            faults: Vec::new(),
            steps: Vec::new(),
            below_cost: Vec::new(),
        }
    }

    /// Takes a row into the plan, or its faults.
    fn take(&mut self, header: &Header, row: &[Cell]) {
        let faults_before = self.faults.len();
        let Some(name) = self.name(header, row) else { return };
        let place = row.get(header.product).map_or(Place { line: 1, column: 1 }, |it| it.place);
        let known = match self.sheets.get(&name) {
            Some(Ok(sheet)) => Some(sheet.clone()),
            Some(Err(why)) => {
                self.faults.push(Fault::new(place, *why));
                return;
            }
            None => None,
        };
        let mut after = known.clone().unwrap_or_default();
        if known.is_none() {
            after.insert(Column::Status, "active".to_owned());
        }
        for (column, cell) in header.columns.iter().zip(row) {
            let Some(column) = column else { continue };
            match column.read(&cell.text) {
                Ok(text) if text.is_empty() => {
                    after.remove(column);
                }
                Ok(text) => {
                    after.insert(column.clone(), text);
                }
                Err(what) => self.faults.push(Fault::new(cell.place, format!("{column}: {what}"))),
            }
        }
        // What is missing is told only where everything that is there could be read.
        if self.faults.len() == faults_before {
            let missing = incomplete(&after).into_iter();
            self.faults.extend(missing.map(|what| Fault::new(place, what)));
            self.take_codes(&name, known.as_ref(), &after, header, row);
        }
        if self.faults.len() == faults_before {
            self.add(name, known, after);
        }
    }

    /// The product that a row is about, if the row has as many cells as there are columns.
    fn name(&mut self, header: &Header, row: &[Cell]) -> Option<String> {
        let cell = row.get(header.product)?;
        let (found, wanted) = (row.len(), header.columns.len());
        if found != wanted {
            let column = found.min(wanted).saturating_add(usize::from(found > wanted));
            let what = format!(
                "{found} sel, seharusnya {wanted} · {found} cells where there are {wanted} columns"
            );
            self.faults.push(Fault::new(Place { line: cell.place.line, column }, what));
            return None;
        }
        if let Err(what) = ProductName::try_from(cell.text.clone()) {
            let what = format!("bentuknya salah · the form is wrong: {what}");
            self.faults.push(Fault::new(cell.place, what));
            return None;
        }
        if let Some(line) = self.named.insert(cell.text.clone(), cell.place.line) {
            let what = format!("sudah ada di baris {line} · stands in line {line} already");
            self.faults.push(Fault::new(cell.place, what));
            return None;
        }
        Some(cell.text.clone())
    }

    /// Gives the codes of a product to it. Products are put one after the other, so that a code has to
    /// be free when its row comes.
    fn take_codes(
        &mut self,
        name: &str,
        before: Option<&Sheet>,
        after: &Sheet,
        header: &Header,
        row: &[Cell],
    ) {
        let owned = |(protocol, code): (&str, &str)| (protocol.to_owned(), code.to_owned());
        for alias in before.into_iter().flat_map(sheet::aliases) {
            self.holders.remove(&owned(alias));
        }
        for (protocol, code) in sheet::aliases(after) {
            let holder = self.holders.insert(owned((protocol, code)), name.to_owned());
            if let Some(holder) = holder.filter(|holder| holder != name) {
                let column = Some(Column::Code(protocol.to_owned()));
                let cells = header.columns.iter().zip(row);
                let cell = cells.filter(|(it, _)| **it == column).map(|(_, cell)| cell).next();
                let place =
                    cell.or(row.first()).map_or(Place { line: 1, column: 1 }, |it| it.place);
                let what = format!("kode milik {holder} · the code {code} is that of {holder}");
                self.faults.push(Fault::new(place, what));
            }
        }
    }

    fn add(&mut self, product: String, before: Option<Sheet>, after: Sheet) {
        self.below_cost.extend(below_cost(&product, &after));
        self.steps.push(Step {
            product: product.clone(),
            is_new: before.is_none(),
            content: sheet::product(&after),
            differences: differences(&before.unwrap_or_default(), &after),
        });
        self.sheets.insert(product, Ok(after));
    }
}

/// What a product lacks, or has too much.
fn incomplete(sheet: &Sheet) -> Vec<String> {
    let mut faults = Vec::new();
    let mut need = |column: Column| {
        if !sheet.contains_key(&column) {
            faults.push(format!("{column} belum ada · {column} is missing"));
        }
    };
    need(Column::Name);
    need(Column::Group);
    let is_top_up = sheet.keys().any(Column::is_of_top_ups);
    if is_top_up {
        need(Column::Operator);
        need(Column::Denomination);
    }
    for column in sheet.keys() {
        match column {
            Column::AdminFee(buyers) => need(Column::Commission(buyers.clone())),
            Column::Commission(buyers) => need(Column::AdminFee(buyers.clone())),
            _ => {}
        }
    }
    if is_top_up && sheet.keys().any(Column::is_of_bills) {
        let what = "top-up tidak memakai admin_fee · a top-up has prices, a bill has admin_fee";
        faults.push(what.to_owned());
    }
    faults
}

fn differences(before: &Sheet, after: &Sheet) -> Vec<Difference> {
    let columns: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let difference = |column: &Column| Difference {
        before: before.get(column).cloned(),
        after: after.get(column).cloned(),
        column: column.clone(),
    };
    columns.into_iter().map(difference).filter(|it| it.before != it.after).collect()
}

/// Where a product is sold for less than it costs. A price for all protocols counts for those in which
/// the product has a code and no price of its own.
fn below_cost(product: &str, sheet: &Sheet) -> Vec<BelowCost> {
    let amount = |text: &String| Amount::from_decimal(text, Currency::Idr).ok();
    let Some(cost) = sheet.get(&Column::Cost).and_then(amount) else { return Vec::new() };
    let mut all = Vec::new();
    for (column, text) in sheet {
        let (Column::Price(Buyers { level, protocol }), Some(price)) = (column, amount(text))
        else {
            continue;
        };
        if price.minor() >= cost.minor() {
            continue;
        }
        let protocols = match protocol {
            Some(protocol) => vec![protocol.as_str()],
            None => without_own_price(sheet, level),
        };
        all.extend(protocols.into_iter().map(|protocol| BelowCost {
            product: product.to_owned(),
            level: level.clone(),
            protocol: protocol.to_owned(),
            price,
            cost,
        }));
    }
    all
}

fn without_own_price<'a>(sheet: &'a Sheet, level: &str) -> Vec<&'a str> {
    let coded = sheet.keys().filter_map(|column| match column {
        Column::Code(protocol) => Some(protocol.as_str()),
        _ => None,
    });
    let own = |protocol: &str| {
        let buyers = Buyers { level: level.to_owned(), protocol: Some(protocol.to_owned()) };
        sheet.contains_key(&Column::Price(buyers))
    };
    coded.filter(|protocol| !own(protocol)).collect()
}

impl Step {
    /// Whether the server has it so already.
    pub(super) const fn is_unchanged(&self) -> bool {
        !self.is_new && self.differences.is_empty()
    }
}

impl Plan {
    /// Every change, for people.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for step in self.steps.iter().filter(|step| !step.is_unchanged()) {
            let what = if step.is_new { "Baru · added" } else { "Diubah · changed" };
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{what}: {}", step.product);
            for Difference { column, before, after } in &step.differences {
                let [before, after] = [before, after].map(|it| it.as_deref().unwrap_or("-"));
                let _ = writeln!(text, "  {column}: {before} → {after}");
            }
        }
        let unchanged = self.steps.iter().filter(|step| step.is_unchanged());
        let unchanged: Vec<_> = unchanged.map(|step| step.product.as_str()).collect();
        if !unchanged.is_empty() {
            let _ = writeln!(text, "Tetap · unchanged: {}", unchanged.join(", "));
        }
        for BelowCost { product, level, protocol, price, cost } in &self.below_cost {
            let _ = writeln!(
                text,
                "DI BAWAH MODAL · BELOW COST: {product} {level} {protocol}: {price} < {cost}"
            );
        }
        text
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let difference = |it: &Difference| json!({ "column": it.column.to_string(), "before": it.before, "after": it.after });
        let step = |step: &Step| {
            let what = match (step.is_new, step.is_unchanged()) {
                (true, _) => "added",
                (false, true) => "unchanged",
                (false, false) => "changed",
            };
            let differences: Vec<_> = step.differences.iter().map(difference).collect();
            json!({ "product": step.product, "what": what, "differences": differences })
        };
        let below = |it: &BelowCost| {
            json!({ "product": it.product, "level": it.level, "protocol": it.protocol,
                "price": it.price.to_string(), "cost": it.cost.to_string() })
        };
        json!({
            "products": self.steps.iter().map(step).collect::<Vec<_>>(),
            "below_cost": self.below_cost.iter().map(below).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
