//! What an entry says: the changes of one batch, as bytes.
//!
//! A payload is a run of sections, one per kind of record that changed, in the order of their tags.
//! Each section names its kind and the version of that kind's form, so that kinds and fields can be
//! added and a journal that an older program left is still read. Whoever changes a form gives the
//! kind a new version and keeps reading the old one; whoever adds a field to a record is told by
//! the compiler, because records are taken apart and put together whole.
//!
//! ```text
//! section  tag 1 | version 1 | count | records
//! ```
//!
//! Secrets are sealed as in the rows, the same text for the same place; so whoever changes how that
//! text is written in the rows changes a form here, too. Reading believes nothing:
//! any bytes give a value or an error, nothing is set aside for what a count announces, and an
//! error never quotes what it read, which may be a customer's name.

mod administration;
#[cfg(test)]
mod arbitrary;
mod books;
mod bytes;
mod callbacks;
mod catalogue;
mod collections;
mod orders;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Order;
use domain::administration::{AuditNumber, RequestKey};
use gateway::ports::Sealer;

use crate::pipeline::Changes;
use crate::sqlite::fields::Problem;
use bytes::{Reader, Writer};

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Accounts,
    Transfers,
    NewOrders,
    Orders,
    Fundings,
    Merchants,
    Credentials,
    Products,
    AuditRecords,
    KeptAnswers,
    Callbacks,
    Deliveries,
    Endpoints,
    DayClaims,
    Evidence,
    PayerReferences,
    Preferences,
}

/// How a kind is told apart and written.
struct Form {
    /// Never used for another kind, not even after this one is gone.
    tag: u8,
    /// The version that is written.
    version: u8,
    name: &'static str,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Accounts,
        Self::Transfers,
        Self::NewOrders,
        Self::Orders,
        Self::Fundings,
        Self::Merchants,
        Self::Credentials,
        Self::Products,
        Self::AuditRecords,
        Self::KeptAnswers,
        Self::Callbacks,
        Self::Deliveries,
        Self::Endpoints,
        Self::DayClaims,
        Self::Evidence,
        Self::PayerReferences,
        Self::Preferences,
    ];

    const fn form(self) -> Form {
        let (tag, version, name) = match self {
            Self::Accounts => (1, 1, "accounts"),
            Self::Transfers => (2, 1, "transfers"),
            Self::NewOrders => (3, 1, "new orders"),
            Self::Orders => (4, 1, "orders"),
            Self::Fundings => (5, 1, "fundings"),
            Self::Merchants => (6, 1, "merchants"),
            Self::Credentials => (7, 1, "credentials"),
            Self::Products => (8, 1, "products"),
            Self::AuditRecords => (9, 1, "audit records"),
            Self::KeptAnswers => (10, 1, "kept answers"),
            Self::Callbacks => (11, 1, "callbacks"),
            Self::Deliveries => (12, 1, "deliveries"),
            Self::Endpoints => (13, 1, "endpoints"),
            Self::DayClaims => (14, 1, "day claims"),
            Self::Evidence => (15, 1, "evidence"),
            Self::PayerReferences => (16, 1, "payer references"),
            Self::Preferences => (17, 1, "preferences"),
        };
        Form { tag, version, name }
    }
}

/// Writes changes behind what is in the buffer. Fails only for a record that could not be stored
/// either, such as details that are nested too deep.
pub(in crate::sqlite) fn encode(
    changes: &Changes,
    sealer: &dyn Sealer,
    into: &mut Vec<u8>,
) -> Result<(), Problem> {
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
    } = changes;
    let mut writer = Writer::new(into);
    section(&mut writer, Kind::Accounts, accounts.values(), books::write_account)?;
    section(&mut writer, Kind::Transfers, transfers.iter(), books::write_transfer)?;
    section(&mut writer, Kind::NewOrders, new_orders.values(), orders::write)?;
    section(&mut writer, Kind::Orders, orders.values(), orders::write)?;
    section(&mut writer, Kind::Fundings, fundings.iter(), books::write_funding)?;
    section(&mut writer, Kind::Merchants, merchants.iter(), catalogue::write_merchant)?;
    section(&mut writer, Kind::Credentials, credentials.iter(), |writer, credential| {
        catalogue::write_credential(writer, credential, sealer)
    })?;
    section(&mut writer, Kind::Products, products.iter(), catalogue::write_product)?;
    section(&mut writer, Kind::AuditRecords, audit_records.iter(), administration::write_record)?;
    section(&mut writer, Kind::KeptAnswers, kept_answers.iter(), |writer, kept| {
        administration::write_kept_answer(writer, kept, sealer)
    })?;
    section(&mut writer, Kind::Callbacks, callbacks.values(), callbacks::write)?;
    section(&mut writer, Kind::Deliveries, deliveries.iter(), callbacks::write_delivery)?;
    section(&mut writer, Kind::Endpoints, endpoints.values(), |writer, endpoint| {
        catalogue::write_endpoint(writer, endpoint, sealer)
    })?;
    section(&mut writer, Kind::DayClaims, day_claims.iter(), collections::write_day_claim)?;
    section(&mut writer, Kind::Evidence, evidence.values(), collections::write_evidence)?;
    section(
        &mut writer,
        Kind::PayerReferences,
        payer_references.iter(),
        collections::write_payer_reference,
    )?;
    section(&mut writer, Kind::Preferences, preferences.iter(), catalogue::write_preferences)
}

