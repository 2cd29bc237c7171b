//! Merchants, credentials and products as bytes.

use std::collections::BTreeMap;

use domain::product::CutOff;
use domain::{
    Alias, Credential, Level, Merchant, MerchantId, Product, ProductId, ProtocolName, RateLimit,
    Terms,
};
use gateway::ports::Sealer;

use super::bytes::{Reader, Writer};
use super::words::{
    read_amount, read_currency, read_merchant_id, read_merchant_status, read_product_status,
    read_timestamp, write_amount, write_currency, write_merchant_status, write_product_status,
    write_timestamp,
};
use crate::sqlite::catalogue::seal_context;
use crate::sqlite::fields::Problem;
use crate::sqlite::trees;

pub(super) fn write_merchant(writer: &mut Writer<'_>, merchant: &Merchant) -> Result<(), Problem> {
    let Merchant { id, name, currency, level, status, addresses, rate_limit } = merchant;
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
    let Product { id, name, group, province, status, aliases, terms, cut_off } = product;
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
    })
}
