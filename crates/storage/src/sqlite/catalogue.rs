//! Merchants, credentials and products as rows.

use domain::audit::Finding;
use domain::product::CutOff;
use domain::{
    Credential, Level, Merchant, MerchantId, MerchantStatus, Product, ProductId, ProductStatus,
    ProtocolName,
};
use gateway::Catalogue;
use rusqlite::{Connection, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, damaged, word};
use super::{statements, trees};

statements! {
    ALL_MERCHANTS = "select id, name, currency, level, status from merchants order by id";

    PUT_MERCHANT = "insert into merchants (id, name, currency, level, status) \
         values (?1, ?2, ?3, ?4, ?5) \
         on conflict (id) do update set name = excluded.name, currency = excluded.currency, \
         level = excluded.level, status = excluded.status";

    ALL_CREDENTIALS = "select protocol, identifier, serial, merchant, secrets from credentials \
         order by protocol, identifier, serial";

    PUT_CREDENTIAL = "insert into credentials (protocol, identifier, serial, merchant, secrets) \
         values (?1, ?2, ?3, ?4, ?5) \
         on conflict (protocol, identifier, serial) do update set merchant = excluded.merchant, \
         secrets = excluded.secrets";

    ALL_PRODUCTS = "select id, name, product_group, province, status, aliases, terms, \
         cut_off_from_minute, cut_off_until_minute from products order by id";

    PUT_PRODUCT = "insert into products (id, name, product_group, province, status, aliases, \
         terms, cut_off_from_minute, cut_off_until_minute) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         on conflict (id) do update set name = excluded.name, \
         product_group = excluded.product_group, province = excluded.province, \
         status = excluded.status, aliases = excluded.aliases, terms = excluded.terms, \
         cut_off_from_minute = excluded.cut_off_from_minute, \
         cut_off_until_minute = excluded.cut_off_until_minute";
}

const MERCHANT_STATUSES: [(MerchantStatus, &str); 2] =
    [(MerchantStatus::Active, "active"), (MerchantStatus::Suspended, "suspended")];

const PRODUCT_STATUSES: [(ProductStatus, &str); 2] =
    [(ProductStatus::Active, "active"), (ProductStatus::Inactive, "inactive")];

/// The whole catalogue, as it stands at one moment.
pub(super) fn read(connection: &Connection) -> Result<Catalogue, Fault> {
    let snapshot = connection.unchecked_transaction()?;
    let merchants = all(&snapshot, ALL_MERCHANTS, merchant)?;
    let credentials = all(&snapshot, ALL_CREDENTIALS, credential)?;
    let products = all(&snapshot, ALL_PRODUCTS, product)?;
    Ok(Catalogue::new(merchants, credentials, products))
}

/// Reads every row, to see whether it can be read.
pub(super) fn check(connection: &Connection) -> Result<(), Fault> {
    all(connection, ALL_MERCHANTS, merchant)?;
    all(connection, ALL_CREDENTIALS, credential)?;
    all(connection, ALL_PRODUCTS, product)?;
    Ok(())
}

fn all<Record>(
    connection: &Connection,
    statement: &'static str,
    read: impl Fn(&Row<'_>) -> Result<Record, Finding>,
) -> Result<Vec<Record>, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?);
    }
    Ok(records)
}

pub(super) fn put_merchant(connection: &Connection, merchant: &Merchant) -> Result<(), Fault> {
    connection.prepare_cached(PUT_MERCHANT)?.execute(params![
        merchant.id.0,
        merchant.name,
        merchant.currency.code(),
        merchant.level.0,
        word(&MERCHANT_STATUSES, &merchant.status),
    ])?;
    Ok(())
}

fn merchant(row: &Row<'_>) -> Result<Merchant, Finding> {
    let mut fields = Fields::new(row);
    let id: u32 = fields.number().map_err(|problem| finding("merchant".to_owned(), problem))?;
    let mut read = || -> Result<Merchant, Problem> {
        Ok(Merchant {
            id: MerchantId(id),
            name: fields.next()?,
            currency: fields.currency()?,
            level: Level(fields.next()?),
            status: fields.word(&MERCHANT_STATUSES)?,
        })
    };
    read().map_err(|problem| finding(format!("merchant {id}"), problem))
}

pub(super) fn put_credential(
    connection: &Connection,
    credential: &Credential,
) -> Result<(), Fault> {
    let secrets = trees::write_secrets(&credential.secrets)
        .map_err(|problem| damaged(format!("credential {}", credential.identifier), problem))?;
    connection.prepare_cached(PUT_CREDENTIAL)?.execute(params![
        credential.protocol.as_str(),
        credential.identifier,
        credential.serial,
        credential.merchant.0,
        secrets,
    ])?;
    Ok(())
}

fn credential(row: &Row<'_>) -> Result<Credential, Finding> {
    let mut fields = Fields::new(row);
    let mut name = || -> Result<(String, String), Problem> { Ok((fields.next()?, fields.next()?)) };
    let (protocol, identifier) =
        name().map_err(|problem| finding("credential".to_owned(), problem))?;
    let record = format!("credential {identifier} of {protocol}");
    let read = || -> Result<Credential, Problem> {
        let serial = fields.number()?;
        Ok(Credential {
            merchant: fields.merchant()?,
            protocol: ProtocolName::new(protocol),
            identifier,
            serial,
            secrets: trees::read_secrets(fields.text()?)?,
        })
    };
    read().map_err(|problem| finding(record, problem))
}

pub(super) fn put_product(connection: &Connection, product: &Product) -> Result<(), Fault> {
    let problem = |problem: Problem| damaged(format!("product {}", product.id), problem);
    connection.prepare_cached(PUT_PRODUCT)?.execute(params![
        product.id.as_str(),
        product.name,
        product.group,
        product.province,
        word(&PRODUCT_STATUSES, &product.status),
        trees::write_aliases(&product.aliases).map_err(problem)?,
        trees::write_terms(&product.terms).map_err(problem)?,
        product.cut_off.map(|cut_off| cut_off.from_minute),
        product.cut_off.map(|cut_off| cut_off.until_minute),
    ])?;
    Ok(())
}

fn product(row: &Row<'_>) -> Result<Product, Finding> {
    let mut fields = Fields::new(row);
    let id = fields.text().map_err(|problem| finding("product".to_owned(), problem))?;
    let mut read = || -> Result<Product, Problem> {
        Ok(Product {
            id: ProductId::new(id),
            name: fields.next()?,
            group: fields.next()?,
            province: fields.next()?,
            status: fields.word(&PRODUCT_STATUSES)?,
            aliases: trees::read_aliases(fields.text()?)?,
            terms: trees::read_terms(fields.text()?)?,
            cut_off: match (fields.optional_number()?, fields.optional_number()?) {
                (Some(from_minute), Some(until_minute)) => {
                    Some(CutOff { from_minute, until_minute })
                }
                (None, None) => None,
                _ => return Err("cut-off is incomplete".to_owned()),
            },
        })
    };
    read().map_err(|problem| finding(format!("product {id}"), problem))
}

const fn finding(record: String, problem: Problem) -> Finding {
    Finding { record, problem }
}
