//! What a browser is shown where no payment page can be: why a deposit was refused (S88pay reference,
//! section 5). And the picture of a payment code, for pages that merchants draw themselves (section 6.1).
//!
//! Nothing that was sent is shown, so that nothing can be reflected.

use std::fmt::Write;

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use qrcodegen::{QrCode, QrCodeEcc};

use super::codes::Code;
use crate::exchange::Answer;
use crate::hosted;

const HEADERS: [(HeaderName, &str); 3] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
/// A picture loads nothing and stands in no frame.
const PICTURE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// How many modules of white a code has around it.
const MARGIN: i32 = 4;

fn document(
    status: StatusCode,
    content_type: &'static str,
    policy: &'static str,
    content: String,
) -> Answer {
    let mut answer = Answer::new(Bytes::from(content));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// The page that says why there is nothing to pay.
pub(crate) fn error(status: StatusCode, code: Code) -> Answer {
    let page = hosted::refused(code.deposit, code.number);
    document(status, "text/html; charset=utf-8", hosted::POLICY.as_str(), page)
}

/// A picture of a text, for cameras; none for a text that is too long for one.
pub(crate) fn picture(text: &str) -> Option<Answer> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size() + 2 * MARGIN;
    let mut squares = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing into a text never fails.
            let _ = write!(squares, "M{},{}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0,0h{size}v{size}h-{size}z\"/>\
         <path d=\"{squares}\"/></svg>"
    );
    Some(document(StatusCode::OK, "image/svg+xml", PICTURE_POLICY, picture))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_margin_and_the_three_corners() {
        let answer = picture("upi://pay?pa=shop@examplebank").expect("short enough");
        let text = std::str::from_utf8(answer.body()).expect("text");
        assert_eq!(answer.headers()[CONTENT_TYPE], "image/svg+xml");
        let code =
            QrCode::encode_text("upi://pay?pa=shop@examplebank", QrCodeEcc::Medium).expect("short");
        let last = code.size() - 1 + MARGIN;
        for corner in [(MARGIN, MARGIN), (last, MARGIN), (MARGIN, last)] {
            assert!(text.contains(&format!("M{},{}h1", corner.0, corner.1)), "{corner:?}");
        }
        assert!(!text.contains("M0,0h1v"));
        assert!(picture(&"x".repeat(5000)).is_none());
    }
}
