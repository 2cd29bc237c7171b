//! The served face: a signed body to pieces of evidence to what became of each.
//!
//! In this order: whose it is, whether it is theirs, what it says, and only when all of it is
//! understood, the taking in, oldest money first. That runs in a task of its own, because a feed that
//! hangs up has told what it saw all the same; what it sends again afterwards changes nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Evidence, EvidenceState, Flow, Timestamp};
use gateway::standard_webhooks::{ID, SIGNATURE, TIMESTAMP, verify};
use gateway::{Gateway, TakenIn};
use http::{HeaderMap, Method, header};
use tracing::{error, info, warn};

use super::answer::{Denial, Report, Row, differences};
use super::mutation::{mutations, names};
use super::row::Malformed;
use super::source::Source;
use super::{csv, json};
use crate::admission::SignatureGuard;
use crate::exchange::{Answer, Arrival, BodyFault, Serve};

/// What the address of every source begins with.
pub const PREFIX: &str = "/lunas/evidence/";
/// How long a body may be.
const BODY_MAX: usize = 256 * 1024;
/// How many characters the name of a source may have.
const NAME_MAX: usize = 64;

/// The feeds over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    sources: BTreeMap<String, Arc<Source>>,
    signatures: Arc<dyn SignatureGuard>,
}

/// The two forms of a body.
#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Csv,
}

impl Served {
    /// Takes in what these sources tell; whose signatures are looked at is the guard's decision.
    pub fn new(
        gateway: Arc<Gateway>,
        sources: impl IntoIterator<Item = Source>,
        signatures: Arc<dyn SignatureGuard>,
    ) -> Self {
        let named = |source: Source| (source.name.clone(), Arc::new(source));
        Self { gateway, sources: sources.into_iter().map(named).collect(), signatures }
    }

