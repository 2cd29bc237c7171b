//! Good and bad values of every kind, as the file writes them and as the environment does.

use std::time::Duration;

use super::super::kind::Kind;
use super::super::value::Raw;
use super::{Given, faults_of};

const DURATION: Kind = Kind::Duration(Duration::from_millis(100), Duration::from_secs(7200));
const DURATIONS: Kind = Kind::Durations(Duration::from_secs(1), Duration::from_secs(24 * 3600));
const WORDS: Kind = Kind::Choice(&["one", "two"]);

/// How a text from the environment is understood, or what is wrong with it.
fn read(kind: Kind, text: &str) -> Result<String, String> {
    kind.read(&Raw::Untyped(text.to_owned())).map(|value| value.to_string())
}

#[test]
fn good_values_are_understood() {
    let table: &[(Kind, &str, &str)] = &[
        (Kind::Address, "0.0.0.0:8080", "\"0.0.0.0:8080\""),
        (Kind::Address, "127.0.0.1:0", "\"127.0.0.1:0\""),
        (Kind::Address, "[::1]:443", "\"[::1]:443\""),
        (Kind::BaseUrl, "https://Pay.example.id/", "\"https://pay.example.id\""),
        (Kind::Networks, "", "[]"),
        (Kind::Networks, "10.0.0.0/8", "[\"10.0.0.0/8\"]"),
        (
            Kind::Networks,
            "192.0.2.7, fd00::/8,::1",
            "[\"192.0.2.7/32\", \"fd00::/8\", \"::1/128\"]",
        ),
        (Kind::Integer(-5, 5), "-5", "-5"),
        (Kind::Integer(-5, 5), "5", "5"),
        (DURATION, "100ms", "\"100ms\""),
        (DURATION, "1500ms", "\"1500ms\""),
        (DURATION, "25s", "\"25s\""),
        (DURATION, "120s", "\"2m\""),
        (DURATION, "2h", "\"2h\""),
        (DURATIONS, "1s", "[\"1s\"]"),
        (DURATIONS, "5s, 300s,24h", "[\"5s\", \"5m\", \"24h\"]"),
        (Kind::Size(0, 1 << 20), "0B", "\"0B\""),
        (Kind::Size(0, 1 << 20), "64KiB", "\"64KiB\""),
        (Kind::Size(0, 1 << 20), "65536B", "\"64KiB\""),
        (Kind::Size(0, 1 << 20), "1MiB", "\"1MiB\""),
        (Kind::Boolean, "true", "true"),
        (Kind::Boolean, "false", "false"),
        (Kind::Path, "/etc/lunas/tls key.pem", "\"/etc/lunas/tls key.pem\""),
        (Kind::Path, "C:\\lunas \"1\"", "\"C:\\\\lunas \\\"1\\\"\""),
        (WORDS, "two", "\"two\""),
        (Kind::LogFilter, "warn,gateway=debug", "\"warn,gateway=debug\""),
        (Kind::Product, "*", "\"*\""),
        (Kind::Product, "pln-postpaid", "\"pln-postpaid\""),
        (Kind::Names, "a", "[\"a\"]"),
        (Kind::Names, "b, a_2", "[\"b\", \"a_2\"]"),
        (Kind::Secret(4), "abcd", "\"********\""),
        (Kind::Optional(&Kind::Path), "", "\"\""),
        (Kind::Optional(&Kind::Path), "x", "\"x\""),
    ];
    for (kind, text, expected) in table {
        assert_eq!(read(*kind, text).as_deref(), Ok(*expected), "{kind:?} {text}");
    }
}

