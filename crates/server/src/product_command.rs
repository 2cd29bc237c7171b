//! `lunas product`: the catalogue of a running server.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

/// What an operator does with products.
#[derive(Debug, Args)]
pub(crate) struct ProductOptions {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: ProductCommand,
}

#[derive(Debug, Subcommand)]
enum ProductCommand {
    /// Daftar produk · list products
    List,
    /// Tampilkan produk · show a product with its codes and terms
    Show {
        /// Our own name for it
        product: String,
    },
    /// Buka produk · switch a product on
    On {
        /// Our own name for it
        product: String,
    },
    /// Tutup produk · switch a product off
    Off {
        /// Our own name for it
        product: String,
    },
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &ProductOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let path = |product: &str| format!("/admin/v1/products/{}", escaped(product));
    let set = |product: &str, status: &str| {
        client.put(&format!("{}/status", path(product)), &json!({ "status": status }))
    };
    let (answer, lines) = match &options.command {
        ProductCommand::List => {
            let items = client.list("/admin/v1/products", usize::MAX)?;
            let lines: Vec<_> = items.iter().map(product_line).collect();
            (items.into(), lines.join("\n"))
        }
        ProductCommand::Show { product } => {
            let answer = client.get(&path(product))?;
            let lines = product_lines(&answer);
            (answer, lines)
        }
        ProductCommand::On { product } => {
            let answer = set(product, "active")?;
            let line = format!("Dibuka · switched on: {}", product_line(&answer));
            (answer, line)
        }
        ProductCommand::Off { product } => {
            let answer = set(product, "inactive")?;
            let line = format!("Ditutup · switched off: {}", product_line(&answer));
            (answer, line)
        }
    };
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn product_line(product: &Value) -> String {
    let part = |name| field(product, name);
    format!("{} {} ({}) {}", part("product"), part("name"), part("group"), part("status"))
}

fn product_lines(product: &Value) -> String {
    let mut lines = vec![product_line(product)];
    for alias in product["aliases"].as_array().into_iter().flatten() {
        lines.push(format!("Kode · code: {} {}", field(alias, "protocol"), field(alias, "code")));
    }
    for terms in product["terms"].as_array().into_iter().flatten() {
        let part = |name| field(terms, name);
        lines.push(format!(
            "Ketentuan · terms: {} {} {} admin {}, komisi · commission {}",
            part("level"),
            part("protocol"),
            part("currency"),
            part("admin_fee"),
            part("commission")
        ));
    }
    let closed = &product["cut_off"];
    if !closed.is_null() {
        lines.push(format!("Tutup · closed: {}–{}", field(closed, "from"), field(closed, "until")));
    }
    lines.join("\n")
}
