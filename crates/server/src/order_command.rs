//! `lunas order`: orders of a running server.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

/// What an operator does with orders.
#[derive(Debug, Args)]
pub(crate) struct OrderOptions {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, Subcommand)]
enum OrderCommand {
    /// Daftar pesanan, terbaru lebih dahulu · list orders, newest first
    List {
        /// Of this merchant
        #[arg(long)]
        merchant: Option<u32>,
        /// In this state, such as processing
        #[arg(long)]
        state: Option<String>,
        /// Under this reference
        #[arg(long)]
        reference: Option<String>,
        /// For this customer's number
        #[arg(long)]
        destination: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Tampilkan pesanan, panggilan dan mutasinya · show an order, its attempts and transfers
    Show {
        /// Our number of the order
        order: u64,
    },
    /// Putuskan pesanan pending · decide a pending order by hand
    Resolve {
        /// The merchant's reference
        reference: String,
        /// What became of it
        verdict: VerdictWord,
        /// Our number of the order, where several merchants use the reference
        #[arg(long, value_name = "N")]
        order: Option<u64>,
    },
}

/// A verdict, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerdictWord {
    /// It was delivered.
    Success,
    /// It was not.
    Failed,
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &OrderOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let (answer, lines) = match &options.command {
        OrderCommand::List { merchant, state, reference, destination, limit } => {
            let merchant = merchant.map(|it| it.to_string());
            let filters = [
                ("merchant", merchant.as_deref()),
                ("state", state.as_deref()),
                ("reference", reference.as_deref()),
                ("destination", destination.as_deref()),
            ];
            list(&client, &filters, *limit)?
        }
        OrderCommand::Show { order } => {
            let answer = client.get(&format!("/admin/v1/orders/{order}"))?;
            let lines = detail(&answer);
            (answer, lines)
        }
        OrderCommand::Resolve { reference, verdict, order } => {
            let verdict = match verdict {
                VerdictWord::Success => "success",
                VerdictWord::Failed => "failed",
            };
            let body = json!({ "reference": reference, "verdict": verdict, "order": order });
            let answer = client.post("/admin/v1/order-resolutions", &body)?;
            let part = |name| field(&answer, name);
            let line = format!(
                "order {} ({} {}): {}",
                part("order"),
                part("protocol"),
                part("reference"),
                part("state")
            );
            (answer, line)
        }
    };
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn list(
    client: &Client,
    filters: &[(&str, Option<&str>)],
    limit: usize,
) -> anyhow::Result<(Value, String)> {
    let given = filters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let items = client.list(&format!("/admin/v1/orders{mark}{}", query.join("&")), limit)?;
    let lines: Vec<_> = items.iter().map(order_line).collect();
    Ok((items.into(), lines.join("\n")))
}

fn order_line(order: &Value) -> String {
    let part = |name| field(order, name);
    format!(
        "{} {} merchant {} {} {} {} {} {} {}",
        part("order"),
        part("created_at"),
        part("merchant"),
        part("protocol"),
        part("reference"),
        part("code"),
        part("destination"),
        part("charge"),
        part("state")
    )
}

fn detail(answer: &Value) -> String {
    let mut lines = vec![order_line(&answer["order"])];
    for it in answer["attempts"].as_array().into_iter().flatten() {
        let part = |name| field(it, name);
        lines.push(format!(
            "Panggilan · attempt {}: {} {} {} {}",
            part("attempt"),
            part("upstream"),
            part("started_at"),
            part("state"),
            part("reason")
        ));
    }
    for it in answer["transfers"].as_array().into_iter().flatten() {
        let part = |name| field(it, name);
        lines.push(format!(
            "Mutasi · transfer {}: {} {} {} → {} {}",
            part("transfer"),
            part("at"),
            part("kind"),
            part("debit"),
            part("credit"),
            part("amount")
        ));
    }
    lines.join("\n")
}
