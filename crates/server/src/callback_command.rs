//! `lunas callback`: the news that a running server owes its merchants.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

/// What an operator does with callbacks.
#[derive(Debug, Args)]
pub(crate) struct CallbackOptions {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: CallbackCommand,
}

#[derive(Debug, Subcommand)]
enum CallbackCommand {
    /// Daftar callback, terbaru lebih dahulu · list callbacks, newest first
    List(ListOptions),
    /// Tampilkan callback dan semua percobaannya · show a callback and all its tries
    Show {
        /// The callback's number
        callback: u64,
    },
    /// Kirim lagi, dengan isi yang sama · have callbacks sent again, with the same content
    Resend {
        /// The callbacks' numbers
        #[arg(required_unless_present = "given_up")]
        callbacks: Vec<u64>,
        /// Semua yang sudah tidak dicoba lagi · all that are not tried any more
        #[arg(long, conflicts_with = "callbacks")]
        given_up: bool,
        /// With --given-up, only those of this merchant
        #[arg(long, requires = "given_up")]
        merchant: Option<u32>,
    },
    /// Uji alamat callback dan periksa tiap langkahnya · try an address out and tell each step
    Test {
        /// The merchant's number
        merchant: u32,
        /// The protocol
        #[arg(long, default_value = "iak")]
        protocol: String,
    },
}

