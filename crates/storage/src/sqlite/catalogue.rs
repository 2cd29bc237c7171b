//! Merchants with all that belongs to them, and products, as rows.

use std::collections::BTreeMap;

use domain::administration::CredentialKey;
use domain::audit::Finding;
use domain::product::CutOff;
use domain::{
    Alias, Credential, Endpoint, EndpointKey, Level, Merchant, MerchantId, MerchantStatus,
    Preferences, Product, ProductId, ProductStatus, ProtocolName, RateLimit, Repetition, Secret,
    Timestamp,
};
use gateway::Catalogue;
use gateway::ports::Sealer;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, damaged, word};
use super::{statements, trees};

macro_rules! merchant_columns {
    () => {
        "id, name, currency, level, status, addresses, requests_per_second, burst, repetition"
    };
}

macro_rules! credential_columns {
    () => {
        "protocol, identifier, serial, merchant, secrets, expires_at_ms, revoked_at_ms"
    };
}

macro_rules! product_columns {
    () => {
        "id, name, product_group, province, status, aliases, terms, cut_off_from_minute, \
         cut_off_until_minute, top_up, channel"
    };
}

macro_rules! endpoint_columns {
    () => {
        "merchant, protocol, url, secret, stopped_at_ms"
    };
}

statements! {
    ALL_MERCHANTS = concat!("select ", merchant_columns!(), " from merchants order by id");

    MERCHANT = concat!("select ", merchant_columns!(), " from merchants where id = ?1");

    LAST_MERCHANT = "select coalesce(max(id), 0) from merchants";

    PUT_MERCHANT = concat!(
        "insert into merchants (", merchant_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         on conflict (id) do update set name = excluded.name, currency = excluded.currency, \
         level = excluded.level, status = excluded.status, addresses = excluded.addresses, \
         requests_per_second = excluded.requests_per_second, burst = excluded.burst, \
         repetition = excluded.repetition"
    );

    ALL_CREDENTIALS = concat!(
        "select ", credential_columns!(), " from credentials order by protocol, identifier, serial"
    );

    CREDENTIALS = concat!(
        "select ", credential_columns!(), " from credentials \
         where protocol = ?1 and identifier = ?2 order by serial"
    );

    PUT_CREDENTIAL = concat!(
        "insert into credentials (", credential_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         on conflict (protocol, identifier, serial) do update set merchant = excluded.merchant, \
         secrets = excluded.secrets, expires_at_ms = excluded.expires_at_ms, \
         revoked_at_ms = excluded.revoked_at_ms"
    );

    ALL_PRODUCTS = concat!("select ", product_columns!(), " from products order by id");

    PRODUCT = concat!("select ", product_columns!(), " from products where id = ?1");

    // Products are few, and somebody changes one now and then.
    HOLDER = "select products.id from products, json_each(products.aliases) as alias \
         where alias.value ->> 'protocol' = ?1 and alias.value ->> 'code' = ?2 limit 1";

    PUT_PRODUCT = concat!(
        "insert into products (", product_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         on conflict (id) do update set name = excluded.name, \
         product_group = excluded.product_group, province = excluded.province, \
         status = excluded.status, aliases = excluded.aliases, terms = excluded.terms, \
         cut_off_from_minute = excluded.cut_off_from_minute, \
         cut_off_until_minute = excluded.cut_off_until_minute, top_up = excluded.top_up, \
         channel = excluded.channel"
    );

    ALL_ENDPOINTS = concat!(
        "select ", endpoint_columns!(), " from endpoints order by merchant, protocol"
    );

    ENDPOINT = concat!(
        "select ", endpoint_columns!(), " from endpoints where merchant = ?1 and protocol = ?2"
    );

    PUT_ENDPOINT = concat!(
        "insert into endpoints (", endpoint_columns!(), ") values (?1, ?2, ?3, ?4, ?5) \
         on conflict (merchant, protocol) do update set url = excluded.url, \
         secret = excluded.secret, stopped_at_ms = excluded.stopped_at_ms"
    );

    ALL_PREFERENCES = "select merchant, protocol, preferences from preferences \
         order by merchant, protocol";

    PUT_PREFERENCES = "insert into preferences (merchant, protocol, preferences) \
         values (?1, ?2, ?3) \
         on conflict (merchant, protocol) do update set preferences = excluded.preferences";
}

const MERCHANT_STATUSES: [(MerchantStatus, &str); 2] =
    [(MerchantStatus::Active, "active"), (MerchantStatus::Suspended, "suspended")];

const PRODUCT_STATUSES: [(ProductStatus, &str); 2] =
    [(ProductStatus::Active, "active"), (ProductStatus::Inactive, "inactive")];

/// The number of the latest merchant.
pub(super) fn last_merchant(connection: &Connection) -> Result<u32, Fault> {
    let number: i64 = connection.prepare_cached(LAST_MERCHANT)?.query_row([], |row| row.get(0))?;
    u32::try_from(number).map_err(|_| damaged("merchants", "have numbers out of range"))
}

