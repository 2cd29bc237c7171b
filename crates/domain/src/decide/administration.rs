//! What an operator's act does to the records.
//!
//! A repeat of a named request is answered from what is kept before anything else is looked at. An
//! act that is carried out yields its changes, one audit record, and the answer to be kept, all to
//! be saved in one commit; an act that meets an objection yields nothing.

use crate::administration::{
    Act, Action, Administer, AuditNumber, AuditRecord, CredentialKey, Effect, Facts, KeptAnswer,
    LIVE_CREDENTIALS_MAX, NewCredential, NewMerchant, Objection, SECRET_LENGTH_MIN, Standing,
};
use crate::command::{Fund, Reply, Resolve};
use crate::identifier::{MerchantId, ProductId};
use crate::merchant::{Credential, Merchant, MerchantStatus, Preferences, Repetition};
use crate::order::OrderState;
use crate::posting::Direction;
use crate::product::{Flow, Product, ProductStatus};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::working_set::{Change, WorkingSet};

use super::{DecideFault, Decision, callbacks, collections};

/// An act that is carried out.
pub(super) struct Done {
    pub(super) action: Action,
    pub(super) subject: String,
    pub(super) before: Facts,
    pub(super) after: Facts,
    pub(super) effect: Effect,
    pub(super) changes: Vec<Change>,
}

/// Carried out or objected to, unless something is wrong with us.
pub(super) type Outcome = Result<Result<Done, Objection>, DecideFault>;

pub(super) fn decide(
    working_set: &WorkingSet,
    administer: &Administer,
) -> Result<Decision, DecideFault> {
    if let (Some(key), Some(request)) = (administer.request_key(), &administer.request)
        && let Some(kept) = working_set.kept_answer(&key)?
    {
        return Ok(Decision::unchanged(if kept.fingerprint == request.fingerprint {
            let (audit, effect) = (kept.audit, kept.effect.clone());
            Reply::Administered { audit, effect, repeated: true }
        } else {
            Reply::Objected(Objection::RequestKeyReused)
        }));
    }
    let at = administer.at;
    let outcome = match &administer.act {
        Act::AddMerchant(new) => add_merchant(working_set, new)?,
        Act::SetMerchantStatus { merchant, status } => {
            let action = match status {
                MerchantStatus::Active => Action::MerchantResumed,
                MerchantStatus::Suspended => Action::MerchantSuspended,
            };
            change_merchant(working_set, *merchant, action, |it| it.status = *status)?
        }
        Act::SetAddresses { merchant, addresses } => {
            change_merchant(working_set, *merchant, Action::AddressesSet, |it| {
                it.addresses.clone_from(addresses);
            })?
        }
        Act::SetRateLimit { merchant, rate_limit } => {
            change_merchant(working_set, *merchant, Action::RateLimitSet, |it| {
                it.rate_limit = *rate_limit;
            })?
        }
        Act::SetRepetition { merchant, repetition } => {
            change_merchant(working_set, *merchant, Action::RepetitionSet, |it| {
                it.repetition = *repetition;
            })?
        }
        Act::SetEndpoint { key, url, secret } => {
            callbacks::set_endpoint(working_set, key, url, secret)?
        }
        Act::StopEndpoint { key } => callbacks::stop_endpoint(working_set, key, at)?,
        Act::ResendCallback { callback } => callbacks::resend(working_set, *callback, at)?,
        Act::SetPreferences(preferences) => set_preferences(working_set, preferences)?,
        Act::Release(release) => collections::release(working_set, release)?,
        Act::Assign(credit) => collections::assign(working_set, credit)?,
        Act::EndCollection(end) => collections::end_by_hand(working_set, end)?,
        Act::AddCredential(new) => add_credential(working_set, new, at)?,
        Act::RevokeCredential { merchant, key, serial } => {
            revoke_credential(working_set, *merchant, key, *serial, at)?
        }
        Act::PutProduct(product) => put_product(working_set, product)?,
        Act::SetProductStatus { product, status } => {
            set_product_status(working_set, product, *status)?
        }
        Act::Fund(fund) => fund_merchant(working_set, fund)?,
        Act::Resolve(resolve) => resolve_order(working_set, resolve)?,
    };
    match outcome {
        Ok(done) => recorded(working_set, administer, done),
        Err(objection) => Ok(Decision::unchanged(Reply::Objected(objection))),
    }
}