    /// Whether a path is that of a source, be there one or not.
    pub fn owns(path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    async fn answer(&self, arrival: Arrival) -> Result<Answer, Denial> {
        if arrival.head.method != Method::POST {
            return Err(Denial::Method);
        }
        let body = arrival.body.map_err(|fault| match fault {
            BodyFault::TooLarge => Denial::TooLarge,
            BodyFault::TooSlow => Denial::TooSlow,
            BodyFault::Broken => Denial::Broken,
        })?;
        if body.len() > BODY_MAX {
            return Err(Denial::TooLarge);
        }
        let name = arrival.head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let headers = &arrival.head.headers;
        let source = self.authenticated(name, arrival.peer, headers, &body)?;
        let form = form(headers).ok_or(Denial::ContentType)?;
        let all = self.understood(&source, form, &body)?;
        self.channel_is_there(&source)?;
        let gateway = Arc::clone(&self.gateway);
        let taking_in = tokio::spawn(async move { take_in(&gateway, all).await });
        let rows = taking_in.await.map_err(|fault| {
            error!(%fault, "taking in evidence broke off");
            Denial::Fault
        })??;
        let report = Report::new(&source.name, rows);
        info!(
            source = source.name,
            recorded = report.recorded,
            repeated = report.repeated,
            "evidence was taken in"
        );
        Ok(report.answer())
    }

    /// The source that proves to have sent this body. Whoever does not is told nothing more than that;
    /// the log says why.
    fn authenticated(
        &self,
        name: &str,
        peer: IpAddr,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Arc<Source>, Denial> {
        let name = if name.len() <= NAME_MAX { name } else { "" };
        let denied = |reason: &str| {
            warn!(source = name, %peer, reason, "evidence was not believed");
            Denial::Unauthorised
        };
        if !self.signatures.admits(peer, name) {
            return Err(denied("too many wrong signatures came from this address"));
        }
        let source = self.sources.get(name).ok_or_else(|| {
            self.signatures.was_wrong(peer, name);
            denied("there is no such source")
        })?;
        if !(source.peers)(peer) {
            return Err(denied("the source may not call from this address"));
        }
        let once = |header: &str| {
            let mut values = headers.get_all(header).iter();
            let value = values.next().and_then(|value| value.to_str().ok());
            value.filter(|value| !value.is_empty() && values.next().is_none())
        };
        let (Some(id), Some(timestamp), Some(signature)) =
            (once(ID), once(TIMESTAMP), once(SIGNATURE))
        else {
            return Err(denied("one of the three headers is missing or comes twice"));
        };
        let now = self.gateway.now();
        verify((id, timestamp, signature), &source.secret, body, now).map_err(|unverified| {
            self.signatures.was_wrong(peer, name);
            denied(&unverified.to_string())
        })?;
        Ok(Arc::clone(source))
    }

    /// All that the body says, or the first place that says nothing.
    fn understood(
        &self,
        source: &Source,
        form: Form,
        body: &[u8],
    ) -> Result<Vec<Evidence>, Denial> {
        let text = std::str::from_utf8(body).map_err(|fault| {
            let fault = Malformed::new(fault.valid_up_to(), "the body is not UTF-8");
            malformed(&fault, &String::from_utf8_lossy(body))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let now = self.gateway.now();
        let rows = match form {
            Form::Json => json::rows(text),
            Form::Csv => csv::rows(text),
        };
        let read = rows.and_then(|rows| mutations(rows, source, now));
        let read = read.map_err(|fault| malformed(&fault, text))?;
        let names = names(&read, &source.name);
        let evidence = |(mutation, key)| evidence(source, mutation, key, now);
        Ok(read.into_iter().zip(names).map(evidence).collect())
    }

    fn channel_is_there(&self, source: &Source) -> Result<(), Denial> {
        let catalogue = self.gateway.catalogue();
        let channel = catalogue.product(&source.channel).and_then(|it| it.channel.as_ref());
        let is_there = channel.is_some_and(|it| it.flow == Flow::In && it.takes(source.currency));
        if is_there {
            return Ok(());
        }
        error!(
            source = source.name,
            channel = source.channel.as_str(),
            currency = source.currency.code(),
            "evidence was refused: there is no channel for it"
        );
        Err(Denial::NoChannel)
    }
}

fn malformed(fault: &Malformed, text: &str) -> Denial {
    let (line, column) = fault.place(text);
    Denial::Malformed { line, column, reason: fault.reason.clone().into_owned() }
}

fn evidence(
    source: &Source,
    mutation: super::mutation::Mutation,
    key: domain::EvidenceKey,
    now: Timestamp,
) -> Evidence {
    Evidence {
        key,
        channel: source.channel.as_str().to_owned(),
        amount: mutation.amount,
        sender: mutation.sender,
        reference: mutation.reference,
        came_in_at: mutation.at,
        seen_at: now,
        state: EvidenceState::Open,
    }
}

/// Takes in everything, the oldest first, and tells of it in the order in which it came. What was
/// taken in before a fault stays, and is found to be repeated when it is sent again.
async fn take_in(gateway: &Arc<Gateway>, all: Vec<Evidence>) -> Result<Vec<Row>, Denial> {
    let mut by_time: Vec<_> = all.into_iter().enumerate().collect();
    by_time.sort_by_key(|(_, evidence)| evidence.came_in_at);
    let mut rows = Vec::with_capacity(by_time.len());
    for (place, brought) in by_time {
        let taken_in = gateway.take_in(brought.clone()).await.map_err(|fault| {
            error!(%fault, "evidence could not be taken in");
            Denial::Fault
        })?;
        let differs = if taken_in.repeated { compare(&brought, &taken_in) } else { Vec::new() };
        rows.push((place, Row::new(place.saturating_add(1), &taken_in, differs)));
    }
    rows.sort_by_key(|(place, _)| *place);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Money that looks like other money may be new all the same, and then nobody is credited with it.
fn compare(brought: &Evidence, taken_in: &TakenIn) -> Vec<&'static str> {
    let differs = differences(brought, &taken_in.evidence);
    if !differs.is_empty() {
        warn!(
            source = brought.key.source,
            evidence = brought.key.id,
            differs = differs.join(", "),
            "evidence was taken for a repeat although it is not quite the same; if it is other \
             money, it needs an id of its own"
        );
    }
    differs
}

/// In which form the body is; none if it is in none of ours.
fn form(headers: &HeaderMap) -> Option<Form> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parts = kind.split(';').map(str::trim);
    let form = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Form::Json,
        "text/csv" => Form::Csv,
        _ => return None,
    };
    let is_utf8 = parts.all(|part| match part.to_ascii_lowercase().split_once('=') {
        Some(("charset", charset)) => charset.trim_matches('"') == "utf-8",
        _ => true,
    });
    is_utf8.then_some(form)
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        self.answer(arrival).await.unwrap_or_else(Answer::from)
    }
}
