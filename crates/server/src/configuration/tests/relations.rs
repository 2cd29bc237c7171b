//! Rules between settings.

use super::{Given, faults_of};

#[test]
fn settings_that_contradict_each_other_are_told_with_the_place() {
    let table = [
        (
            "[tls]\ncertificate = \"c.pem\"",
            "tls.certificate = \"c.pem\" (lunas.toml:2): tls.key is empty; set both, or neither",
        ),
        ("[tls]\nkey = \"k.pem\"", "tls.key = \"k.pem\" (lunas.toml:2): tls.certificate is empty"),
        (
            "[server]\nadmin_listen = \"127.0.0.1:8080\"",
            "server.admin_listen = \"127.0.0.1:8080\" (lunas.toml:2): \
             server.listen = \"127.0.0.1:8080\" takes it; write another port",
        ),
        (
            "[server]\nadmin_listen = \"0.0.0.0:8080\"",
            "server.admin_listen = \"0.0.0.0:8080\" (lunas.toml:2): server.listen",
        ),
        (
            "[server]\nlisten = \"0.0.0.0:80\"",
            "server.listen = \"0.0.0.0:80\" (lunas.toml:2): takes every address, so that links need \
             server.public_url",
        ),
        (
            "[callbacks]\ntry_within = \"5s\"",
            "callbacks.try_within = \"5s\" (lunas.toml:2): not longer than callbacks.connect_within",
        ),
        (
            "[backup]\ndirectory = \"lunas-data\"",
            "backup.directory = \"lunas-data\" (lunas.toml:2): the same as data.directory",
        ),
        (
            "[route.a]\nproduct = \"*\"\nupstreams = [\"bank\"]",
            "route.a.upstreams = [\"bank\"] (lunas.toml:3): there is no upstream; \
             write a table [upstream.bank]",
        ),
        (
            "[upstream.b]\nkind = \"sandbox\"\n[route.a]\nproduct = \"*\"\nupstreams = [\"c\"]",
            "route.a.upstreams = [\"c\"] (lunas.toml:5): there is no upstream c; write one of b",
        ),
        (
            "[upstream.b]\nkind = \"sandbox\"\n[route.x]\nproduct = \"pln\"\nupstreams = [\"b\"]\n\
             [route.y]\nproduct = \"pln\"\nupstreams = [\"b\"]",
            "route.y.product = \"pln\" (lunas.toml:7): already has the route x",
        ),
        (
            "[admin_token.a]\nrole = \"viewer\"\ntoken = \"0123456789abcdef0123456789abcdef\"\n\
             [admin_token.b]\nrole = \"viewer\"\ntoken = \"0123456789abcdef0123456789abcdef\"",
            "admin_token.b.token = \"********\" (lunas.toml:6): the same as that of a",
        ),
        (
            "[evidence.a]\nsecret = \"0123456789abcdef0123456789abcdef0123456789abcdef\"\n\
             channel = \"in\"",
            "evidence.a.secret = \"********\" (lunas.toml:2): no secret of Standard Webhooks",
        ),
        (
            "[evidence.a]\nsecret = \"whsec_c2FuZGJveC1ldmlkZW5jZS1zZWNyZXQtMDAwMQ==\"\n\
             channel = \"in\"",
            "evidence.a.secret = \"********\" (lunas.toml:2): published",
        ),
        (
            "[evidence.a]\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
             channel = \"in\"\n\
             [evidence.b]\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
             channel = \"in\"",
            "evidence.b.secret = \"********\" (lunas.toml:5): the same as that of a",
        ),
        (
            "[evidence.a]\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
             channel = \"*\"",
            "evidence.a.channel = \"*\" (lunas.toml:3): not one channel",
        ),
        (
            "[upstream.a]\nkind = \"sandbox\"\n[evidence.a]\n\
             secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nchannel = \"in\"",
            "evidence.a.channel = \"in\" (lunas.toml:5): there is an upstream a too",
        ),
    ];
    for (file, expected) in table {
        let faults = faults_of(file);
        assert!(faults.len() == 1 && faults[0].starts_with(expected), "{file}: {faults:?}");
    }
}

#[test]
fn what_only_looks_alike_is_accepted() {
    let table = [
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"",
        "[server]\nlisten = \"127.0.0.1:80\"\nadmin_listen = \"127.0.0.2:80\"",
        "[server]\nlisten = \"0.0.0.0:80\"\npublic_url = \"https://pay.example.id\"",
        "[upstream.b]\nkind = \"sandbox\"\n[route.x]\nproduct = \"pln\"\nupstreams = [\"b\"]\n\
         [route.y]\nproduct = \"*\"\nupstreams = [\"b\"]",
    ];
    for file in table {
        assert_eq!(faults_of(file), Vec::<String>::new(), "{file}");
    }
}

/// A rule says nothing about a setting that is wrong in itself.
#[test]
fn one_mistake_is_told_once() {
    let given = Given { file: "[tls]\ncertificate = \"c.pem\"\nkey = 1", ..Given::default() };
    let faults = given.faults();
    assert!(faults.len() == 1 && faults[0].starts_with("tls.key = 1"), "{faults:?}");
}
