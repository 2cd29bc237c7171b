//! The served face of the prepaid API, in both its versions (IAK reference, sections 7 and 8).
//!
//! A path or, in the older version, a command names one of the services; from there on both versions
//! take the same way and differ in names only, which every service accepts in either spelling. What
//! was begun in one version can be asked for in the other.
//!
//! The order of checks, the HTTP status and the treatment of faults are those of the postpaid face.

mod activation_mail;
mod look_up;
mod price_list;
mod receipt;
mod top_up;

use std::net::IpAddr;

use domain::{Merchant, Refusal};
use gateway::exchanges::Note;
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use tracing::{Span, error};

pub(super) use activation_mail::MailCount;
use price_list::Listed;

use super::{Denial, Served, request, said};
use crate::exchange::{Answer, Arrival};
use crate::iak::codes::prepaid as codes;
use crate::iak::pages::Form;
use crate::iak::sign;
use crate::iak::wire::Format;
use crate::iak::wire::answer::Message;
use crate::iak::wire::fields::{FieldFault, Fields, Flaw};
use crate::iak::wire::node::Node;
use crate::iak::wire::prepaid::{self as wire, Dialect, Entries, StatusForm, Version};

const CURRENT: &str = "/api/";
const LEGACY: &str = "/v1/legacy/index";
/// Below this prefix nobody else answers.
pub(super) const LEGACY_PREFIX: &str = "/v1/legacy/";

const CUSTOMER: [&str; 2] = ["customer_id", "hp"];
const CUSTOMER_LEGACY: [&str; 2] = ["hp", "customer_id"];
const PRODUCT: [&str; 3] = ["product_code", "pulsa_code", "code"];
const PRODUCT_LEGACY: [&str; 3] = ["pulsa_code", "product_code", "code"];

/// The services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Balance,
    PriceList,
    Operator,
    Meter,
    Wallet,
    Player,
    GameServers,
    GameFormat,
    TopUp,
    Status,
    ActivationMail,
}

impl Service {
    /// The service at this path below `/api/`; price lists have more behind it.
    fn at(path: &str) -> Option<Self> {
        Some(match path {
            "check-balance" => Self::Balance,
            "pricelist" => Self::PriceList,
            "check-operator" => Self::Operator,
            "inquiry-pln" => Self::Meter,
            "inquiry-ovo" => Self::Wallet,
            "inquiry-game" => Self::Player,
            "inquiry-game-server" => Self::GameServers,
            "game/format" => Self::GameFormat,
            "top-up" => Self::TopUp,
            "check-status" => Self::Status,
            "esim/notification/activation" => Self::ActivationMail,
            _ => return None,
        })
    }

