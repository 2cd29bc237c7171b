//! What the routes of callbacks do: addresses, what is owed, and trying an address out.

use domain::administration::Act;
use domain::callback::{Endpoint, EndpointKey};
use domain::{CallbackId, CallbackState, MerchantId, OrderId, ProtocolName, Repetition, Secret};
use gateway::courier::{random_secret, test_parcel};
use gateway::ports::CallbackFilter;
use serde_json::Value;

use super::callback_views::{
    self, CallbackDetail, CallbackPage, EndpointList, EndpointView, IssuedEndpoint,
};
use super::calls::{Call, Outcome, shown};
use super::codes::{Code, Denial};
use super::forms::{Protocol, RepetitionRule};
use super::requests::{CallbackTest, EndpointToSet, RepetitionShape};
use super::views;
use crate::messenger::target::{Host, Target};

impl Call {
    pub(super) async fn put_repetition(&self) -> Outcome {
        let wanted: RepetitionShape = self.body()?;
        let repetition = match wanted.repetition {
            RepetitionRule::Free => Repetition::Free,
            RepetitionRule::OncePerProduct => Repetition::OncePerProduct,
            RepetitionRule::OncePerNumber => Repetition::OncePerNumber,
        };
        self.act(Act::SetRepetition { merchant: self.merchant_id()?, repetition }).await
    }

    /// A protocol that nobody knows has no address.
    pub(super) fn endpoint_key(&self) -> Result<EndpointKey, Denial> {
        let word = self.path.get(1).cloned().unwrap_or_default();
        let protocol: Protocol =
            serde_json::from_value(Value::String(word)).map_err(|_| Code::EndpointUnknown)?;
        Ok(EndpointKey { merchant: self.merchant_id()?, protocol: protocol_name(protocol) })
    }

    pub(super) fn list_endpoints(&self) -> Outcome {
        let merchant = self.merchant()?;
        let catalogue = self.gateway.catalogue();
        let own = catalogue.endpoints_of(merchant.id);
        shown(&EndpointList { items: own.map(|it| EndpointView::from(it.as_ref())).collect() })
    }

    pub(super) fn get_endpoint(&self) -> Outcome {
        self.merchant()?;
        let catalogue = self.gateway.catalogue();
        let endpoint = catalogue.endpoint(&self.endpoint_key()?);
        shown(&EndpointView::from(endpoint.ok_or(Code::EndpointUnknown)?.as_ref()))
    }

    pub(super) async fn put_endpoint(&self) -> Outcome {
        let wanted: EndpointToSet = self.body()?;
        let key = self.endpoint_key()?;
        let url = self.callback_url(&wanted.url.0)?;
        let keeps = wanted.keep_secret == Some(true);
        let secret = match wanted.secret {
            Some(_) if keeps => {
                let what = "a secret is either given or kept";
                return Err(Denial::with(Code::RequestMalformed, what));
            }
            Some(given) => Secret::new(given.0),
            None if keeps => self.kept_secret(&key)?,
            None => random_secret(self.entropy.as_ref()),
        };
        let act = Act::SetEndpoint { key, url, secret };
        let done = self.gateway.act(self.by.clone(), act).await?;
        let domain::administration::Effect::Endpoint(endpoint) = &done.effect else {
            return Ok(views::of_act(&done));
        };
        // What is shown follows from the request and from what is kept, so that a repeat gets the
        // same.
        let secret = (!keeps).then(|| endpoint.secret.reveal().to_owned());
        shown(&IssuedEndpoint { endpoint: endpoint.into(), secret })
    }

    fn kept_secret(&self, key: &EndpointKey) -> Result<Secret, Denial> {
        let catalogue = self.gateway.catalogue();
        let known = catalogue.endpoint(key).map(|endpoint| endpoint.secret.clone());
        known.ok_or_else(|| Code::EndpointUnknown.into())
    }