/// Writes a section, if there is anything to be in it.
fn section<Record>(
    writer: &mut Writer<'_>,
    kind: Kind,
    records: impl ExactSizeIterator<Item = Record>,
    mut write: impl FnMut(&mut Writer<'_>, Record) -> Result<(), Problem>,
) -> Result<(), Problem> {
    if records.len() == 0 {
        return Ok(());
    }
    let Form { tag, version, name } = kind.form();
    writer.byte(tag);
    writer.byte(version);
    writer.count(records.len());
    for record in records {
        write(writer, record).map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(())
}

/// Reads the changes of an entry.
pub(in crate::sqlite) fn decode(payload: &[u8], sealer: &dyn Sealer) -> Result<Changes, Problem> {
    Ok(read(payload, Some(sealer))?.changes)
}

/// Reads the changes of an entry without the key to its secrets.
pub(in crate::sqlite) fn decode_sealed(payload: &[u8]) -> Result<Sealed, Problem> {
    read(payload, None)
}

/// The changes of an entry as far as they can be read without a key.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Sealed {
    /// Credentials and addresses in it are without their secrets, and there are no kept answers in
    /// it.
    pub(in crate::sqlite) changes: Changes,
    /// Which request was answered, and with which audit record.
    pub(in crate::sqlite) kept_answers: Vec<(RequestKey, AuditNumber)>,
}

fn read(payload: &[u8], sealer: Option<&dyn Sealer>) -> Result<Sealed, Problem> {
    let mut reader = Reader::new(payload);
    let mut sealed = Sealed::default();
    let mut before = 0;
    while !reader.is_at_end() {
        let tag = reader.byte()?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.form().tag == tag);
        let kind = kind.ok_or_else(|| format!("records of kind {tag} are unknown"))?;
        let Form { name, .. } = kind.form();
        if tag <= before {
            return Err(format!("{name} stand in the wrong place"));
        }
        before = tag;
        read_section(&mut reader, kind, sealer, &mut sealed)
            .map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(sealed)
}

fn read_section(
    reader: &mut Reader<'_>,
    kind: Kind,
    sealer: Option<&dyn Sealer>,
    sealed: &mut Sealed,
) -> Result<(), Problem> {
    let version = reader.byte()?;
    if version != kind.form().version {
        return Err(format!("form {version} is unknown"));
    }
    let Sealed { changes, kept_answers } = sealed;
    match kind {
        Kind::Accounts => reader.each(|reader| {
            let account = books::read_account(reader)?;
            once(&mut changes.accounts, account.id, account)
        }),
        Kind::Transfers => reader.list_onto(&mut changes.transfers, books::read_transfer),
        Kind::NewOrders => reader.each(|reader| read_order(reader, &mut changes.new_orders)),
        Kind::Orders => reader.each(|reader| read_order(reader, &mut changes.orders)),
        Kind::Fundings => reader.list_onto(&mut changes.fundings, books::read_funding),
        Kind::Merchants => reader.list_onto(&mut changes.merchants, catalogue::read_merchant),
        Kind::Credentials => reader.list_onto(&mut changes.credentials, |reader| {
            catalogue::read_credential(reader, sealer)
        }),
        Kind::Products => reader.list_onto(&mut changes.products, catalogue::read_product),
        Kind::AuditRecords => {
            reader.list_onto(&mut changes.audit_records, administration::read_record)
        }
        Kind::KeptAnswers => reader.each(|reader| {
            let kept = administration::read_kept_answer(reader)?;
            match sealer {
                Some(sealer) => changes.kept_answers.push(kept.open(sealer)?),
                None => kept_answers.push((kept.key, kept.audit)),
            }
            Ok(())
        }),
        Kind::Callbacks => reader.each(|reader| {
            let callback = callbacks::read(reader)?;
            once(&mut changes.callbacks, callback.id, callback)
        }),
        Kind::Deliveries => reader.list_onto(&mut changes.deliveries, callbacks::read_delivery),
        Kind::Endpoints => reader.each(|reader| {
            let endpoint = catalogue::read_endpoint(reader, sealer)?;
            once(&mut changes.endpoints, endpoint.key.clone(), endpoint)
        }),
        Kind::DayClaims => reader.each(|reader| {
            let (key, order) = collections::read_day_claim(reader)?;
            once(&mut changes.day_claims, key, order)
        }),
        Kind::Evidence => reader.each(|reader| {
            let evidence = collections::read_evidence(reader)?;
            once(&mut changes.evidence, evidence.key.clone(), evidence)
        }),
        Kind::PayerReferences => reader.each(|reader| {
            let (key, order) = collections::read_payer_reference(reader)?;
            once(&mut changes.payer_references, key, order)
        }),
        Kind::Preferences => {
            reader.list_onto(&mut changes.preferences, catalogue::read_preferences)
        }
    }
}

fn read_order(
    reader: &mut Reader<'_>,
    orders: &mut BTreeMap<domain::OrderId, Arc<Order>>,
) -> Result<(), Problem> {
    let order = orders::read(reader)?;
    once(orders, order.id, Arc::new(order))
}

fn once<Key: Ord, Record>(
    records: &mut BTreeMap<Key, Record>,
    key: Key,
    record: Record,
) -> Result<(), Problem> {
    match records.insert(key, record) {
        None => Ok(()),
        Some(_) => Err("one stands twice".to_owned()),
    }
}

#[cfg(test)]
#[path = "codec/codec_tests.rs"]
mod tests;
