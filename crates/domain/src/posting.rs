//! Which transfers each event makes.
//!
//! One function per event of the books. They say where money goes and nothing about when that is
//! allowed; orders do that. Money that passes through us on its way between a merchant and an
//! upstream stands on the clearing account, which is empty of posted money whenever no posting is
//! under way.

use crate::account::{AccountKey, AccountRole};
use crate::identifier::{MerchantId, TransferId, UpstreamName};
use crate::ledger::{Ledger, LedgerError};
use crate::money::{Amount, AmountError, Currency};
use crate::order::Hold;

fn clearing(currency: Currency) -> AccountKey {
    AccountKey::new(AccountRole::Clearing, currency)
}

fn float(upstream: &UpstreamName, currency: Currency) -> AccountKey {
    AccountKey::new(AccountRole::Float(upstream.clone()), currency)
}

/// The accounts that accepting and resolving a purchase or payout may touch. Reversing a refusal may
/// touch the merchant's receivable besides.
pub fn order_accounts(
    merchant: MerchantId,
    upstream: &UpstreamName,
    currency: Currency,
) -> [AccountKey; 4] {
    [
        AccountKey::merchant(merchant, currency),
        clearing(currency),
        float(upstream, currency),
        AccountKey::new(AccountRole::Margin, currency),
    ]
}

/// The accounts that collecting through a channel may touch, besides the merchant's.
pub fn collection_accounts(channel: &str, currency: Currency) -> [AccountKey; 4] {
    [
        inbound(channel, currency),
        AccountKey::new(AccountRole::Fees, currency),
        AccountKey::new(AccountRole::Suspense, currency),
        AccountKey::new(AccountRole::Bank, currency),
    ]
}

fn inbound(channel: &str, currency: Currency) -> AccountKey {
    AccountKey::new(AccountRole::Inbound(channel.to_owned()), currency)
}

/// A purchase or payout is accepted: sets aside what the merchant will pay. A payout makes two of
/// these, the amount and the fee.
pub fn accepted(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    charge: Amount,
) -> Result<Hold, LedgerError> {
    let currency = charge.currency();
    ledger.hold(&AccountKey::merchant(merchant, currency), &clearing(currency), charge)
}

/// A purchase or payout is delivered: takes what was set aside and passes on the upstream's cost.
/// What remains is our margin; a cost above the charge is our loss.
pub fn delivered(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    holds: &mut [Hold],
    upstream: &UpstreamName,
    cost: Amount,
) -> Result<(), LedgerError> {
    let currency = cost.currency();
    let account = AccountKey::merchant(merchant, currency);
    let mut charged = Amount::zero(currency);
    for hold in holds {
        ledger.post(hold, &account, &clearing(currency))?;
        charged = charged.plus(hold.amount).map_err(ledger_error)?;
    }
    pass_on(ledger, upstream, charged, cost)
}

fn pass_on(
    ledger: &mut Ledger<'_>,
    upstream: &UpstreamName,
    charged: Amount,
    cost: Amount,
) -> Result<(), LedgerError> {
    let currency = cost.currency();
    let margin = AccountKey::new(AccountRole::Margin, currency);
    if let Some(loss) = excess(cost, charged)? {
        ledger.direct(&margin, &clearing(currency), loss)?;
    }
    if !cost.is_zero() {
        ledger.direct(&clearing(currency), &float(upstream, currency), cost)?;
    }
    if let Some(profit) = excess(charged, cost)? {
        ledger.direct(&clearing(currency), &margin, profit)?;
    }
    Ok(())
}

/// By how much `left` exceeds `right`; none if it does not. Two currencies do not compare: taking
/// that for "no excess" would leave money on the clearing account.
fn excess(left: Amount, right: Amount) -> Result<Option<Amount>, LedgerError> {
    match left.minus(right) {
        Ok(rest) => Ok((!rest.is_zero()).then_some(rest)),
        Err(AmountError::Negative) => Ok(None),
        Err(error) => Err(ledger_error(error)),
    }
}

const fn ledger_error(error: AmountError) -> LedgerError {
    match error {
        AmountError::CurrencyMismatch { .. } => LedgerError::CurrencyMismatch,
        AmountError::Negative | AmountError::Overflow => LedgerError::Overflow,
    }
}

/// A purchase or payout is refused: gives back what was set aside.
pub fn refused(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    holds: &mut [Hold],
) -> Result<(), LedgerError> {
    for hold in holds {
        let currency = hold.amount.currency();
        let account = AccountKey::merchant(merchant, currency);
        ledger.void(hold, &account, &clearing(currency))?;
    }
    Ok(())
}

