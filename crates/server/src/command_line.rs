//! What can be typed: the commands and their options. What they do stands elsewhere.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;

use crate::callback_command::CallbackOptions;
use crate::configuration::choice::{Choice, IakNumbers};
use crate::configuration::parse_duration;
use crate::evidence_command::EvidenceOptions;
use crate::explain::ExplainOptions;
use crate::merchant_command::MerchantOptions;
use crate::messenger::target::{Target, TargetFault};
use crate::order_command::OrderOptions;
use crate::product_command::ProductOptions;
use crate::s88pay_command::S88payCommand;
use crate::verify_sign::VerifySignCommand;

/// Lunas: gerbang pembayaran dan PPOB dalam satu program · a payment and bill-payment gateway in
/// one program. Without a command it runs the sandbox.
#[derive(Debug, Parser)]
#[command(name = "lunas", version, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Options of the sandbox, which runs when no command is given.
    #[command(flatten)]
    pub(crate) sandbox: SandboxOptions,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Gateway uji coba · run the gateway with a demo merchant, catalogue and built-in supplier
    Sandbox(SandboxOptions),
    /// Layani merchant sungguhan · run the gateway for production, as a configuration file says
    Serve(ServeOptions),
    /// Periksa pengaturan · print every setting that `serve` would use, and what is wrong with them
    Check(ServeOptions),
    /// Cetak berkas pengaturan bawaan · print the commented default configuration, which is its manual
    Config,
    /// Periksa pembukuan · audit the books, also beside a running server; changes nothing
    Verify(VerifyOptions),
    /// Cadangkan data · back up the data into one file, also beside a running server
    Backup(BackupOptions),
    /// Pulihkan data · restore a backup into a new folder, once it has been proved
    Restore(RestoreOptions),
    /// Buat permintaan bertanda tangan · print a signed request body
    #[command(subcommand)]
    Sign(SignCommand),
    /// Bedah tanda tangan · take a signed request apart and say where its signature went wrong
    #[command(subcommand)]
    VerifySign(VerifySignCommand),
    /// Enkripsi dan dekripsi key S88pay · make and open the key of S88pay
    #[command(subcommand, name = "s88pay")]
    S88pay(S88payCommand),
    /// Ceritakan satu pesanan · tell the whole story of one order
    Explain(ExplainOptions),
    /// Cetak dokumen OpenAPI dari API admin · print the OpenAPI document of the admin API
    Openapi,
    /// Urus merchant · look after merchants of a running server
    Merchant(MerchantOptions),
    /// Urus produk · look after products of a running server
    Product(ProductOptions),
    /// Urus pesanan · look after orders of a running server
    Order(OrderOptions),
    /// Urus bukti uang masuk · look after evidence of money at a running server
    Evidence(EvidenceOptions),
    /// Urus callback · look after callbacks of a running server
    Callback(CallbackOptions),
}

/// How the sandbox runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct SandboxOptions {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Folder that keeps the data; an empty or new one starts anew
    #[arg(long, default_value = "lunas-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Seed from which the built-in supplier makes its bills
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Which of IAK's two schemes of test numbers holds
    #[arg(long, default_value = "new", value_parser = one_of::<IakNumbers>())]
    pub(crate) iak_numbers: IakNumbers,
    /// How long a merchant waits for an outcome before being told that it is pending
    #[arg(long, default_value = "25s", value_parser = parse_duration, value_name = "DURATION")]
    pub(crate) answer_within: Duration,
    /// How long the supplier may take for one call before its outcome counts as unknown
    #[arg(long, default_value = "120s", value_parser = parse_duration, value_name = "DURATION")]
    pub(crate) call_within: Duration,
    /// After which time pending top-ups of IAK succeed; otherwise they wait to be decided by hand
    #[arg(long, value_parser = parse_duration, value_name = "DURATION")]
    pub(crate) iak_top_ups_after: Option<Duration>,
    /// How many connections are kept open at once
    #[arg(long, default_value_t = 4096, value_name = "N")]
    pub(crate) connections: usize,
    /// Where merchants without an address of their own are called back; otherwise the sandbox
    /// catches their callbacks itself, at /sandbox/callbacks
    #[arg(long, value_parser = callback_url, value_name = "URL")]
    pub(crate) callback_url: Option<String>,
    /// A network besides this machine that may be called back though it is not public
    #[arg(long, value_parser = network, value_name = "NETWORK")]
    pub(crate) callback_allow: Vec<IpNet>,
}

