//! The admin API: its document, its tokens, and what operators do with it and the commands.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Answer, Sandbox, is_missing, lunas, request};
use crate::iak_client::{inquire, inquire_as, inquired, pay};

const ADMIN: &str = "sandbox-admin";

fn call(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    request(sandbox.url(), method, path, headers, body)
}

fn get(sandbox: &Sandbox, path: &str) -> Value {
    let bearer = format!("Bearer {ADMIN}");
    let answer = call(sandbox, "GET", path, &[("authorization", &bearer)], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Posts or puts JSON under a name.
fn send(sandbox: &Sandbox, method: &str, path: &str, name: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {ADMIN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", name),
    ];
    call(sandbox, method, path, &headers, &body.to_string())
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    lunas().args(arguments).args(["--server", sandbox.url()]).output().unwrap()
}

fn printed(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = command(sandbox, arguments);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}

/// The path of a route with something in place of its braces.
fn concrete(path: &str) -> String {
    let concrete = path.replace("{merchant}", "1").replace("{order}", "1");
    let concrete = concrete.replace("{callback}", "1").replace("{protocol}", "iak");
    concrete.replace("{product}", "pln-postpaid")
}

#[test]
fn every_route_of_the_document_refuses_missing_wrong_and_lesser_tokens() {
    let sandbox = Sandbox::start(&[]);
    let document = sandbox.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let before = get(&sandbox, "/admin/v1/audit-records");
    let lesser: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("viewer", &[][..]),
        ("operator", &["sandbox-viewer"][..]),
        ("administrator", &["sandbox-viewer", "sandbox-operator"][..]),
    ]);
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes += 1;
            let (method, path) = (method.to_uppercase(), concrete(path));
            let refused = |token: &str, status: u16, expected: &str| {
                let named = [
                    ("authorization", token),
                    ("idempotency-key", "walk-0001"),
                    ("content-type", "application/json"),
                ];
                let headers = if token.is_empty() { &named[1..] } else { &named[..] };
                let answer = call(&sandbox, &method, &path, headers, "");
                let found = code(&answer);
                assert_eq!(found, (status, expected.to_owned()), "{method} {path} {token}");
                assert!(answer.content_type.starts_with("application/problem+json"));
            };
            refused("", 401, "UNAUTHORIZED");
            for wrong in ["Bearer wrong", "Basic c2FuZGJveDphZG1pbg==", "Bearer ", ADMIN] {
                refused(wrong, 401, "UNAUTHORIZED");
            }
            for token in lesser[operation["x-role"].as_str().unwrap()] {
                refused(&format!("Bearer {token}"), 403, "ROLE_INSUFFICIENT");
            }
        }
    }
    assert!(routes >= 20, "{routes}");
    assert_eq!(get(&sandbox, "/admin/v1/audit-records"), before, "nothing was done");
}

#[test]
fn a_merchant_is_added_funded_given_a_key_and_pays() {
    let sandbox = Sandbox::start(&[]);
    let merchant = json!({ "name": "Toko Baru", "currency": "IDR", "level": "retail" });
    let added = send(&sandbox, "POST", "/admin/v1/merchants", "merchant-1", &merchant);
    assert_eq!(added.status, 201, "{added:?}");
    let own = format!("/admin/v1/merchants/{}", added.json()["merchant"]);
    let again = send(&sandbox, "POST", "/admin/v1/merchants", "merchant-1", &merchant);
    assert_eq!((again.status, &again.body), (added.status, &added.body));
    let other = json!({ "name": "Toko Lain", "currency": "IDR", "level": "retail" });
    let reused = send(&sandbox, "POST", "/admin/v1/merchants", "merchant-1", &other);
    assert_eq!(code(&reused), (422, "IDEMPOTENCY_KEY_REUSED".to_owned()));

    let funding = json!({ "direction": "credit", "amount": "500000", "reference": "BCA-1",
        "reason": "Transfer BCA" });
    let path = format!("{own}/fundings");
    assert_eq!(send(&sandbox, "POST", &path, "funding-1", &funding).status, 201);
    let twice = send(&sandbox, "POST", &path, "funding-2", &funding);
    assert_eq!(code(&twice), (409, "FUNDING_REFERENCE_USED".to_owned()));
    assert_eq!(get(&sandbox, &own)["balance"], "500000");

    let path = format!("{own}/credentials");
    let path = path.as_str();
    let wanted = json!({ "protocol": "iak", "identifier": "081299990000" });
    let issued = send(&sandbox, "POST", path, "key-000001", &wanted);
    let repeat = send(&sandbox, "POST", path, "key-000001", &wanted);
    assert_eq!((issued.status, &issued.body), (201, &repeat.body));
    let key = issued.json()["secrets"]["api_key"].as_str().unwrap().to_owned();
    assert_eq!(key.len(), 32);
    assert!(!get(&sandbox, path).to_string().contains(&key), "shown once");
    let taken = json!({ "protocol": "iak", "identifier": "081200001111" });
    let taken = send(&sandbox, "POST", path, "key-000002", &taken);
    assert_eq!(code(&taken), (409, "IDENTIFIER_TAKEN".to_owned()));

    let asked = inquire_as(&sandbox, ("081299990000", &key), "530000000000", "NEW-1");
    assert_eq!(asked.code(), "00", "{asked:?}");
    let audit = get(&sandbox, "/admin/v1/audit-records");
    assert_eq!(audit["items"].as_array().unwrap().len(), 3, "{audit}");
    assert_eq!(audit["items"][2]["action"], "merchant.added");
    assert!(!audit.to_string().contains(&key));
    sandbox.verify();
}

