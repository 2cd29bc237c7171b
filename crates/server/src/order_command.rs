//! `lunas order`: asks a running server through its admin API.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;

use crate::command_line::OrderCommand;

#[derive(Deserialize)]
struct OrderView {
    order: u64,
    protocol: String,
    reference: String,
    state: String,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Carries out the command and returns the line to print.
pub(crate) fn run(command: &OrderCommand) -> anyhow::Result<String> {
    match command {
        OrderCommand::Resolve { reference, verdict, order, server, token } => {
            let body = json!({ "reference": reference, "verdict": verdict.word(), "order": order });
            let order = post(server, token, "/admin/v1/order-resolutions", &body.to_string())?;
            Ok(format!(
                "order {} ({} {}): {}",
                order.order, order.protocol, order.reference, order.state
            ))
        }
    }
}

fn post(server: &str, token: &str, path: &str, body: &str) -> anyhow::Result<OrderView> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}{path}", server.trim_end_matches('/'));
    let mut answer = agent
        .post(&url)
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json")
        .send(body)
        .with_context(|| format!("no Lunas server answers at {server}"))?;
    let text = answer.body_mut().read_to_string().context("the answer broke off")?;
    if answer.status().is_success() {
        return serde_json::from_str(&text).context("the answer is not what was expected");
    }
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => bail!("{}", problem.detail),
        Err(_) => bail!("{server} answered {}", answer.status()),
    }
}
