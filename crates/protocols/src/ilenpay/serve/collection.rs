//! New collections, their confirmation, and how they stand (ilenpay reference, sections 4.1, 4.2, 4.6).

use std::sync::Arc;

use domain::command::fingerprint;
use domain::{Detail, Kind, Merchant, Mode, Order, OrderState, Reference, ReferenceKey, Refusal};
use gateway::collect::{Told, told};
use gateway::exchanges::{Note, Signature};
use gateway::ports::StoreFault;
use gateway::{Collected, CollectionRequest, Rejection};
use http::HeaderValue;

use super::{Caller, Denial, Served, nominal};
use crate::exchange::Answer;
use crate::hosted::{escaped, is_address, readable};
use crate::ilenpay::codes;
use crate::ilenpay::wire::answer;
use crate::ilenpay::wire::credit;
use crate::ilenpay::wire::fields::Fields;
use crate::ilenpay::wire::sender::normalised_sender;
use crate::ilenpay::wire::transaction::{Guidance, RATE, Transaction};
use crate::ilenpay::{DIRECT, REDIRECT, preferences, sign};

/// How many characters a reference has.
const REFERENCE_LENGTH: std::ops::RangeInclusive<usize> = 5..=20;
/// What marks an answer that the vendor's API does not have.
const EXTENSION: (&str, &str) = ("x-lunas-extension", "transaksi/status");

impl Served {
    /// Everything is there before anything is looked at; then one check after the other.
    pub(super) async fn open(
        &self,
        caller: Caller,
        fields: &Fields,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        note.signature = Signature::Unchecked;
        let operator = fields.text("operator").ok_or(Refusal::ChannelUnknown)?;
        let amount = fields.text("nominal").ok_or(Refusal::AmountInvalid)?;
        let name = fields.text("reff_id").ok_or(Refusal::ReferenceMalformed)?;
        let kind = fields.text("type").ok_or(codes::TYPE_INVALID)?;
        let return_url = fields.text("return_url").ok_or(codes::RETURN_URL_INVALID)?;
        let given = fields.text("sign").ok_or(Refusal::SignatureInvalid)?;

        let (channel, rate) = self.operator(&caller.merchant, operator)?;
        let gross = nominal(amount, &channel)?;
        let due = credit::total_tf(gross, rate).ok_or(Refusal::AmountInvalid)?;
        let reference = reference(name)?;
        if kind != DIRECT && kind != REDIRECT {
            return Err(codes::TYPE_INVALID.into());
        }
        if !is_address(return_url) {
            return Err(codes::RETURN_URL_INVALID.into());
        }
        self.check_signature(&caller, (operator, amount, name), given, note)?;
        let request = CollectionRequest {
            merchant: caller.merchant,
            protocol: self.protocol.clone(),
            reference,
            code: operator.to_owned(),
            destination: String::new(),
            due,
            gross,
            particulars: Detail::Record(vec![(RATE.to_owned(), Detail::Text(credit::rate(rate)))]),
            return_url: Some(return_url.to_owned()),
            dialect: kind.to_owned(),
            calls_back: true,
            callback_url: None,
            lifetime: self.settings.lifetime,
            fingerprint: fingerprint([operator, amount, kind]),
        };
        let Collected { order, repeated, .. } = self.gateway.open_collection(request).await?;
        note.order = Some(order.id);
        if repeated && order.state != OrderState::Awaiting {
            return Err(Refusal::ReferenceUsed.into());
        }
        self.made(&order, &channel.account)
    }

    /// Whoever has a key and not the name that is signed with cannot try names without end.
    fn check_signature(
        &self,
        caller: &Caller,
        signed: (&str, &str, &str),
        given: &str,
        note: &mut Note,
    ) -> Result<(), Denial> {
        let Caller { credential, peer, .. } = caller;
        if !self.settings.signatures.admits(*peer, &credential.identifier) {
            return Err(codes::TOO_OFTEN.into());
        }
        let api_user = sign::secret(credential, sign::API_USER);
        if !api_user.is_some_and(|api_user| sign::is_signed(signed, api_user, given)) {
            note.signature = Signature::Invalid;
            self.settings.signatures.was_wrong(*peer, &credential.identifier);
            return Err(Refusal::SignatureInvalid.into());
        }
        note.signature = Signature::Valid;
        Ok(())
    }

    fn made(&self, order: &Order, account: &str) -> Result<Answer, Denial> {
        let hash = self.settings.tokens.of(order.id);
        let guidance = if order.dialect == DIRECT {
            Guidance::Direct { tutor: tutor(order, account) }
        } else {
            let base = self.settings.public_url.trim_end_matches('/');
            Guidance::Redirect { url_pay: format!("{base}/payment/{hash}") }
        };
        Ok(answer::success(transaction(order, &hash)?.made(guidance)))
    }

