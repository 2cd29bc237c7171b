//! Forms: `application/x-www-form-urlencoded` in UTF-8, as browsers and PHP write them.

/// The names and values of a query or a body, as often as they come; none if they are not UTF-8.
pub(crate) fn pairs(text: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let read = |pair: &[u8]| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decoded(halves.next().unwrap_or_default())?;
        Some((name, decoded(halves.next().unwrap_or_default())?))
    };
    pairs.map(read).collect()
}

/// `+` is a space and `%XX` a byte. A percent sign with anything else behind it stands for itself.
fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind.first_chunk::<2>().and_then(byte)) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn byte(digits: &[u8; 2]) -> Option<u8> {
    let mut byte = [0];
    hex::decode_to_slice(digits, &mut byte).ok()?;
    Some(byte[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A form and the names and values in it.
    type Row = (&'static [u8], &'static [(&'static str, &'static str)]);

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let table: [Row; 5] = [
            (b"", &[]),
            (b"a=b+c&&d=%2B%3d&e", &[("a", "b c"), ("d", "+="), ("e", "")]),
            (b"a=1&a=2&=x", &[("a", "1"), ("a", "2"), ("", "x")]),
            (b"a=b=c", &[("a", "b=c")]),
            (b"a=%C3%A9%", &[("a", "\u{e9}%")]),
        ];
        for (text, expected) in table {
            let pairs = pairs(text).expect("UTF-8");
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(pairs, expected);
        }
        assert_eq!(pairs(b"a=%ff"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(text: Vec<u8>, marks in "[%&=+0-9a-f]{0,24}") {
            let _ = pairs(&text);
            let _ = pairs(marks.as_bytes());
        }
    }
}
