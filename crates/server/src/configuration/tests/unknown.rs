//! Keys that do not exist, at every level, and files that are not TOML.

use super::faults_of;

#[test]
fn unknown_keys_are_named_with_file_line_and_remedy() {
    let table = [
        ("[sever]\nlisten = 1", "sever (lunas.toml:1): unknown; did you mean server?"),
        ("listen = \"x\"", "listen (lunas.toml:1): unknown; did you mean server.listen?"),
        (
            "\n[server]\nlisen = 1",
            "server.lisen (lunas.toml:3): unknown; did you mean server.listen?",
        ),
        (
            "[server]\ncolour = 1",
            "server.colour (lunas.toml:2): unknown; [server] has the keys listen, admin_listen, \
             metrics, public_url, trusted_proxies, connections",
        ),
        (
            "[gateway]\nconnections = 5",
            "gateway.connections (lunas.toml:2): unknown; did you mean server.connections?",
        ),
        (
            "[upstream.bank]\nkind = \"sandbox\"\nsede = 1",
            "upstream.bank.sede (lunas.toml:3): unknown; did you mean upstream.bank.seed?",
        ),
        (
            "[data]\ndirectory_file = \"x\"",
            "data.directory_file (lunas.toml:2): unknown; [data] has the keys directory",
        ),
        ("[server.listen]\na = 1", "server.listen = {…} (lunas.toml:1): a string is expected"),
        (
            "\"a \\u0007b\" = 1",
            "\"a \\u0007b\" (lunas.toml:1): unknown; the tables are server, tls, data",
        ),
    ];
    for (file, expected) in table {
        let faults = faults_of(file);
        assert!(faults.len() == 1 && faults[0].starts_with(expected), "{file}: {faults:?}");
    }
}

#[test]
fn tables_have_to_be_tables() {
    let named = "named tables; write [upstream.NAME], for example [upstream.sandbox]";
    let table = [
        ("server = 1", "server (lunas.toml:1): a table; write [server]".to_owned()),
        ("[[server]]", "server (lunas.toml:1): a table; write [server]".to_owned()),
        ("[[upstream]]\nkind = \"sandbox\"", format!("upstream (lunas.toml:1): {named}")),
        ("[upstream]\nkind = \"sandbox\"", format!("upstream.kind (lunas.toml:2): {named}")),
        ("[[upstream.a]]", format!("upstream.a (lunas.toml:1): {named}")),
        ("[upstream.Bank]", "upstream.Bank (lunas.toml:1): not a name; a name starts".to_owned()),
        ("[upstream.\"a b\"]", "upstream.\"a b\" (lunas.toml:1): not a name".to_owned()),
    ];
    for (file, expected) in table {
        let faults = faults_of(file);
        assert!(faults.len() == 1 && faults[0].starts_with(&expected), "{file}: {faults:?}");
    }
}

#[test]
fn named_tables_miss_what_they_need() {
    assert_eq!(
        faults_of("\n[upstream.a]\n[admin_token.b]\n[route.c]\n"),
        [
            "admin_token.b.role (lunas.toml:3): missing; write for example role = \"administrator\"",
            "admin_token.b.token (lunas.toml:3): missing; \
             write for example token_file = \"/run/secrets/lunas_admin_token\"",
            "upstream.a.kind (lunas.toml:2): missing; write for example kind = \"sandbox\"",
            "route.c.product (lunas.toml:4): missing; write for example product = \"*\"",
            "route.c.upstreams (lunas.toml:4): missing; write for example upstreams = [\"sandbox\"]",
        ]
    );
    // A key that is there and wrong is not missing besides.
    assert_eq!(faults_of("[upstream.a]\nkind = 1\n").len(), 1);
}

#[test]
fn what_is_not_toml_is_named_by_its_lines() {
    let table = [
        ("[server\nlisten = 1", 1),
        ("[server]\nlisten = \"x\nmetrics = true", 2),
        ("[server]\nlisten\n", 2),
        ("[server]\nmetrics = true\nmetrics = true", 3),
        ("[server]\n[server]", 2),
        ("[server]\nmetrics = yes", 2),
    ];
    for (file, line) in table {
        let faults = faults_of(file);
        let expected = format!("lunas.toml (lunas.toml:{line}): not valid TOML: ");
        assert!(faults.iter().any(|it| it.starts_with(&expected)), "{file}: {faults:?}");
    }
    let faults = faults_of("a =\n[server]\nb =\n");
    assert!(faults.len() >= 2, "all at once: {faults:?}");
}