#[test]
fn a_restart_forgets_neither_answers_nor_acts() {
    let mut sandbox = Sandbox::start(&[]);
    let before = get(&sandbox, "/admin/v1/merchants")["items"].as_array().unwrap().len();
    let merchant = json!({ "name": "Toko Baru", "currency": "THB", "level": "retail" });
    let added = send(&sandbox, "POST", "/admin/v1/merchants", "merchant-1", &merchant);
    sandbox.kill();
    sandbox.restart();
    let again = send(&sandbox, "POST", "/admin/v1/merchants", "merchant-1", &merchant);
    assert_eq!((added.status, added.body), (again.status, again.body));
    assert_eq!(get(&sandbox, "/admin/v1/merchants")["items"].as_array().unwrap().len(), before + 1);
}

#[test]
fn what_cannot_be_right_is_refused_with_its_code_and_changes_nothing() {
    let sandbox = Sandbox::start(&[]);
    let before = get(&sandbox, "/admin/v1/audit-records");
    let bearer = format!("Bearer {ADMIN}");
    let merchants = "/admin/v1/merchants";
    let good = r#"{"name":"Toko","currency":"IDR","level":"retail"}"#;
    let huge = format!("{{\"name\":\"{}\"}}", "a".repeat(70_000));
    let table: [(&str, &str, &str, &str, u16, &str); 15] = [
        ("GET", "/admin/v1/merchants?cursor=bad", "", "", 400, "CURSOR_INVALID"),
        ("GET", "/admin/v1/merchants?limit=101", "", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/merchants?limit=1&limit=2", "", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/merchants?page=2", "", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/merchants/99", "", "", 404, "MERCHANT_UNKNOWN"),
        ("GET", "/admin/v1/merchants/x", "", "", 404, "MERCHANT_UNKNOWN"),
        ("GET", "/admin/v1/nothing", "", "", 404, "PATH_UNKNOWN"),
        ("DELETE", merchants, "", "", 405, "METHOD_NOT_ALLOWED"),
        ("POST", merchants, "", good, 400, "IDEMPOTENCY_KEY_MISSING"),
        ("POST", merchants, "short", good, 400, "IDEMPOTENCY_KEY_INVALID"),
        ("POST", merchants, "key-00001", "{", 400, "REQUEST_MALFORMED"),
        ("POST", merchants, "key-00001", r#"{"name":"a","name":"b"}"#, 400, "REQUEST_MALFORMED"),
        (
            "POST",
            merchants,
            "key-00001",
            r#"{"name":"a","currency":"IDR","level":"retail","admin":true}"#,
            400,
            "REQUEST_MALFORMED",
        ),
        ("POST", merchants, "key-00001", &huge, 413, "BODY_TOO_LARGE"),
        (
            "PUT",
            "/admin/v1/merchants/1/allow-list",
            "",
            r#"{"networks":["10.0.0.1/8"]}"#,
            422,
            "NETWORK_INVALID",
        ),
    ];
    for (method, path, key, body, status, expected) in table {
        let mut headers = vec![("authorization", bearer.as_str())];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        if !key.is_empty() {
            headers.push(("idempotency-key", key));
        }
        let answer = call(&sandbox, method, path, &headers, body);
        assert_eq!(code(&answer), (status, expected.to_owned()), "{method} {path} {key}");
        assert!(answer.json()["detail_id"].is_string());
    }
    let text = [("authorization", bearer.as_str()), ("idempotency-key", "key-00001")];
    let untyped = call(&sandbox, "POST", merchants, &text, good);
    assert_eq!(code(&untyped).1, "MEDIA_TYPE_UNSUPPORTED");
    assert_eq!(get(&sandbox, "/admin/v1/audit-records"), before);
}

#[test]
fn lists_go_on_where_their_cursor_tells() {
    let sandbox = Sandbox::start(&[]);
    for number in 0..5 {
        inquired(&sandbox, "530000000000", &format!("LIST-{number}"));
    }
    let mut found = Vec::new();
    let mut path = "/admin/v1/orders?limit=2".to_owned();
    loop {
        let part = get(&sandbox, &path);
        found.extend(part["items"].as_array().unwrap().iter().map(|it| it["order"].clone()));
        if part["has_more"] == json!(false) {
            break;
        }
        path = format!("/admin/v1/orders?limit=2&cursor={}", part["next_cursor"].as_str().unwrap());
    }
    assert_eq!(Value::from(found), json!([5, 4, 3, 2, 1]));
    let headers = [("authorization", "Bearer sandbox-viewer")];
    let elsewhere = path.replace("limit=2", "state=failed");
    let answer = call(&sandbox, "GET", &elsewhere, &headers, "");
    assert_eq!(code(&answer), (400, "CURSOR_INVALID".to_owned()));
    let seen = call(&sandbox, "GET", "/admin/v1/orders/1", &headers, "").json();
    assert_eq!(seen["order"]["destination"], "5300*****000", "viewers see numbers masked");
}

#[test]
fn the_commands_do_what_an_operator_needs() {
    let sandbox = Sandbox::start(&[]);
    let run = |arguments: &[&str]| printed(&sandbox, arguments);
    let before = run(&["merchant", "list"]).lines().count();
    let added = run(&["merchant", "add", "Toko Baru"]);
    let (number, rest) = added.rsplit_once(": ").unwrap().1.split_once(' ').unwrap();
    assert!(rest.contains("Toko Baru (IDR, retail) active"), "{added}");
    assert_eq!(run(&["merchant", "list"]).lines().count(), before + 1);
    let rotated = run(&["merchant", "rotate-key", number, "--identifier", "0812999"]);
    let key = rotated.lines().find_map(|line| line.strip_prefix("api_key: ")).unwrap();
    assert_eq!(key.len(), 32);
    assert!(!run(&["merchant", "show", number]).contains(key));
    assert!(!run(&["merchant", "rotate-key", number]).contains(key));
    let third = command(&sandbox, &["merchant", "rotate-key", number]);
    assert_eq!(third.status.code(), Some(1));
    assert!(String::from_utf8(third.stderr).unwrap().contains("CREDENTIALS_TOO_MANY"));
    run(&["merchant", "revoke-key", number, "0812999", "1"]);
    run(&["merchant", "rotate-key", number]);
    let credit =
        ["merchant", "credit", number, "75000", "--reference", "BCA-7", "--reason", "setor"];
    assert!(run(&credit).contains("balance 75000"));
    let again = command(&sandbox, &credit);
    assert!(String::from_utf8(again.stderr).unwrap().contains("FUNDING_REFERENCE_USED"));
    let debit =
        ["merchant", "debit", number, "5000", "--reference", "BCA-8", "--reason", "koreksi"];
    assert!(run(&debit).contains("balance 70000"));
    assert!(run(&["merchant", "suspend", number]).contains("suspended"));
    assert!(run(&["merchant", "resume", number]).contains("active"));
    let shown: Value = serde_json::from_str(&run(&["merchant", "show", number, "--json"])).unwrap();
    assert_eq!(shown["balance"], "70000");

    assert!(run(&["product", "off", "pln-postpaid"]).contains("inactive"));
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "OFF-1").code(), "106");
    assert!(run(&["product", "on", "pln-postpaid"]).contains(" active"));
    assert!(run(&["product", "show", "pln-postpaid"]).contains("PLNPOSTPAID"));
    assert!(run(&["product", "list"]).lines().count() >= 30);

    let tr_id = inquired(&sandbox, "530000000000", "CLI-1");
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
    assert!(run(&["order", "list", "--reference", "CLI-1"]).contains("succeeded"));
    let order = run(&["order", "show", "1"]);
    assert!(order.contains("attempt 1") && order.contains("hold") && order.contains("post"));
    sandbox.verify();
}