/// A payer has paid the merchant through a channel: credits the gross amount and takes our fee.
pub fn collected(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    channel: &str,
    gross: Amount,
    fee: Amount,
) -> Result<(), LedgerError> {
    let currency = gross.currency();
    let account = AccountKey::merchant(merchant, currency);
    ledger.direct(&inbound(channel, currency), &account, gross)?;
    if !fee.is_zero() {
        ledger.direct(&account, &AccountKey::new(AccountRole::Fees, currency), fee)?;
    }
    Ok(())
}

/// Which way the operator corrects a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The merchant receives.
    Credit,
    /// The merchant gives.
    Debit,
}

/// The operator funds or corrects a merchant's balance.
pub fn funded(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    direction: Direction,
    amount: Amount,
) -> Result<TransferId, LedgerError> {
    let currency = amount.currency();
    let account = AccountKey::merchant(merchant, currency);
    let bank = AccountKey::new(AccountRole::Bank, currency);
    match direction {
        Direction::Credit => ledger.direct(&bank, &account, amount),
        Direction::Debit => ledger.direct(&account, &bank, amount),
    }
}

/// An upstream takes back a delivery that was final: the merchant gets the charge back, the
/// upstream its cost, and our margin what is left between them.
pub fn delivery_reversed(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    upstream: &UpstreamName,
    charge: Amount,
    cost: Amount,
) -> Result<(), LedgerError> {
    let currency = charge.currency();
    let margin = AccountKey::new(AccountRole::Margin, currency);
    if !cost.is_zero() {
        ledger.direct(&float(upstream, currency), &clearing(currency), cost)?;
    }
    if let Some(profit) = excess(charge, cost)? {
        ledger.direct(&margin, &clearing(currency), profit)?;
    }
    ledger.direct(&clearing(currency), &AccountKey::merchant(merchant, currency), charge)?;
    if let Some(loss) = excess(cost, charge)? {
        ledger.direct(&clearing(currency), &margin, loss)?;
    }
    Ok(())
}

/// An upstream delivered what it had refused for good: the merchant pays as much of the charge as
/// the balance bears and owes us the rest.
pub fn refusal_reversed(
    ledger: &mut Ledger<'_>,
    merchant: MerchantId,
    upstream: &UpstreamName,
    charge: Amount,
    cost: Amount,
) -> Result<(), LedgerError> {
    let currency = charge.currency();
    let account = AccountKey::merchant(merchant, currency);
    let available = ledger.available(&account)?.clamp(0, charge.minor());
    let borne = Amount::new(available, currency).map_err(|_| LedgerError::Overflow)?;
    if !borne.is_zero() {
        ledger.direct(&account, &clearing(currency), borne)?;
    }
    if let Some(owed) = excess(charge, borne)? {
        let receivable = AccountKey::new(AccountRole::Receivable(merchant), currency);
        ledger.direct(&receivable, &clearing(currency), owed)?;
    }
    pass_on(ledger, upstream, charge, cost)
}

/// Evidence of money came in that belongs to nobody for certain.
pub fn suspended(
    ledger: &mut Ledger<'_>,
    channel: &str,
    amount: Amount,
) -> Result<TransferId, LedgerError> {
    let currency = amount.currency();
    let suspense = AccountKey::new(AccountRole::Suspense, currency);
    ledger.direct(&inbound(channel, currency), &suspense, amount)
}

/// What stood on suspense turns out to be for an order after all: takes it back, as if it came in
/// only now.
pub fn suspension_undone(
    ledger: &mut Ledger<'_>,
    channel: &str,
    amount: Amount,
) -> Result<(), LedgerError> {
    let currency = amount.currency();
    let suspense = AccountKey::new(AccountRole::Suspense, currency);
    ledger.direct(&suspense, &inbound(channel, currency), amount)?;
    Ok(())
}

/// A person decides that what stood on suspense is a merchant's, or goes back through the bank to
/// whoever sent it.
pub fn released(
    ledger: &mut Ledger<'_>,
    merchant: Option<MerchantId>,
    amount: Amount,
) -> Result<TransferId, LedgerError> {
    let currency = amount.currency();
    let suspense = AccountKey::new(AccountRole::Suspense, currency);
    let receiver = match merchant {
        Some(merchant) => AccountKey::merchant(merchant, currency),
        None => AccountKey::new(AccountRole::Bank, currency),
    };
    ledger.direct(&suspense, &receiver, amount)
}

#[cfg(test)]
#[path = "posting_tests.rs"]
mod tests;
