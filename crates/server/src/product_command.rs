//! `lunas product`: the catalogue of a running server.
//!
//! The API replaces products whole, so a command that changes a part reads the product first and
//! puts it back with the change. Of two operators who do so at the same moment the later one holds;
//! the audit record has both.

mod channel;
mod content;
mod csv;
mod import;
mod sheet;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

const PRODUCTS: &str = "/admin/v1/products";

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
    /// Tambah produk · add a product
    Add(NewProduct),
    /// Tambah kanal pembayaran · add a channel, a way for money in or out
    AddChannel(channel::NewChannel),
    /// Ubah kanal pembayaran · change what a channel takes, is worth, or leads to
    Channel(channel::ChangedChannel),
    /// Muat produk dari berkas · add or replace the products of a file, as `list --json` prints them
    Load {
        /// The file; `-` is standard input
        file: PathBuf,
    },
    /// Muat harga dari CSV · tell what a table of products would change, and change it with --apply
    Import {
        /// The file of comma-separated values; `-` is standard input
        file: PathBuf,
        /// Lakukan · change it, instead of only telling
        #[arg(long)]
        apply: bool,
    },
    /// Tentukan harga · set what is taken for one bill, or what a top-up costs, at a price level
    Price(Price),
    /// Tambah atau buang kode · add a code under which merchants ask for it, or remove one
    Code {
        /// Our own name for it
        product: String,
        /// CODE, or PROTOCOL:CODE
        code: String,
        /// Buang · remove it instead
        #[arg(long)]
        remove: bool,
    },
    /// Tentukan jam tutup harian · set the daily closing hours, in Jakarta
    Hours {
        /// Our own name for it
        product: String,
        /// First closed and first open minute, such as 23:00-01:00
        #[arg(value_parser = content::hours, required_unless_present = "always_open")]
        closed: Option<Value>,
        /// Selalu buka · without closing hours
        #[arg(long, conflicts_with = "closed")]
        always_open: bool,
    },
    /// Buka produk · switch a product on
    #[command(visible_alias = "resume")]
    On {
        /// Our own name for it
        product: String,
    },
    /// Tutup produk · switch a product off
    #[command(visible_alias = "suspend")]
    Off {
        /// Our own name for it
        product: String,
    },
}

/// A product that is to be added.
#[derive(Debug, Args)]
struct NewProduct {
    /// Our own name for it, such as pln-postpaid; it is kept for ever
    product: String,
    /// The name on price lists and receipts
    #[arg(long)]
    name: String,
    /// The group in which price lists show it, such as pln
    #[arg(long)]
    group: String,
    /// CODE or PROTOCOL:CODE under which merchants ask for it; may be given several times
    #[arg(long, required = true)]
    code: Vec<String>,
    #[command(flatten)]
    amounts: Amounts,
    /// The province that it serves, for billers that serve one
    #[arg(long)]
    province: Option<String>,
    /// Daily closing hours in Jakarta, such as 23:00-01:00
    #[arg(long, value_parser = content::hours)]
    closed: Option<Value>,
    /// Belum dibuka · do not put it on sale yet
    #[arg(long)]
    off: bool,
}

/// What is taken for one bill, and from whom.
#[derive(Debug, Args)]
struct Amounts {
    /// What the end customer pays on top, per bill
    #[arg(long)]
    admin_fee: String,
    /// What the merchant keeps of it, per bill
    #[arg(long)]
    commission: String,
    #[command(flatten)]
    buyers: Buyers,
    /// The currency of both amounts
    #[arg(long, default_value = "IDR")]
    currency: String,
}

/// For whom terms hold.
#[derive(Debug, Args)]
struct Buyers {
    /// The price level for which this holds
    #[arg(long, default_value = "retail")]
    level: String,
    /// The protocol for which this holds; without it, for all that have no terms of their own
    #[arg(long)]
    protocol: Option<String>,
}

#[derive(Debug, Args)]
struct Price {
    /// Our own name for it
    product: String,
    /// What the end customer pays on top, per bill
    #[arg(long, required_unless_present_any = ["remove", "amount"], requires = "commission")]
    admin_fee: Option<String>,
    /// What the merchant keeps of it, per bill
    #[arg(long, requires = "admin_fee")]
    commission: Option<String>,
    /// What the merchant pays for one piece of a top-up, in its currency
    #[arg(long, conflicts_with_all = ["admin_fee", "commission"])]
    amount: Option<String>,
    #[command(flatten)]
    buyers: Buyers,
    /// The currency of both amounts of a bill
    #[arg(long, default_value = "IDR")]
    currency: String,
    /// Buang · take these terms or this price away, so that the level cannot buy it
    #[arg(long, conflicts_with_all = ["admin_fee", "commission", "amount"])]
    remove: bool,
}