    /// An address in the one form in which it is kept. One that says itself where it leads is judged
    /// at once; a name is judged at each try.
    fn callback_url(&self, text: &str) -> Result<String, Denial> {
        let target =
            Target::parse(text).map_err(|fault| Denial::with(Code::CallbackUrlInvalid, fault))?;
        if let Host::Address(address) = target.host
            && let Some(region) = self.messenger.policy().refusal(address)
        {
            let what = format!("{address} is {region}, where nothing is sent");
            return Err(Denial::with(Code::CallbackUrlInvalid, what));
        }
        Ok(target.to_string())
    }

    pub(super) async fn stop_endpoint(&self) -> Outcome {
        let key = self.endpoint_key().map_err(|_| Code::EndpointUnknown)?;
        self.act(Act::StopEndpoint { key }).await
    }

    pub(super) async fn list_callbacks(&self) -> Outcome {
        let before = self.numbered_place("callbacks")?.map(CallbackId);
        let filter = self.callback_filter()?;
        let page = self.callbacks.callbacks(&filter, before, self.limit()?).await?;
        let items = page.items.iter().map(callback_views::callback).collect();
        shown(&CallbackPage::new(items, self.next_cursor("callbacks", page.next)))
    }

    fn callback_filter(&self) -> Result<CallbackFilter, Denial> {
        let invalid = |what: &str| Denial::with(Code::QueryInvalid, what);
        let state = self.query.get("state").cloned();
        if state.as_ref().is_some_and(|it| !CallbackState::NAMES.contains(&it.as_str())) {
            return Err(invalid("there is no such state"));
        }
        let number = |name: &str| -> Result<Option<u64>, Denial> {
            let Some(text) = self.query.get(name) else { return Ok(None) };
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number: Option<i64> = text.parse().ok().filter(|number| digits && *number > 0);
            let number = number.and_then(|number| u64::try_from(number).ok());
            number.map(Some).ok_or_else(|| invalid("merchant and order are numbers from 1"))
        };
        let merchant = number("merchant")?.map(u32::try_from).transpose();
        let merchant = merchant.map_err(|_| invalid("there cannot be so many merchants"))?;
        let order = number("order")?.map(OrderId);
        Ok(CallbackFilter { merchant: merchant.map(MerchantId), order, state })
    }

    pub(super) async fn get_callback(&self) -> Outcome {
        let id = CallbackId(self.number(Code::CallbackUnknown)?);
        let callback = self.callbacks.callback(id).await?.ok_or(Code::CallbackUnknown)?;
        let deliveries = self.callbacks.deliveries(id).await?;
        let role = self.by.actor.role;
        shown(&CallbackDetail {
            callback: callback_views::callback(&callback),
            content: callback_views::content(&callback, role),
            deliveries: deliveries.iter().map(callback_views::delivery).collect(),
        })
    }

    pub(super) async fn resend_callback(&self) -> Outcome {
        let callback = CallbackId(self.number(Code::CallbackUnknown)?);
        self.act(Act::ResendCallback { callback }).await
    }

    pub(super) async fn test_callback(&self) -> Outcome {
        let wanted: CallbackTest = self.body()?;
        if let Some(answer) = self.tests_made.before(&self.by)? {
            return Ok(answer);
        }
        let protocol = protocol_name(wanted.protocol);
        let key = EndpointKey { merchant: MerchantId(wanted.merchant), protocol };
        let known = self.gateway.catalogue().merchant(key.merchant).is_some();
        let endpoint = self.courier.endpoint(&key).filter(|_| known);
        let endpoint: Endpoint = endpoint.ok_or(Code::EndpointUnknown)?;
        let mut nonce = [0; 8];
        self.entropy.fill(&mut nonce);
        let parcel = test_parcel(&endpoint, self.gateway.now(), u64::from_be_bytes(nonce));
        let diagnosis = self.messenger.diagnose(&parcel).await;
        let answer = shown(&callback_views::diagnosis(&endpoint, &parcel, &diagnosis))?;
        self.tests_made.keep(&self.by, &answer);
        Ok(answer)
    }
}

fn protocol_name(protocol: Protocol) -> ProtocolName {
    ProtocolName::new(protocol.parts().0)
}
