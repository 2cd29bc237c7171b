//! Requests of payers' browsers to pages, and what their buttons do.
//!
//! A button is answered with *see other*, so that going back or reloading presses nothing again. That
//! answer leads to a page of ours and never to the merchant at once: browsers apply the page's policy for
//! forms to all that follows from one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Collecting, Detail, EndpointKey, Kind, Merchant, Mode, Order, OrderId, OrderState, Refusal,
};
use gateway::collect::{Told, told};
use gateway::ports::{Moment, StoreFault};
use gateway::{Catalogue, Gateway, Rejection};
use http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tracing::error;

use super::address::{is_address, location};
use super::language::Language;
use super::page::{self, Notice, Page, Stage};
use super::{Tokens, preferences};
use crate::admission::Allowance;
use crate::exchange::{Answer, Arrival, Serve};
use crate::form;
use crate::ilenpay::{self, normalised_sender};

const S88PAY: &str = "s88pay";
/// How the variants of S88pay begin in which the payer is shown a page of ours.
const HOSTED: &str = "v2";
/// How often the buttons of one order can be pressed in each [`PRESSES_PER`].
const PRESSES: u32 = 20;
const PRESSES_PER: Duration = Duration::from_secs(60);
/// For how long browsers keep the script; its address changes when it does.
const SCRIPT_KEPT: &str = "public, max-age=604800, immutable";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const METHODS: &str = "GET, HEAD, POST";
const READING_METHODS: &str = "GET, HEAD";

/// What the operator sets for the pages.
#[derive(Clone)]
pub struct Settings {
    /// Names the pages; the same for every protocol that has some.
    pub tokens: Tokens,
    /// Whether payers can make believe that they paid or failed. True in the sandbox alone.
    pub sandbox: bool,
}

/// The pages over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    settings: Settings,
    presses: Allowance<OrderId>,
}

/// The protocols that have pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Ilenpay,
    S88pay,
}

impl Protocol {
    /// Whether an order has a page under this protocol's addresses.
    fn shows(self, order: &Order) -> bool {
        let (name, dialect) = (order.key.protocol.as_str(), order.dialect.as_str());
        let shown = match self {
            Self::Ilenpay => name == ilenpay::NAME && dialect == ilenpay::REDIRECT,
            Self::S88pay => name == S88PAY && dialect.starts_with(HOSTED),
        };
        shown && order.kind == Kind::Collection && order.key.mode == Mode::Live
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Script,
    /// The page of this address and name, or only its state.
    Page {
        protocol: Protocol,
        path: &'a str,
        token: &'a str,
        state_only: bool,
    },
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        if path == page::SCRIPT_PATH {
            return Some(Self::Script);
        }
        let (page, state_only) = match path.strip_suffix("/state") {
            Some(page) => (page, true),
            None => (path, false),
        };
        let prefixes = [("/payment/", Protocol::Ilenpay), ("/pay/", Protocol::S88pay)];
        prefixes.into_iter().find_map(|(prefix, protocol)| {
            let token = page.strip_prefix(prefix)?;
            Some(Self::Page { protocol, path: page, token, state_only })
        })
    }
}

/// An order with its page.
struct Found {
    order: Arc<Order>,
    merchant: Arc<Merchant>,
    catalogue: Arc<Catalogue>,
}

/// What the query of a page says.
#[derive(Debug, Default)]
struct Asked {
    language: Option<Language>,
    notice: Option<Notice>,
    /// Whether the result is to be shown before the browser goes on.
    stay: bool,
}

impl Asked {
    /// Whatever is not understood is ignored.
    fn of(query: Option<&str>) -> Self {
        let mut asked = Self::default();
        for (name, value) in form::pairs(query.unwrap_or_default().as_bytes()).unwrap_or_default() {
            match name.as_str() {
                "lang" => asked.language = Language::tagged(&value),
                "notice" => asked.notice = Notice::named(&value),
                "stay" => asked.stay = true,
                _ => {}
            }
        }
        asked
    }
}

/// What a button says.
enum Button {
    Check { sender: Option<String> },
    Pay,
    Fail,
}

impl Button {
    fn of(body: &[u8]) -> Option<Self> {
        let fields = form::pairs(body)?;
        let value = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim())
        };
        match value("action")? {
            "check" => {
                let sender = value("sender").and_then(|text| normalised_sender(text).ok());
                Some(Self::Check { sender })
            }
            "pay" => Some(Self::Pay),
            "fail" => Some(Self::Fail),
            _ => None,
        }
    }
}

