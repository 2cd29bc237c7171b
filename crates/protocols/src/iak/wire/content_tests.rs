use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::exchange::is_plain;
use crate::iak::wire::node::Node;
use crate::iak::wire::{Format, json, read, xml};

fn text<'a>(name: &'a str, text: &'a str) -> (Cow<'a, str>, Content<'a>) {
    (name.into(), Content::Text(text.into()))
}

fn is_malformed(format: Format, body: &[u8]) -> bool {
    read(format, body).is_err()
}

#[test]
fn json_numbers_keep_their_digits() {
    let body =
        br#" {"ref_id":1706690700,"hp":"0081","month":-3,"desc":{"amount":10000},"raw":1.5} "#;
    let amount = vec![("amount".into(), Content::Integer("10000".into()))];
    assert_eq!(
        read(Format::Json, body),
        Ok(vec![
            ("ref_id".into(), Content::Integer("1706690700".into())),
            text("hp", "0081"),
            ("month".into(), Content::Integer("-3".into())),
            ("desc".into(), Content::Object(amount)),
            ("raw".into(), Content::Unusable),
        ])
    );
}

#[test]
fn xml_text_is_taken_as_it_stands() {
    let documents = [
        "<mp><hp>A&amp;B &#x41;</hp><desc><amount>5</amount></desc><year/></mp>",
        "<?xml version=\"1.0\" ?>\n<mp>\n<hp>A&amp;B &#65;</hp>\n<desc>\n<amount>5</amount></desc><year></year></mp>\n",
        "<?xml version='1.0' encoding='utf-8'?><mp><!-- note --><hp><![CDATA[A&B A]]></hp><desc><amount>5</amount></desc><year a='b'/></mp>",
        "\u{feff}<mp><hp>A&amp;B A</hp><desc><amount>5</amount></desc><year/></mp>",
    ];
    let amount = Content::Object(vec![text("amount", "5")]);
    let expected = vec![text("hp", "A&B A"), ("desc".into(), amount), text("year", "")];
    for document in documents {
        assert_eq!(read(Format::Xml, document.as_bytes()), Ok(expected.clone()), "{document}");
    }
    assert_eq!(read(Format::Xml, b"<mp/>"), Ok(Vec::new()));
}

