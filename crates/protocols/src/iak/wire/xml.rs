//! XML into [`Content`], and answers into XML (IAK reference, section 2.3).
//!
//! Only elements and text mean anything. A document type, a processing instruction, an entity that
//! XML itself does not define, another encoding than UTF-8 or a character that XML does not have
//! makes the whole body malformed, so nothing is ever expanded or fetched. Attributes are ignored
//! like unknown fields, but must be well-formed.

use quick_xml::Reader;
use quick_xml::escape::{partial_escape, resolve_xml_entity};
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::content::{Content, DEPTH_MAX, Malformed, Object, add};
use super::node::Node;

const ROOT: &str = "mp";

const NOT_XML: Malformed = Malformed("The body is not well-formed XML.");
const FORBIDDEN: Malformed =
    Malformed("The body has a document type, entity or instruction, which is not accepted.");

/// An element that is still open.
struct Open {
    name: String,
    children: Object<'static>,
    text: String,
}

impl Open {
    fn content(self) -> Result<Content<'static>, Malformed> {
        if self.children.is_empty() {
            Ok(Content::Text(self.text.into()))
        } else if is_blank(&self.text) {
            Ok(Content::Object(self.children))
        } else {
            Err(Malformed("An element has both text and elements."))
        }
    }
}

/// Reads a document whose root element is `mp`.
pub(super) fn read(text: &str) -> Result<Object<'static>, Malformed> {
    if !text.chars().all(is_xml_character) {
        return Err(NOT_XML);
    }
    let mut reader = Reader::from_str(text);
    let mut document = Document::default();
    loop {
        match reader.read_event().map_err(|_| NOT_XML)? {
            Event::Start(start) => document.open(&start)?,
            Event::End(_) => document.close()?,
            Event::Empty(start) => {
                document.open(&start)?;
                document.close()?;
            }
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => document.text(&resolved(&reference)?)?,
            Event::Comment(_) => {}
            Event::Decl(declaration) => document.declare(&declaration)?,
            Event::PI(_) | Event::DocType(_) => return Err(FORBIDDEN),
            Event::Eof => return document.finish(),
        }
    }
}

#[derive(Default)]
struct Document {
    declared: bool,
    open: Vec<Open>,
    root: Option<Object<'static>>,
}

impl Document {
    fn declare(&mut self, declaration: &BytesDecl<'_>) -> Result<(), Malformed> {
        let first = !self.declared && self.open.is_empty() && self.root.is_none();
        self.declared = true;
        let encoding = match declaration.encoding() {
            Some(encoding) => Some(encoding.map_err(|_| NOT_XML)?),
            None => None,
        };
        match encoding {
            _ if !first => Err(NOT_XML),
            Some(encoding) if !encoding.eq_ignore_ascii_case("utf-8") => {
                Err(Malformed("The body declares another encoding than UTF-8."))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Malformed> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Malformed("The body is nested too deep."));
        }
        if start.attributes().any(|attribute| attribute.is_err()) {
            return Err(NOT_XML);
        }
        let name = start.name().into_inner();
        if self.open.is_empty() && (self.root.is_some() || name != ROOT) {
            return Err(Malformed("The root element is not mp."));
        }
        self.open.push(Open {
            name: name.to_owned(),
            children: Object::new(),
            text: String::new(),
        });
        Ok(())
    }

    /// The parser has checked that the end tag belongs to the innermost open element.
    fn close(&mut self) -> Result<(), Malformed> {
        let mut element = self.open.pop().ok_or(NOT_XML)?;
        if let Some(parent) = self.open.last_mut() {
            let name = std::mem::take(&mut element.name);
            return add(&mut parent.children, name.into(), element.content()?);
        }
        self.root = Some(match element.content()? {
            Content::Object(object) => object,
            Content::Text(text) if is_blank(&text) => Object::new(),
            Content::Text(_) | Content::Integer(_) | Content::Unusable => return Err(NOT_XML),
        });
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if is_blank(text) => {}
            None => return Err(NOT_XML),
        }
        Ok(())
    }

    fn finish(self) -> Result<Object<'static>, Malformed> {
        if self.open.is_empty() { self.root.ok_or(NOT_XML) } else { Err(NOT_XML) }
    }
}

/// The text of one of the five entities that XML itself defines, or of a character reference.
fn resolved(reference: &BytesRef<'_>) -> Result<String, Malformed> {
    match reference.resolve_char_ref().map_err(|_| NOT_XML)? {
        Some(character) if is_xml_character(character) => Ok(character.to_string()),
        Some(_) => Err(NOT_XML),
        None => resolve_xml_entity(reference).map(str::to_owned).ok_or(FORBIDDEN),
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' ' | '\t' | '\n' | '\r'))
}

/// The characters that an XML 1.0 document may have.
const fn is_xml_character(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    )
}

/// An answer's tree as a document: records become elements, each item of a list becomes an element
/// with the list's name, and what has neither text nor elements is an empty element.
pub(super) fn write(node: &Node<'_>) -> String {
    let mut document = String::from("<?xml version=\"1.0\"?>\n");
    write_element(&mut document, ROOT, node);
    document
}

fn write_element(document: &mut String, name: &str, node: &Node<'_>) {
    let mut content = String::new();
    match node {
        Node::Text(text) => content = escaped(text),
        Node::Number(number) => content = number.to_string(),
        Node::List(items) => {
            return items.iter().for_each(|item| write_element(document, name, item));
        }
        Node::Record(entries) => {
            entries.iter().for_each(|(name, node)| write_element(&mut content, name, node));
            if content.is_empty() {
                return document.extend(["<", name, "/>"]);
            }
        }
    }
    document.extend(["<", name, ">", &content, "</", name, ">"]);
}

/// Text as it may stand in an element. Suppliers' texts may have characters that XML cannot express.
fn escaped(text: &str) -> String {
    let expressible: String = text
        .chars()
        .map(|character| if is_xml_character(character) { character } else { '\u{FFFD}' })
        .collect();
    partial_escape(expressible).into_owned()
}
