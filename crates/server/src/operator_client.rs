//! How the commands of operators reach a running server: through its admin API, with a token.
//!
//! Every POST carries a name of its own, so that a repeat inside the network is carried out once. A
//! command that is typed again is a new request; what must not happen twice is kept from it by the
//! references that the operator gives.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::system::new_process;

/// Where the server is, and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerOptions {
    /// Where the server's admin API listens
    #[arg(long, env = "LUNAS_SERVER", default_value = "http://127.0.0.1:8080", global = true)]
    pub(crate) server: String,
    /// Bearer token of the admin API
    #[arg(
        long,
        env = "LUNAS_TOKEN",
        default_value = "sandbox-admin",
        hide_env_values = true,
        global = true
    )]
    pub(crate) token: String,
    /// Cetak JSON untuk skrip · print the answer as JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A connection to the admin API.
pub(crate) struct Client {
    server: String,
    token: String,
    agent: ureq::Agent,
}

impl Client {
    /// Speaks to this server.
    pub(crate) fn new(options: &ServerOptions) -> Self {
        Self {
            server: options.server.trim_end_matches('/').to_owned(),
            token: options.token.clone(),
            agent: ureq::Agent::config_builder().http_status_as_error(false).build().into(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.answer(request.call())
    }

    /// Has something done, under a name of its own.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .agent
            .post(self.url(path))
            .header("authorization", self.bearer())
            .header("idempotency-key", format!("lunas-{:016x}", new_process().0))
            .content_type("application/json");
        self.answer(request.send(body.to_string()))
    }

    /// Sets something.
    pub(crate) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .agent
            .put(self.url(path))
            .header("authorization", self.bearer())
            .content_type("application/json");
        self.answer(request.send(body.to_string()))
    }

    /// Every item of a list, part by part, up to a number of them.
    pub(crate) fn list(&self, path: &str, most: usize) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let part = match &cursor {
                Some(cursor) => self.get(&format!("{path}{mark}limit=100&cursor={cursor}"))?,
                None => self.get(&format!("{path}{mark}limit=100"))?,
            };
            items.extend(part["items"].as_array().cloned().unwrap_or_default());
            cursor = part["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
    }

    fn answer(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Value> {
        let mut answer =
            answer.with_context(|| format!("no Lunas server answers at {}", self.server))?;
        let text = answer.body_mut().read_to_string().context("the answer broke off")?;
        let body: Option<Value> = serde_json::from_str(&text).ok();
        let part = |name: &str| body.as_ref().and_then(|body| body[name].as_str());
        if answer.status().is_success() {
            return body.context("the answer is not JSON");
        }
        match (part("detail_id"), part("detail"), part("code")) {
            (Some(indonesian), Some(english), Some(code)) => {
                bail!("{indonesian} · {english} [{code}]")
            }
            _ => bail!("{} answered {}", self.server, answer.status()),
        }
    }
}

/// A value in a query: whatever is not plain is escaped.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A field of an answer, as people read it.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("INV-0001 a&b=ä"), "INV-0001%20a%26b%3D%C3%A4");
    }
}