#[test]
fn the_catalogue_is_made_and_changed_by_commands() {
    let sandbox = Sandbox::start(&[]);
    let run = |arguments: &[&str]| printed(&sandbox, arguments);
    let refused = |arguments: &[&str], expected: &str| {
        let output = command(&sandbox, arguments);
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && problem.contains(expected), "{arguments:?}: {problem}");
    };
    let asked = |reference: &str| inquire(&sandbox, "LISTRIK", "530000000000", reference);
    assert_eq!(asked("NEW-1").code(), "20");
    let add = [
        "product",
        "add",
        "listrik",
        "--name",
        "Listrik",
        "--group",
        "pln",
        "--code",
        "LISTRIK",
        "--admin-fee",
        "3000",
        "--commission",
        "500",
        "--off",
    ];
    assert!(run(&add).contains("listrik Listrik (pln) inactive"));
    refused(&add, "sudah ada");
    assert_eq!(asked("NEW-1").code(), "106");
    assert!(run(&["product", "resume", "listrik"]).contains(" active"));
    // The stand-in has bills for the products that it knows, and of this one it knows nothing.
    assert_ne!(asked("NEW-1").code(), "106");

    let price = ["product", "price", "listrik", "--admin-fee", "4000", "--commission", "700"];
    assert!(run(&price).contains("admin 4000, komisi · commission 700"));
    let other = [&price[..], &["--level", "wholesale", "--protocol", "iak"]].concat();
    assert!(run(&other).contains("wholesale iak IDR admin 4000"));
    let away = ["product", "price", "listrik", "--remove"];
    assert!(
        !run(&[&away[..], &["--level", "wholesale", "--protocol", "iak"]].concat())
            .contains("wholesale")
    );
    refused(&[&away[..], &["--level", "wholesale"]].concat(), "no such terms");
    assert!(run(&["product", "code", "listrik", "iak:LSTR"]).contains("iak LSTR"));
    assert!(!run(&["product", "code", "listrik", "LSTR", "--remove"]).contains("LSTR"));
    refused(&["product", "code", "listrik", "PLNPOSTPAID"], "ALIAS_TAKEN");
    assert!(run(&["product", "hours", "listrik", "23:00-01:00"]).contains("23:00–01:00"));
    assert!(!run(&["product", "hours", "listrik", "--always-open"]).contains("01:00"));
    refused(&["product", "hours", "listrik", "25:00-01:00"], "REQUEST_MALFORMED");
    refused(&["product", "price", "nothing", "--remove"], "PRODUCT_UNKNOWN");
    refused(&["product", "price", "listrik"], "--admin-fee");
    sandbox.verify();
}

