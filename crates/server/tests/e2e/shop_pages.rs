//! The pages for developers of shops, by the commands on them, typed as they are printed. Only the
//! address is replaced.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Sandbox, is_missing, wait_until};
use crate::pages::{Terminal, assert_says, commands};

/// Somebody who types what a page for shops says to the sandbox.
struct Developer {
    sandbox: Sandbox,
    terminal: Terminal,
    _folder: TempDir,
}

impl Developer {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            sandbox: Sandbox::start(&[]),
            terminal: Terminal::open(folder.path()),
            _folder: folder,
        }
    }

    fn types(&mut self, block: &str) -> String {
        self.terminal.types(&block.replace("http://127.0.0.1:8080", self.sandbox.url()))
    }
}

#[test]
fn the_page_on_ilenpay_leads_to_a_paid_transaction() {
    if ["md5sum", "curl"].into_iter().any(is_missing) {
        return;
    }
    let mut developer = Developer::new();
    let (indonesian, english) =
        (commands("../ilenpay.md", "Sandbox"), commands("../ilenpay.md", "English"));
    let [block] = indonesian.as_slice() else { panic!("{indonesian:?}") };
    assert_eq!(indonesian, english);
    let first = developer.types(block);
    assert_says(
        &first,
        &["\"total_tf\":\"13000\"", "\"status\":\"PAID\"", "\"sender\":\"6281298765432\""],
    );
    let again = developer.types(block);
    assert_says(&again, &["Reff id sudah digunakan", "Pembayaran sudah di selesaikan"]);
    developer.sandbox.verify();
}

#[test]
fn the_page_on_s88pay_leads_to_a_deposit_and_a_callback() {
    if ["openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let mut developer = Developer::new();
    let encrypting = commands("../s88pay.md", "Mengenkripsi");
    let [encrypt] = encrypting.as_slice() else { panic!("{encrypting:?}") };
    let (_, printed) = encrypt.trim_end().rsplit_once("\n# ").unwrap();
    assert_eq!(developer.types(encrypt).trim_end(), printed);

    let walk = commands("../s88pay.md", "English");
    let [ask, called_back] = walk.as_slice() else { panic!("{walk:?}") };
    let answers = developer.types(ask);
    assert_says(&answers, &["request withdraw successful", "\"available_balance\":\"998788.000\""]);
    let page = answers.lines().find(|it| it.starts_with("http")).unwrap();
    let page = page.strip_prefix(developer.sandbox.url()).unwrap();
    assert_says(&developer.sandbox.get(page).body, &["฿250.00", "ORD-1001"]);
    wait_until("the callback has come", || {
        developer.sandbox.get("/sandbox/callbacks?reference=WDR-2001").body.contains("WDR-2001")
    });
    let told = developer.types(called_back);
    assert_says(&told, &["\"transaction_status\":2", "\"transaction_fee\":\"12.00\""]);
    developer.sandbox.verify();
}

#[test]
fn the_page_on_s88pay_encrypts_in_php_as_with_openssl() {
    if is_missing("php") {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/s88pay.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```php\n").unwrap();
    let (code, _) = rest.split_once("```").unwrap();
    let given = "$api_key = 'unit-test-api-key'; $secret_key = 'unit-test-secret-key'; \
                 $text = 'merchant_code=OPR001';";
    let code = format!("{given} {code} echo $key, ' ', $text;");
    let output = Command::new("php").args(["-r", &code]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let key = commands("../s88pay.md", "Mengenkripsi").concat();
    let (_, key) = key.trim_end().rsplit_once("\n# ").unwrap();
    assert_eq!(told, format!("{key} merchant_code=OPR001"));
}
