//! Merchants with all that belongs to them, and products, as bytes.

use std::collections::BTreeMap;

use domain::product::{CutOff, Fee};
use domain::{
    Alias, Channel, Credential, Endpoint, EndpointKey, Level, Merchant, MerchantId, Preferences,
    Price, Product, ProductId, ProtocolName, RateLimit, Secret, Terms, TopUp,
};
use gateway::ports::Sealer;

use super::bytes::{Reader, Writer};
use super::words::{
    read_amount, read_currency, read_flow, read_merchant_id, read_merchant_status,
    read_product_status, read_repetition, read_timestamp, write_amount, write_currency, write_flow,
    write_merchant_status, write_product_status, write_repetition, write_timestamp,
};
use crate::sqlite::catalogue::{endpoint_context, seal_context};
use crate::sqlite::fields::Problem;
use crate::sqlite::trees;

pub(super) fn write_merchant(writer: &mut Writer<'_>, merchant: &Merchant) -> Result<(), Problem> {
    let Merchant { id, name, currency, level, status, addresses, rate_limit, repetition } =
        merchant;
    writer.number(id.0);
    writer.text(name);
    write_currency(writer, *currency);
    writer.text(&level.0);
    write_merchant_status(writer, *status);
    writer.list(addresses.iter(), |writer, address| writer.text(address));
    writer.optional(*rate_limit, |writer, RateLimit { requests_per_second, burst }| {
        writer.number(requests_per_second);
        writer.number(burst);
    });
    write_repetition(writer, *repetition);
    Ok(())
}

pub(super) fn read_merchant(reader: &mut Reader<'_>) -> Result<Merchant, Problem> {
    let rate_limit = |reader: &mut Reader<'_>| {
        Ok(RateLimit { requests_per_second: reader.number()?, burst: reader.number()? })
    };
    Ok(Merchant {
        id: MerchantId(reader.number()?),
        name: reader.text()?.to_owned(),
        currency: read_currency(reader)?,
        level: Level(reader.text()?.to_owned()),
        status: read_merchant_status(reader)?,
        addresses: reader.list(|reader| reader.text().map(str::to_owned))?,
        rate_limit: reader.optional(rate_limit)?,
        repetition: read_repetition(reader)?,
    })
}

pub(super) fn write_credential(
    writer: &mut Writer<'_>,
    credential: &Credential,
    sealer: &dyn Sealer,
) -> Result<(), Problem> {
    let context = seal_context(credential);
    let Credential { merchant, protocol, identifier, serial, secrets, expires_at, revoked_at } =
        credential;
    writer.number(merchant.0);
    writer.text(protocol.as_str());
    writer.text(identifier);
    writer.number(*serial);
    writer.text(&sealer.seal(&trees::write_secrets(secrets)?, &context));
    writer.optional(*expires_at, write_timestamp);
    writer.optional(*revoked_at, write_timestamp);
    Ok(())
}

/// Without a sealer the secrets are left out.
pub(super) fn read_credential(
    reader: &mut Reader<'_>,
    sealer: Option<&dyn Sealer>,
) -> Result<Credential, Problem> {
    let merchant = read_merchant_id(reader)?;
    let protocol = ProtocolName::new(reader.text()?);
    let identifier = reader.text()?.to_owned();
    let serial = reader.number()?;
    let sealed = reader.text()?;
    let mut credential = Credential {
        merchant,
        protocol,
        identifier,
        serial,
        secrets: BTreeMap::new(),
        expires_at: reader.optional(read_timestamp)?,
        revoked_at: reader.optional(read_timestamp)?,
    };
    if let Some(sealer) = sealer {
        let opened = sealer.open(sealed, &seal_context(&credential));
        credential.secrets = trees::read_secrets(&opened.map_err(|fault| fault.to_string())?)?;
    }
    Ok(credential)
}

pub(super) fn write_product(writer: &mut Writer<'_>, product: &Product) -> Result<(), Problem> {
    let Product { id, name, group, province, status, aliases, terms, cut_off, top_up, channel } =
        product;
    writer.text(id.as_str());
    writer.text(name);
    writer.text(group);
    writer.optional(province.as_deref(), Writer::text);
    write_product_status(writer, *status);
    writer.list(aliases.iter(), |writer, Alias { protocol, code }| {
        writer.text(protocol.as_str());
        writer.text(code);
    });
    writer.list(terms.iter(), |writer, Terms { level, protocol, admin_fee, commission }| {
        writer.text(&level.0);
        writer.optional(protocol.as_ref().map(ProtocolName::as_str), Writer::text);
        write_amount(writer, *admin_fee);
        write_amount(writer, *commission);
    });
    writer.optional(*cut_off, |writer, CutOff { from_minute, until_minute }| {
        writer.number(from_minute);
        writer.number(until_minute);
    });
    writer.optional(top_up.as_ref(), write_top_up);
    writer.optional(channel.as_ref(), write_channel);
    Ok(())
}