#[derive(Debug, Args)]
struct ListOptions {
    /// Of this merchant
    #[arg(long)]
    merchant: Option<u32>,
    /// Of this order, by our number
    #[arg(long)]
    order: Option<u64>,
    /// In this state: waiting, leased, delivered or given-up
    #[arg(long)]
    state: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &CallbackOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let (answer, lines) = match &options.command {
        CallbackCommand::List(filter) => list(&client, filter)?,
        CallbackCommand::Show { callback } => show(&client, *callback)?,
        CallbackCommand::Resend { callbacks, given_up, merchant } => {
            let chosen = match given_up {
                true => given_up_callbacks(&client, *merchant)?,
                false => callbacks.clone(),
            };
            resend(&client, &chosen)?
        }
        CallbackCommand::Test { merchant, protocol } => test(&client, *merchant, protocol)?,
    };
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn list(client: &Client, options: &ListOptions) -> anyhow::Result<(Value, String)> {
    let items = find(client, options)?;
    let lines: Vec<_> = items.iter().map(line).collect();
    Ok((items.into(), lines.join("\n")))
}

fn find(client: &Client, options: &ListOptions) -> anyhow::Result<Vec<Value>> {
    let given = [
        ("merchant", options.merchant.map(|it| it.to_string())),
        ("order", options.order.map(|it| it.to_string())),
        ("state", options.state.clone()),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", escaped(&value))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    client.list(&format!("/admin/v1/callbacks{mark}{}", query.join("&")), options.limit)
}

fn line(callback: &Value) -> String {
    let part = |name| field(callback, name);
    format!(
        "{} {} order {} merchant {} {} {} {} ({}x) {}",
        part("callback"),
        part("at"),
        part("order"),
        part("merchant"),
        part("protocol"),
        part("event"),
        part("state"),
        part("tries"),
        part("due")
    )
}

fn show(client: &Client, callback: u64) -> anyhow::Result<(Value, String)> {
    let answer = client.get(&format!("/admin/v1/callbacks/{callback}"))?;
    let mut lines = vec![line(&answer["callback"])];
    for it in answer["deliveries"].as_array().into_iter().flatten() {
        let part = |name| field(it, name);
        let came = if it["status"].is_null() {
            part("problem")
        } else {
            format!("HTTP {} {}", part("status"), part("excerpt"))
        };
        lines.push(format!(
            "Percobaan · try {} {} {} ms: {came}",
            part("number"),
            part("at"),
            part("took_ms")
        ));
    }
    for (name, value) in answer["content"]["headers"].as_object().into_iter().flatten() {
        lines.push(format!("{name}: {}", value.as_str().unwrap_or_default()));
    }
    if let Some(body) = answer["content"]["body"].as_str() {
        lines.push(body.to_owned());
    }
    Ok((answer, lines.join("\n")))
}

fn given_up_callbacks(client: &Client, merchant: Option<u32>) -> anyhow::Result<Vec<u64>> {
    let state = Some("given-up".to_owned());
    let options = ListOptions { merchant, order: None, state, limit: usize::MAX };
    let found = find(client, &options)?;
    Ok(found.iter().filter_map(|it| it["callback"].as_u64()).collect())
}

/// Resends as many as possible, and fails if one could not be resent.
fn resend(client: &Client, callbacks: &[u64]) -> anyhow::Result<(Value, String)> {
    let mut resent = Vec::new();
    let mut problems = Vec::new();
    for callback in callbacks {
        let path = format!("/admin/v1/callbacks/{callback}/resend");
        match client.post(&path, &Value::Null) {
            Ok(_) => resent.push(*callback),
            Err(problem) => problems.push(format!("{callback}: {problem}")),
        }
    }
    if !problems.is_empty() {
        bail!("{} dikirim lagi · resent; {}", resent.len(), problems.join("; "));
    }
    let line = format!("Dikirim lagi · resent: {}", resent.len());
    Ok((json!({ "resent": resent }), line))
}

fn test(client: &Client, merchant: u32, protocol: &str) -> anyhow::Result<(Value, String)> {
    let body = json!({ "merchant": merchant, "protocol": protocol });
    let answer = client.post("/admin/v1/callback-tests", &body)?;
    let lines = diagnosis(&answer);
    Ok((answer, lines))
}

fn diagnosis(answer: &Value) -> String {
    let part = |name| field(answer, name);
    let mut lines = vec![format!("URL: {}", part("url"))];
    for it in answer["addresses"].as_array().into_iter().flatten() {
        let verdict = match it["refused"].as_str() {
            Some(region) => format!("ditolak · refused ({region})"),
            None => "boleh · allowed".to_owned(),
        };
        lines.push(format!("DNS: {} {verdict}", field(it, "address")));
    }
    if !answer["connected_to"].is_null() {
        lines.push(format!("TCP: {} {} ms", part("connected_to"), part("connect_ms")));
    }
    if !answer["tls"].is_null() {
        lines.push(format!("TLS: {} {} ms", part("tls"), part("tls_ms")));
    }
    for it in answer["certificates"].as_array().into_iter().flatten() {
        let part = |name| field(it, name);
        lines.push(format!(
            "Sertifikat · certificate: {} ({}) {} – {}",
            part("subject"),
            part("issuer"),
            part("not_before"),
            part("not_after")
        ));
    }
    for (name, value) in answer["sent_headers"].as_object().into_iter().flatten() {
        lines.push(format!("Dikirim · sent: {name}: {}", value.as_str().unwrap_or_default()));
    }
    if !answer["status"].is_null() {
        lines.push(format!("HTTP: {} {} ms", part("status"), part("first_byte_ms")));
        lines.push(format!("Jawaban · answer: {}", part("excerpt")));
    }
    if !answer["problem"].is_null() {
        lines.push(format!("Masalah · problem: {}", part("problem")));
    }
    let verdict = part("verdict");
    lines.push(format!("{verdict}: {} · {}", part("advice_id"), part("advice")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnosis_is_told_step_by_step() {
        let answer = json!({
            "url": "https://shop.example/", "verdict": "unreachable", "advice": "Look.",
            "advice_id": "Lihat.", "addresses": [{ "address": "192.0.2.1", "refused": null }],
            "connected_to": "192.0.2.1:443", "connect_ms": 12, "tls": null, "tls_ms": null,
            "certificates": [{ "subject": "CN=other", "issuer": "CN=CA",
                "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-04-01T00:00:00Z" }],
            "status": null, "first_byte_ms": null, "excerpt": null,
            "problem": "tls: the certificate is for another name",
            "sent_headers": { "webhook-id": "msg_1" }, "sent_body": "{}",
        });
        let text = diagnosis(&answer);
        for line in [
            "DNS: 192.0.2.1 boleh · allowed",
            "TCP: 192.0.2.1:443 12 ms",
            "Sertifikat · certificate: CN=other (CN=CA) 2026-01-01T00:00:00Z – 2026-04-01T00:00:00Z",
            "Masalah · problem: tls: the certificate is for another name",
            "unreachable: Lihat. · Look.",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
        }
    }
}