    pub(super) async fn confirm(
        &self,
        merchant: &Arc<Merchant>,
        fields: &Fields,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let order = self.named(merchant, fields).await?;
        note.order = Some(order.id);
        if order.dialect != DIRECT {
            return Err(codes::ONLY_DIRECT.into());
        }
        if order.state != OrderState::Awaiting {
            return self.ended(&order);
        }
        let told = self.told(merchant, fields)?;
        match self.tell(merchant, &order, told).await {
            Ok(Collected { order, balance, .. }) if order.state == OrderState::Succeeded => {
                let hash = self.settings.tokens.of(order.id);
                Ok(answer::success(transaction(&order, &hash)?.stands(balance)))
            }
            Ok(Collected { order, .. }) if order.state == OrderState::Awaiting => {
                Err(Refusal::PaymentNotFound.into())
            }
            Ok(Collected { order, .. }) => self.ended(&order),
            // It ended between the look and the word.
            Err(Rejection::Refused(Refusal::InvoicePaid)) => {
                self.ended(&*self.gateway.order(merchant, order.id).await?)
            }
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// The answer for a collection that had ended before.
    fn ended(&self, order: &Order) -> Result<Answer, Denial> {
        if order.state != OrderState::Succeeded {
            return Err(Refusal::PaymentAbandoned.into());
        }
        let hash = self.settings.tokens.of(order.id);
        Ok(answer::success(transaction(order, &hash)?.paid_before()))
    }

    /// What a confirmation says of the sender.
    fn told(&self, merchant: &Merchant, fields: &Fields) -> Result<Told, Denial> {
        let Some(sender) = fields.text("sender") else {
            return if self.prefers(merchant.id, preferences::SENDER_REQUIRED) {
                Err(codes::SENDER_INVALID.into())
            } else {
                Ok(Told::default())
            };
        };
        let sender = normalised_sender(sender).map_err(|_| codes::SENDER_INVALID)?;
        let particulars = vec![(told::SENDER.to_owned(), Detail::Text(sender))];
        Ok(Told { particulars, reference: None })
    }

    /// In a task of its own, so that a client that hangs up does not keep evidence from its order.
    async fn tell(
        &self,
        merchant: &Arc<Merchant>,
        order: &Order,
        told: Told,
    ) -> Result<Collected, Rejection> {
        let (gateway, merchant, order) =
            (Arc::clone(&self.gateway), Arc::clone(merchant), order.id);
        tokio::spawn(async move { gateway.tell_collection(&merchant, order, told).await })
            .await
            .unwrap_or(Err(StoreFault::Stopped.into()))
    }

    /// How a collection stands: an extension, which the answer's header says.
    pub(super) async fn status(
        &self,
        merchant: &Merchant,
        fields: &Fields,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let order = self.named(merchant, fields).await?;
        note.order = Some(order.id);
        let balance = self.gateway.balance(merchant).await?;
        let hash = self.settings.tokens.of(order.id);
        let mut answer = answer::success(transaction(&order, &hash)?.stands(balance));
        let (name, value) = EXTENSION;
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
        Ok(answer)
    }

    /// The merchant's collection that a request names. A text that can be no reference names none.
    async fn named(&self, merchant: &Merchant, fields: &Fields) -> Result<Arc<Order>, Denial> {
        let name = fields.text("reff_id").ok_or(Refusal::OrderNotFound)?;
        let key = ReferenceKey {
            merchant: merchant.id,
            protocol: self.protocol.clone(),
            mode: Mode::Live,
            reference: reference(name).map_err(|_| Refusal::OrderNotFound)?,
        };
        let order = self.gateway.order_by_reference(&key).await?;
        let collection = Some(order).filter(|order| order.kind == Kind::Collection);
        Ok(collection.ok_or(Refusal::OrderNotFound)?)
    }
}

/// A reference: characters, not bytes, are counted, and none steers a terminal.
fn reference(text: &str) -> Result<Reference, Refusal> {
    let well_formed =
        REFERENCE_LENGTH.contains(&text.chars().count()) && !text.chars().any(char::is_control);
    well_formed.then(|| Reference::new(text)).ok_or(Refusal::ReferenceMalformed)
}

fn transaction<'a>(order: &'a Order, hash: &'a str) -> Result<Transaction<'a>, Denial> {
    Ok(Transaction::of(order, hash).ok_or(Refusal::OrderNotFound)?)
}

/// What the payer has to do, for a page of the merchant's own (section 4.1).
fn tutor(order: &Order, account: &str) -> String {
    let credit = order.collecting.as_ref().map(|it| readable(it.due)).unwrap_or_default();
    let to = if account.is_empty() { String::new() } else { format!(" ke {}", escaped(account)) };
    format!("Transfer pulsa {credit}{to} lalu isi nomor pengirim.")
}