#[test]
fn other_json_is_malformed() {
    let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let lists = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let wide = |names: usize| {
        let names: Vec<_> = (0..names).map(|name| format!(r#""n{name}":1"#)).collect();
        format!("{{{}}}", names.join(","))
    };
    for good in [deep(DEPTH_MAX), lists(DEPTH_MAX - 1), wide(NAMES_MAX)] {
        assert!(!is_malformed(Format::Json, good.as_bytes()), "{good}");
    }
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "[{}]".to_owned(),
        r#""text""#.to_owned(),
        "{".to_owned(),
        "{} {}".to_owned(),
        "{}x".to_owned(),
        "{'a':1}".to_owned(),
        r#"{"a":1,}"#.to_owned(),
        r#"{"a":01}"#.to_owned(),
        r#"{"a":NaN}"#.to_owned(),
        "{\"a\":\"\u{1}\"}".to_owned(),
        r#"{"a":"\ud800"}"#.to_owned(),
        r#"{"a":1,"a":1}"#.to_owned(),
        r#"{"a":1,"\u0061":1}"#.to_owned(),
        r#"{"b":{"a":1,"a":1}}"#.to_owned(),
        r#"{"b":[{"a":1,"a":1}]}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "commands=inq-pasca&username=x".to_owned(),
        "<mp></mp>".to_owned(),
        deep(DEPTH_MAX + 1),
        deep(10_000),
        lists(DEPTH_MAX),
        wide(NAMES_MAX + 1),
    ];
    for body in bodies {
        assert!(is_malformed(Format::Json, body.as_bytes()), "{body}");
    }
    assert!(is_malformed(Format::Json, b"{\"a\":\"\x80\"}"));
    assert!(is_malformed(Format::Json, b"{\"a\":\"\xC0\xAF\"}"));
}

#[test]
fn other_xml_is_malformed() {
    let deep =
        |depth: usize| format!("<mp>{}{}</mp>", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
    let wide = |names: usize| {
        let names: String = (0..names).map(|name| format!("<n{name}/>")).collect();
        format!("<mp>{names}</mp>")
    };
    for good in [deep(DEPTH_MAX), wide(NAMES_MAX)] {
        assert!(!is_malformed(Format::Xml, good.as_bytes()), "{good}");
    }
    let laughs = concat!(
        "<!DOCTYPE mp [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
        "<mp><hp>&c;</hp></mp>",
    );
    let bodies = [
        String::new(),
        "  ".to_owned(),
        "text".to_owned(),
        "{}".to_owned(),
        "<mp>".to_owned(),
        "<mp><a></mp></a>".to_owned(),
        "<mp><a></b></mp>".to_owned(),
        "</mp>".to_owned(),
        "<mp/><mp/>".to_owned(),
        "<mp/>text".to_owned(),
        "text<mp/>".to_owned(),
        "<MP/>".to_owned(),
        "<data><mp/></data>".to_owned(),
        "<mp>text</mp>".to_owned(),
        "<mp>text<a/></mp>".to_owned(),
        "<mp><a/><a/></mp>".to_owned(),
        "<mp><a b='1' b='2'/></mp>".to_owned(),
        "<mp><a b/></mp>".to_owned(),
        "<mp><a>1 & 2</a></mp>".to_owned(),
        "<mp><a>&nbsp;</a></mp>".to_owned(),
        "<mp><a>&#0;</a></mp>".to_owned(),
        "<mp><a>&#1;</a></mp>".to_owned(),
        "<mp><a>&#xD800;</a></mp>".to_owned(),
        "<mp><a>&#xFFFFFFFFF;</a></mp>".to_owned(),
        "<mp><a>\u{1}</a></mp>".to_owned(),
        "<mp><a>\u{FFFE}</a></mp>".to_owned(),
        "<?php echo 1 ?><mp/>".to_owned(),
        "<mp><?xml-stylesheet href='x'?></mp>".to_owned(),
        "<mp/><?xml version='1.0'?>".to_owned(),
        "<?xml version='1.0'?><?xml version='1.0'?><mp/>".to_owned(),
        "<mp><?xml version='1.0'?></mp>".to_owned(),
        "<?xml version='1.0' encoding='ISO-8859-1'?><mp/>".to_owned(),
        "<?xml version='1.0' encoding='UTF-16'?><mp/>".to_owned(),
        "<!DOCTYPE mp><mp/>".to_owned(),
        "<!DOCTYPE mp SYSTEM 'file:///etc/passwd'><mp/>".to_owned(),
        "<!DOCTYPE mp [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><mp><hp>&x;</hp></mp>".to_owned(),
        laughs.to_owned(),
        deep(DEPTH_MAX + 1),
        deep(10_000),
        wide(NAMES_MAX + 1),
    ];
    for body in bodies {
        assert!(is_malformed(Format::Xml, body.as_bytes()), "{body}");
    }
    assert!(is_malformed(Format::Xml, b"<mp><hp>\x80</hp></mp>"));
    assert!(is_malformed(Format::Xml, b"\xFF\xFE<\0m\0p\0/\0>\0"));
}

#[test]
fn the_content_type_names_the_format_and_the_body_decides_without_one() {
    let table = [
        (Some("application/json"), "<mp/>", Format::Json),
        (Some("application/json; charset=utf-8"), "", Format::Json),
        (Some("application/json; utf-8"), "", Format::Json),
        (Some("Application/JSON"), "", Format::Json),
        (Some("text/json"), "", Format::Json),
        (Some("application/xml"), "{}", Format::Xml),
        (Some("text/xml; charset=UTF-8"), "", Format::Xml),
        (Some("text/plain"), " \n<mp/>", Format::Xml),
        (Some("text/plain"), "{}", Format::Json),
        (Some("\u{e9}"), "{}", Format::Json),
        (None, "<mp/>", Format::Xml),
        (None, "\u{feff}<mp/>", Format::Xml),
        (None, "{}", Format::Json),
        (None, "", Format::Json),
    ];
    for (content_type, body, expected) in table {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            headers.insert(CONTENT_TYPE, value);
        }
        assert_eq!(Format::of(&headers, body.as_bytes()), expected, "{content_type:?} {body}");
    }
}

#[test]
fn only_plain_bodies_are_read() {
    for (encoding, plain) in [
        ("identity", true),
        ("Identity", true),
        ("", true),
        ("gzip", false),
        ("identity, gzip", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        assert_eq!(is_plain(&headers), plain, "{encoding}");
    }
    assert!(is_plain(&HeaderMap::new()));
}

/// What a reader of either format makes of a written tree.
fn as_read(node: &Node<'_>, format: Format) -> Content<'static> {
    match (node, format) {
        (Node::Text(text), _) => Content::Text(text.clone().into_owned().into()),
        (Node::Number(number), Format::Json) => Content::Integer(number.to_string().into()),
        (Node::Number(number), Format::Xml) => Content::Text(number.to_string().into()),
        (Node::Record(entries), Format::Xml) if entries.is_empty() => Content::Text("".into()),
        (Node::Record(entries), _) => Content::Object(
            entries.iter().map(|(name, node)| ((*name).into(), as_read(node, format))).collect(),
        ),
        (Node::List(_), _) => Content::Unusable,
    }
}

/// Trees without lists, whose texts have characters that both formats can express.
fn tree() -> impl Strategy<Value = Node<'static>> {
    let text = "[ -~\t\n\r\u{80}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]{0,20}";
    let leaf = prop_oneof![text.prop_map(Node::text), any::<i64>().prop_map(Node::Number)];
    leaf.prop_recursive(3, 30, 5, |inner| {
        let names = ["tr_id", "desc", "hp", "noref", "tagihan"];
        proptest::collection::vec(inner, 0..names.len())
            .prop_map(move |nodes| Node::Record(names.into_iter().zip(nodes).collect()))
    })
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(leaf in tree()) {
        let node = Node::Record(vec![("data", leaf)]);
        for (format, document) in
            [(Format::Json, json::write(&node)), (Format::Xml, xml::write(&node).into_bytes())]
        {
            let read = read(format, &document).map(Content::Object);
            prop_assert_eq!(read, Ok(as_read(&node, format)), "{:?}", document);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(body: Vec<u8>) {
        for format in [Format::Json, Format::Xml] {
            let _ = read(format, &body);
        }
    }

    #[test]
    fn no_text_that_looks_like_a_document_makes_a_reader_panic(
        body in r#"[<>/&;#!?mpxl="' {}\[\]:,a1\\-]{0,60}"#,
    ) {
        for format in [Format::Json, Format::Xml] {
            let _ = read(format, body.as_bytes());
        }
    }

    #[test]
    fn what_xml_cannot_express_is_replaced(text: String) {
        let node = Node::Record(vec![("hp", Node::text(text))]);
        prop_assert!(read(Format::Xml, xml::write(&node).as_bytes()).is_ok());
    }
}
