//! Traces reach a collector, say nothing that must not be said, and cost nobody anything when the
//! collector is away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::harness::wait_until;
use crate::iak_client::{PATH, sign_as};
use crate::instance::{Instance, Running, SETTINGS};

const USERNAME: &str = "081299990000";
const NUMBER: &str = "530000000000";

/// A collector that takes everything; gives what it was sent.
fn collector() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 0 {
                if !head.ends_with("\r\n\r\n") {
                    continue;
                }
                let lower = head.to_lowercase();
                let length = lower.lines().find_map(|it| it.strip_prefix("content-length: "));
                let mut body = vec![0; length.unwrap().parse().unwrap()];
                reader.read_exact(&mut body).unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                reader.get_mut().write_all(answer).unwrap();
                if sender.send(String::from_utf8(body).unwrap()).is_err() {
                    return;
                }
                head.clear();
            }
        }
    });
    (address, received)
}

/// An instance whose traces go there, with one product.
fn started(instance: &Instance) -> (Running, String) {
    let running = instance.start();
    let product = ["--name", "PLN POSTPAID", "--group", "pln", "--code", "PLNPOSTPAID"];
    let price = ["--admin-fee", "2500", "--commission", "600"];
    running.operate(&[&["product", "add", "pln-postpaid"], &product[..], &price[..]].concat());
    let key = running.add_merchant(USERNAME);
    let credit = ["merchant", "credit", "1", "1000000", "--reference", "A-1", "--reason", "x"];
    running.operate(&credit);
    (running, key)
}

fn pay(running: &Running, key: &str) {
    let sign = |what: &str| sign_as((USERNAME, key), what);
    let inquiry = json!({ "commands": "inq-pasca", "username": USERNAME, "code": "PLNPOSTPAID",
        "hp": NUMBER, "ref_id": "INV-1", "sign": sign("INV-1") });
    let tr_id = running.post(PATH, &inquiry.to_string()).json()["data"]["tr_id"].to_string();
    let payment = json!({ "commands": "pay-pasca", "username": USERNAME, "tr_id": tr_id,
        "sign": sign(&tr_id) });
    let paid = running.post(PATH, &payment.to_string()).json();
    assert_eq!(paid["data"]["response_code"], "00", "{paid}");
}

fn settings(endpoint: &str) -> String {
    format!("[telemetry]\notlp_endpoint = \"{endpoint}\"\n")
}

#[test]
fn a_payment_is_traced_to_the_supplier_without_telling_who_paid() {
    let (endpoint, received) = collector();
    let instance = Instance::new(&[&settings(&endpoint), SETTINGS]);
    let (running, key) = started(&instance);
    pay(&running, &key);
    let receipt = ureq::get(format!("{}/api/v1/download/1234567890", running.url)).call().unwrap();
    assert_eq!(receipt.status(), 200);
    let page = ureq::get(format!("{}/metrics", running.admin)).call().unwrap();
    let page = page.into_body().read_to_string().unwrap();
    assert!(page.contains("lunas_spans_total{outcome=\"dropped\"} 0\n"), "{page}");
    // What still waits is sent at the stop.
    let (_, log) = running.stop();
    let bodies: Vec<String> = received.try_iter().collect();
    let mut spans: Vec<Value> = Vec::new();
    for body in &bodies {
        for secret in [NUMBER, USERNAME, &key, "1234567890", "PELANGGAN", "Bearer"] {
            assert!(!body.contains(secret), "{secret} is in {body}");
        }
        let body: Value = serde_json::from_str(body).unwrap();
        let all = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
        spans.extend(all);
    }
    let call = spans.iter().find(|it| it["name"] == "pay stand_in").unwrap();
    let request = spans.iter().find(|it| it["spanId"] == call["parentSpanId"]).unwrap();
    assert_eq!(request["name"], "POST iak");
    assert_eq!(request["traceId"], call["traceId"]);
    let merchant = json!({ "key": "lunas.merchant", "value": { "intValue": "1" } });
    assert!(request["attributes"].as_array().unwrap().contains(&merchant), "{request}");
    assert!(log.contains(request["traceId"].as_str().unwrap()), "the log names the trace");
    assert!(spans.iter().any(|it| it["name"] == "PUT admin"));
    assert!(!spans.iter().any(|it| it.to_string().contains("/metrics")));
}

#[test]
fn a_collector_that_is_away_is_told_of_and_missed_by_nobody() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let instance = Instance::new(&[&settings(&format!("http://{away}")), SETTINGS]);
    let (running, key) = started(&instance);
    pay(&running, &key);
    wait_until("it is told of", || running.log().contains("the collector takes no traces"));
    let (code, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("the collector takes no traces").count(), 1, "{log}");
}

#[test]
fn a_collector_behind_tls_is_refused_before_the_start() {
    let instance = Instance::new(&[&settings("https://collector.example.id"), SETTINGS]);
    let (code, _, errors) = instance.output("check", &[]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("telemetry.otlp_endpoint") && errors.contains("http"), "{errors}");
}
