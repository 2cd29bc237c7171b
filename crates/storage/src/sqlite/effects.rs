//! The JSON in which the answers to operators are kept.
//!
//! Like the other trees, a stored form is changed only by a migration that rewrites what is stored.

use std::collections::BTreeMap;

use domain::administration::{Effect, Standing};
use domain::command::{Funding, FundingKey};
use domain::posting::Direction;
use domain::product::CutOff;
use domain::{
    CallbackId, Credential, Endpoint, EndpointKey, Evidence, EvidenceKey, EvidenceState, Level,
    Merchant, MerchantId, MerchantStatus, Mode, OrderId, OrderState, Preferences, Product,
    ProductId, ProductStatus, ProtocolName, RateLimit, Reference, ReferenceKey, Secret, Timestamp,
    TransferId,
};
use serde::{Deserialize, Serialize};

use super::fields::{Problem, amount, currency};
use super::trees;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredEffect {
    Merchant {
        id: u32,
        name: String,
        currency: String,
        level: String,
        active: bool,
        addresses: Vec<String>,
        /// Requests per second, and burst.
        rate_limit: Option<(u32, u32)>,
        repetition: String,
    },
    Credential {
        merchant: u32,
        protocol: String,
        identifier: String,
        serial: u32,
        secrets: BTreeMap<String, String>,
        expires_at_ms: Option<i64>,
        revoked_at_ms: Option<i64>,
    },
    Product {
        id: String,
        name: String,
        group: String,
        province: Option<String>,
        active: bool,
        /// As in the table of products.
        aliases: String,
        /// As in the table of products.
        terms: String,
        cut_off: Option<(u16, u16)>,
        /// As in the table of products.
        top_up: Option<String>,
        /// As in the table of products.
        channel: Option<String>,
    },
    Funded {
        merchant: u32,
        reference: String,
        credit: bool,
        currency: String,
        amount_minor: i64,
        balance_minor: i64,
        reason: String,
        transfer: u64,
        at_ms: i64,
    },
    Resolved {
        order: u64,
        merchant: u32,
        protocol: String,
        live: bool,
        reference: String,
        state: String,
        refusal: Option<String>,
    },
    Endpoint {
        merchant: u32,
        protocol: String,
        url: String,
        secret: String,
        stopped_at_ms: Option<i64>,
    },
    Resent {
        callback: u64,
    },
    Preferences {
        merchant: u32,
        protocol: String,
        values: BTreeMap<String, String>,
    },
    Released {
        source: String,
        id: String,
        channel: String,
        amount_minor: i64,
        currency: String,
        sender: String,
        reference: String,
        came_in_at_ms: i64,
        seen_at_ms: i64,
        /// To which merchant; none is back to whoever sent it.
        merchant: Option<u32>,
    },
}

pub(super) fn write(effect: &Effect) -> Result<String, Problem> {
    let stored = match effect {
        Effect::Merchant(merchant) => StoredEffect::Merchant {
            id: merchant.id.0,
            name: merchant.name.clone(),
            currency: merchant.currency.code().to_owned(),
            level: merchant.level.0.clone(),
            active: merchant.status == MerchantStatus::Active,
            addresses: merchant.addresses.clone(),
            rate_limit: merchant.rate_limit.map(|it| (it.requests_per_second, it.burst)),
            repetition: merchant.repetition.name().to_owned(),
        },
        Effect::Credential(credential) => {
            let secrets = credential.secrets.iter();
            StoredEffect::Credential {
                merchant: credential.merchant.0,
                protocol: credential.protocol.to_string(),
                identifier: credential.identifier.clone(),
                serial: credential.serial,
                secrets: secrets
                    .map(|(name, secret)| (name.clone(), secret.reveal().to_owned()))
                    .collect(),
                expires_at_ms: credential.expires_at.map(Timestamp::milliseconds),
                revoked_at_ms: credential.revoked_at.map(Timestamp::milliseconds),
            }
        }
        Effect::Product(product) => StoredEffect::Product {
            id: product.id.to_string(),
            name: product.name.clone(),
            group: product.group.clone(),
            province: product.province.clone(),
            active: product.status == ProductStatus::Active,
            aliases: trees::write_aliases(&product.aliases)?,
            terms: trees::write_terms(&product.terms)?,
            cut_off: product.cut_off.map(|it| (it.from_minute, it.until_minute)),
            top_up: product.top_up.as_ref().map(trees::write_top_up).transpose()?,
            channel: product.channel.as_ref().map(trees::write_channel).transpose()?,
        },
        Effect::Funded { funding, balance } => StoredEffect::Funded {
            merchant: funding.key.merchant.0,
            reference: funding.key.reference.clone(),
            credit: funding.direction == Direction::Credit,
            currency: funding.amount.currency().code().to_owned(),
            amount_minor: funding.amount.minor(),
            balance_minor: balance.minor(),
            reason: funding.reason.clone(),
            transfer: funding.transfer.0,
            at_ms: funding.at.milliseconds(),
        },
        Effect::Resolved(standing) => StoredEffect::Resolved {
            order: standing.order.0,
            merchant: standing.key.merchant.0,
            protocol: standing.key.protocol.to_string(),
            live: standing.key.mode == Mode::Live,
            reference: standing.key.reference.to_string(),
            state: standing.state.name().to_owned(),
            refusal: match standing.state {
                OrderState::Declined(refusal) | OrderState::Failed(refusal) => {
                    Some(refusal.name().to_owned())
                }
                _ => None,
            },
        },
        Effect::Endpoint(endpoint) => StoredEffect::Endpoint {
            merchant: endpoint.key.merchant.0,
            protocol: endpoint.key.protocol.to_string(),
            url: endpoint.url.clone(),
            secret: endpoint.secret.reveal().to_owned(),
            stopped_at_ms: endpoint.stopped_at.map(Timestamp::milliseconds),
        },
        Effect::Resent(callback) => StoredEffect::Resent { callback: callback.0 },
        Effect::Preferences(preferences) => StoredEffect::Preferences {
            merchant: preferences.merchant.0,
            protocol: preferences.protocol.to_string(),
            values: preferences.values.clone(),
        },
        Effect::Released(evidence) => released(evidence)?,
    };
    serde_json::to_string(&stored).map_err(|error| error.to_string())
}