impl Buyers {
    fn terms(&self, currency: &str, admin_fee: &str, commission: &str) -> Value {
        json!({ "level": self.level, "protocol": self.protocol, "currency": currency,
            "admin_fee": admin_fee, "commission": commission })
    }
}

impl Price {
    /// Puts these terms or this price into a product, or takes what is there for the same buyers away.
    fn put_into(&self, content: &mut Value) -> anyhow::Result<()> {
        let text = |amount: &Option<String>| amount.clone().unwrap_or_default();
        let Buyers { level, protocol } = &self.buyers;
        let mut price = json!({ "level": level, "protocol": protocol });
        match (&self.amount, self.remove) {
            (Some(amount), _) => {
                price["amount"] = json!(amount);
                content::put_price(content, price)
            }
            (None, true) => content::remove_price_or_terms(content, &price),
            (None, false) => {
                let (admin_fee, commission) = (text(&self.admin_fee), text(&self.commission));
                let terms = self.buyers.terms(&self.currency, &admin_fee, &commission);
                content::put_terms(content, terms);
                Ok(())
            }
        }
    }
}

impl NewProduct {
    fn content(&self) -> Value {
        let amounts = &self.amounts;
        let terms =
            amounts.buyers.terms(&amounts.currency, &amounts.admin_fee, &amounts.commission);
        let mut content = json!({
            "name": self.name, "group": self.group, "province": self.province,
            "status": if self.off { "inactive" } else { "active" },
            "terms": [terms], "cut_off": self.closed,
        });
        for code in &self.code {
            content::add_alias(&mut content, content::alias(code));
        }
        content
    }
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &ProductOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let (answer, lines) = carry_out(&client, &options.command)?;
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn carry_out(client: &Client, command: &ProductCommand) -> anyhow::Result<(Value, String)> {
    match command {
        ProductCommand::List => {
            let items = client.list(PRODUCTS, usize::MAX)?;
            let lines: Vec<_> = items.iter().map(product_line).collect();
            Ok((items.into(), lines.join("\n")))
        }
        ProductCommand::Show { product } => {
            let answer = client.get(&path(product))?;
            let lines = product_lines(&answer);
            Ok((answer, lines))
        }
        ProductCommand::Add(new) => add(client, &new.product, &new.content()),
        ProductCommand::AddChannel(new) => add(client, &new.product, &new.content()),
        ProductCommand::Channel(change) => {
            changed(client, &change.product, |content| change.put_into(content))
        }
        ProductCommand::Load { file } => load(client, file),
        ProductCommand::Import { file, apply } => import(client, file, *apply),
        ProductCommand::Price(price) => {
            changed(client, &price.product, |content| price.put_into(content))
        }
        ProductCommand::Code { product, code, remove } => changed(client, product, |content| {
            let alias = content::alias(code);
            if *remove {
                return content::remove_alias(content, &alias);
            }
            content::add_alias(content, alias);
            Ok(())
        }),
        ProductCommand::Hours { product, closed, .. } => changed(client, product, |content| {
            content["cut_off"] = closed.clone().unwrap_or_default();
            Ok(())
        }),
        ProductCommand::On { product } => switch(client, product, "active", "Dibuka · switched on"),
        ProductCommand::Off { product } => {
            switch(client, product, "inactive", "Ditutup · switched off")
        }
    }
}

fn path(product: &str) -> String {
    format!("{PRODUCTS}/{}", escaped(product))
}

fn switch(
    client: &Client,
    product: &str,
    status: &str,
    what: &str,
) -> anyhow::Result<(Value, String)> {
    let answer = client.put(&format!("{}/status", path(product)), &json!({ "status": status }))?;
    let line = format!("{what}: {}", product_line(&answer));
    Ok((answer, line))
}

/// Adds a product. One that is there already is not replaced: who adds does not mean to.
fn add(client: &Client, product: &str, content: &Value) -> anyhow::Result<(Value, String)> {
    let known = client.list(PRODUCTS, usize::MAX)?;
    if let Some(known) = known.iter().find(|it| it["product"] == product) {
        bail!(
            "sudah ada; ubah dengan price, channel, code, hours, on atau off · there already; change \
             it with price, channel, code, hours, on or off: {}",
            product_line(known)
        );
    }
    let answer = client.put(&path(product), content)?;
    let lines = format!("Ditambahkan · added: {}", product_lines(&answer));
    Ok((answer, lines))
}

/// Changes a part of a product.
fn changed(
    client: &Client,
    product: &str,
    change: impl FnOnce(&mut Value) -> anyhow::Result<()>,
) -> anyhow::Result<(Value, String)> {
    let path = path(product);
    let (_, mut content) = content::taken_apart(client.get(&path)?)?;
    change(&mut content)?;
    let answer = client.put(&path, &content)?;
    let lines = format!("Diubah · changed: {}", product_lines(&answer));
    Ok((answer, lines))
}

/// A file as text.
fn read(file: &Path) -> anyhow::Result<String> {
    let text = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    text.with_context(|| format!("{} cannot be read", file.display()))
}

/// Adds or replaces the products of a file, in its order. Where the server refuses one, those before
/// it are in place; to load the whole file again does no harm.
fn load(client: &Client, file: &Path) -> anyhow::Result<(Value, String)> {
    let shown = file.display();
    let text = read(file)?;
    let items: Vec<Value> = serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not a list of products as `list --json` prints it"))?;
    let products = items.into_iter().zip(1..).map(|(item, number)| {
        content::taken_apart(item).with_context(|| format!("{shown}, product {number}"))
    });
    // All of the file is read before anything is changed.
    let products: Vec<_> = products.collect::<anyhow::Result<_>>()?;
    let answers = put_all(client, products.iter().map(|(name, content)| (name.as_str(), content)))
        .with_context(|| shown.to_string())?;
    let line = format!("Dimuat · loaded: {}", answers.len());
    Ok((answers.into(), line))
}

/// Puts products one after the other, up to the first that the server refuses.
fn put_all<'a>(
    client: &Client,
    products: impl Iterator<Item = (&'a str, &'a Value)>,
) -> anyhow::Result<Vec<Value>> {
    let mut answers = Vec::new();
    for (name, content) in products {
        let answer = client.put(&path(name), content).with_context(|| {
            let before = answers.len();
            format!("{name}; sudah dimuat · loaded before it: {before}")
        })?;
        answers.push(answer);
    }
    Ok(answers)
}