/// Adds the audit record and what is kept to the changes of the act.
fn recorded(
    working_set: &WorkingSet,
    administer: &Administer,
    done: Done,
) -> Result<Decision, DecideFault> {
    let last = working_set.last_numbers().audit;
    let number = last.map_or(0, |(number, _)| number.0).checked_add(1);
    let (before, after) = differing(done.before, done.after);
    let mut record = AuditRecord {
        number: AuditNumber(number.ok_or(DecideFault::Exhausted)?),
        at: administer.at,
        actor: administer.actor.clone(),
        action: done.action,
        subject: done.subject,
        before,
        after,
        request: administer.request.as_ref().map(|request| request.text.clone()),
        hash: crate::transfer::Hash([0; 32]),
    };
    record.hash = record.expected_hash(last.map(|(_, hash)| hash));
    let audit = record.number;
    let mut changes = done.changes;
    changes.push(Change::AuditRecord(record));
    if let (Some(key), Some(request)) = (administer.request_key(), &administer.request) {
        let effect = done.effect.clone();
        let fingerprint = request.fingerprint;
        changes.push(Change::KeptAnswer(KeptAnswer { key, fingerprint, audit, effect }));
    }
    let reply = Reply::Administered { audit, effect: done.effect, repeated: false };
    Ok(Decision { answer: Ok(reply), changes })
}

