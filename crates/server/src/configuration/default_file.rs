//! The commented default file, which is the manual of the configuration.
//!
//! Every setting stands in it as a comment that begins with `#` and no space; explanations begin
//! with `# `. With all of the former uncommented it is a valid file that changes no default.

use super::key::FILE_SUFFIX;
use super::settings::{Fallback, Setting, TABLES, Table};
use super::value::Raw;

/// How many characters a line of alternatives has at most.
const ALTERNATIVES_MAX: usize = 90;

const HEADER: &str = "\
# Lunas: berkas pengaturan, sekaligus buku petunjuknya.
# Lunas: the configuration file, which is also its manual.
#
# Yang dikomentari adalah nilai bawaan atau contoh; hapus tanda # di depannya untuk mengubahnya.
# What is commented out is a default or an example; remove the # before it to change it.
#
# Urutan: nilai bawaan < berkas ini < variabel lingkungan < flag.
# Precedence: defaults < this file < environment variables < flags.
#   server.listen          LUNAS_SERVER__LISTEN=0.0.0.0:8080
#   upstream.NAME.seed     LUNAS_UPSTREAM__NAME__SEED=7
#   server.trusted_proxies LUNAS_SERVER__TRUSTED_PROXIES=10.0.0.0/8,192.0.2.7
#
# Rahasia juga dapat dibaca dari berkas: KEY_file = \"PATH\" atau LUNAS_…__KEY_FILE=PATH.
# Secrets can be read from files too: KEY_file = \"PATH\" or LUNAS_…__KEY_FILE=PATH.
#
# Path relatif berawal dari folder tempat program dijalankan.
# Relative paths start in the folder where the program was started.
#
# Periksa hasilnya dengan `lunas check`.
# See what holds with `lunas check`.
";

/// Stands above every named table.
const EXAMPLE: &str = "\
# Tabel berikut hanya contoh: pilih sendiri namanya, dan ulangi sebanyak yang perlu.
# The table below is an example: choose the name yourself, and repeat it as often as needed.
";

/// The whole file.
pub(super) fn text() -> String {
    let mut text = HEADER.to_owned();
    for table in TABLES {
        write_table(table, &mut text);
    }
    text
}

fn write_table(table: &Table, text: &mut String) {
    text.push_str("\n# ----------------------------------------------------------------------\n");
    text.push_str(&format!("# {}\n# {}\n", table.indonesian, table.english));
    match table.example_name {
        None => text.push_str(&format!("[{}]\n", table.name)),
        Some(name) => text.push_str(&format!("{EXAMPLE}#[{}.{name}]\n", table.name)),
    }
    for setting in table.settings {
        write_setting(setting, text);
    }
}

fn write_setting(setting: &Setting, text: &mut String) {
    let Setting { key, kind, .. } = setting;
    let flag = setting.flag.map(|flag| format!("   ({flag})")).unwrap_or_default();
    let form = match kind.is_secret() {
        true => format!("{key} = {} | {key}{FILE_SUFFIX} = \"PATH\"", kind.form()),
        false => kind.form(),
    };
    text.push_str(&format!("\n# {}\n# {}\n", setting.indonesian, setting.english));
    for line in broken(&format!("{form}{flag}")) {
        text.push_str(&format!("#   {line}\n"));
    }
    let (Fallback::Default(written) | Fallback::Required(written)) = setting.fallback;
    let raw = Raw::Untyped(written.to_owned());
    if kind.is_secret() {
        text.push_str(&format!("#{key}{FILE_SUFFIX} = {raw}\n"));
    } else {
        let value = kind.read(&raw).expect("a test reads every default and example in the list");
        text.push_str(&format!("#{key} = {value}\n"));
    }
}

/// Lines of a text that may be broken before a bar between alternatives.
fn broken(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (index, part) in text.split(" | ").enumerate() {
        let bar = if index == 0 { "" } else { " | " };
        if line.chars().count() + bar.len() + part.chars().count() > ALTERNATIVES_MAX {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { bar.trim_start() } else { bar });
        line.push_str(part);
    }
    lines.push(line);
    lines
}
