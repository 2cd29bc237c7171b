//! What operators do: each act is one command, recorded with who did it, and seen by the requests
//! that follow it.
//!
//! An act that has begun is finished whether or not its caller waits for it, because a merchant who
//! is suspended in the books must not go on dealing from the catalogue in memory. Whether somebody
//! may do it is decided by whoever knows the tokens.

use std::sync::Arc;

use domain::administration::{
    Act, Actor, Administer, AuditNumber, Effect, NamedRequest, Objection, RequestKey,
};
use domain::{Account, AccountKey, Amount, Command, MerchantId, Order, Reply, Secret};
use thiserror::Error;

use crate::Gateway;
use crate::inquire::unexpected;
use crate::ports::{Entropy, StoreFault};

/// Who does something, and what the caller calls the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The caller's own name for the request, if it has one.
    pub request: Option<NamedRequest>,
}

/// An act that was carried out, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The record of it.
    pub audit: AuditNumber,
    /// What it brought about.
    pub effect: Effect,
    /// Whether it was done before, by a request of the same name.
    pub repeated: bool,
}

/// Why an act was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActFault {
    /// A rule speaks against it. Nothing changed.
    #[error(transparent)]
    Objected(#[from] Objection),
    /// Ours. It may have been carried out unless the fault says otherwise.
    #[error(transparent)]
    Fault(#[from] StoreFault),
}

/// How many random bytes a key is made of.
const KEY_BYTES: usize = 16;

/// A new key that nobody can guess: 128 random bits in 32 hexadecimal digits.
pub fn random_key(entropy: &dyn Entropy) -> Secret {
    let mut bytes = [0; KEY_BYTES];
    entropy.fill(&mut bytes);
    Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl Gateway {
    /// Carries out an act. The same request by the same actor is carried out once and answered
    /// alike for ever.
    pub async fn act(self: &Arc<Self>, by: By, act: Act) -> Result<Done, ActFault> {
        let gateway = Arc::clone(self);
        let running = self.calls.spawn(async move {
            let done = gateway.administer_as(&by, act).await?;
            if !matches!(done.effect, Effect::Funded { .. } | Effect::Resolved(_)) {
                gateway.refresh_catalogue().await?;
            }
            Ok(done)
        });
        running.await.unwrap_or(Err(StoreFault::Stopped.into()))
    }

    /// What was answered to a request of this name before. An act that reaches beyond the books has
    /// to know before it begins.
    pub async fn done_before(&self, by: &By) -> Result<Option<Done>, ActFault> {
        let Some(request) = &by.request else { return Ok(None) };
        let key = RequestKey { actor: by.actor.name.clone(), text: request.text.clone() };
        match self.store.kept_answer(&key).await? {
            None => Ok(None),
            Some(kept) if kept.fingerprint == request.fingerprint => {
                Ok(Some(Done { audit: kept.audit, effect: kept.effect, repeated: true }))
            }
            Some(_) => Err(Objection::RequestKeyReused.into()),
        }
    }

    pub(crate) async fn administer_as(&self, by: &By, act: Act) -> Result<Done, ActFault> {
        let command = Command::Administer(Administer {
            actor: by.actor.clone(),
            request: by.request.clone(),
            at: self.now(),
            act,
        });
        match self.store.execute(command, None).await? {
            Ok(Reply::Administered { audit, effect, repeated }) => {
                if matches!(effect, Effect::Resolved(_) | Effect::Resent(_)) {
                    self.news.notify_one();
                }
                Ok(Done { audit, effect, repeated })
            }
            Ok(Reply::Objected(objection)) => Err(objection.into()),
            Ok(other) => Err(unexpected(&other).into()),
            Err(refusal) => Err(StoreFault::Corrupt(refusal.to_string()).into()),
        }
    }

    /// Reads merchants, credentials and products anew. One at a time, so that a reading that began
    /// earlier never takes the place of a later one.
    pub(crate) async fn refresh_catalogue(&self) -> Result<(), StoreFault> {
        let _turn = self.catalogue_reading.lock().await;
        self.catalogue.store(Arc::new(self.reports.catalogue().await?));
        Ok(())
    }

    /// What a merchant may still spend; none if there is no such merchant.
    pub async fn balance_of(&self, merchant: MerchantId) -> Result<Option<Amount>, StoreFault> {
        let catalogue = self.catalogue();
        let Some(merchant) = catalogue.merchant(merchant) else { return Ok(None) };
        self.available(merchant).await.map(Some)
    }

    /// An account by its name.
    pub async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        self.store.account(key).await
    }

    /// Any merchant's order by its number.
    pub async fn any_order(&self, id: domain::OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        self.store.order(id).await
    }
}
