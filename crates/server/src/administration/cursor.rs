//! Cursors: where a list goes on, in a form that callers hand back and do not look into.
//!
//! A cursor belongs to its list and its filters; used with others it is refused instead of giving a
//! wrong part. It is no secret and no permission.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::command::fingerprint;

/// How many bytes of the digest tell a cursor from any other text.
const CHECK_BYTES: usize = 8;

fn check(list: &str, place: &str) -> Vec<u8> {
    fingerprint(["cursor", list, place]).into_iter().take(CHECK_BYTES).collect()
}

/// The cursor for a place in a list. `list` names the list and its filters.
pub(crate) fn write(list: &str, place: &str) -> String {
    let mut bytes = check(list, place);
    bytes.extend_from_slice(place.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor names, if it was given out for this list.
pub(crate) fn read(list: &str, cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (digest, place) = bytes.split_at_checked(CHECK_BYTES)?;
    let place = std::str::from_utf8(place).ok()?;
    (digest == check(list, place)).then(|| place.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = write("orders?state=failed", "17");
        assert_eq!(read("orders?state=failed", &cursor).as_deref(), Some("17"));
        assert_eq!(read("orders?state=succeeded", &cursor), None);
        for broken in ["", "x", "0", "!!!", &cursor[1..], &format!("{cursor}A")] {
            assert_eq!(read("orders?state=failed", broken), None, "{broken}");
        }
    }
}
