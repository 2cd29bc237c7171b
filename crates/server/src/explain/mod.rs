//! `lunas explain`: the story of an order in sentences, for people without an engineer beside them.
//!
//! The facts come from the admin API of a running server; [`narration`] orders them by time and puts
//! them into Indonesian or English. It only tells: it decides nothing and changes nothing.

mod chronicle;
mod figures;
pub(crate) mod language;
mod narration;
mod phrases;
mod reasons;

#[cfg(test)]
mod explain_tests;

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::administration::Stories;
use crate::operator_client::{Client, ServerOptions, escaped};
use language::Language;

/// What is to be explained, and how.
#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// Referensi merchant, nomor pesanan, atau tr_id · a merchant's reference, our number, or a tr_id
    #[arg(value_name = "REF")]
    name: String,
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    language: language::LanguageOptions,
}

/// Prints the story. The exit code is 1 where nothing at all is known under the name.
pub(crate) fn run(options: &ExplainOptions) -> anyhow::Result<ExitCode> {
    let client = Client::new(&options.server);
    let path = format!("/admin/v1/order-stories?name={}", escaped(&options.name));
    let answer = client.get(&path)?;
    let is_known = |part: &str| answer[part].as_array().is_some_and(|items| !items.is_empty());
    let code = match is_known("orders") || is_known("others") {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    if options.server.json {
        println!("{answer}");
        return Ok(code);
    }
    let stories: Stories = serde_json::from_value(answer)
        .context("the server tells stories in another form; use the same version of Lunas")?;
    print!("{}", narration::narrated(&stories, options.language.chosen()));
    Ok(code)
}

/// In which language a command speaks that was told nothing.
pub(crate) fn language_of_process() -> Language {
    Language::of_variables(|name| std::env::var(name).ok())
}
