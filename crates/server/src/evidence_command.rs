//! `lunas evidence`: money that came in at a running server, and whose it is.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

/// What an operator does with evidence.
#[derive(Debug, Args)]
pub(crate) struct EvidenceOptions {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: EvidenceCommand,
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Daftar bukti uang masuk · list evidence of money
    List {
        /// In this state: open, used, suspended or released
        #[arg(long)]
        state: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Tampilkan satu bukti · show one piece of evidence
    Show(Name),
    /// Bayar satu pesanan dengan bukti ini · pay an order by this evidence
    Assign {
        #[command(flatten)]
        name: Name,
        /// Our number of the order
        order: u64,
    },
    /// Serahkan uang yang ditahan kepada merchant, atau catat bahwa uang itu dikembalikan · give money on suspense to a merchant, or note that it went back
    Release {
        #[command(flatten)]
        name: Name,
        /// The merchant's number
        #[arg(long, required_unless_present = "back")]
        merchant: Option<u32>,
        /// It went back to whoever sent it
        #[arg(long, conflicts_with = "merchant")]
        back: bool,
        /// Why, for the audit record
        #[arg(long)]
        reason: String,
    },
}

/// What evidence goes by.
#[derive(Debug, Args)]
struct Name {
    /// Who saw the money
    source: String,
    /// The source's name for it
    id: String,
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &EvidenceOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let (answer, lines) = match &options.command {
        EvidenceCommand::List { state, limit } => list(&client, state.as_deref(), *limit)?,
        EvidenceCommand::Show(Name { source, id }) => {
            let path = format!("/admin/v1/evidence/{}?id={}", escaped(source), escaped(id));
            shown(client.get(&path)?)
        }
        EvidenceCommand::Assign { name: Name { source, id }, order } => {
            let body = json!({ "source": source, "id": id, "order": order });
            let answer = client.post("/admin/v1/evidence-assignments", &body)?;
            let line = format!("order {}: {}", field(&answer, "order"), field(&answer, "state"));
            (answer, line)
        }
        EvidenceCommand::Release { name: Name { source, id }, merchant, back: _, reason } => {
            let body =
                json!({ "source": source, "id": id, "merchant": merchant, "reason": reason });
            shown(client.post("/admin/v1/evidence-releases", &body)?)
        }
    };
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn list(client: &Client, state: Option<&str>, limit: usize) -> anyhow::Result<(Value, String)> {
    let query = state.map(|state| format!("?state={}", escaped(state))).unwrap_or_default();
    let items = client.list(&format!("/admin/v1/evidence{query}"), limit)?;
    let lines: Vec<_> = items.iter().map(line).collect();
    Ok((items.into(), lines.join("\n")))
}

fn shown(evidence: Value) -> (Value, String) {
    let line = line(&evidence);
    (evidence, line)
}

fn line(evidence: &Value) -> String {
    let part = |name| field(evidence, name);
    format!(
        "{} {} {} {} {} {} {} {} {} {} order {} merchant {}",
        part("source"),
        part("id"),
        part("came_in_at"),
        part("channel"),
        part("amount"),
        part("currency"),
        part("sender"),
        part("reference"),
        part("state"),
        part("reason"),
        part("order"),
        part("merchant")
    )
}
