//! The admin API: what an operator does, over HTTP with a bearer token.
//!
//! One list of [`routes`] says what there is; dispatch, roles and the published document follow it.
//! Invariants: without a valid token nothing is learned but that one is needed; a request is
//! refused for its form before anything is done; every POST is named by its caller and carried out
//! once under that name; every change is recorded with who made it. What went wrong is told as a
//! problem by RFC 9457 with a code that never changes its meaning.
//!
//! It knows no rule of money: those stand in the domain.

mod callback_calls;
mod callback_views;
mod calls;
mod channels;
mod codes;
mod cursor;
mod evidence_calls;
mod evidence_views;
pub(crate) mod forms;
mod openapi;
mod preferences;
mod products;
pub(crate) mod reading;
mod requests;
mod routes;
mod shape;
mod story;
mod story_views;
mod tests_made;
mod tokens;
mod views;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::administration::{Actor, NamedRequest, RequestKey};
use domain::command::fingerprint;
use gateway::Gateway;
use gateway::courier::Courier;
use gateway::ports::{CallbackReports, Entropy, ExchangeLog};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use protocols::exchange::{Answer, Arrival, BodyFault, Serve};
use protocols::order_numbers::OrderNumbers;
use serde_json::Value;

use crate::messenger::HttpMessenger;
use crate::problem::with_type;
use calls::Call;
pub(crate) use calls::PublicCredential;
use codes::{Code, Denial};
use routes::{ROUTES, Route};
pub(crate) use story_views::{ExchangeView, MovementView, OrderStory, Stories};
use tests_made::TestsMade;
pub(crate) use tokens::Holder;
use tokens::Tokens;
use views::Problem;

/// Where the document is, for anybody to read.
pub(crate) const DOCUMENT_PATH: &str = "/openapi.json";

/// The form of the name that a caller gives to a request.
const REQUEST_KEY_PATTERN: &str = "^[A-Za-z0-9._-]{8,128}$";
const REQUEST_KEY: &str = "idempotency-key";

/// Serves the admin API under `/admin/`, and its document.
pub(crate) struct Administration {
    gateway: Arc<Gateway>,
    entropy: Arc<dyn Entropy>,
    tokens: Tokens,
    is_public: PublicCredential,
    exchanges: Arc<dyn ExchangeLog>,
    numbers: Arc<[Box<dyn OrderNumbers>]>,
    callbacks: Arc<dyn CallbackReports>,
    courier: Arc<Courier>,
    messenger: Arc<HttpMessenger>,
    tests_made: Arc<TestsMade>,
    /// Named requests under way.
    in_progress: Mutex<HashSet<RequestKey>>,
    document: Value,
}

/// What the admin API is made of.
pub(crate) struct Parts {
    /// What it administers.
    pub(crate) gateway: Arc<Gateway>,
    /// From where keys are drawn.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Who may use it.
    pub(crate) holders: Vec<Holder>,
    /// Which credentials must not be taken over because they are published.
    pub(crate) is_public: PublicCredential,
    /// What was said about orders.
    pub(crate) exchanges: Arc<dyn ExchangeLog>,
    /// The numbers by which merchants know orders.
    pub(crate) numbers: Vec<Box<dyn OrderNumbers>>,
    /// The list reads of callbacks.
    pub(crate) callbacks: Arc<dyn CallbackReports>,
    /// Knows where merchants are called back.
    pub(crate) courier: Arc<Courier>,
    /// Tries addresses out.
    pub(crate) messenger: Arc<HttpMessenger>,
}

/// Keeps a named request marked as under way.
struct InProgress<'a> {
    administration: &'a Administration,
    key: RequestKey,
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let all = &self.administration.in_progress;
        all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Administration {
    /// Puts it together.
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            gateway: parts.gateway,
            entropy: parts.entropy,
            tokens: Tokens::new(parts.holders),
            is_public: parts.is_public,
            exchanges: parts.exchanges,
            numbers: parts.numbers.into(),
            callbacks: parts.callbacks,
            courier: parts.courier,
            messenger: parts.messenger,
            tests_made: Arc::default(),
            in_progress: Mutex::default(),
            document: openapi::document(),
        }
    }

    async fn answer(&self, arrival: &Arrival) -> Answer {
        let Some(actor) = self.tokens.holder(&arrival.head.headers) else { return unauthorized() };
        let path = arrival.head.uri.path();
        let Some((route, segments)) = find(&arrival.head.method, path) else {
            return not_served(path);
        };
        let answer = self.carry_out(actor, route, segments, arrival).await;
        answer.unwrap_or_else(|denial| denied(&denial))
    }

    async fn carry_out(
        &self,
        actor: &Actor,
        route: &Route,
        segments: Vec<&str>,
        arrival: &Arrival,
    ) -> Result<Answer, Denial> {
        if actor.role < route.role {
            return Err(Code::RoleInsufficient.into());
        }
        let allowed: Vec<&str> = route.query.iter().map(|parameter| parameter.name).collect();
        let query = reading::query(arrival.head.uri.query(), &allowed)?;
        let body = body(route, arrival)?;
        let request = match request_key(&arrival.head.headers)? {
            None if route.is_named() => return Err(Code::RequestKeyMissing.into()),
            None => None,
            Some(text) => {
                let content = body.to_string();
                let parts = [route.method.as_str(), arrival.head.uri.path(), &content];
                Some(NamedRequest { text, fingerprint: fingerprint(parts) })
            }
        };
        let _in_progress = request.as_ref().map(|it| self.mark(actor, it)).transpose()?;
        let call = Call {
            gateway: Arc::clone(&self.gateway),
            entropy: Arc::clone(&self.entropy),
            is_public: self.is_public,
            exchanges: Arc::clone(&self.exchanges),
            numbers: Arc::clone(&self.numbers),
            callbacks: Arc::clone(&self.callbacks),
            courier: Arc::clone(&self.courier),
            messenger: Arc::clone(&self.messenger),
            tests_made: Arc::clone(&self.tests_made),
            by: calls::by(actor, request),
            path: segments.into_iter().map(str::to_owned).collect(),
            query,
            body,
        };
        let answer = call.carry_out(route.operation).await?;
        let status = StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK);
        Ok(with_type(status, "application/json", &answer))
    }

    /// Marks a named request as under way, unless one of that name is.
    fn mark(&self, actor: &Actor, request: &NamedRequest) -> Result<InProgress<'_>, Denial> {
        let key = RequestKey { actor: actor.name.clone(), text: request.text.clone() };
        let mut all = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        if all.insert(key.clone()) {
            Ok(InProgress { administration: self, key })
        } else {
            Err(Code::RequestInProgress.into())
        }
    }
}