pub(super) fn read_product(reader: &mut Reader<'_>) -> Result<Product, Problem> {
    let alias = |reader: &mut Reader<'_>| {
        Ok(Alias { protocol: ProtocolName::new(reader.text()?), code: reader.text()?.to_owned() })
    };
    let terms = |reader: &mut Reader<'_>| {
        Ok(Terms {
            level: Level(reader.text()?.to_owned()),
            protocol: reader.optional(Reader::text)?.map(ProtocolName::new),
            admin_fee: read_amount(reader)?,
            commission: read_amount(reader)?,
        })
    };
    let cut_off = |reader: &mut Reader<'_>| {
        Ok(CutOff { from_minute: reader.number()?, until_minute: reader.number()? })
    };
    Ok(Product {
        id: ProductId::new(reader.text()?),
        name: reader.text()?.to_owned(),
        group: reader.text()?.to_owned(),
        province: reader.optional(Reader::text)?.map(str::to_owned),
        status: read_product_status(reader)?,
        aliases: reader.list(alias)?,
        terms: reader.list(terms)?,
        cut_off: reader.optional(cut_off)?,
        top_up: reader.optional(read_top_up)?,
        channel: reader.optional(read_channel)?,
    })
}

fn write_top_up(writer: &mut Writer<'_>, top_up: &TopUp) {
    let TopUp { operator, denomination, details, active_days, cost, prices } = top_up;
    for text in [operator, denomination, details] {
        writer.text(text);
    }
    writer.number(*active_days);
    writer.optional(*cost, write_amount);
    writer.list(prices.iter(), |writer, Price { level, protocol, amount }| {
        writer.text(&level.0);
        writer.optional(protocol.as_ref().map(ProtocolName::as_str), Writer::text);
        write_amount(writer, *amount);
    });
}

fn read_top_up(reader: &mut Reader<'_>) -> Result<TopUp, Problem> {
    let price = |reader: &mut Reader<'_>| {
        Ok(Price {
            level: Level(reader.text()?.to_owned()),
            protocol: reader.optional(Reader::text)?.map(ProtocolName::new),
            amount: read_amount(reader)?,
        })
    };
    Ok(TopUp {
        operator: reader.text()?.to_owned(),
        denomination: reader.text()?.to_owned(),
        details: reader.text()?.to_owned(),
        active_days: reader.number()?,
        cost: reader.optional(read_amount)?,
        prices: reader.list(price)?,
    })
}

fn write_channel(writer: &mut Writer<'_>, channel: &Channel) {
    let Channel {
        flow,
        currencies,
        fee: Fee { per_million, fixed },
        rate_hundredths,
        account,
        amount_max,
    } = channel;
    write_flow(writer, *flow);
    writer.list(currencies.iter(), |writer, currency| write_currency(writer, *currency));
    writer.number(*per_million);
    writer.number(*fixed);
    writer.optional(*rate_hundredths, Writer::byte);
    writer.text(account);
    writer.optional(*amount_max, |writer, amount| writer.number(amount));
}

fn read_channel(reader: &mut Reader<'_>) -> Result<Channel, Problem> {
    Ok(Channel {
        flow: read_flow(reader)?,
        currencies: reader.list(read_currency)?,
        fee: Fee { per_million: reader.number()?, fixed: reader.number()? },
        rate_hundredths: reader.optional(Reader::byte)?,
        account: reader.text()?.to_owned(),
        amount_max: reader.optional(Reader::number)?,
    })
}

pub(super) fn write_endpoint(
    writer: &mut Writer<'_>,
    endpoint: &Endpoint,
    sealer: &dyn Sealer,
) -> Result<(), Problem> {
    let Endpoint { key: key @ EndpointKey { merchant, protocol }, url, secret, stopped_at } =
        endpoint;
    writer.number(merchant.0);
    writer.text(protocol.as_str());
    writer.text(url);
    writer.text(&sealer.seal(secret.reveal(), &endpoint_context(key)));
    writer.optional(*stopped_at, write_timestamp);
    Ok(())
}

/// Without a sealer the secret is left out.
pub(super) fn read_endpoint(
    reader: &mut Reader<'_>,
    sealer: Option<&dyn Sealer>,
) -> Result<Endpoint, Problem> {
    let merchant = read_merchant_id(reader)?;
    let key = EndpointKey { merchant, protocol: ProtocolName::new(reader.text()?) };
    let url = reader.text()?.to_owned();
    let sealed = reader.text()?;
    let opened = sealer.map(|sealer| sealer.open(sealed, &endpoint_context(&key)));
    let opened = opened.transpose().map_err(|fault| fault.to_string())?;
    let secret = Secret::new(opened.unwrap_or_default());
    Ok(Endpoint { key, url, secret, stopped_at: reader.optional(read_timestamp)? })
}

pub(super) fn write_preferences(
    writer: &mut Writer<'_>,
    preferences: &Preferences,
) -> Result<(), Problem> {
    let Preferences { merchant, protocol, values } = preferences;
    writer.number(merchant.0);
    writer.text(protocol.as_str());
    writer.list(values.iter(), |writer, (name, value)| {
        writer.text(name);
        writer.text(value);
    });
    Ok(())
}

pub(super) fn read_preferences(reader: &mut Reader<'_>) -> Result<Preferences, Problem> {
    let value =
        |reader: &mut Reader<'_>| Ok((reader.text()?.to_owned(), reader.text()?.to_owned()));
    Ok(Preferences {
        merchant: read_merchant_id(reader)?,
        protocol: ProtocolName::new(reader.text()?),
        values: reader.list(value)?.into_iter().collect(),
    })
}
