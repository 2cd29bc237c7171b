//! Accounts, transfers and fundings as bytes.

use domain::account::Counters;
use domain::command::{Funding, FundingKey};
use domain::{
    Account, AccountId, AccountKey, AccountRole, OrderId, Transfer, TransferId, TransferKind,
    UpstreamName,
};

use super::bytes::{Reader, Writer};
use super::words::{
    read_amount, read_currency, read_direction, read_hash, read_merchant_id, read_timestamp,
    write_amount, write_currency, write_direction, write_hash, write_timestamp,
};
use crate::sqlite::fields::Problem;

pub(super) fn write_account(writer: &mut Writer<'_>, account: &Account) -> Result<(), Problem> {
    let Account { id, key: AccountKey { role, currency }, counters, latest } = account;
    let Counters { debits_pending, debits_posted, credits_pending, credits_posted } = *counters;
    writer.number(id.0);
    write_role(writer, role);
    write_currency(writer, *currency);
    for counter in [debits_pending, debits_posted, credits_pending, credits_posted] {
        writer.signed(counter);
    }
    writer.optional(*latest, |writer, (transfer, hash)| {
        writer.number(transfer.0);
        write_hash(writer, hash);
    });
    Ok(())
}

pub(super) fn read_account(reader: &mut Reader<'_>) -> Result<Account, Problem> {
    Ok(Account {
        id: AccountId(reader.number()?),
        key: AccountKey { role: read_role(reader)?, currency: read_currency(reader)? },
        counters: Counters {
            debits_pending: reader.signed()?,
            debits_posted: reader.signed()?,
            credits_pending: reader.signed()?,
            credits_posted: reader.signed()?,
        },
        latest: reader.optional(|reader| Ok((TransferId(reader.number()?), read_hash(reader)?)))?,
    })
}

fn write_role(writer: &mut Writer<'_>, role: &AccountRole) {
    match role {
        AccountRole::Merchant(merchant) => {
            writer.byte(1);
            writer.number(merchant.0);
        }
        AccountRole::Clearing => writer.byte(2),
        AccountRole::Float(upstream) => {
            writer.byte(3);
            writer.text(upstream.as_str());
        }
        AccountRole::Margin => writer.byte(4),
        AccountRole::Fees => writer.byte(5),
        AccountRole::Bank => writer.byte(6),
        AccountRole::Inbound(channel) => {
            writer.byte(7);
            writer.text(channel);
        }
        AccountRole::Suspense => writer.byte(8),
        AccountRole::Receivable(merchant) => {
            writer.byte(9);
            writer.number(merchant.0);
        }
    }
}

fn read_role(reader: &mut Reader<'_>) -> Result<AccountRole, Problem> {
    Ok(match reader.byte()? {
        1 => AccountRole::Merchant(read_merchant_id(reader)?),
        2 => AccountRole::Clearing,
        3 => AccountRole::Float(UpstreamName::new(reader.text()?)),
        4 => AccountRole::Margin,
        5 => AccountRole::Fees,
        6 => AccountRole::Bank,
        7 => AccountRole::Inbound(reader.text()?.to_owned()),
        8 => AccountRole::Suspense,
        9 => AccountRole::Receivable(read_merchant_id(reader)?),
        other => return Err(format!("{other} is not a role of an account")),
    })
}

pub(super) fn write_transfer(writer: &mut Writer<'_>, transfer: &Transfer) -> Result<(), Problem> {
    let Transfer {
        id,
        order,
        kind,
        debit,
        credit,
        amount,
        at,
        previous_debit,
        previous_credit,
        hash,
    } = transfer;
    writer.number(id.0);
    writer.optional(*order, |writer, order| writer.number(order.0));
    match kind {
        TransferKind::Direct => writer.byte(1),
        TransferKind::Hold => writer.byte(2),
        TransferKind::Post(hold) => {
            writer.byte(3);
            writer.number(hold.0);
        }
        TransferKind::Void(hold) => {
            writer.byte(4);
            writer.number(hold.0);
        }
    }
    writer.number(debit.0);
    writer.number(credit.0);
    write_amount(writer, *amount);
    write_timestamp(writer, *at);
    for previous in [previous_debit, previous_credit] {
        writer.optional(*previous, |writer, transfer| writer.number(transfer.0));
    }
    write_hash(writer, *hash);
    Ok(())
}

pub(super) fn read_transfer(reader: &mut Reader<'_>) -> Result<Transfer, Problem> {
    Ok(Transfer {
        id: TransferId(reader.number()?),
        order: reader.optional(Reader::number)?.map(OrderId),
        kind: match reader.byte()? {
            1 => TransferKind::Direct,
            2 => TransferKind::Hold,
            3 => TransferKind::Post(TransferId(reader.number()?)),
            4 => TransferKind::Void(TransferId(reader.number()?)),
            other => return Err(format!("{other} is not a kind of transfer")),
        },
        debit: AccountId(reader.number()?),
        credit: AccountId(reader.number()?),
        amount: read_amount(reader)?,
        at: read_timestamp(reader)?,
        previous_debit: reader.optional(Reader::number)?.map(TransferId),
        previous_credit: reader.optional(Reader::number)?.map(TransferId),
        hash: read_hash(reader)?,
    })
}

pub(super) fn write_funding(writer: &mut Writer<'_>, funding: &Funding) -> Result<(), Problem> {
    let Funding {
        key: FundingKey { merchant, reference },
        direction,
        amount,
        reason,
        transfer,
        at,
    } = funding;
    writer.number(merchant.0);
    writer.text(reference);
    write_direction(writer, *direction);
    write_amount(writer, *amount);
    writer.text(reason);
    writer.number(transfer.0);
    write_timestamp(writer, *at);
    Ok(())
}

pub(super) fn read_funding(reader: &mut Reader<'_>) -> Result<Funding, Problem> {
    Ok(Funding {
        key: FundingKey {
            merchant: read_merchant_id(reader)?,
            reference: reader.text()?.to_owned(),
        },
        direction: read_direction(reader)?,
        amount: read_amount(reader)?,
        reason: reader.text()?.to_owned(),
        transfer: TransferId(reader.number()?),
        at: read_timestamp(reader)?,
    })
}
