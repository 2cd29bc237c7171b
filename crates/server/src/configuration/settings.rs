//! The list of settings. It is the only one: reading, checking, suggestions, environment names, the
//! commented default file and what `lunas check` prints are all made from it.
//!
//! A new setting is one entry here and one field in [`super::typed`].

use std::time::Duration;

use domain::{Currency, Role};

use super::choice::{Choice, IakNumbers, LogFormat, Senders, UpstreamKind};
use super::kind::Kind;

/// A table of the file with its settings.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// For named tables, of which there may be any number, an example of a name.
    pub(crate) example_name: Option<&'static str>,
    /// What it is about, in Indonesian.
    pub(crate) indonesian: &'static str,
    /// What it is about, in English.
    pub(crate) english: &'static str,
    /// Its settings, in the order in which they are shown.
    pub(crate) settings: &'static [Setting],
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name inside its table.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// What holds when nobody sets it.
    pub(crate) fallback: Fallback,
    /// The flag of `lunas serve` that sets it.
    pub(crate) flag: Option<&'static str>,
    /// What it does, in one Indonesian sentence.
    pub(crate) indonesian: &'static str,
    /// What it does, in one English sentence.
    pub(crate) english: &'static str,
}

/// What holds when nobody sets a setting. Values are written as in the environment.
#[derive(Debug)]
pub(crate) enum Fallback {
    /// This value.
    Default(&'static str),
    /// Nothing: it must be set wherever its table exists. The example is what the default file
    /// shows; of a secret it is the path of a file.
    Required(&'static str),
}

use Fallback::{Default, Required};

/// Every setting, by table.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "server",
        example_name: None,
        indonesian: "Alamat yang dilayani.",
        english: "Where it listens.",
        settings: &[
            Setting {
                key: "listen",
                kind: Kind::Address,
                fallback: Default("127.0.0.1:8080"),
                flag: Some("--listen"),
                indonesian: "Alamat dan porta untuk API merchant.",
                english: "Address and port of the merchant APIs.",
            },
            Setting {
                key: "admin_listen",
                kind: Kind::Address,
                fallback: Default("127.0.0.1:8081"),
                flag: Some("--admin-listen"),
                indonesian: "Alamat dan porta untuk API admin dan metrik; jangan dibuka ke internet.",
                english: "Address and port of the admin API and metrics; keep it off the internet.",
            },
            Setting {
                key: "metrics",
                kind: Kind::Boolean,
                fallback: Default("true"),
                flag: None,
                indonesian: "Sajikan metrik Prometheus di /metrics pada alamat admin, tanpa token.",
                english: "Serve Prometheus metrics at /metrics on the admin address, without a token.",
            },
            Setting {
                key: "public_url",
                kind: Kind::Optional(&Kind::BaseUrl),
                fallback: Default(""),
                flag: None,
                indonesian: "Alamat yang dilihat merchant; kini hanya disebut saat mulai, kelak juga pada tautan.",
                english: "Address that merchants see; told at the start, and in links once a protocol has any.",
            },
            Setting {
                key: "trusted_proxies",
                kind: Kind::Networks,
                fallback: Default(""),
                flag: None,
                indonesian: "Jaringan reverse proxy yang boleh menyebut alamat asal pemanggil.",
                english: "Networks of reverse proxies that are believed about the caller's address.",
            },
            Setting {
                key: "connections",
                kind: Kind::Integer(1, 1_000_000),
                fallback: Default("4096"),
                flag: None,
                indonesian: "Jumlah koneksi terbanyak pada saat yang sama.",
                english: "How many connections are kept open at once.",
            },
        ],
    },
    Table {
        name: "tls",
        example_name: None,
        indonesian: "TLS untuk API merchant: isi keduanya, atau tak satu pun di belakang reverse proxy.",
        english: "TLS of the merchant APIs: set both, or neither behind a reverse proxy.",
        settings: &[
            Setting {
                key: "certificate",
                kind: Kind::Optional(&Kind::Path),
                fallback: Default(""),
                flag: None,
                indonesian: "Berkas PEM berisi sertifikat beserta rantainya.",
                english: "PEM file with the certificate and its chain.",
            },
            Setting {
                key: "key",
                kind: Kind::Optional(&Kind::Path),
                fallback: Default(""),
                flag: None,
                indonesian: "Berkas PEM berisi kunci privat sertifikat itu.",
                english: "PEM file with the private key of that certificate.",
            },
        ],
    },
    Table {
        name: "data",
        example_name: None,
        indonesian: "Tempat menyimpan pembukuan.",
        english: "Where the books are kept.",
        settings: &[Setting {
            key: "directory",
            kind: Kind::Path,
            fallback: Default("lunas-data"),
            flag: Some("--data"),
            indonesian: "Folder data; buatlah di disk lokal, bukan disk jaringan.",
            english: "Folder of the data; put it on a local disk, not on a network drive.",
        }],
    },
    Table {
        name: "secrets",
        example_name: None,
        indonesian: "Enkripsi kredensial merchant yang tersimpan.",
        english: "Encryption of the stored credentials of merchants.",
        settings: &[Setting {
            key: "key_file",
            kind: Kind::Path,
            fallback: Default("lunas.key"),
            flag: None,
            indonesian: "Berkas kunci 32 byte (hex atau base64), mode 600; cadangkan terpisah dari data.",
            english: "File of the 32-byte key (hex or base64), mode 600; back it up apart from the data.",
        }],
    },
    Table {
        name: "admin_token",
        example_name: Some("owner"),
        indonesian: "Token API admin, satu tabel per pemegang; namanya tercatat pada jejak audit.",
        english: "Admin API tokens, one table per holder; the name stands in the audit record.",
        settings: &[
            Setting {
                key: "role",
                kind: Kind::Choice(Role::WORDS),
                fallback: Required("administrator"),
                flag: None,
                indonesian: "Wewenang pemegang: melihat, mengurus pesanan, atau semuanya termasuk uang.",
                english: "What the holder may do: look, look after orders, or all including money.",
            },
            Setting {
                key: "token",
                kind: Kind::Secret(32),
                fallback: Required("/run/secrets/lunas_admin_token"),
                flag: None,
                indonesian: "Token bearer; sebaiknya dari berkas lewat token_file.",
                english: "The bearer token; better from a file by token_file.",
            },
        ],
    },
    Table {
        name: "gateway",
        example_name: None,
        indonesian: "Batas waktu dan aturan pesanan.",
        english: "Deadlines and rules of orders.",
        settings: &[
            Setting {
                key: "answer_within",
                kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(600)),
                fallback: Default("25s"),
                flag: None,
                indonesian: "Lama merchant menunggu hasil sebelum dijawab pending.",
                english: "How long a merchant waits for an outcome before being told pending.",
            },
            Setting {
                key: "call_within",
                kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(3600)),
                fallback: Default("2m"),
                flag: None,
                indonesian: "Lama satu panggilan ke pemasok sebelum hasilnya dianggap tidak diketahui.",
                english: "How long one call to a supplier may take before its outcome counts as unknown.",
            },
            Setting {
                key: "cut_offs",
                kind: Kind::Boolean,
                fallback: Default("true"),
                flag: None,
                indonesian: "Patuhi jam tutup harian produk.",
                english: "Honour the daily closing hours of products.",
            },
        ],
    },
    Table {
        name: "callbacks",
        example_name: None,
        indonesian: "Kabar ke merchant tentang hasil pesanan.",
        english: "News to merchants of what became of their orders.",
        settings: &[
            Setting {
                key: "retries",
                kind: Kind::Durations(Duration::from_secs(1), Duration::from_secs(7 * 24 * 3600)),
                fallback: Default("5s,5m,30m,2h,5h,10h,14h,20h,24h"),
                flag: None,
                indonesian: "Jeda sebelum tiap percobaan ulang; setelah yang terakhir tidak dicoba lagi.",
                english: "The wait before each further try; after the last there is none.",
            },
            Setting {
                key: "per_endpoint",
                kind: Kind::Integer(1, 100),
                fallback: Default("4"),
                flag: None,
                indonesian: "Percobaan serentak ke satu alamat; yang sedang gagal hanya mendapat satu.",
                english: "Tries at once to one address; one that fails at the moment gets only one.",
            },
            Setting {
                key: "at_once",
                kind: Kind::Integer(1, 100_000),
                fallback: Default("4096"),
                flag: None,
                indonesian: "Percobaan serentak seluruhnya; masing-masing memakai satu berkas terbuka.",
                english: "Tries at once in all; each takes one open file.",
            },
            Setting {
                key: "connect_within",
                kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(60)),
                fallback: Default("5s"),
                flag: None,
                indonesian: "Batas waktu untuk tersambung ke penerima.",
                english: "How long a connection to a receiver may take to be made.",
            },
            Setting {
                key: "try_within",
                kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(120)),
                fallback: Default("15s"),
                flag: None,
                indonesian: "Batas waktu satu percobaan, dari mencari alamat sampai jawabannya.",
                english: "How long a try may take, from looking up the name to the answer.",
            },
            Setting {
                key: "allow_networks",
                kind: Kind::Networks,
                fallback: Default(""),
                flag: None,
                indonesian: "Jaringan tak publik yang boleh dikirimi; selain itu hanya alamat publik.",
                english: "Networks that may be called though they are not public; else none may.",
            },
            Setting {
                key: "ca_file",
                kind: Kind::Optional(&Kind::Path),
                fallback: Default(""),
                flag: None,
                indonesian: "Berkas PEM penerbit sertifikat yang dipercaya selain yang publik.",
                english: "PEM file of certificate issuers that are believed besides the public ones.",
            },
        ],
    },
    Table {
        name: "limits",
        example_name: None,
        indonesian: "Batas bagi para pemanggil.",
        english: "Limits for callers.",
        settings: &[
            Setting {
                key: "requests_per_second",
                kind: Kind::Integer(0, 1_000_000),
                fallback: Default("100"),
                flag: None,
                indonesian: "Permintaan per detik dari merchant tanpa batas sendiri, jangka panjang; 0 tanpa batas.",
                english: "Requests per second of a merchant without a limit of its own, in the long run; 0 for no limit.",
            },
            Setting {
                key: "burst",
                kind: Kind::Integer(1, 1_000_000),
                fallback: Default("200"),
                flag: None,
                indonesian: "Permintaan merchant itu yang boleh datang sekaligus.",
                english: "How many requests of such a merchant may come at once.",
            },
            Setting {
                key: "failed_signatures_per_minute",
                kind: Kind::Integer(0, 1_000_000),
                fallback: Default("30"),
                flag: None,
                indonesian: "Tanda tangan salah per menit dari satu alamat dengan satu username; 0 tanpa batas.",
                english: "Wrong signatures per minute from one address in one user name; 0 for no limit.",
            },
            Setting {
                key: "body_size",
                kind: Kind::Size(1 << 10, 16 << 20),
                fallback: Default("64KiB"),
                flag: None,
                indonesian: "Ukuran terbesar isi permintaan.",
                english: "The longest body of a request.",
            },
        ],
    },
    Table {
        name: "log",
        example_name: None,
        indonesian: "Catatan log pada standard error; rahasia dan nomor pelanggan tak pernah utuh.",
        english: "The log on standard error; secrets and full customer numbers never stand in it.",
        settings: &[
            Setting {
                key: "filter",
                kind: Kind::LogFilter,
                fallback: Default("info"),
                flag: None,
                indonesian: "Apa yang dicatat: error, warn, info, debug atau trace, juga per modul.",
                english: "What is logged: error, warn, info, debug or trace, also by module.",
            },
            Setting {
                key: "format",
                kind: Kind::Choice(LogFormat::WORDS),
                fallback: Default("auto"),
                flag: None,
                indonesian: "Baris biasa atau JSON; auto memilih JSON bila bukan terminal.",
                english: "Plain lines or JSON; auto takes JSON when it is not a terminal.",
            },
        ],
    },
    Table {
        name: "exchanges",
        example_name: None,
        indonesian: "Catatan percakapan dengan merchant, tersamar, untuk `lunas explain`; bukan pembukuan.",
        english: "The masked log of what merchants and we said, for `lunas explain`; not the books.",
        settings: &[
            Setting {
                key: "per_second",
                kind: Kind::Integer(0, 100_000),
                fallback: Default("500"),
                flag: None,
                indonesian: "Percakapan per detik yang dicatat; selebihnya hanya dihitung. 0 mematikannya.",
                english: "Exchanges kept per second; the others are only counted. 0 turns it off.",
            },
            Setting {
                key: "keep_days",
                kind: Kind::Integer(1, 3650),
                fallback: Default("30"),
                flag: None,
                indonesian: "Lama percakapan disimpan, dalam hari.",
                english: "For how many days an exchange is kept.",
            },
            Setting {
                key: "file_size",
                kind: Kind::Size(16 << 20, 1 << 40),
                fallback: Default("1GiB"),
                flag: None,
                indonesian: "Ukuran terbesar berkasnya; bila penuh, yang tertua dihapus lebih dulu.",
                english: "The largest its file may become; when it is full the oldest go first.",
            },
        ],
    },
    Table {
        name: "telemetry",
        example_name: None,
        indonesian: "Pengiriman trace.",
        english: "Where traces are sent.",
        settings: &[Setting {
            key: "otlp_endpoint",
            kind: Kind::Optional(&Kind::BaseUrl),
            fallback: Default(""),
            flag: None,
            indonesian: "Alamat kolektor OTLP/HTTP di mesin ini; kosong berarti tidak ada yang dikirim.",
            english: "Address of an OTLP/HTTP collector on this machine; empty sends nothing.",
        }],
    },
    Table {
        name: "backup",
        example_name: None,
        indonesian: "Cadangan pembukuan.",
        english: "Backups of the books.",
        settings: &[
            Setting {
                key: "every",
                kind: Kind::Optional(&Kind::Duration(
                    Duration::from_secs(60),
                    Duration::from_secs(31 * 24 * 3600),
                )),
                fallback: Default(""),
                flag: None,
                indonesian: "Jarak antar cadangan yang dibuat server sendiri; kosong berarti tidak dibuat.",
                english: "From one backup that the server makes to the next; empty makes none.",
            },
            Setting {
                key: "directory",
                kind: Kind::Path,
                fallback: Default("lunas-backup"),
                flag: None,
                indonesian: "Folder cadangan itu; sebaiknya di disk lain.",
                english: "Folder of those backups; better on another disk.",
            },
            Setting {
                key: "keep",
                kind: Kind::Integer(1, 10_000),
                fallback: Default("7"),
                flag: None,
                indonesian: "Jumlah cadangan yang disimpan di sana; yang tertua dihapus lebih dulu.",
                english: "How many of them are kept; the oldest goes first.",
            },
        ],
    },
    Table {
        name: "evidence",
        example_name: Some("bank"),
        indonesian: "Sumber bukti uang masuk, satu tabel per sumber; nama yang sudah dipakai jangan diganti.",
        english: "Feeds of evidence of money, one table per source; never rename one that has been used.",
        settings: &[
            Setting {
                key: "secret",
                kind: Kind::Secret(38),
                fallback: Required("/run/secrets/lunas_evidence"),
                flag: None,
                indonesian: "Rahasia Standard Webhooks (whsec_...); sebaiknya dari berkas lewat secret_file.",
                english: "Secret of Standard Webhooks (whsec_...); better from a file by secret_file.",
            },
            Setting {
                key: "channel",
                kind: Kind::Product,
                fallback: Required("transfer-in"),
                flag: None,
                indonesian: "Kanal tempat uang itu masuk.",
                english: "The channel through which that money comes in.",
            },
            Setting {
                key: "currency",
                kind: Kind::Choice(Currency::WORDS),
                fallback: Default("IDR"),
                flag: None,
                indonesian: "Mata uangnya.",
                english: "Its currency.",
            },
            Setting {
                key: "networks",
                kind: Kind::Networks,
                fallback: Default(""),
                flag: None,
                indonesian: "Jaringan asal sumber; kosong berarti dari mana saja.",
                english: "Networks from which the source may call; none is from everywhere.",
            },
            Setting {
                key: "senders",
                kind: Kind::Choice(Senders::WORDS),
                fallback: Default("text"),
                flag: None,
                indonesian: "Bentuk pengirim; telephone menyeragamkan 0812, 62812 dan +62812.",
                english: "How it writes senders; telephone makes 0812, 62812 and +62812 one.",
            },
        ],
    },
    Table {
        name: "upstream",
        example_name: Some("sandbox"),
        indonesian: "Pemasok, satu tabel per sambungan; nama yang sudah dipakai jangan diganti.",
        english: "Suppliers, one table per connection; never rename one that has been used.",
        settings: &[
            Setting {
                key: "kind",
                kind: Kind::Choice(UpstreamKind::WORDS),
                fallback: Required("sandbox"),
                flag: None,
                indonesian: "API yang dipakai pemasok itu; sandbox adalah pemasok tiruan bawaan.",
                english: "The API that the supplier speaks; sandbox is the built-in stand-in.",
            },
            Setting {
                key: "seed",
                kind: Kind::Integer(0, i64::MAX),
                fallback: Default("1"),
                flag: None,
                indonesian: "Bilangan asal tagihan tiruan pada sandbox.",
                english: "Number from which the sandbox makes its bills.",
            },
            Setting {
                key: "iak_numbers",
                kind: Kind::Choice(IakNumbers::WORDS),
                fallback: Default("new"),
                flag: None,
                indonesian: "Skema nomor uji IAK yang berlaku pada sandbox.",
                english: "Which of IAK's schemes of test numbers holds in the sandbox.",
            },
        ],
    },
    Table {
        name: "route",
        example_name: Some("everything"),
        indonesian: "Rute produk ke pemasok; rute produk itu sendiri mendahului rute \"*\".",
        english: "Routes of products to suppliers; a product's own route precedes that of \"*\".",
        settings: &[
            Setting {
                key: "product",
                kind: Kind::Product,
                fallback: Required("*"),
                flag: None,
                indonesian: "Kode satu produk, atau \"*\" untuk semua produk.",
                english: "The code of one product, or \"*\" for every product.",
            },
            Setting {
                key: "upstreams",
                kind: Kind::Names,
                fallback: Required("sandbox"),
                flag: None,
                indonesian: "Pemasok menurut urutan; berikutnya dicoba hanya setelah yang lain menolak.",
                english: "Suppliers in order; the next is tried only after the one before refused.",
            },
        ],
    },
];
