//! The four schemes on the command line: requests are signed and taken apart, and the `key` of S88pay
//! is made and opened as another implementation does it.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::harness::{Sandbox, is_missing, lunas};
use crate::pages::{Terminal, assert_says, commands};

/// Variables of the environment.
type Keys<'a> = &'a [(&'a str, &'a str)];

/// Gives a command something to read.
fn fed(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn run(arguments: &[&str], keys: Keys<'_>, input: &[u8]) -> (Option<i32>, String) {
    let mut command = lunas();
    command.args(arguments).envs(keys.iter().copied());
    let output = fed(command, input);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

/// Keys come by the environment, so that nobody sees them among the processes, and none is printed.
#[test]
fn every_scheme_signs_and_takes_apart() {
    let ilenpay = [("LUNAS_API_USER", "another-user-01")];
    let s88pay = [("LUNAS_API_KEY", "another%3Dkey"), ("LUNAS_SECRET_KEY", "another%3Dsecret")];
    let table: [(&str, &[&str], Keys<'_>); 4] = [
        ("iak", &["inq-pasca", "PLNPOSTPAID", "530000000000"], &[]),
        ("isikuota", &["prepaid", "TSEL21", "081298765432"], &[]),
        ("ilenpay", &["transaksi-baru", "xl", "45000"], &ilenpay),
        ("s88pay", &["deposit", "250.00", "--with", "bank_code=104"], &s88pay),
    ];
    for (protocol, request, keys) in table {
        let (code, signed) = run(&[&["sign", protocol], request].concat(), keys, b"");
        assert_eq!(code, Some(0), "{signed}");
        let verify = ["verify-sign", protocol, "--language", "en"];
        let (code, told) = run(&verify, keys, signed.as_bytes());
        assert_eq!(code, Some(0), "{protocol}: {told}");
        for (_, key) in keys {
            assert!(!told.contains(key), "{told}");
        }
        let (code, told) = run(&verify, keys, b"");
        assert_eq!(code, Some(2), "{protocol}: {told}");
        if !keys.is_empty() {
            let (code, told) = run(&verify, &[], signed.as_bytes());
            assert_eq!(code, Some(1), "{protocol}: {told}");
            assert!(told.contains("Because"), "{told}");
        }
    }
    let (_, help) = run(&["s88pay", "decrypt", "--help"], &s88pay, b"");
    assert!(help.contains("LUNAS_SECRET_KEY") && !help.contains("another%3D"), "{help}");
}

/// AES key and first vector of two credentials as `openssl enc` takes them.
fn openssl(credentials: (&str, &str), options: &str, input: &[u8]) -> String {
    let script = format!(
        "K=$(printf %s \"$api_key\" | openssl dgst -sha256 -r | cut -c1-64)
         IV=$(printf %s \"$secret_key\" | openssl dgst -sha256 -r | cut -c1-16 | tr -d '\\n' |
             od -An -tx1 | tr -d ' \\n')
         openssl enc -aes-256-cbc -K \"$K\" -iv \"$IV\" -base64 -A {options}"
    );
    let mut command = Command::new("sh");
    command.args(["-ec", &script]).env("api_key", credentials.0).env("secret_key", credentials.1);
    let output = fed(command, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What one of the two encrypts, the other one decrypts; credentials are used as they stand.
#[test]
fn keys_of_s88pay_are_those_of_openssl() {
    if is_missing("openssl") {
        return;
    }
    let table = [
        (("unit-test-api-key", "unit-test-secret-key"), "merchant_code=OPR001"),
        (("FjgHGLxnJO1qjlhHcK4KHg%3D%3D", "vqw330bx%2Fsecret%3D"), "transaction_code=A&utr=1"),
        (("key", "secret"), "transaction_code=ORD-1002&depositor_name=สมชาย"),
        (("key", "secret"), r#"{"merchant_code":"OPR001","account_name":"A + B & C"}"#),
    ];
    for (credentials, text) in table {
        let keys = [("LUNAS_API_KEY", credentials.0), ("LUNAS_SECRET_KEY", credentials.1)];
        let (code, ours) = run(&["s88pay", "encrypt", "--text", "-"], &keys, text.as_bytes());
        assert_eq!(code, Some(0), "{ours}");
        let theirs = openssl(credentials, "", text.as_bytes());
        let encoded = theirs.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        assert_eq!(ours.trim(), encoded, "{text}");
        let base64 = ours.trim().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        assert_eq!(openssl(credentials, "-d", base64.as_bytes()), text);
        let (_, told) = run(&["s88pay", "decrypt", "--language", "en"], &keys, theirs.as_bytes());
        let value = text.split(['=', '"']).find(|it| it.contains("OPR001") || *it == "1");
        assert!(told.contains(value.unwrap_or("สมชาย")), "{told}");
    }
}

#[test]
fn a_key_that_does_not_open_is_told_why() {
    let balance = "b5ojWL4ABTRpEdi7606%2ForVxWBj7r9ORcYV9xRQqtOw%3D";
    let table: [(&str, Keys<'_>, i32, &str); 6] = [
        (balance, &[], 0, "VALID"),
        (balance, &[("LUNAS_API_KEY", "other")], 1, "the padding is wrong"),
        (balance, &[("LUNAS_SECRET_KEY", "other-secret")], 1, "the secret_key is another one"),
        (&balance[..balance.len() - 5], &[], 2, "error 118"),
        ("key=not*base64", &[], 2, "a character *"),
        ("{}", &[], 2, "there is no key in it"),
    ];
    for (given, keys, expected, told) in table {
        let decrypt = ["s88pay", "decrypt", "--language", "en"];
        let (code, text) = run(&decrypt, keys, given.as_bytes());
        assert_eq!(code, Some(expected), "{given}: {text}");
        assert!(text.contains(told), "{given}: {text}");
    }
    let elsewhere = ["s88pay", "decrypt", "--language", "en", "--merchant-code", "OPR002"];
    let (code, text) = run(&elsewhere, &[], balance.as_bytes());
    assert_eq!((code, text.contains("is not OPR002")), (Some(1), true), "{text}");
}

/// Types the commands of a page for people who write shops, at a sandbox.
fn followed(page: &str) -> String {
    let sandbox = Sandbox::start(&[]);
    let folder = TempDir::new().unwrap();
    let blocks = commands(&format!("../{page}"), "Perintah");
    let [block] = blocks.as_slice() else { panic!("{page}: {blocks:?}") };
    let mut terminal = Terminal::open(folder.path());
    let told = terminal.types(&block.replace("http://127.0.0.1:8080", sandbox.url()));
    assert!(fs::read_dir(folder.path()).unwrap().count() >= 2, "the commands write files");
    sandbox.verify();
    told
}

#[test]
fn the_commands_of_the_pages_for_shops_run() {
    if ["openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let ilenpay = followed("ilenpay.md");
    assert_says(&ilenpay, &[r#""status":"UNPAID""#, r#""status":"PAID""#, "COCOK"]);
    assert_says(&ilenpay, &["X-Ilen-Signature: key=1497c5b0e24349eefc8ce4c6813ee1535ec9d699"]);
    assert_eq!(ilenpay.matches("COCOK").count(), 2, "{ilenpay}");
    let s88pay = followed("s88pay.md");
    assert_says(&s88pay, &["b5ojWL4ABTRpEdi7606%2ForVxWBj7r9ORcYV9xRQqtOw%3D\n", "(tidak ada)"]);
    assert_says(&s88pay, &["Submit Transaction Success!", r#""status":"completed""#, "COCOK"]);
    assert_says(&s88pay, &[r#""currency_code":"THB","balance":""#]);
}