#[test]
fn bad_values_are_refused_with_what_is_wrong() {
    let table: &[(Kind, &[&str], &str)] = &[
        (
            Kind::Address,
            &["", "80", ":80", "localhost:80", "1.2.3.4", "1.2.3.4:65536", "::1:80", " 1.2.3.4:80"],
            "not an address and port; write for example \"0.0.0.0:8080\"",
        ),
        (Kind::BaseUrl, &["", "pay.example.id", "ftp://a.id"], "not an http or https address"),
        (Kind::BaseUrl, &["https://a:b@c.id"], "a name or password in an address is not allowed"),
        (Kind::Networks, &["x", "10.0.0.0/33", "10.0.0.0/8,"], "is not a network"),
        (Kind::Networks, &["0.0.0.0/0", "::/0"], "is everybody"),
        (DURATIONS, &[""], "at least one span of time is needed; write for example [\"5s\""),
        (DURATIONS, &["5s,25h", "500ms"], "out of range; write for example"),
        (DURATIONS, &["5s,soon", "5s,,5m"], "not a whole number with a unit; write"),
        (Kind::Networks, &["10.1.2.3/8"], "may mean 10.0.0.0/8; write for example"),
        (
            Kind::Integer(1, 5),
            &["", "-", "1.5", "1e3", "+1", "0x1", "1_0", " 1", "five"],
            "not a whole number; write a whole number from 1 to 5",
        ),
        (Kind::Integer(1, 5), &["0", "6", "-1"], "out of range; write a whole number from 1 to 5"),
        (Kind::Integer(1, 5), &["99999999999999999999"], "not a whole number"),
        (DURATION, &["25"], "the unit is missing; write a whole number with a unit (ms, s, m, h)"),
        (DURATION, &["", "s", "-1s", "1 s", "1.5s", "1d", "25S", "1m30s"], "not a whole number"),
        (
            DURATION,
            &["99ms", "3h", "0s", "99999999999999999999s", "9999999999999999999h"],
            "out of range; write a whole number with a unit (ms, s, m, h), from \"100ms\" to \"2h\"",
        ),
        (Kind::Size(1024, 4096), &["2048"], "the unit is missing"),
        (
            Kind::Size(1024, 4096),
            &["", "KiB", "1KB", "1kib", "1.5KiB", "1 KiB"],
            "not a whole number",
        ),
        (
            Kind::Size(1024, 4096),
            &["1023B", "5KiB", "99999999999999999999B", "99999999999999999GiB"],
            "out of range; write a whole number with a unit (B, KiB, MiB, GiB), from \"1KiB\" to \"4KiB\"",
        ),
        (Kind::Boolean, &["", "yes", "1", "True", "on"], "not a boolean; write true or false"),
        (Kind::Path, &[""], "a path is expected, not nothing"),
        (Kind::Path, &["a\nb", "a\0"], "a path has no control characters"),
        (Kind::Path, &["~/lunas"], "`~` is not understood here"),
        (WORDS, &["", "three", "One"], "not one of its words; write \"one\" or \"two\""),
        (Kind::LogFilter, &[""], "nothing would be logged"),
        (Kind::LogFilter, &["gateway=loud", "[{"], "not a filter for the log"),
        (Kind::Product, &["", "a b", "**", "a*", "é"], "not the code of a product"),
        (Kind::Names, &[""], "at least one name is needed"),
        (Kind::Names, &["A", "a,", "a b"], "is no name"),
        (Kind::Names, &["a,b,a"], "\"a\" stands in it twice"),
        (Kind::Secret(4), &[""], "it is empty"),
        (Kind::Secret(4), &["abc"], "it is too short"),
        (Kind::Secret(4), &["ab cd", "abcd\n", "abcdé"], "it has spaces, line breaks"),
        (Kind::Optional(&Kind::BaseUrl), &["x"], ", or \"\" for none"),
    ];
    for (kind, texts, expected) in table {
        for text in *texts {
            let problem = read(*kind, text).expect_err(text);
            assert!(problem.contains(expected), "{kind:?} {text:?}: {problem}");
            assert!(problem.contains("; write "), "{problem}");
        }
    }
}

/// TOML has types of its own, and none is taken for another.
#[test]
fn toml_types_are_not_converted() {
    let table = [
        (
            "[server]\nlisten = 80",
            "server.listen = 80 (lunas.toml:2): a string is expected, not an integer",
        ),
        ("[server]\nconnections = \"5\"", "an integer is expected, not a string"),
        (
            "[server]\nconnections = 5.0",
            "server.connections = 5.0 (lunas.toml:2): an integer is expected, not a fraction",
        ),
        ("[server]\nconnections = 9223372036854775808", "not an integer beyond 64 bits"),
        ("[server]\nconnections = 1979-05-27", "not a date or time"),
        ("[server]\nmetrics = \"true\"", "server.metrics = \"true\" (lunas.toml:2): not a boolean"),
        ("[server]\nmetrics = 1", "not a boolean"),
        (
            "[server]\ntrusted_proxies = \"10.0.0.0/8\"",
            "an array of strings is expected, not a string",
        ),
        (
            "[server]\ntrusted_proxies = [1]",
            "an array of strings is expected, not an array of something else",
        ),
        ("[server]\nlisten = [\"0.0.0.0:80\"]", "a string is expected, not an array of strings"),
        ("[server]\nlisten = { a = 1 }", "a string is expected, not a table"),
        (
            "[gateway]\nanswer_within = 25",
            "gateway.answer_within = 25 (lunas.toml:2): a string is expected, not an integer",
        ),
        (
            "[limits]\nbody_size = 65536",
            "a string is expected, not an integer; write a whole number with a unit",
        ),
    ];
    for (file, expected) in table {
        let faults = faults_of(file);
        assert!(faults.len() == 1 && faults[0].contains(expected), "{file}: {faults:?}");
    }
}

#[test]
fn toml_integers_may_be_written_as_toml_allows() {
    for text in ["4097", "4_097", "0x1001", "0o10001", "+4097"] {
        let file = format!("[server]\nconnections = {text}");
        let given = Given { file: &file, ..Given::default() };
        assert_eq!(given.effective("server.connections").0, "4097", "{text}");
    }
}

/// What a wrong value contains must not reach the terminal as it is.
#[test]
fn control_characters_are_shown_escaped() {
    let faults = faults_of("[log]\nformat = \"\\u001b[2J\\n\"");
    assert_eq!(
        faults,
        ["log.format = \"\\u001B[2J\\u000A\" (lunas.toml:2): not one of its words; \
          write \"auto\" or \"pretty\" or \"json\""]
    );
}
