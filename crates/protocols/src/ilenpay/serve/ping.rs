//! Pings: a test message to a merchant's webhook, for whoever knows the webhook's name (ilenpay
//! reference, sections 4.5 and 7.4).

use std::sync::Arc;

use domain::callback::Received;
use domain::{Credential, EndpointKey, MerchantId};
use gateway::exchanges::Note;
use gateway::ports::Parcel;
use subtle::ConstantTimeEq;
use tracing::Span;

use super::{Denial, Served};
use crate::exchange::Answer;
use crate::ilenpay::wire::answer;
use crate::ilenpay::{NAME, callback, codes, preferences, sign};

impl Served {
    /// The name is all that is asked for, so that a person can open the address in a browser.
    pub(super) async fn ping(&self, id: &str, note: &mut Note) -> Result<Answer, Denial> {
        let credential = self.webhook(id).ok_or(codes::PATH_UNKNOWN)?;
        let merchant = credential.merchant;
        Span::current().record("merchant", merchant.0);
        note.merchant = Some(merchant);
        let now = self.gateway.now();
        if !self.pings.admits(merchant, now) {
            return Err(codes::TOO_OFTEN.into());
        }
        let key = self.endpoint_key(merchant);
        let catalogue = self.gateway.catalogue();
        let url = match catalogue.endpoint(&key) {
            Some(endpoint) if endpoint.stopped_at.is_none() => Some(endpoint.url.clone()),
            Some(_) => None,
            None => self.settings.fallback_url.clone(),
        };
        let url = url.ok_or(codes::WEBHOOK_UNSET)?;
        let rendered = callback::ping(&catalogue, &credential, &url, now);
        let parcel = Parcel { url, headers: Vec::new(), rendered: Arc::new(rendered) };
        match self.settings.messenger.send(parcel).await.received {
            received if received.is_delivered() => Ok(answer::done("Ping terkirim")),
            Received::Answered { status, .. } => Err(codes::webhook_answered(status).into()),
            Received::Unreachable { .. } => Err(codes::WEBHOOK_UNREACHABLE.into()),
            Received::NoAddress => Err(codes::WEBHOOK_UNSET.into()),
        }
    }

    /// The live credential whose webhook has this name. All are compared, each in constant time.
    fn webhook(&self, id: &str) -> Option<Arc<Credential>> {
        let now = self.gateway.now();
        let catalogue = self.gateway.catalogue();
        let mut found = None;
        for credential in catalogue.all_credentials() {
            let own = sign::secret(credential, sign::WEBHOOK_ID).unwrap_or_default();
            let ours = credential.protocol.as_str() == NAME && credential.is_live(now);
            let named = bool::from(own.as_bytes().ct_eq(id.as_bytes())) && !own.is_empty();
            if ours && named {
                found = Some(Arc::clone(credential));
            }
        }
        found
    }

    fn endpoint_key(&self, merchant: MerchantId) -> EndpointKey {
        EndpointKey { merchant, protocol: self.protocol.clone() }
    }

    /// Whether the merchant switched something on.
    pub(super) fn prefers(&self, merchant: MerchantId, name: &str) -> bool {
        let key = self.endpoint_key(merchant);
        self.gateway.catalogue().preference(&key, name) == Some(preferences::YES)
    }
}
