//! What each route does: reads what was sent, asks the gateway, and makes the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::administration::{
    Act, Actor, AuditNumber, CredentialKey, LIVE_CREDENTIALS_MAX, NewCredential, NewMerchant,
};
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::{
    AccountKey, Amount, Level, Merchant, MerchantId, MerchantStatus, OrderId, ProductId,
    ProtocolName, RateLimit, Secret, Timestamp, TransferId,
};
use gateway::courier::Courier;
use gateway::ports::{CallbackReports, Entropy, ExchangeLog, OrderFilter, Verdict};
use gateway::{By, Done, Gateway, random_key};
use protocols::order_numbers::OrderNumbers;
use protocols::{ilenpay, s88pay};
use serde::Serialize;
use serde_json::Value;

use super::codes::{Code, Denial};
use super::forms::{
    DecimalAmount, FundingDirection, InstantText, NetworkText, OrderReference, ProductName,
    Protocol, VerdictWord,
};
use super::products::ProductView;
use super::requests::{
    AllowList, CredentialToIssue, CredentialToRevoke, FundingToMake, Limits, MerchantToAdd,
    ProductContent, ProductStatusShape, Resolution,
};
use super::routes::Operation;
use super::tests_made::TestsMade;
use super::views::{
    self, AuditPage, AuditView, CredentialList, CredentialView, MerchantDetail, MerchantPage,
    MerchantView, OrderDetail, OrderPage, ProductPage, TransferPage,
};
use super::{cursor, products, reading};
use crate::messenger::HttpMessenger;

/// How many items a part of a list has unless the caller wants fewer or more.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 100;
/// How many orders are named when a reference is not unique.
pub(super) const CANDIDATES_MAX: u32 = 20;

/// Whether a credential is published and must not be taken over.
pub(crate) type PublicCredential = fn(&domain::Credential) -> bool;

/// A request whose caller may make it.
pub(crate) struct Call {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) is_public: PublicCredential,
    pub(crate) exchanges: Arc<dyn ExchangeLog>,
    pub(crate) numbers: Arc<[Box<dyn OrderNumbers>]>,
    pub(crate) callbacks: Arc<dyn CallbackReports>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) messenger: Arc<HttpMessenger>,
    pub(super) tests_made: Arc<TestsMade>,
    pub(crate) by: By,
    /// What stands in the path where the route has braces.
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
}

pub(super) type Outcome = Result<Value, Denial>;

pub(super) fn shown(view: &impl Serialize) -> Outcome {
    // Serialising our own structures of texts and numbers cannot fail; null would say so.
    Ok(serde_json::to_value(view).unwrap_or_default())
}

impl Call {
    /// Does it.
    pub(crate) async fn carry_out(self, operation: Operation) -> Outcome {
        match operation {
            Operation::ListMerchants => self.list_merchants(),
            Operation::AddMerchant => self.add_merchant().await,
            Operation::GetMerchant => self.get_merchant().await,
            Operation::SuspendMerchant => self.set_status(MerchantStatus::Suspended).await,
            Operation::ResumeMerchant => self.set_status(MerchantStatus::Active).await,
            Operation::PutAllowList => self.put_allow_list().await,
            Operation::PutLimits => self.put_limits().await,
            Operation::ListCredentials => self.list_credentials(),
            Operation::IssueCredential => self.issue_credential().await,
            Operation::RevokeCredential => self.revoke_credential().await,
            Operation::MakeFunding => self.make_funding().await,
            Operation::ListMerchantTransfers => self.list_merchant_transfers().await,
            Operation::ListProducts => self.list_products(),
            Operation::GetProduct => self.get_product(),
            Operation::PutProduct => self.put_product().await,
            Operation::PutProductStatus => self.put_product_status().await,
            Operation::ListOrders => self.list_orders().await,
            Operation::GetOrder => self.get_order().await,
            Operation::TellStories => self.tell_stories().await,
            Operation::ResolveOrder => self.resolve_order().await,
            Operation::ListAuditRecords => self.list_audit_records().await,
            Operation::PutRepetition => self.put_repetition().await,
            Operation::ListEndpoints => self.list_endpoints(),
            Operation::GetEndpoint => self.get_endpoint(),
            Operation::PutEndpoint => self.put_endpoint().await,
            Operation::StopEndpoint => self.stop_endpoint().await,
            Operation::ListCallbacks => self.list_callbacks().await,
            Operation::GetCallback => self.get_callback().await,
            Operation::ResendCallback => self.resend_callback().await,
            Operation::TestCallback => self.test_callback().await,
            Operation::ListEvidence => self.list_evidence().await,
            Operation::GetEvidence => self.get_evidence().await,
            Operation::AssignEvidence => self.assign_evidence().await,
            Operation::ReleaseEvidence => self.release_evidence().await,
        }
    }