/// The route of a path and a method, and what stands in the path where the route has braces.
fn find<'path>(method: &Method, path: &'path str) -> Option<(&'static Route, Vec<&'path str>)> {
    let mut routes = ROUTES.iter().filter(|route| route.method == *method);
    routes.find_map(|route| Some((route, route.matches(path)?)))
}

/// The answer where there is no such path, or not with that method.
fn not_served(path: &str) -> Answer {
    let methods: Vec<_> = openapi::methods_of(path).iter().map(|it| it.as_str()).collect();
    if methods.is_empty() {
        return denied(&Code::PathUnknown.into());
    }
    not_allowed(&methods.join(", "))
}

fn not_allowed(methods: &str) -> Answer {
    let mut answer = denied(&Code::MethodNotAllowed.into());
    if let Ok(value) = HeaderValue::from_str(methods) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}

/// A missing and a wrong token are answered alike.
fn unauthorized() -> Answer {
    let mut answer = denied(&Code::Unauthorized.into());
    let scheme = HeaderValue::from_static("Bearer");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    answer
}

/// The body of a request; null on routes that take none.
fn body(route: &Route, arrival: &Arrival) -> Result<Value, Denial> {
    let bytes = arrival.body.as_ref().map_err(|fault| match fault {
        BodyFault::TooLarge => Code::BodyTooLarge,
        BodyFault::TooSlow => Code::BodyTooSlow,
        BodyFault::Broken => Code::RequestMalformed,
    })?;
    if route.body.is_none() {
        return Ok(Value::Null);
    }
    let headers = &arrival.head.headers;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json")
        || headers.contains_key(header::CONTENT_ENCODING)
    {
        return Err(Code::MediaTypeUnsupported.into());
    }
    reading::value(bytes)
}

/// The caller's own name for a request.
fn request_key(headers: &HeaderMap) -> Result<Option<String>, Denial> {
    let mut values = headers.get_all(REQUEST_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match value.to_str() {
        Ok(text)
            if values.next().is_none()
                && (8..=128).contains(&text.len())
                && text.bytes().all(plain) =>
        {
            Ok(Some(text.to_owned()))
        }
        _ => Err(Code::RequestKeyInvalid.into()),
    }
}

/// A denial as a problem document.
fn denied(denial: &Denial) -> Answer {
    let (status, code, indonesian, english) = denial.code.parts();
    let particulars = denial.particulars.as_ref().map(|text| format!(" ({text})"));
    let particulars = particulars.unwrap_or_default();
    let body = Problem {
        r#type: "about:blank".to_owned(),
        title: denial.status().canonical_reason().unwrap_or("Error").to_owned(),
        status,
        code: code.to_owned(),
        detail: format!("{english}{particulars}"),
        detail_id: format!("{indonesian}{particulars}"),
    };
    let mut answer = with_type(denial.status(), "application/problem+json", &body);
    if matches!(
        denial.code,
        Code::RequestInProgress
            | Code::OrderInFlight
            | Code::CallbackInFlight
            | Code::StoreUnavailable
    ) {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

#[async_trait]
impl Serve for Administration {
    async fn serve(&self, arrival: Arrival) -> Answer {
        if arrival.head.uri.path() == DOCUMENT_PATH {
            return match arrival.head.method {
                Method::GET => with_type(StatusCode::OK, "application/json", &self.document),
                _ => not_allowed("GET"),
            };
        }
        let mut answer = self.answer(&arrival).await;
        // Answers may hold keys and customers' numbers.
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}

/// The document, for whoever wants it without a server.
pub(crate) fn document() -> Value {
    openapi::document()
}