    /// A name for it, the same in both versions.
    const fn name(self) -> &'static str {
        match self {
            Self::Balance => "check-balance",
            Self::PriceList => "pricelist",
            Self::Operator => "check-operator",
            Self::Meter => "inquiry-pln",
            Self::Wallet => "inquiry-ovo",
            Self::Player => "inquiry-game",
            Self::GameServers => "inquiry-game-server",
            Self::GameFormat => "game/format",
            Self::TopUp => "top-up",
            Self::Status => "check-status",
            Self::ActivationMail => "esim/notification/activation",
        }
    }

    /// The service of this command of the older version.
    fn commanded(command: &str) -> Result<Self, Refusal> {
        Ok(match command {
            "balance" => Self::Balance,
            "pricelist" => Self::PriceList,
            "inquiry_pln" => Self::Meter,
            "check-game-id" => Self::Player,
            "game-server-list" => Self::GameServers,
            "game-format-id" => Self::GameFormat,
            "topup" => Self::TopUp,
            "inquiry" => Self::Status,
            _ => return Err(Refusal::CommandUnknown),
        })
    }

    /// What the signature is computed from (section 3).
    fn signed(self, call: Call<'_>) -> Result<&str, FieldFault> {
        match self {
            Self::Balance => Ok(sign::BALANCE),
            Self::PriceList => Ok(sign::PRICE_LIST),
            Self::Operator => Ok(sign::OPERATOR),
            Self::Meter | Self::Wallet => call.customer(),
            Self::Player | Self::GameServers | Self::GameFormat => call.fields.numeral("game_code"),
            Self::TopUp | Self::Status => call.fields.numeral("ref_id"),
            Self::ActivationMail => call.fields.numeral("tr_id"),
        }
    }

    const fn status_form(self) -> StatusForm {
        match self {
            Self::Balance | Self::PriceList | Self::Operator | Self::ActivationMail => {
                StatusForm::None
            }
            Self::Meter | Self::Wallet => StatusForm::Text,
            Self::Player | Self::GameServers | Self::GameFormat | Self::TopUp | Self::Status => {
                StatusForm::Number
            }
        }
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// A service of the newer version; only price lists are narrowed by their path.
    Current(Service, Listed<'a>),
    /// The older version.
    Legacy(Listed<'a>),
    /// The receipt of the transaction with this number.
    Download(&'a str, Form),
}

impl<'a> Route<'a> {
    /// Where this path leads, if it leads anywhere. A slash at its end means nothing.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some(rest) = path.strip_prefix(LEGACY) {
            return Listed::of(rest).map(Self::Legacy);
        }
        let rest = path.strip_prefix(CURRENT)?;
        if let Some(service) = Service::at(rest) {
            return Some(Self::Current(service, Listed::default()));
        }
        if let Some(rest) = rest.strip_prefix("pricelist") {
            return Listed::of(rest).map(|listed| Self::Current(Service::PriceList, listed));
        }
        let (tr_id, form) = rest.strip_prefix("download/").and_then(super::numbered)?;
        Some(Self::Download(tr_id, form))
    }

    const fn method(self) -> Method {
        match self {
            Self::Download(..) => Method::GET,
            Self::Current(..) | Self::Legacy(_) => Method::POST,
        }
    }
}

/// A request whose body could be read.
#[derive(Clone, Copy)]
struct Call<'a> {
    fields: Fields<'a>,
    dialect: Dialect,
    peer: IpAddr,
    listed: Listed<'a>,
}

impl<'a> Call<'a> {
    fn version(self) -> Version {
        self.dialect.version
    }

    /// The customer's number, under either version's name for it.
    fn customer(self) -> Result<&'a str, FieldFault> {
        let names = match self.version() {
            Version::Current => CUSTOMER,
            Version::Legacy => CUSTOMER_LEGACY,
        };
        self.fields.numeral(self.fields.named(&names))
    }

    /// The product's code, under either version's name for it.
    fn product(self) -> Result<&'a str, FieldFault> {
        let names = match self.version() {
            Version::Current => PRODUCT,
            Version::Legacy => PRODUCT_LEGACY,
        };
        self.fields.text(self.fields.named(&names))
    }

    /// In which currency the merchant wants to be told, if it says so.
    fn currency(self) -> Result<Option<&'a str>, FieldFault> {
        let field = "currency";
        match self.fields.optional_text(field)? {
            Some(known @ ("IDR" | "USD")) => Ok(Some(known)),
            None => Ok(None),
            Some(_) => Err(FieldFault { field, flaw: Flaw::Value }),
        }
    }
}

/// Whether a refusal is about who calls. It says nothing about what was asked for: an order that is
/// asked about may be under way, and must not look failed.
const fn is_about_the_caller(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::SignatureInvalid | Refusal::AddressNotAllowed | Refusal::AccountSuspended
    )
}