/// Where production gets its settings from, besides the environment.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeOptions {
    /// Configuration file; `lunas config` prints one to begin with
    #[arg(long, env = "LUNAS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address and port of the merchant APIs, instead of server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address and port of the admin API, instead of server.admin_listen
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Folder that keeps the data, instead of data.directory
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

impl ServeOptions {
    /// The flags that were given, as the configuration takes them. It reads their values as strictly
    /// as those from elsewhere.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let flags = [
            ("--listen", &self.listen),
            ("--admin-listen", &self.admin_listen),
            ("--data", &self.data),
        ];
        flags.into_iter().filter_map(|(flag, value)| Some((flag, value.clone()?))).collect()
    }
}

/// What to audit.
#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// Folder that keeps the data
    #[arg(long, default_value = "lunas-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
}

/// What to back up, and where to.
#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// Folder that keeps the data
    #[arg(long, default_value = "lunas-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// File that the backup becomes; nothing is written over
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// What to restore, and where to.
#[derive(Debug, Args)]
pub(crate) struct RestoreOptions {
    /// The backup
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Folder that is to keep the data, new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

/// Protocols in which a request can be signed.
#[derive(Debug, Subcommand)]
pub(crate) enum SignCommand {
    /// A request of the IAK API
    Iak(SignIakOptions),
    /// A request of the isikuota API
    Isikuota(crate::sign::isikuota::Options),
    /// A request or callback of the ilenpay API
    Ilenpay(crate::sign::ilenpay::Options),
    /// A request of the S88pay API
    S88pay(crate::sign::s88pay::Options),
}

/// Who signs an IAK request, and which.
#[derive(Debug, Args)]
pub(crate) struct SignIakOptions {
    /// User name
    #[arg(long, global = true, default_value = "081200001111")]
    pub(crate) username: String,
    /// API key
    #[arg(long, global = true, default_value = "9f1c2ab34de5f678")]
    pub(crate) api_key: String,
    /// The request
    #[command(subcommand)]
    pub(crate) request: SignIakRequest,
}

/// The IAK requests that can be signed.
#[derive(Debug, Subcommand)]
pub(crate) enum SignIakRequest {
    /// Daftar harga · the price list
    PricelistPasca {
        /// `all`, `active` or `non active`
        #[arg(long, default_value = "all")]
        status: String,
    },
    /// Cek tagihan · ask what is owed
    InqPasca {
        /// Product code, such as PLNPOSTPAID
        code: String,
        /// Customer number
        hp: String,
        /// Your own name for the order; a new one is made when none is given
        #[arg(long)]
        ref_id: Option<String>,
        /// Number of months, for BPJS and BPJSTK
        #[arg(long)]
        month: Option<u8>,
        /// Tax year, for PBB
        #[arg(long)]
        year: Option<String>,
        /// Identity number, for ESAMSAT
        #[arg(long)]
        nomor_identitas: Option<String>,
        /// Amount, where the payer chooses it
        #[arg(long)]
        amount: Option<u64>,
    },
    /// Bayar · pay what was inquired
    PayPasca {
        /// The `tr_id` of the inquiry
        tr_id: String,
    },
    /// Cek status · ask what became of a payment
    Checkstatus {
        /// The reference of the inquiry
        ref_id: String,
    },
    /// Only the signature over a text of your own
    Text {
        /// What follows user name and key
        text: String,
    },
}

/// Reads an address for callbacks, in the form in which it is kept.
fn callback_url(text: &str) -> Result<String, TargetFault> {
    Target::parse(text).map(|target| target.to_string())
}

/// Reads a network, or one address.
fn network(text: &str) -> Result<IpNet, &'static str> {
    crate::addresses::parse(text).ok_or("not a network such as 192.168.0.0/16")
}

/// Reads one of the words of a choice, and offers them.
fn one_of<T: Choice + Clone + Send + Sync + 'static>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::WORDS)
        .try_map(|word| T::from_word(&word).ok_or("not one of its words"))
}

#[cfg(test)]
#[path = "command_line_tests.rs"]
mod tests;
