//! Rules between settings. Each is checked as far as its settings have no fault of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::fault::Fault;
use super::name::Name;
use super::resolve::Resolution;
use super::secret::Secret;
use super::value::Value;

/// Adds a fault for every rule that is broken.
pub(super) fn check(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let rules = [
        certificate_and_key_come_together,
        listeners_do_not_collide,
        links_have_an_address,
        tokens_differ,
        sources_sign_with_secrets_of_their_own,
        sources_have_one_channel,
        sources_are_no_upstreams,
        a_try_outlasts_its_connection,
        backups_are_apart,
        routes_lead_to_upstreams,
        products_have_one_route,
    ];
    for rule in rules {
        rule(resolution, faults);
    }
}

fn certificate_and_key_come_together(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let is_set =
        |key| resolution.values.get(key).map(|resolved| !matches!(resolved.value, Value::Nothing));
    for (one, other) in [("tls.certificate", "tls.key"), ("tls.key", "tls.certificate")] {
        if is_set(one) == Some(true) && is_set(other) == Some(false) {
            let problem = format!("{other} is empty; set both, or neither behind a reverse proxy");
            faults.push(fault(resolution, one, problem));
        }
    }
}

fn listeners_do_not_collide(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let find = |key| resolution.find::<SocketAddr>(key);
    let (Some(public), Some(admin)) = (find("server.listen"), find("server.admin_listen")) else {
        return;
    };
    let (one, other) = (public.ip(), admin.ip());
    let overlap = one == other || one.is_unspecified() || other.is_unspecified();
    if public.port() == admin.port() && public.port() != 0 && overlap {
        let problem = format!("server.listen = \"{public}\" takes it; write another port");
        faults.push(fault(resolution, "server.admin_listen", problem));
    }
}

/// Links made of `0.0.0.0` would lead nowhere.
fn links_have_an_address(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let listen = resolution.find::<SocketAddr>("server.listen");
    let is_unspecified = listen.is_some_and(|address| address.ip().is_unspecified());
    let public = resolution.values.get("server.public_url").map(|resolved| &resolved.value);
    if is_unspecified && matches!(public, Some(Value::Nothing)) {
        let problem = "takes every address, so that links need server.public_url; \
             write the address that merchants see, for example \"https://pay.example.id\"";
        faults.push(fault(resolution, "server.listen", problem.to_owned()));
    }
}

/// With one token in two hands nobody could tell from the audit record who it was.
fn tokens_differ(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let mut holders = BTreeMap::<String, &Name>::new();
    for name in resolution.names("admin_token") {
        let key = format!("admin_token.{name}.token");
        let Some(token) = resolution.find::<Secret>(&key) else { continue };
        if let Some(holder) = holders.insert(token.expose().to_owned(), name) {
            let problem = format!("the same as that of {holder}; make a token for each");
            faults.push(fault(resolution, &key, problem));
        }
    }
}

/// What is signed does not say for whom it is meant: with one secret in two feeds, what one of them
/// sent could be brought again in the other's name.
fn sources_sign_with_secrets_of_their_own(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let mut holders = BTreeMap::<String, &Name>::new();
    for name in resolution.names("evidence") {
        let key = format!("evidence.{name}.secret");
        let Some(secret) = resolution.find::<Secret>(&key) else { continue };
        if !gateway::courier::is_secret(secret.expose()) {
            let problem = "no secret of Standard Webhooks; \
                 write whsec_ and what `openssl rand -base64 32` makes";
            faults.push(fault(resolution, &key, problem.to_owned()));
        } else if secret.expose() == protocols::sandbox::demo::EVIDENCE_SECRET {
            let problem = "published, so that anybody could credit merchants; make another one";
            faults.push(fault(resolution, &key, problem.to_owned()));
        } else if let Some(holder) = holders.insert(secret.expose().to_owned(), name) {
            let problem = format!("the same as that of {holder}; make a secret for each");
            faults.push(fault(resolution, &key, problem));
        }
    }
}

fn sources_have_one_channel(resolution: &Resolution, faults: &mut Vec<Fault>) {
    for name in resolution.names("evidence") {
        let key = format!("evidence.{name}.channel");
        if resolution.find::<String>(&key).is_some_and(|channel| channel == "*") {
            let problem = "not one channel; write its name".to_owned();
            faults.push(fault(resolution, &key, problem));
        }
    }
}

/// Evidence goes by the name of who saw it, be it a feed or an upstream.
fn sources_are_no_upstreams(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let upstreams = resolution.names("upstream");
    for name in resolution.names("evidence").iter().filter(|name| upstreams.contains(name)) {
        let key = format!("evidence.{name}.channel");
        let problem = format!("there is an upstream {name} too; rename one of the two");
        faults.push(fault(resolution, &key, problem));
    }
}

/// Otherwise no receiver would ever have time to answer.
fn a_try_outlasts_its_connection(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let find = |key| resolution.find::<Duration>(key);
    let (Some(connection), Some(whole)) =
        (find("callbacks.connect_within"), find("callbacks.try_within"))
    else {
        return;
    };
    if connection >= whole {
        let problem = "not longer than callbacks.connect_within; write a longer time".to_owned();
        faults.push(fault(resolution, "callbacks.try_within", problem));
    }
}

fn backups_are_apart(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let find = |key| resolution.find::<PathBuf>(key);
    let (Some(data), Some(backup)) = (find("data.directory"), find("backup.directory")) else {
        return;
    };
    if data == backup {
        let problem = "the same as data.directory; write another folder".to_owned();
        faults.push(fault(resolution, "backup.directory", problem));
    }
}

fn routes_lead_to_upstreams(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let known = resolution.names("upstream");
    for name in resolution.names("route") {
        let key = format!("route.{name}.upstreams");
        for upstream in resolution.find::<Vec<Name>>(&key).unwrap_or_default() {
            if known.contains(&upstream) {
                continue;
            }
            let known: Vec<_> = known.iter().map(Name::as_str).collect();
            let problem = if known.is_empty() {
                format!("there is no upstream; write a table [upstream.{upstream}]")
            } else {
                let known = known.join(", ");
                format!("there is no upstream {upstream}; write one of {known}, or add its table")
            };
            faults.push(fault(resolution, &key, problem));
        }
    }
}

fn products_have_one_route(resolution: &Resolution, faults: &mut Vec<Fault>) {
    let mut routes = BTreeMap::<String, &Name>::new();
    for name in resolution.names("route") {
        let key = format!("route.{name}.product");
        let Some(product) = resolution.find::<String>(&key) else { continue };
        if let Some(first) = routes.insert(product, name) {
            let problem = format!(
                "already has the route {first}; write all its upstreams in order in one route"
            );
            faults.push(fault(resolution, &key, problem));
        }
    }
}

/// A fault of a key that has a value; the value shows itself masked if it is a secret.
fn fault(resolution: &Resolution, key: &str, problem: String) -> Fault {
    let found = resolution.values.get(key);
    let value = found.map(|resolved| resolved.value.to_string());
    let place = found.map(|resolved| resolved.origin.to_string());
    Fault { subject: key.to_owned(), value, place, problem }
}
