//! Multipart bodies: `multipart/form-data` (RFC 7578), as PHP's curl writes them when it is given an
//! array. Files have no meaning in this API.

use super::fields::{Fields, Unreadable};

/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_LENGTH_MAX: usize = 70;
const LINE_END: &[u8] = b"\r\n";

/// The value of a parameter of a header, such as `name="operator"`.
pub(super) fn parameter<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = part.split_once('=')?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    key.trim().eq_ignore_ascii_case(name).then_some(quoted.unwrap_or(value))
}

/// Reads a body.
pub(super) fn read(boundary: &str, body: &[u8]) -> Result<Fields, Unreadable> {
    if boundary.is_empty() || boundary.len() > BOUNDARY_LENGTH_MAX {
        return Err(Unreadable);
    }
    let delimiter = format!("\r\n--{boundary}");
    let first = delimiter.as_bytes().strip_prefix(LINE_END).ok_or(Unreadable)?;
    let mut rest = match body.strip_prefix(first) {
        Some(rest) => rest,
        None => split(body, delimiter.as_bytes())?.1,
    };
    let mut fields = Fields::default();
    while !rest.starts_with(b"--") {
        let part = after_blanks(rest).strip_prefix(LINE_END).ok_or(Unreadable)?;
        let (part, behind) = split(part, delimiter.as_bytes())?;
        let (head, content) = split(part, b"\r\n\r\n")?;
        let (name, is_file) = described(head)?;
        let text = std::str::from_utf8(content).map(str::to_owned);
        let value = if is_file { None } else { Some(text.map_err(|_| Unreadable)?) };
        fields.add(name, value)?;
        rest = behind;
    }
    Ok(fields)
}

/// What a part's headers say: the name of the field, and whether it is a file.
fn described(head: &[u8]) -> Result<(String, bool), Unreadable> {
    let head = std::str::from_utf8(head).map_err(|_| Unreadable)?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let parameters = || disposition.into_iter().flat_map(|it| it.split(';')).map(str::trim);
    let name = parameters().find_map(|it| parameter(it, "name")).ok_or(Unreadable)?;
    let is_file = parameters().any(|it| parameter(it, "filename").is_some());
    Ok((name.to_owned(), is_file))
}

/// What is before and behind the first `separator`.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> Result<(&'a [u8], &'a [u8]), Unreadable> {
    let place = text.windows(separator.len()).position(|window| window == separator);
    let (before, rest) = text.split_at_checked(place.ok_or(Unreadable)?).ok_or(Unreadable)?;
    Ok((before, rest.strip_prefix(separator).ok_or(Unreadable)?))
}

/// What follows the blanks that may stand behind a boundary.
fn after_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.get(blanks..).unwrap_or_default()
}