fn released(evidence: &Evidence) -> Result<StoredEffect, Problem> {
    let EvidenceState::Released(merchant) = evidence.state else {
        return Err("evidence is not released by its release".to_owned());
    };
    Ok(StoredEffect::Released {
        source: evidence.key.source.clone(),
        id: evidence.key.id.clone(),
        channel: evidence.channel.clone(),
        amount_minor: evidence.amount.minor(),
        currency: evidence.amount.currency().code().to_owned(),
        sender: evidence.sender.clone(),
        reference: evidence.reference.clone(),
        came_in_at_ms: evidence.came_in_at.milliseconds(),
        seen_at_ms: evidence.seen_at.milliseconds(),
        merchant: merchant.map(|merchant| merchant.0),
    })
}

/// What the reader says of broken JSON may quote it, so nothing of that is passed on.
pub(super) fn read(json: &str) -> Result<Effect, Problem> {
    let stored = serde_json::from_str(json).map_err(|_| "answer cannot be read".to_owned())?;
    Ok(match stored {
        StoredEffect::Merchant {
            id,
            name,
            currency: code,
            level,
            active,
            addresses,
            rate_limit,
            repetition,
        } => Effect::Merchant(Merchant {
            id: MerchantId(id),
            name,
            currency: currency(&code)?,
            level: Level(level),
            status: if active { MerchantStatus::Active } else { MerchantStatus::Suspended },
            addresses,
            rate_limit: rate_limit
                .map(|(requests_per_second, burst)| RateLimit { requests_per_second, burst }),
            repetition: super::catalogue::repetition(&repetition)?,
        }),
        StoredEffect::Credential {
            merchant,
            protocol,
            identifier,
            serial,
            secrets,
            expires_at_ms,
            revoked_at_ms,
        } => Effect::Credential(Credential {
            merchant: MerchantId(merchant),
            protocol: ProtocolName::new(protocol),
            identifier,
            serial,
            secrets: secrets.into_iter().map(|(name, it)| (name, Secret::new(it))).collect(),
            expires_at: expires_at_ms.map(Timestamp::from_milliseconds),
            revoked_at: revoked_at_ms.map(Timestamp::from_milliseconds),
        }),
        StoredEffect::Product {
            id,
            name,
            group,
            province,
            active,
            aliases,
            terms,
            cut_off,
            top_up,
            channel,
        } => Effect::Product(Product {
            id: ProductId::new(id),
            name,
            group,
            province,
            status: if active { ProductStatus::Active } else { ProductStatus::Inactive },
            aliases: trees::read_aliases(&aliases)?,
            terms: trees::read_terms(&terms)?,
            cut_off: cut_off
                .map(|(from_minute, until_minute)| CutOff { from_minute, until_minute }),
            top_up: top_up.as_deref().map(trees::read_top_up).transpose()?,
            channel: channel.as_deref().map(trees::read_channel).transpose()?,
        }),
        StoredEffect::Funded {
            merchant,
            reference,
            credit,
            currency: code,
            amount_minor,
            balance_minor,
            reason,
            transfer,
            at_ms,
        } => Effect::Funded {
            balance: amount(balance_minor, currency(&code)?)?,
            funding: Funding {
                key: FundingKey { merchant: MerchantId(merchant), reference },
                direction: if credit { Direction::Credit } else { Direction::Debit },
                amount: amount(amount_minor, currency(&code)?)?,
                reason,
                transfer: TransferId(transfer),
                at: Timestamp::from_milliseconds(at_ms),
            },
        },
        StoredEffect::Resolved {
            order,
            merchant,
            protocol,
            live,
            reference,
            state,
            refusal: refused,
        } => Effect::Resolved(Standing {
            order: OrderId(order),
            key: ReferenceKey {
                merchant: MerchantId(merchant),
                protocol: ProtocolName::new(protocol),
                mode: if live { Mode::Live } else { Mode::Test },
                reference: Reference::new(reference),
            },
            state: super::orders::state(&state, refused.as_deref())?,
        }),
        StoredEffect::Endpoint { merchant, protocol, url, secret, stopped_at_ms } => {
            Effect::Endpoint(Endpoint {
                key: EndpointKey {
                    merchant: MerchantId(merchant),
                    protocol: ProtocolName::new(protocol),
                },
                url,
                secret: Secret::new(secret),
                stopped_at: stopped_at_ms.map(Timestamp::from_milliseconds),
            })
        }
        StoredEffect::Resent { callback } => Effect::Resent(CallbackId(callback)),
        StoredEffect::Preferences { merchant, protocol, values } => {
            Effect::Preferences(Preferences {
                merchant: MerchantId(merchant),
                protocol: ProtocolName::new(protocol),
                values,
            })
        }
        StoredEffect::Released {
            source,
            id,
            channel,
            amount_minor,
            currency: code,
            sender,
            reference,
            came_in_at_ms,
            seen_at_ms,
            merchant,
        } => Effect::Released(Evidence {
            key: EvidenceKey { source, id },
            channel,
            amount: amount(amount_minor, currency(&code)?)?,
            sender,
            reference,
            came_in_at: Timestamp::from_milliseconds(came_in_at_ms),
            seen_at: Timestamp::from_milliseconds(seen_at_ms),
            state: EvidenceState::Released(merchant.map(MerchantId)),
        }),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Alias, Amount, Currency, Refusal, Repetition, Terms};

    use super::*;

    #[test]
    fn every_effect_comes_back_as_it_was() {
        let at = Timestamp::from_milliseconds(5);
        let merchant = Merchant {
            id: MerchantId(7),
            name: "Toko".to_owned(),
            currency: Currency::Thb,
            level: Level("retail".to_owned()),
            status: MerchantStatus::Suspended,
            addresses: vec!["10.0.0.0/8".to_owned()],
            rate_limit: Some(RateLimit { requests_per_second: 3, burst: 9 }),
            repetition: Repetition::OncePerProduct,
        };
        let credential = Credential {
            merchant: MerchantId(7),
            protocol: ProtocolName::new("iak"),
            identifier: "0812".to_owned(),
            serial: 2,
            secrets: BTreeMap::from([("api_key".to_owned(), Secret::new("canary"))]),
            expires_at: Some(at),
            revoked_at: Some(at),
        };
        let product = Product {
            id: ProductId::new("pln"),
            name: "PLN".to_owned(),
            group: "pln".to_owned(),
            province: Some("DKI".to_owned()),
            status: ProductStatus::Inactive,
            aliases: vec![Alias { protocol: ProtocolName::new("iak"), code: "PLN".to_owned() }],
            terms: vec![Terms {
                level: Level("retail".to_owned()),
                protocol: None,
                admin_fee: Amount::rupiah(2500),
                commission: Amount::rupiah(600),
            }],
            cut_off: Some(CutOff { from_minute: 1380, until_minute: 60 }),
            top_up: None,
            channel: None,
        };
        let funding = |direction| Effect::Funded {
            funding: Funding {
                key: FundingKey { merchant: MerchantId(7), reference: "f1".to_owned() },
                direction,
                amount: Amount::rupiah(5),
                reason: "transfer".to_owned(),
                transfer: TransferId(9),
                at,
            },
            balance: Amount::rupiah(6),
        };
        let standing = |mode, state| {
            Effect::Resolved(Standing {
                order: OrderId(3),
                key: ReferenceKey {
                    merchant: MerchantId(7),
                    protocol: ProtocolName::new("iak"),
                    mode,
                    reference: Reference::new("r1"),
                },
                state,
            })
        };
        let effects = [
            Effect::Merchant(merchant),
            Effect::Credential(credential),
            Effect::Product(product),
            funding(Direction::Credit),
            funding(Direction::Debit),
            standing(Mode::Live, OrderState::Succeeded),
            standing(Mode::Test, OrderState::Failed(Refusal::PaymentFailed)),
        ];
        for effect in effects {
            let json = write(&effect).expect("written");
            assert_eq!(read(&json), Ok(effect), "{json}");
        }
    }

    #[test]
    fn a_broken_answer_is_not_quoted() {
        let problem = read(r#"{"credential":{"secrets":{"api_key":"canary"}}}"#);
        assert!(problem.is_err_and(|problem| !problem.contains("canary")));
    }
}