#[test]
fn a_catalogue_is_carried_from_one_server_to_another() {
    let from = Sandbox::start(&[]);
    let to = Sandbox::start(&[]);
    printed(
        &from,
        &["product", "price", "pln-postpaid", "--admin-fee", "9999", "--commission", "1"],
    );
    let catalogue = printed(&from, &["product", "list", "--json"]);
    let file = from.data.path().join("products.json");
    std::fs::write(&file, &catalogue).unwrap();
    let load = ["product", "load", file.to_str().unwrap()];
    let count = serde_json::from_str::<Vec<Value>>(&catalogue).unwrap().len();
    for _ in 0..2 {
        assert!(printed(&to, &load).contains(&format!("loaded: {count}")));
        assert_eq!(printed(&to, &["product", "list", "--json"]), catalogue);
    }
    for (wrong, expected) in [
        ("{}", "is not a list of products"),
        (r#"[{"name":"x"}]"#, "product 1"),
        (r#"[{"product":"x","colour":"red"}]"#, "loaded before it: 0"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let output = command(&to, &load);
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && problem.contains(expected), "{wrong}: {problem}");
    }
    assert_eq!(printed(&to, &["product", "list", "--json"]), catalogue);
}

#[test]
fn an_allow_list_holds_from_the_next_request_on() {
    let sandbox = Sandbox::start(&[]);
    let allow = |networks: &[&str]| {
        let arguments = [&["merchant", "allow-ip", "1"], networks].concat();
        printed(&sandbox, &arguments);
    };
    allow(&["203.0.113.0/24"]);
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "FAR-1").code(), "102");
    allow(&["203.0.113.0/24", "127.0.0.0/8"]);
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "NEAR-1").code(), "00");
    allow(&["--any"]);
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "NEAR-2").code(), "00");
}

#[test]
fn a_rate_limit_holds_from_the_next_request_on() {
    let sandbox = Sandbox::start(&[]);
    let limit = |arguments: &[&str]| {
        let arguments = [&["merchant", "limit", "1"], arguments].concat();
        printed(&sandbox, &arguments);
    };
    limit(&["1", "2"]);
    let ask =
        |number: usize| inquire(&sandbox, "PLNPOSTPAID", "530000000000", &format!("R-{number}"));
    let refused = (0..1000).map(ask).find(|data| data.http != 200);
    let refused = refused.unwrap_or_else(|| panic!("a thousand requests got through"));
    assert_eq!((refused.http, refused.code()), (429, "05"));
    limit(&["0"]);
    assert!((1000..1020).map(ask).all(|data| data.code() == "00"));
}

/// The command of docs/operations/admin-api.md, with fewer examples.
#[test]
fn schemathesis_finds_nothing() {
    if is_missing("schemathesis") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/schemathesis.toml");
    let folder = tempfile::TempDir::new().unwrap();
    let output = Command::new("schemathesis")
        .current_dir(folder.path())
        .args(["--config-file", settings, "run", &format!("{}/openapi.json", sandbox.url())])
        .args(["-H", &format!("Authorization: Bearer {ADMIN}")])
        .args(["--workers", "1", "--max-examples", "5", "--phases", "examples,coverage,fuzzing"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    sandbox.verify();
}