pub(super) fn merchant_by_id(
    connection: &Connection,
    id: MerchantId,
) -> Result<Option<Merchant>, Fault> {
    let mut statement = connection.prepare_cached(MERCHANT)?;
    Ok(statement.query_row([id.0], |row| Ok(merchant(row))).optional()?.transpose()?)
}

/// All credentials that ever went by this identifier, live or not.
pub(super) fn credentials_by_identifier(
    connection: &Connection,
    key: &CredentialKey,
    sealer: &dyn Sealer,
) -> Result<Vec<Credential>, Fault> {
    let mut statement = connection.prepare_cached(CREDENTIALS)?;
    let mut rows = statement.query(params![key.protocol.as_str(), key.identifier])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(credential(row, Some(sealer))?);
    }
    Ok(found)
}

pub(super) fn product_by_id(
    connection: &Connection,
    id: &ProductId,
) -> Result<Option<Product>, Fault> {
    let mut statement = connection.prepare_cached(PRODUCT)?;
    Ok(statement.query_row([id.as_str()], |row| Ok(product(row))).optional()?.transpose()?)
}

/// The product that has this code.
pub(super) fn holder(connection: &Connection, alias: &Alias) -> Result<Option<ProductId>, Fault> {
    let mut statement = connection.prepare_cached(HOLDER)?;
    let parameters = params![alias.protocol.as_str(), alias.code];
    let found = statement.query_row(parameters, |row| row.get::<_, String>(0));
    Ok(found.optional()?.map(ProductId::new))
}

/// The whole catalogue, as it stands at one moment.
pub(super) fn read(connection: &Connection, sealer: &dyn Sealer) -> Result<Catalogue, Fault> {
    let snapshot = connection.unchecked_transaction()?;
    let merchants = all(&snapshot, ALL_MERCHANTS, merchant)?;
    let credentials = all(&snapshot, ALL_CREDENTIALS, |row| credential(row, Some(sealer)))?;
    let products = all(&snapshot, ALL_PRODUCTS, product)?;
    let endpoints = all(&snapshot, ALL_ENDPOINTS, |row| endpoint(row, Some(sealer)))?;
    let preferences = all(&snapshot, ALL_PREFERENCES, preferences)?;
    Ok(Catalogue::new(merchants, credentials, products)
        .with_endpoints(endpoints)
        .with_preferences(preferences))
}

/// Reads every row, to see whether it can be read. Secrets stay sealed.
pub(super) fn check(connection: &Connection) -> Result<(), Fault> {
    all(connection, ALL_MERCHANTS, merchant)?;
    all(connection, ALL_CREDENTIALS, |row| credential(row, None))?;
    all(connection, ALL_PRODUCTS, product)?;
    all(connection, ALL_ENDPOINTS, |row| endpoint(row, None))?;
    all(connection, ALL_PREFERENCES, preferences)?;
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
        trees::write_texts(&merchant.addresses)
            .map_err(|problem| damaged(format!("merchant {}", merchant.id), problem))?,
        merchant.rate_limit.map(|limit| limit.requests_per_second),
        merchant.rate_limit.map(|limit| limit.burst),
        merchant.repetition.name(),
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
            addresses: trees::read_texts(fields.text()?)?,
            rate_limit: match (fields.optional_number()?, fields.optional_number()?) {
                (Some(requests_per_second), Some(burst)) => {
                    Some(RateLimit { requests_per_second, burst })
                }
                (None, None) => None,
                _ => return Err("rate limit is incomplete".to_owned()),
            },
            repetition: repetition(fields.text()?)?,
        })
    };
    read().map_err(|problem| finding(format!("merchant {id}"), problem))
}

pub(super) fn repetition(word: &str) -> Result<Repetition, Problem> {
    Repetition::from_name(word).ok_or_else(|| format!("{word:?} is not a rule of repetition"))
}

pub(super) fn put_credential(
    connection: &Connection,
    credential: &Credential,
    sealer: &dyn Sealer,
) -> Result<(), Fault> {
    let secrets = trees::write_secrets(&credential.secrets)
        .map_err(|problem| damaged(format!("credential {}", credential.identifier), problem))?;
    connection.prepare_cached(PUT_CREDENTIAL)?.execute(params![
        credential.protocol.as_str(),
        credential.identifier,
        credential.serial,
        credential.merchant.0,
        sealer.seal(&secrets, &seal_context(credential)),
        credential.expires_at.map(Timestamp::milliseconds),
        credential.revoked_at.map(Timestamp::milliseconds),
    ])?;
    Ok(())
}

/// The place for which the secrets of a credential are sealed.
pub(super) fn seal_context(credential: &Credential) -> String {
    let Credential { protocol, identifier, serial, .. } = credential;
    format!("credential/{protocol}/{identifier}/{serial}")
}