impl Served {
    /// Shows this gateway's collections.
    pub fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self { gateway, settings, presses: Allowance::new(PRESSES, PRESSES_PER) }
    }

    /// Whether a path is one of a page, be it only with *not found*.
    pub fn owns(path: &str) -> bool {
        path.starts_with("/payment/") || path.starts_with("/pay/")
    }

    async fn answer(&self, arrival: &Arrival) -> Result<Answer, StoreFault> {
        let (method, path) = (&arrival.head.method, arrival.head.uri.path());
        let Some(route) = Route::of(path) else { return Ok(nowhere(arrival)) };
        let reads = *method == Method::GET || *method == Method::HEAD;
        let (protocol, path, token, state_only) = match route {
            Route::Script if reads => return Ok(script()),
            Route::Script => return Ok(not_allowed(arrival, READING_METHODS)),
            Route::Page { state_only: true, .. } if !reads => {
                return Ok(not_allowed(arrival, READING_METHODS));
            }
            Route::Page { .. } if !reads && *method != Method::POST => {
                return Ok(not_allowed(arrival, METHODS));
            }
            Route::Page { protocol, path, token, state_only } => {
                (protocol, path, token, state_only)
            }
        };
        let Some(found) = self.find(protocol, token).await? else { return Ok(nowhere(arrival)) };
        let Some(collecting) = &found.order.collecting else { return Ok(nowhere(arrival)) };
        if state_only {
            let stage = Stage::of(&found.order, collecting).name();
            return Ok(written(StatusCode::OK, TEXT, stage.to_owned()));
        }
        let asked = Asked::of(arrival.head.uri.query());
        if reads {
            return Ok(self.show(arrival, protocol, path, &asked, &found, collecting));
        }
        let body = arrival.body.as_deref().unwrap_or_default();
        match Button::of(body) {
            Some(button) => self.press(arrival, protocol, path, &asked, &found, button).await,
            None => Ok(nowhere(arrival)),
        }
    }

    async fn find(&self, protocol: Protocol, token: &str) -> Result<Option<Found>, StoreFault> {
        let Some(id) = self.settings.tokens.order(token) else { return Ok(None) };
        let order = match self.gateway.order_of_any_merchant(id).await {
            Ok(order) => order,
            Err(Rejection::Refused(_)) => return Ok(None),
            Err(Rejection::Fault(fault)) => return Err(fault),
        };
        let catalogue = self.gateway.catalogue();
        let merchant = catalogue.merchant(order.key.merchant).cloned();
        let merchant = merchant.filter(|_| protocol.shows(&order));
        Ok(merchant.map(|merchant| Found { order, merchant, catalogue }))
    }

    fn show(
        &self,
        arrival: &Arrival,
        protocol: Protocol,
        path: &str,
        asked: &Asked,
        found: &Found,
        collecting: &Collecting,
    ) -> Answer {
        let order = &found.order;
        let stage = Stage::of(order, collecting);
        let target = leads_to(protocol, stage, found, collecting);
        // An unpaid collection of ilenpay has no end of which its merchant is told, so its payer is not
        // sent back as one who has finished.
        let at_once = stage == Stage::Paid || protocol == Protocol::S88pay;
        if let Some(value) = target.filter(|_| at_once && !asked.stay).and_then(location) {
            return redirect(StatusCode::FOUND, value);
        }
        let usual = Language::usual(collecting.due.currency());
        let language = asked.language.or_else(|| accepted(arrival)).unwrap_or(usual);
        let now = self.gateway.now();
        let lasting = order.expires_at.milliseconds() == i64::MAX;
        let page = Page {
            language,
            path,
            own: &address(path, asked, &[]),
            again: &address(path, asked, &[("stay", "1")]),
            merchant: &found.merchant.name,
            order,
            collecting,
            product: found.catalogue.product(&order.product).map(Arc::as_ref),
            by_credit: protocol == Protocol::Ilenpay,
            left: (!lasting).then(|| order.expires_at.since(now)),
            notice: asked.notice,
            leads_to: target.map(|target| (target, at_once)),
            sandbox: self.settings.sandbox,
        };
        written(StatusCode::OK, HTML, page.write())
    }

    async fn press(
        &self,
        arrival: &Arrival,
        protocol: Protocol,
        path: &str,
        asked: &Asked,
        found: &Found,
        button: Button,
    ) -> Result<Answer, StoreFault> {
        let unavailable = match &button {
            Button::Check { .. } => protocol != Protocol::Ilenpay,
            Button::Pay | Button::Fail => !self.settings.sandbox,
        };
        if unavailable {
            return Ok(nowhere(arrival));
        }
        let order = &found.order;
        let seen = |more: &[(&str, &str)]| see_other(&address(path, asked, more));
        let noticed = |notice: Notice| seen(&[("notice", notice.name())]);
        if order.state != OrderState::Awaiting {
            return Ok(seen(&[("stay", "1")]));
        }
        if !self.presses.admits(order.id, self.gateway.now()) {
            return Ok(noticed(Notice::TooOften));
        }
        let state = match button {
            Button::Check { sender: None } => return Ok(noticed(Notice::SenderWrong)),
            Button::Check { sender: Some(sender) } => self.tell(found, sender).await?,
            Button::Pay => self.play(found, Moment::PressedPay).await?,
            Button::Fail => self.play(found, Moment::PressedFail).await?,
        };
        Ok(if state == OrderState::Awaiting {
            noticed(Notice::NotFoundYet)
        } else {
            seen(&[("stay", "1")])
        })
    }

    /// In a task of its own, so that a browser that goes away does not keep evidence from its order.
    async fn tell(&self, found: &Found, sender: String) -> Result<OrderState, StoreFault> {
        let (gateway, merchant, order) =
            (Arc::clone(&self.gateway), Arc::clone(&found.merchant), found.order.id);
        let particulars = vec![(told::SENDER.to_owned(), Detail::Text(sender))];
        let told = Told { particulars, reference: None };
        let task =
            tokio::spawn(async move { gateway.tell_collection(&merchant, order, told).await });
        match task.await.unwrap_or(Err(StoreFault::Stopped.into())) {
            Ok(collected) => Ok(collected.order.state),
            // It ended between the look and the word.
            Err(Rejection::Refused(Refusal::InvoicePaid)) => Ok(OrderState::Succeeded),
            Err(Rejection::Refused(_)) => Ok(OrderState::Awaiting),
            Err(Rejection::Fault(fault)) => Err(fault),
        }
    }

    /// The same for what somebody makes believe in the sandbox.
    async fn play(&self, found: &Found, moment: Moment) -> Result<OrderState, StoreFault> {
        let (gateway, order) = (Arc::clone(&self.gateway), Arc::clone(&found.order));
        let task = tokio::spawn(async move { gateway.let_payer(order, moment).await });
        task.await.unwrap_or(Err(StoreFault::Stopped)).map(|order| order.state)
    }
}