    pub(super) async fn act(&self, act: Act) -> Outcome {
        let done = self.gateway.act(self.by.clone(), act).await?;
        Ok(views::of_act(&done))
    }

    pub(super) fn body<T: serde::de::DeserializeOwned>(&self) -> Result<T, Denial> {
        reading::shaped(self.body.clone())
    }

    pub(super) fn segment(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    /// A number that cannot be one names nothing.
    pub(super) fn number<T: std::str::FromStr>(&self, unknown: Code) -> Result<T, Denial> {
        let digits = self.segment().bytes().all(|byte| byte.is_ascii_digit());
        self.segment().parse().ok().filter(|_| digits).ok_or(unknown.into())
    }

    pub(super) fn merchant_id(&self) -> Result<MerchantId, Denial> {
        self.number(Code::MerchantUnknown).map(MerchantId)
    }

    pub(super) fn merchant(&self) -> Result<Arc<Merchant>, Denial> {
        let id = self.merchant_id()?;
        let catalogue = self.gateway.catalogue();
        catalogue.merchant(id).cloned().ok_or(Code::MerchantUnknown.into())
    }

    pub(super) fn limit(&self) -> Result<u32, Denial> {
        let Some(text) = self.query.get("limit") else { return Ok(LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        limit
            .filter(|_| digits)
            .ok_or_else(|| Denial::with(Code::QueryInvalid, "limit is from 1 to 100"))
    }

    /// The list that a cursor belongs to: its name and all filters.
    fn list_name(&self, list: &str) -> String {
        let filters =
            self.query.iter().filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit"));
        let filters: Vec<_> = filters.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{list}/{}?{}", self.path.join("/"), filters.join("&"))
    }

    pub(super) fn place(&self, list: &str) -> Result<Option<String>, Denial> {
        let Some(text) = self.query.get("cursor") else { return Ok(None) };
        let place = cursor::read(&self.list_name(list), text);
        place.map(Some).ok_or(Code::CursorInvalid.into())
    }

    pub(super) fn numbered_place<T: std::str::FromStr>(
        &self,
        list: &str,
    ) -> Result<Option<T>, Denial> {
        let Some(place) = self.place(list)? else { return Ok(None) };
        place.parse().map(Some).map_err(|_| Code::CursorInvalid.into())
    }

    pub(super) fn next_cursor(&self, list: &str, place: Option<impl ToString>) -> Option<String> {
        place.map(|place| cursor::write(&self.list_name(list), &place.to_string()))
    }

    fn list_merchants(&self) -> Outcome {
        let after = self.numbered_place("merchants")?.map(MerchantId);
        let catalogue = self.gateway.catalogue();
        let mut items = catalogue.merchants_after(after);
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let page: Vec<MerchantView> =
            items.by_ref().take(limit).map(|it| MerchantView::from(it.as_ref())).collect();
        let next = page.last().filter(|_| items.next().is_some()).map(|it| it.merchant);
        shown(&MerchantPage::new(page, self.next_cursor("merchants", next)))
    }

    async fn add_merchant(&self) -> Outcome {
        let new: MerchantToAdd = self.body()?;
        self.act(Act::AddMerchant(NewMerchant {
            name: new.name.0,
            currency: new.currency.currency(),
            level: Level(new.level.0),
        }))
        .await
    }

    async fn get_merchant(&self) -> Outcome {
        let merchant = self.merchant()?;
        let balance = self.gateway.balance_of(merchant.id).await?;
        let balance = balance.unwrap_or(Amount::zero(merchant.currency)).to_string();
        shown(&MerchantDetail { merchant: merchant.as_ref().into(), balance })
    }

    async fn set_status(&self, status: MerchantStatus) -> Outcome {
        let merchant = self.merchant_id()?;
        self.act(Act::SetMerchantStatus { merchant, status }).await
    }

    async fn put_allow_list(&self) -> Outcome {
        let list: AllowList = self.body()?;
        let addresses = list.networks.iter().map(network).collect::<Result<_, _>>()?;
        self.act(Act::SetAddresses { merchant: self.merchant_id()?, addresses }).await
    }

    async fn put_limits(&self) -> Outcome {
        let limits: Limits = self.body()?;
        let rate_limit = limits.rate_limit.map(|limit| RateLimit {
            requests_per_second: limit.requests_per_second.get(),
            burst: limit.burst.get(),
        });
        self.act(Act::SetRateLimit { merchant: self.merchant_id()?, rate_limit }).await
    }

    fn list_credentials(&self) -> Outcome {
        let merchant = self.merchant()?;
        let catalogue = self.gateway.catalogue();
        let own = catalogue.credentials_of(merchant.id).into_iter();
        shown(&CredentialList { items: own.map(|it| CredentialView::from(it.as_ref())).collect() })
    }

    async fn issue_credential(&self) -> Outcome {
        let wanted: CredentialToIssue = self.body()?;
        let (protocol, names) = wanted.protocol.parts();
        let secrets: BTreeMap<String, Secret> = match wanted.secrets {
            Some(given) => {
                given.into_iter().map(|(name, text)| (name, Secret::new(text.0))).collect()
            }
            None => names
                .iter()
                .map(|name| ((*name).to_owned(), random_key(self.entropy.as_ref())))
                .collect(),
        };
        let mut identifier = wanted.identifier.0;
        if matches!(wanted.protocol, Protocol::S88pay) && !s88pay::is_merchant_code(&identifier) {
            let what = "a merchant code of S88pay is 3 to 32 letters and digits, and begins no path of others";
            return Err(Denial::with(Code::IdentifierInvalid, what));
        }
        if matches!(wanted.protocol, Protocol::Ilenpay) {
            // Requests of this protocol name nobody: a credential is found by its key.
            let key = secrets.get(ilenpay::sign::API_KEY).map_or("", Secret::reveal);
            identifier = ilenpay::key_name(key);
        }
        if !names.iter().eq(secrets.keys()) {
            let what = format!("the secrets of {protocol} are {}", names.join(", "));
            return Err(Denial::with(Code::SecretsInvalid, what));
        }
        let key = CredentialKey { protocol: ProtocolName::new(protocol), identifier };
        let new = NewCredential {
            merchant: self.merchant_id()?,
            key,
            secrets,
            expires_at: wanted.expires_at.as_ref().map(instant).transpose()?,
            previous_expires_at: wanted.previous_expires_at.as_ref().map(instant).transpose()?,
        };
        if (self.is_public)(&as_issued(&new)) {
            let what = "this secret is published and worth nothing";
            return Err(Denial::with(Code::SecretsInvalid, what));
        }
        self.act(Act::AddCredential(new)).await
    }

    async fn revoke_credential(&self) -> Outcome {
        let wanted: CredentialToRevoke = self.body()?;
        let key = CredentialKey {
            protocol: ProtocolName::new(wanted.protocol.parts().0),
            identifier: wanted.identifier.0,
        };
        let Ok(merchant) = self.merchant_id() else { return Err(Code::CredentialUnknown.into()) };
        self.act(Act::RevokeCredential { merchant, key, serial: wanted.serial }).await
    }

    async fn make_funding(&self) -> Outcome {
        let wanted: FundingToMake = self.body()?;
        let merchant = self.merchant()?;
        let amount = amount(&wanted.amount, merchant.currency)?;
        self.act(Act::Fund(Fund {
            key: FundingKey { merchant: merchant.id, reference: wanted.reference.0 },
            direction: match wanted.direction {
                FundingDirection::Credit => Direction::Credit,
                FundingDirection::Debit => Direction::Debit,
            },
            amount,
            reason: wanted.reason.0,
            at: self.gateway.now(),
        }))
        .await
    }

    async fn list_merchant_transfers(&self) -> Outcome {
        let merchant = self.merchant()?;
        let from = self.numbered_place("transfers")?.map(TransferId);
        let key = AccountKey::merchant(merchant.id, merchant.currency);
        let account = self.gateway.account(&key).await?;
        let reports = self.gateway.reports();
        let page = reports.transfers_of_account(&key, from, self.limit()?).await?;
        let page = page.ok_or(Code::CursorInvalid)?;
        let items = page.items.iter().map(|it| views::transfer(it, account.as_ref())).collect();
        shown(&TransferPage::new(items, self.next_cursor("transfers", page.next)))
    }

    fn list_products(&self) -> Outcome {
        let after = self.place("products")?.map(ProductId::new);
        let catalogue = self.gateway.catalogue();
        let mut items = catalogue.products_after(after);
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let page: Vec<ProductView> =
            items.by_ref().take(limit).map(|it| ProductView::from(it.as_ref())).collect();
        let next = page.last().filter(|_| items.next().is_some()).map(|it| it.product.clone());
        shown(&ProductPage::new(page, self.next_cursor("products", next)))
    }

    fn get_product(&self) -> Outcome {
        let catalogue = self.gateway.catalogue();
        let product = catalogue.product(&ProductId::new(self.segment()));
        shown(&ProductView::from(product.ok_or(Code::ProductUnknown)?.as_ref()))
    }

    async fn put_product(&self) -> Outcome {
        let id = ProductName::try_from(self.segment().to_owned())
            .map_err(|what| Denial::with(Code::ProductUnknown, what))?;
        let content: ProductContent = self.body()?;
        let mut product = products::product(&id, content)?;
        // Tables of prices say nothing of channels, and must not take away what a product has of one.
        let known = self.gateway.catalogue();
        let stays = || known.product(&product.id).and_then(|known| known.channel.clone());
        product.channel = product.channel.clone().or_else(stays);
        self.act(Act::PutProduct(product)).await
    }

    async fn put_product_status(&self) -> Outcome {
        let wanted: ProductStatusShape = self.body()?;
        let product = ProductId::new(self.segment());
        self.act(Act::SetProductStatus { product, status: products::product_status(wanted.status) })
            .await
    }

    async fn list_orders(&self) -> Outcome {
        let before = self.numbered_place("orders")?.map(OrderId);
        let filter = self.order_filter()?;
        let page = self.gateway.reports().orders(&filter, before, self.limit()?).await?;
        let role = self.by.actor.role;
        let items = page.items.iter().map(|it| views::order(it, role)).collect();
        shown(&OrderPage::new(items, self.next_cursor("orders", page.next)))
    }

    fn order_filter(&self) -> Result<OrderFilter, Denial> {
        let invalid = |what: &str| Denial::with(Code::QueryInvalid, what);
        let text = |name: &str| self.query.get(name).cloned();
        let at = |name: &str| -> Result<Option<Timestamp>, Denial> {
            let parsed = text(name).map(InstantText::try_from).transpose().map_err(invalid)?;
            parsed.as_ref().map(instant).transpose()
        };
        let reference = |name: &str| -> Result<Option<String>, Denial> {
            let parsed = text(name).map(OrderReference::try_from).transpose().map_err(invalid)?;
            Ok(parsed.map(|it| it.0))
        };
        let merchant = text("merchant").map(|it| {
            let digits = it.bytes().all(|byte| byte.is_ascii_digit());
            it.parse().ok().filter(|number| digits && *number > 0).map(MerchantId)
        });
        let state = text("state");
        if state.as_ref().is_some_and(|it| !domain::OrderState::NAMES.contains(&it.as_str())) {
            return Err(invalid("there is no such state"));
        }
        Ok(OrderFilter {
            merchant: match merchant {
                Some(None) => return Err(invalid("merchant is a number from 1")),
                Some(found) => found,
                None => None,
            },
            state,
            from: at("from")?,
            until: at("until")?,
            reference: reference("reference")?,
            destination: reference("destination")?,
        })
    }

    async fn get_order(&self) -> Outcome {
        let id = OrderId(self.number(Code::OrderUnknown)?);
        let order = self.gateway.any_order(id).await?.ok_or(Code::OrderUnknown)?;
        let transfers = self.gateway.reports().transfers_of_order(&order).await?;
        shown(&OrderDetail {
            order: views::order(&order, self.by.actor.role),
            attempts: views::attempts(&order),
            transfers: transfers.iter().map(|it| views::transfer(it, None)).collect(),
        })
    }

    /// A repeat is answered before the order is looked for: by then it is decided.
    async fn resolve_order(&self) -> Outcome {
        let wanted: Resolution = self.body()?;
        let before = self.gateway.done_before(&self.by).await?;
        let done: Done = match before {
            Some(done) => done,
            None => {
                let order = self.order_meant(&wanted).await?;
                let verdict = match wanted.verdict {
                    VerdictWord::Success => Verdict::Success,
                    VerdictWord::Failed => Verdict::Failed,
                };
                self.gateway.decide_by_hand(order, verdict, self.by.clone()).await?
            }
        };
        Ok(views::of_act(&done))
    }

    /// Among several under one reference the only open one is meant.
    async fn order_meant(&self, wanted: &Resolution) -> Result<OrderId, Denial> {
        let reports = self.gateway.reports();
        let mut orders = reports.orders_named(&wanted.reference.0, CANDIDATES_MAX).await?;
        if let Some(number) = wanted.order {
            orders.retain(|order| order.id == OrderId(number));
        }
        if orders.len() > 1 {
            orders.retain(|order| !order.state.is_final());
        }
        match orders.as_slice() {
            [order] => Ok(order.id),
            [] => Err(Code::OrderUnknown.into()),
            several => {
                let numbers: Vec<_> = several.iter().map(|order| order.id.to_string()).collect();
                Err(Denial::with(Code::ReferenceAmbiguous, numbers.join(", ")))
            }
        }
    }

    async fn list_audit_records(&self) -> Outcome {
        let before = self.numbered_place("audit")?.map(AuditNumber);
        let page = self.gateway.reports().audit_records(before, self.limit()?).await?;
        let items = page.items.iter().map(AuditView::from).collect();
        shown(&AuditPage::new(items, self.next_cursor("audit", page.next)))
    }
}

/// A credential as it would be issued.
fn as_issued(new: &NewCredential) -> domain::Credential {
    const _: () = assert!(LIVE_CREDENTIALS_MAX == 2, "the document says so");
    domain::Credential {
        merchant: new.merchant,
        protocol: new.key.protocol.clone(),
        identifier: new.key.identifier.clone(),
        serial: 1,
        secrets: new.secrets.clone(),
        expires_at: new.expires_at,
        revoked_at: None,
    }
}

fn instant(text: &InstantText) -> Result<Timestamp, Denial> {
    let instant: jiff::Timestamp =
        text.0.parse().map_err(|error| Denial::with(Code::RequestMalformed, error))?;
    Ok(Timestamp::from_milliseconds(instant.as_millisecond()))
}

pub(super) fn amount(text: &DecimalAmount, currency: domain::Currency) -> Result<Amount, Denial> {
    Amount::from_decimal(&text.0, currency)
        .map_err(|error| Denial::with(Code::AmountInvalid, error))
}

/// A network in the one way in which it is written, so that nothing is on a list twice.
fn network(text: &NetworkText) -> Result<String, Denial> {
    crate::addresses::parse(&text.0)
        .map(|network| network.to_string())
        .ok_or_else(|| Denial::with(Code::NetworkInvalid, &text.0))
}

/// Whoever is named in the audit record of a request.
pub(crate) fn by(actor: &Actor, request: Option<domain::administration::NamedRequest>) -> By {
    By { actor: actor.clone(), request }
}