/// Without a sealer the secrets are left out.
fn credential(row: &Row<'_>, sealer: Option<&dyn Sealer>) -> Result<Credential, Finding> {
    let mut fields = Fields::new(row);
    let mut name = || -> Result<(String, String), Problem> { Ok((fields.next()?, fields.next()?)) };
    let (protocol, identifier) =
        name().map_err(|problem| finding("credential".to_owned(), problem))?;
    let record = format!("credential {identifier} of {protocol}");
    let read = || -> Result<Credential, Problem> {
        let serial = fields.number()?;
        let merchant = fields.merchant()?;
        let sealed = fields.text()?;
        let mut credential = Credential {
            merchant,
            protocol: ProtocolName::new(protocol),
            identifier,
            serial,
            secrets: BTreeMap::new(),
            expires_at: fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds),
            revoked_at: fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds),
        };
        if let Some(sealer) = sealer {
            let opened = sealer.open(sealed, &seal_context(&credential));
            credential.secrets = trees::read_secrets(&opened.map_err(|fault| fault.to_string())?)?;
        }
        Ok(credential)
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
        product.top_up.as_ref().map(trees::write_top_up).transpose().map_err(problem)?,
        product.channel.as_ref().map(trees::write_channel).transpose().map_err(problem)?,
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
            top_up: tree(&mut fields, trees::read_top_up)?,
            channel: tree(&mut fields, trees::read_channel)?,
        })
    };
    read().map_err(|problem| finding(format!("product {id}"), problem))
}

fn tree<Tree>(
    fields: &mut Fields<'_>,
    read: impl FnOnce(&str) -> Result<Tree, Problem>,
) -> Result<Option<Tree>, Problem> {
    fields.next::<Option<String>>()?.as_deref().map(read).transpose()
}

/// Where this merchant is called back in this protocol.
pub(super) fn endpoint_by_key(
    connection: &Connection,
    key: &EndpointKey,
    sealer: &dyn Sealer,
) -> Result<Option<Endpoint>, Fault> {
    let mut statement = connection.prepare_cached(ENDPOINT)?;
    let parameters = params![key.merchant.0, key.protocol.as_str()];
    let found = statement.query_row(parameters, |row| Ok(endpoint(row, Some(sealer))));
    Ok(found.optional()?.transpose()?)
}

pub(super) fn put_endpoint(
    connection: &Connection,
    endpoint: &Endpoint,
    sealer: &dyn Sealer,
) -> Result<(), Fault> {
    connection.prepare_cached(PUT_ENDPOINT)?.execute(params![
        endpoint.key.merchant.0,
        endpoint.key.protocol.as_str(),
        endpoint.url,
        sealer.seal(endpoint.secret.reveal(), &endpoint_context(&endpoint.key)),
        endpoint.stopped_at.map(Timestamp::milliseconds),
    ])?;
    Ok(())
}

/// The place for which the secret of an address is sealed.
pub(super) fn endpoint_context(key: &EndpointKey) -> String {
    format!("endpoint/{}/{}", key.merchant, key.protocol)
}

/// Whose something is, and for which protocol; and what to call it.
fn endpoint_key(fields: &mut Fields<'_>, noun: &str) -> Result<(EndpointKey, String), Finding> {
    let mut read = || -> Result<EndpointKey, Problem> {
        let merchant = fields.merchant()?;
        Ok(EndpointKey { merchant, protocol: ProtocolName::new(fields.text()?) })
    };
    let key = read().map_err(|problem| finding(noun.to_owned(), problem))?;
    let record = format!("{noun} of merchant {} {}", key.merchant, key.protocol);
    Ok((key, record))
}

/// Without a sealer the secret is left out.
fn endpoint(row: &Row<'_>, sealer: Option<&dyn Sealer>) -> Result<Endpoint, Finding> {
    let mut fields = Fields::new(row);
    let (key, record) = endpoint_key(&mut fields, "endpoint")?;
    let read = || -> Result<Endpoint, Problem> {
        let url = fields.next()?;
        let sealed = fields.text()?;
        let opened = sealer.map(|sealer| sealer.open(sealed, &endpoint_context(&key)));
        let opened = opened.transpose().map_err(|fault| fault.to_string())?;
        let stopped_at = fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds);
        Ok(Endpoint { key, url, secret: Secret::new(opened.unwrap_or_default()), stopped_at })
    };
    read().map_err(|problem| finding(record, problem))
}

pub(super) fn put_preferences(
    connection: &Connection,
    preferences: &Preferences,
) -> Result<(), Fault> {
    let Preferences { merchant, protocol, values } = preferences;
    let problem = |problem: Problem| {
        damaged(format!("preferences of merchant {merchant} {protocol}"), problem)
    };
    connection.prepare_cached(PUT_PREFERENCES)?.execute(params![
        merchant.0,
        protocol.as_str(),
        trees::write_preferences(values).map_err(problem)?,
    ])?;
    Ok(())
}

fn preferences(row: &Row<'_>) -> Result<Preferences, Finding> {
    let mut fields = Fields::new(row);
    let (EndpointKey { merchant, protocol }, record) = endpoint_key(&mut fields, "preferences")?;
    let read = || -> Result<Preferences, Problem> {
        Ok(Preferences { merchant, protocol, values: trees::read_preferences(fields.text()?)? })
    };
    read().map_err(|problem| finding(record, problem))
}

const fn finding(record: String, problem: Problem) -> Finding {
    Finding { record, problem }
}