/// Leaves out what is the same before and after.
fn differing(mut before: Facts, mut after: Facts) -> (Facts, Facts) {
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(*value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (before, after)
}

pub(super) fn facts<const N: usize>(pairs: [(&str, String); N]) -> Facts {
    let kept = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    kept.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn merchant_facts(merchant: &Merchant) -> Facts {
    let status = match merchant.status {
        MerchantStatus::Active => "active",
        MerchantStatus::Suspended => "suspended",
    };
    let limit = merchant
        .rate_limit
        .map(|limit| format!("{} per second, burst {}", limit.requests_per_second, limit.burst));
    facts([
        ("name", merchant.name.clone()),
        ("currency", merchant.currency.code().to_owned()),
        ("level", merchant.level.0.clone()),
        ("status", status.to_owned()),
        ("addresses", merchant.addresses.join(" ")),
        ("rate_limit", limit.unwrap_or_default()),
        ("repetition", merchant.repetition.name().to_owned()),
    ])
}

fn add_merchant(working_set: &WorkingSet, new: &NewMerchant) -> Outcome {
    let number = working_set.last_numbers().merchant.checked_add(1);
    let merchant = Merchant {
        id: MerchantId(number.ok_or(DecideFault::Exhausted)?),
        name: new.name.clone(),
        currency: new.currency,
        level: new.level.clone(),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    };
    Ok(Ok(merchant_done(Action::MerchantAdded, Facts::new(), merchant)))
}

fn merchant_done(action: Action, before: Facts, merchant: Merchant) -> Done {
    Done {
        action,
        subject: format!("merchant {}", merchant.id),
        before,
        after: merchant_facts(&merchant),
        changes: vec![Change::Merchant(merchant.clone())],
        effect: Effect::Merchant(merchant),
    }
}

fn change_merchant(
    working_set: &WorkingSet,
    id: MerchantId,
    action: Action,
    change: impl FnOnce(&mut Merchant),
) -> Outcome {
    let Some(before) = working_set.merchant(id)? else {
        return Ok(Err(Objection::MerchantUnknown));
    };
    let mut merchant = before.clone();
    change(&mut merchant);
    Ok(Ok(merchant_done(action, merchant_facts(before), merchant)))
}

fn set_preferences(working_set: &WorkingSet, preferences: &Preferences) -> Outcome {
    if working_set.merchant(preferences.merchant)?.is_none() {
        return Ok(Err(Objection::MerchantUnknown));
    }
    Ok(Ok(Done {
        action: Action::PreferencesSet,
        subject: format!("merchant {} {}", preferences.merchant, preferences.protocol),
        before: Facts::new(),
        after: preferences.values.clone(),
        changes: vec![Change::Preferences(preferences.clone())],
        effect: Effect::Preferences(preferences.clone()),
    }))
}

fn credential_subject(credential: &Credential) -> String {
    let Credential { protocol, identifier, serial, .. } = credential;
    format!("credential {protocol} {identifier} {serial}")
}

fn add_credential(working_set: &WorkingSet, new: &NewCredential, at: Timestamp) -> Outcome {
    if working_set.merchant(new.merchant)?.is_none() {
        return Ok(Err(Objection::MerchantUnknown));
    }
    let secrets = new.secrets.values().map(|secret| secret.reveal().chars().count());
    if secrets.clone().any(|length| length < SECRET_LENGTH_MIN) || secrets.count() == 0 {
        return Ok(Err(Objection::SecretTooShort));
    }
    let others = working_set.credentials(&new.key)?;
    if others.iter().any(|other| other.merchant != new.merchant) {
        return Ok(Err(Objection::IdentifierTaken));
    }
    let live = || others.iter().filter(|other| other.is_live(at));
    if live().count() >= LIVE_CREDENTIALS_MAX {
        return Ok(Err(Objection::CredentialsTooMany));
    }
    let last = others.iter().map(|other| other.serial).max().unwrap_or(0);
    let credential = Credential {
        merchant: new.merchant,
        protocol: new.key.protocol.clone(),
        identifier: new.key.identifier.clone(),
        serial: last.checked_add(1).ok_or(DecideFault::Exhausted)?,
        secrets: new.secrets.clone(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    let mut changes = Vec::new();
    let mut after = facts([
        ("merchant", new.merchant.to_string()),
        ("expires_at_ms", milliseconds(new.expires_at)),
    ]);
    if let Some(expiry) = new.previous_expires_at {
        // A rotation brings the end of the old credential nearer and never puts it off.
        for other in live().filter(|other| other.expires_at.is_none_or(|known| known > expiry)) {
            let ended = Credential { expires_at: Some(expiry), ..other.clone() };
            after.insert(
                format!("serial {} expires_at_ms", other.serial),
                milliseconds(Some(expiry)),
            );
            changes.push(Change::Credential(ended));
        }
    }
    changes.push(Change::Credential(credential.clone()));
    Ok(Ok(Done {
        action: Action::CredentialAdded,
        subject: credential_subject(&credential),
        before: Facts::new(),
        after,
        effect: Effect::Credential(credential),
        changes,
    }))
}

fn milliseconds(at: Option<Timestamp>) -> String {
    at.map(|at| at.milliseconds().to_string()).unwrap_or_default()
}

/// The row stays, so that the identifier and the serial are never given out again; the secrets go.
fn revoke_credential(
    working_set: &WorkingSet,
    merchant: MerchantId,
    key: &CredentialKey,
    serial: u32,
    at: Timestamp,
) -> Outcome {
    let found = working_set.credentials(key)?.iter().find(|credential| {
        credential.merchant == merchant
            && credential.serial == serial
            && credential.revoked_at.is_none()
    });
    let Some(before) = found else { return Ok(Err(Objection::CredentialUnknown)) };
    let mut revoked = before.clone();
    revoked.revoked_at = Some(at);
    revoked.secrets.clear();
    Ok(Ok(Done {
        action: Action::CredentialRevoked,
        subject: credential_subject(&revoked),
        before: facts([("merchant", merchant.to_string()), ("revoked", "no".to_owned())]),
        after: facts([("merchant", merchant.to_string()), ("revoked", "yes".to_owned())]),
        changes: vec![Change::Credential(revoked.clone())],
        effect: Effect::Credential(revoked),
    }))
}

fn product_facts(product: &Product) -> Facts {
    let aliases: Vec<String> =
        product.aliases.iter().map(|alias| format!("{}:{}", alias.protocol, alias.code)).collect();
    let terms = product.terms.iter().map(|terms| {
        let protocol = terms.protocol.as_ref().map(ToString::to_string).unwrap_or_default();
        let (fee, commission) = (terms.admin_fee, terms.commission);
        format!("{}/{protocol}: fee {fee}, commission {commission}", terms.level.0)
    });
    let prices = product.top_up.iter().flat_map(|top_up| &top_up.prices).map(|price| {
        let protocol = price.protocol.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}/{protocol}: {}", price.level.0, price.amount)
    });
    let channel = product.channel.as_ref();
    let fee = channel.map(|it| format!("{} per million and {}", it.fee.per_million, it.fee.fixed));
    let rate = channel.and_then(|channel| channel.rate_hundredths);
    let flow = channel.map(|channel| match channel.flow {
        Flow::In => "in",
        Flow::Out => "out",
    });
    let currencies = channel.map_or(&[][..], |channel| &channel.currencies);
    let currencies: Vec<_> = currencies.iter().map(|currency| currency.code()).collect();
    let amount_max = channel.and_then(|channel| channel.amount_max);
    let top_up = product.top_up.as_ref();
    let cost = top_up.and_then(|top_up| top_up.cost);
    let cut_off = product
        .cut_off
        .map(|cut_off| format!("{} to {} min", cut_off.from_minute, cut_off.until_minute));
    facts([
        ("name", product.name.clone()),
        ("group", product.group.clone()),
        ("province", product.province.clone().unwrap_or_default()),
        ("status", product_status(product.status).to_owned()),
        ("aliases", aliases.join(" ")),
        ("terms", terms.collect::<Vec<_>>().join("; ")),
        ("cut_off", cut_off.unwrap_or_default()),
        ("operator", top_up.map(|it| it.operator.clone()).unwrap_or_default()),
        ("denomination", top_up.map(|it| it.denomination.clone()).unwrap_or_default()),
        ("details", top_up.map(|it| it.details.clone()).unwrap_or_default()),
        ("active_days", top_up.map(|it| it.active_days.to_string()).unwrap_or_default()),
        ("cost", cost.map(|cost| cost.to_string()).unwrap_or_default()),
        ("prices", prices.collect::<Vec<_>>().join("; ")),
        ("fee", fee.unwrap_or_default()),
        ("rate_hundredths", rate.map(|rate| rate.to_string()).unwrap_or_default()),
        ("flow", flow.unwrap_or_default().to_owned()),
        ("currencies", currencies.join(" ")),
        ("amount_max", amount_max.map(|minor| format!("{minor} minor units")).unwrap_or_default()),
        ("account", channel.map(|channel| channel.account.clone()).unwrap_or_default()),
    ])
}

const fn product_status(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Active => "active",
        ProductStatus::Inactive => "inactive",
    }
}

fn put_product(working_set: &WorkingSet, product: &Product) -> Outcome {
    for alias in &product.aliases {
        match working_set.alias(alias)? {
            Some(holder) if *holder != product.id => {
                let (alias, holder) = (alias.clone(), holder.clone());
                return Ok(Err(Objection::AliasTaken { alias, holder }));
            }
            _ => {}
        }
    }
    let before = working_set.product(&product.id)?.map(product_facts).unwrap_or_default();
    Ok(Ok(product_done(Action::ProductPut, before, product.clone())))
}

fn set_product_status(working_set: &WorkingSet, id: &ProductId, status: ProductStatus) -> Outcome {
    let Some(before) = working_set.product(id)? else {
        return Ok(Err(Objection::ProductUnknown));
    };
    let action = match status {
        ProductStatus::Active => Action::ProductActivated,
        ProductStatus::Inactive => Action::ProductDeactivated,
    };
    let product = Product { status, ..before.clone() };
    Ok(Ok(product_done(action, product_facts(before), product)))
}

fn product_done(action: Action, before: Facts, product: Product) -> Done {
    Done {
        action,
        subject: format!("product {}", product.id),
        before,
        after: product_facts(&product),
        changes: vec![Change::Product(product.clone())],
        effect: Effect::Product(product),
    }
}

/// A reference is used once, also for the same amount: an operator who uses it again is told that
/// nothing was moved, and does not have to guess.
fn fund_merchant(working_set: &WorkingSet, fund: &Fund) -> Outcome {
    let id = fund.key.merchant;
    let Some(merchant) = working_set.merchant(id)? else {
        return Ok(Err(Objection::MerchantUnknown));
    };
    if merchant.currency != fund.amount.currency() {
        return Ok(Err(Objection::CurrencyMismatch));
    }
    if working_set.funding(&fund.key)?.is_some() {
        return Ok(Err(Objection::FundingReferenceUsed));
    }
    let Decision { answer, changes } = super::decide_fund(working_set, fund)?;
    let balance = match answer {
        Ok(Reply::Funded { balance }) => balance,
        Err(Refusal::BalanceInsufficient) => return Ok(Err(Objection::BalanceInsufficient)),
        _ => return Ok(Err(Objection::AmountInvalid)),
    };
    let funding = changes.iter().find_map(|change| match change {
        Change::Funding(funding) => Some(funding.clone()),
        _ => None,
    });
    let funding = funding.ok_or(DecideFault::Exhausted)?;
    let action = match fund.direction {
        Direction::Credit => Action::BalanceCredited,
        Direction::Debit => Action::BalanceDebited,
    };
    let after = facts([
        ("reference", fund.key.reference.clone()),
        ("amount", fund.amount.to_string()),
        ("reason", fund.reason.clone()),
        ("transfer", funding.transfer.to_string()),
        ("balance", balance.to_string()),
    ]);
    Ok(Ok(Done {
        action,
        subject: format!("merchant {id}"),
        before: Facts::new(),
        after,
        effect: Effect::Funded { funding, balance },
        changes,
    }))
}

/// The outcome may have been recorded a moment before by the supplier's own notice; the decision is
/// recorded all the same.
fn resolve_order(working_set: &WorkingSet, resolve: &Resolve) -> Outcome {
    let before = working_set.order(resolve.order)?.map(|order| order.state);
    let Decision { answer, changes } = super::decide_resolve(working_set, resolve)?;
    let order = match answer {
        Ok(Reply::Resolved { order, .. }) => order,
        Ok(_) => return Ok(Err(Objection::OrderNotPending)),
        Err(_) => return Ok(Err(Objection::OrderUnknown)),
    };
    let standing = Standing { order: order.id, key: order.key.clone(), state: order.state };
    let state = |state: OrderState| facts([("state", state.name().to_owned())]);
    Ok(Ok(Done {
        action: Action::OrderResolved,
        subject: format!("order {}", order.id),
        before: before.map(state).unwrap_or_default(),
        after: state(order.state),
        effect: Effect::Resolved(standing),
        changes,
    }))
}

#[cfg(test)]
#[path = "administration_tests.rs"]
mod tests;