/// Where a payer goes in the end: to the order's own address, else in S88pay where the merchant wants
/// payers to go (S88pay reference, section 10.6).
fn leads_to<'a>(
    protocol: Protocol,
    stage: Stage,
    found: &'a Found,
    collecting: &'a Collecting,
) -> Option<&'a str> {
    if !stage.is_final() {
        return None;
    }
    let own = collecting.return_url.as_deref();
    let wanted = || {
        let name = match stage {
            Stage::Paid => preferences::SUCCESS_URL,
            _ => preferences::FAILED_URL,
        };
        let (merchant, protocol) = (found.merchant.id, found.order.key.protocol.clone());
        found.catalogue.preference(&EndpointKey { merchant, protocol }, name)
    };
    let address = match protocol {
        Protocol::Ilenpay => own,
        Protocol::S88pay => own.or_else(wanted),
    };
    address.filter(|address| is_address(address))
}

/// A page's address with the language that was asked for, and more.
fn address(path: &str, asked: &Asked, more: &[(&str, &str)]) -> String {
    let language = asked.language.map(|language| ("lang", language.tag()));
    let pairs = language.into_iter().chain(more.iter().copied());
    let query: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

fn accepted(arrival: &Arrival) -> Option<Language> {
    let header = arrival.head.headers.get(ACCEPT_LANGUAGE)?;
    Language::accepted(header.to_str().ok()?)
}

fn language(arrival: &Arrival) -> Language {
    let asked = Asked::of(arrival.head.uri.query()).language;
    asked.or_else(|| accepted(arrival)).unwrap_or(Language::Indonesian)
}

fn nowhere(arrival: &Arrival) -> Answer {
    written(StatusCode::NOT_FOUND, HTML, page::unknown(language(arrival)))
}

fn not_allowed(arrival: &Arrival, methods: &'static str) -> Answer {
    let body = page::unknown(language(arrival));
    let mut answer = written(StatusCode::METHOD_NOT_ALLOWED, HTML, body);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

fn script() -> Answer {
    let mut answer =
        written(StatusCode::OK, "text/javascript; charset=utf-8", page::SCRIPT.to_owned());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(SCRIPT_KEPT));
    answer
}

/// A page of ours is always a header's value: its name has hexadecimal digits only.
fn see_other(address: &str) -> Answer {
    let value = location(address).unwrap_or(HeaderValue::from_static("/"));
    redirect(StatusCode::SEE_OTHER, value)
}

fn redirect(status: StatusCode, to: HeaderValue) -> Answer {
    let mut answer = written(status, HTML, String::new());
    answer.headers_mut().insert(LOCATION, to);
    answer
}

/// With everything that keeps a page to itself.
fn written(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Answer::new(Bytes::from(body));
    *answer.status_mut() = status;
    let headers: [(HeaderName, &'static str); 8] = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "accept-language"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(page::POLICY.as_str()) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let mut answer = match self.answer(&arrival).await {
            Ok(answer) => answer,
            Err(fault) => {
                error!(%fault, "page could not be shown");
                let body = page::fault(language(&arrival));
                written(StatusCode::SERVICE_UNAVAILABLE, HTML, body)
            }
        };
        if arrival.head.method == Method::HEAD {
            *answer.body_mut() = Bytes::new();
        }
        answer
    }
}