/// What is answered instead of what was asked for. Only what was looked at has a status.
fn denied(denial: Denial, form: StatusForm) -> Message<'static> {
    match denial {
        Denial::Malformed(why) => wire::malformed(why),
        Denial::Field(fault) => wire::field_fault(fault),
        Denial::Refused(refusal) => {
            let form = if is_about_the_caller(refusal) { StatusForm::None } else { form };
            wire::refusal(StatusCode::OK, codes::of_refusal(refusal), form)
        }
        Denial::TooOften => wire::fault(StatusCode::TOO_MANY_REQUESTS),
        Denial::Fault(fault) => {
            error!(%fault, "request could not be carried out");
            wire::fault(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn not_found(status: StatusCode) -> Message<'static> {
    wire::refusal(status, codes::of_refusal(Refusal::PathUnknown), StatusForm::None)
}

impl Served {
    /// Answers below a path of the prepaid API.
    pub(super) async fn prepaid(
        &self,
        arrival: &Arrival,
        route: Option<Route<'_>>,
        format: Format,
        note: &mut Note,
    ) -> Answer {
        let Some(route) = route else {
            return said(not_found(StatusCode::NOT_FOUND), format, note);
        };
        if arrival.head.method != route.method() {
            let mut answer = said(not_found(StatusCode::METHOD_NOT_ALLOWED), format, note);
            let allowed = HeaderValue::from_str(route.method().as_str());
            answer.headers_mut().extend(allowed.ok().map(|method| (ALLOW, method)));
            return answer;
        }
        let (service, listed, version) = match route {
            Route::Download(tr_id, form) => {
                return self.prepaid_download(arrival, tr_id, form, note).await;
            }
            Route::Current(service, listed) => (Some(service), listed, Version::Current),
            Route::Legacy(listed) => (None, listed, Version::Legacy),
        };
        let dialect = Dialect { version, format };
        let message = self.prepaid_service(arrival, service, dialect, listed, note).await;
        said(message, format, note)
    }

    /// Answers for a service, or for the one that the body's command names.
    async fn prepaid_service(
        &self,
        arrival: &Arrival,
        service: Option<Service>,
        dialect: Dialect,
        listed: Listed<'_>,
        note: &mut Note,
    ) -> Message<'static> {
        let form = service.map_or(StatusForm::None, Service::status_form);
        let object = match request(arrival, dialect.format) {
            Ok(object) => object,
            Err(malformed) => return denied(malformed.into(), form),
        };
        let call = Call { fields: Fields(&object), dialect, peer: arrival.peer, listed };
        let commanded = || Ok(Service::commanded(call.fields.text("commands")?)?);
        match service.map_or_else(commanded, Ok) {
            Ok(service) => {
                let answer = self.served(service, call, note).await;
                answer.unwrap_or_else(|denial| denied(denial, service.status_form()))
            }
            Err(denial) => denied(denial, form),
        }
    }

    async fn served(
        &self,
        service: Service,
        call: Call<'_>,
        note: &mut Note,
    ) -> Result<Message<'static>, Denial> {
        note.command = service.name();
        let signed = |_| service.signed(call);
        let merchant = self.merchant(call.fields, call.peer, note, signed)?;
        Span::current().record("merchant", merchant.id.0);
        match service {
            Service::Balance => self.check_balance(&merchant, call).await,
            Service::PriceList => self.prepaid_price_list(&merchant, call),
            Service::Operator => look_up::operator(call),
            Service::Meter => self.meter(&merchant, call).await,
            Service::Wallet => self.wallet(&merchant, call).await,
            Service::Player => self.player(&merchant, call).await,
            Service::GameServers => self.game_servers(&merchant, call).await,
            Service::GameFormat => look_up::game_format(call),
            Service::TopUp => self.top_up(&merchant, call).await,
            Service::Status => self.prepaid_status(&merchant, call).await,
            Service::ActivationMail => self.activation_mail(&merchant, call).await,
        }
    }

    /// What the merchant may still spend (section 7.1). Nobody has a balance in a second currency.
    async fn check_balance(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let currency = call.currency()?;
        let available = self.gateway.balance(merchant).await?;
        let other = currency.is_some_and(|currency| currency != available.currency().code());
        let shown = if other { Node::Number(0) } else { Node::amount(available) };
        let mut balance: Entries = vec![("balance", shown)];
        balance.extend(currency.map(|currency| ("currency", Node::own_text(currency))));
        Ok(match call.version() {
            Version::Current => wire::success(balance, StatusForm::None),
            Version::Legacy => wire::legacy_balance(balance),
        })
    }
}