/// Tells what a table would change and, if wanted, changes it. A table with a fault changes nothing.
fn import(client: &Client, file: &Path, apply: bool) -> anyhow::Result<(Value, String)> {
    let text = read(file)?;
    let known = client.list(PRODUCTS, usize::MAX)?;
    let plan = import::plan(&text, &known).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}\n{}", file.display(), lines.join("\n"))
    })?;
    let steps = plan.steps.iter().filter(|step| !step.is_unchanged());
    let count = steps.clone().count();
    let last = if apply {
        put_all(client, steps.map(|step| (step.product.as_str(), &step.content)))
            .with_context(|| file.display().to_string())?;
        format!("Dimuat · put: {count}")
    } else {
        format!("Belum dilakukan · nothing was changed; --apply: {count}")
    };
    let mut told = plan.json();
    told["applied"] = json!(apply);
    Ok((told, format!("{}{last}", plan.lines())))
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
    lines.extend(top_up_lines(&product["top_up"]));
    lines.extend(channel::lines(&product["channel"]));
    let closed = &product["cut_off"];
    if !closed.is_null() {
        lines.push(format!("Tutup · closed: {}–{}", field(closed, "from"), field(closed, "until")));
    }
    lines.join("\n")
}

fn top_up_lines(top_up: &Value) -> Vec<String> {
    if top_up.is_null() {
        return Vec::new();
    }
    let part = |name| field(top_up, name);
    let mut lines = vec![format!(
        "Top-up: {} {}, {} hari · days, modal · cost {} {}",
        part("operator"),
        part("denomination"),
        part("active_days"),
        part("currency"),
        part("cost")
    )];
    for price in top_up["prices"].as_array().into_iter().flatten() {
        let part = |name| field(price, name);
        lines.push(format!(
            "Harga · price: {} {} {}",
            part("level"),
            part("protocol"),
            part("amount")
        ));
    }
    lines
}
