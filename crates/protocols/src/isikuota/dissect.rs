//! Takes a signed request apart and finds out how it was signed instead (isikuota reference,
//! section 2).
//!
//! The usual mistakes are tried alone and together, fewest first, until one combination gives the
//! signature that the request has. Nothing is asked of a server, no key is shown, and whether the
//! time of a request is still good is not decided here: there is no clock.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Secret, Timestamp};
use sha2::{Digest, Sha256};

use super::sign::{self, API_KEY, Keys, OF_THE_SIGNATURE, SECRET_KEY, body_hash};
use super::wire::fields::{Fields, once_each};
use super::wire::json::{self, Json, Malformed, Object, settled};
use super::wire::php::{self, Style};
use super::wire::time::plain;
use crate::dissection::{
    Bilingual, Choice, Dissection, Part, Undissected, in_place_of, right, wrong,
};

/// How many mistakes are tried together.
const MISTAKES_MAX: usize = 3;
/// What stands between the parts of the text that is signed.
const SEPARATOR: &str = "|";
const OTHER_SEPARATORS: [&str; 7] = ["", ":", ",", ".", "-", "&", " "];
/// A time with so many digits counts milliseconds.
const MILLISECONDS_DIGITS: usize = 13;

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Sent along.
    pub api_id: &'a str,
    /// Mixed into the text to sign, exactly as it is to be used.
    pub api_key: &'a str,
    /// Signs, exactly as it is to be used.
    pub secret_key: &'a str,
    /// Other keys that may have been used by mistake, in either place.
    pub other_keys: &'a [String],
}

/// A request as far as its signature goes.
struct Request<'a> {
    /// As it came.
    text: &'a str,
    object: &'a Object,
    api_id: &'a str,
    timestamp: &'a str,
    canonical: String,
}

/// In which order the parts are joined: places of id, key, time and hash.
type Order = [usize; 4];

type Digested = fn(key: &str, text: &str) -> String;

/// Everything that may have been done instead, the right thing first in each list.
struct Alternatives {
    secret_keys: Vec<Choice<String>>,
    api_keys: Vec<Choice<String>>,
    times: Vec<Choice<String>>,
    hashes: Vec<Choice<String>>,
    orders: Vec<Choice<Order>>,
    separators: Vec<Choice<&'static str>>,
    digests: Vec<Choice<Digested>>,
}

/// Takes a request apart.
pub fn dissect(body: &[u8], signer: Signer<'_>) -> Result<Dissection, Undissected> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    let text = std::str::from_utf8(body).map_err(|_| unreadable("Isi permintaan bukan UTF-8"))?;
    let object = json::read(text).and_then(|object| once_each(&object).map(|()| object));
    let object = object.map_err(|Malformed(why)| unreadable(why))?;
    let mut fields = Fields::of(&object);
    let api_id = fields.any_text("api_id").ok_or_else(|| missing("api_id"))?;
    let (timestamp, seconds) = fields.time("timestamp").ok_or_else(|| missing("timestamp"))?;
    let given = fields.any_text("signature").ok_or_else(|| missing("signature"))?;
    let command = fields.any_text("cmd").unwrap_or("-").to_owned();
    let canonical = sign::canonical_of(object.clone());
    let request = Request { text, object: &object, api_id, timestamp: &timestamp, canonical };
    let expected = expected(&request, signer);
    let is_right = given.eq_ignore_ascii_case(&expected);
    let is_mine = api_id == signer.api_id;
    let mut mistakes = Vec::new();
    if !is_mine {
        mistakes.push(Bilingual::new(
            format!("api_id di badan permintaan bukan {}", signer.api_id),
            format!("the api_id in the body is not {}", signer.api_id),
        ));
    }
    if !is_right {
        mistakes.extend(explained(&request, signer, given, &expected));
    }
    Ok(Dissection {
        command,
        method: Bilingual::new(
            "HMAC-SHA256 heksadesimal dengan secret key, atas keempatnya yang disambung dengan |",
            "hexadecimal HMAC-SHA256 under the secret key, over the four joined by |",
        ),
        parts: vec![
            Part::shown("api_id", api_id),
            Part::masked(API_KEY, signer.api_key),
            Part::shown("timestamp", &timestamp),
            Part::shown("hash", &body_hash(&request.canonical)),
        ],
        separator: SEPARATOR,
        remarks: remarks(&request, signer, seconds, given, &expected),
        expected,
        given: given.to_owned(),
        is_valid: is_right && is_mine,
        mistakes,
    })
}

fn unreadable(why: &str) -> Undissected {
    Undissected::new(
        format!("badan permintaan tidak terbaca: {why}"),
        format!("the body cannot be read: {why}"),
    )
}

fn missing(field: &str) -> Undissected {
    Undissected::new(
        format!("kolom {field} tidak ada atau tidak dapat dipakai"),
        format!("the field {field} is missing or cannot be used"),
    )
}

fn expected(request: &Request<'_>, signer: Signer<'_>) -> String {
    let keys = Keys {
        api_id: request.api_id,
        api_key: &Secret::new(signer.api_key),
        secret_key: &Secret::new(signer.secret_key),
    };
    sign::sign_canonical(&keys, request.timestamp, &request.canonical)
}

fn remarks(
    request: &Request<'_>,
    signer: Signer<'_>,
    seconds: i64,
    given: &str,
    expected: &str,
) -> Vec<Bilingual> {
    let canonical = &request.canonical;
    let mut remarks = vec![Bilingual::new(
        format!("hash adalah SHA-256 dari: {canonical}"),
        format!("hash is the SHA-256 of: {canonical}"),
    )];
    if request.timestamp.len() >= MILLISECONDS_DIGITS {
        remarks.push(Bilingual::new(
            "timestamp tampaknya dalam milidetik; seharusnya detik",
            "the timestamp seems to count milliseconds; it has to count seconds",
        ));
    } else {
        let at = plain(Timestamp::from_milliseconds(seconds.saturating_mul(1000)));
        remarks.push(Bilingual::new(
            format!("timestamp itu {at} WIB; server hanya menerima yang dekat dengan jamnya"),
            format!("the timestamp is {at} in Jakarta; a server takes only what is near its clock"),
        ));
    }
    if given != expected && given.eq_ignore_ascii_case(expected) {
        remarks.push(Bilingual::new(
            "signature memakai huruf besar: Lunas menerimanya, isikuota sendiri belum tentu",
            "the signature is in capitals: Lunas takes it, isikuota itself may not",
        ));
    }
    for (name, key) in [(API_KEY, signer.api_key), (SECRET_KEY, signer.secret_key)] {
        if key != key.trim() {
            remarks.push(Bilingual::new(
                format!("{name} yang Anda berikan diapit spasi atau baris baru"),
                format!("the {name} that you gave has blanks or line breaks around it"),
            ));
        }
    }
    remarks
}

/// The fewest mistakes that together give this signature.
fn explained(
    request: &Request<'_>,
    signer: Signer<'_>,
    given: &str,
    expected: &str,
) -> Vec<Bilingual> {
    let bare = given.trim().trim_matches(['"', '\'']);
    let bare = bare.strip_prefix("0x").unwrap_or(bare);
    let mut mistakes = Vec::new();
    if bare.len() != given.len() {
        mistakes.push(Bilingual::new(
            "signature diapit spasi, tanda kutip atau awalan 0x",
            "the signature has blanks, quotes or the prefix 0x around it",
        ));
    }
    if bare.eq_ignore_ascii_case(expected) {
        return mistakes;
    }
    let is_hexadecimal = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = if is_hexadecimal { bare.to_ascii_lowercase() } else { bare.to_owned() };
    let alternatives = Alternatives::of(request, signer);
    let found =
        (1..=MISTAKES_MAX).find_map(|count| alternatives.search(request.api_id, count, &wanted));
    // What is around a signature explains nothing where the signature itself is not explained.
    found.map_or_else(Vec::new, |found| mistakes.into_iter().chain(found).collect())
}

impl Alternatives {
    fn of(request: &Request<'_>, signer: Signer<'_>) -> Self {
        let Signer { api_key, secret_key, other_keys, .. } = signer;
        Self {
            secret_keys: keys(SECRET_KEY, secret_key, (API_KEY, api_key), other_keys),
            api_keys: keys(API_KEY, api_key, (SECRET_KEY, secret_key), other_keys),
            times: times(request.timestamp),
            hashes: hashes(request),
            orders: orders(),
            separators: separators(),
            digests: digests(),
        }
    }

    /// The mistakes, exactly so many, that give this signature.
    fn search(&self, api_id: &str, count: usize, wanted: &str) -> Option<Vec<Bilingual>> {
        for api_key in &self.api_keys {
            for time in &self.times {
                for hash in &self.hashes {
                    for order in &self.orders {
                        for separator in &self.separators {
                            let so_far = [
                                &api_key.mistake,
                                &time.mistake,
                                &hash.mistake,
                                &order.mistake,
                                &separator.mistake,
                            ];
                            let made: Vec<_> = so_far.into_iter().flatten().cloned().collect();
                            let Some(left) = count.checked_sub(made.len()) else { continue };
                            let parts = [api_id, &api_key.value, &time.value, &hash.value];
                            let text = joined(order.value, parts, separator.value);
                            if let Some(last) = self.digested(&text, left, wanted) {
                                return Some([made, last].concat());
                            }
                        }
                    }
                }
            }
        }
        None
    }

    /// The mistakes, exactly so many, by which this text gives this signature.
    fn digested(&self, text: &str, count: usize, wanted: &str) -> Option<Vec<Bilingual>> {
        for key in &self.secret_keys {
            for digest in &self.digests {
                let mistakes = [&key.mistake, &digest.mistake].into_iter().flatten();
                if mistakes.clone().count() == count && (digest.value)(&key.value, text) == wanted {
                    return Some(mistakes.cloned().collect());
                }
            }
        }
        None
    }
}

fn joined(order: Order, parts: [&str; 4], separator: &str) -> String {
    let chosen = order.map(|index| parts.get(index).copied().unwrap_or_default());
    chosen.join(separator)
}

/// What may stand where this key belongs.
fn keys(
    name: &str,
    key: &str,
    (other_name, other): (&str, &str),
    other_keys: &[String],
) -> Vec<Choice<String>> {
    let swapped = wrong(
        other.to_owned(),
        format!("{other_name} dipakai di tempat {name}"),
        format!("the {other_name} was used in place of the {name}"),
    );
    let instead = in_place_of(name, key, other_keys).into_iter();
    let instead = instead.map(|(value, told)| Choice { value, mistake: Some(told) });
    let mut all = vec![right(key.to_owned())];
    for choice in std::iter::once(swapped).chain(instead) {
        if all.iter().all(|known: &Choice<String>| known.value != choice.value) {
            all.push(choice);
        }
    }
    all
}

fn times(timestamp: &str) -> Vec<Choice<String>> {
    let mut all = vec![right(timestamp.to_owned())];
    if let Some(seconds) = timestamp.strip_suffix("000").filter(|it| !it.is_empty()) {
        all.push(wrong(
            seconds.to_owned(),
            "ditandatangani dalam detik, dikirim dalam milidetik",
            "signed in seconds, sent in milliseconds",
        ));
    }
    all.push(wrong(
        format!("{timestamp}000"),
        "ditandatangani dalam milidetik, dikirim dalam detik",
        "signed in milliseconds, sent in seconds",
    ));
    all.push(wrong(
        String::new(),
        "timestamp tidak ikut dihitung",
        "the timestamp was left out of the computation",
    ));
    all
}

/// What may stand where the hash belongs.
fn hashes(request: &Request<'_>) -> Vec<Choice<String>> {
    let hash = body_hash(&request.canonical);
    let mut all = vec![
        right(hash.clone()),
        wrong(
            request.canonical.clone(),
            "isi permintaan dipakai apa adanya, bukan SHA-256-nya",
            "the body itself was used instead of its SHA-256",
        ),
        wrong(
            hash.to_ascii_uppercase(),
            "hash ditulis dengan huruf besar",
            "the hash was written in capitals",
        ),
        wrong(
            STANDARD.encode(Sha256::digest(&request.canonical)),
            "hash ditulis sebagai base64, bukan heksadesimal",
            "the hash was written in base64 instead of hexadecimal digits",
        ),
        wrong(
            String::new(),
            "hash tidak ikut dihitung",
            "the hash was left out of the computation",
        ),
    ];
    for (text, indonesian, english) in bodies(request) {
        let hash = body_hash(&text);
        if all.iter().all(|choice| choice.value != hash) {
            all.push(wrong(hash, indonesian, english));
        }
    }
    all
}

/// Texts that are hashed by mistake, and the mistake.
fn bodies(request: &Request<'_>) -> Vec<(String, &'static str, &'static str)> {
    let all = settled(request.object.clone());
    let without = |names: &[&str]| {
        let mut object = all.clone();
        object.retain(|(name, _)| !names.contains(&name.as_str()));
        object
    };
    let business = without(&OF_THE_SIGNATURE);
    let mut sorted = business.clone();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    let written = |object: &Object, style| php::write(&Json::Object(object.clone()), style);
    vec![
        (
            written(&business, Style::Answer),
            "nama kolom tidak diurutkan",
            "the names were not sorted",
        ),
        (
            written(&sorted, Style::Callback),
            "garis miring atau huruf di luar ASCII ditulis dengan escape",
            "slashes or letters beyond ASCII were escaped",
        ),
        (
            spaced(&sorted),
            "JSON ditulis dengan spasi sesudah titik dua dan koma",
            "the JSON was written with blanks behind colons and commas",
        ),
        (
            php::canonical(without(&["signature"])),
            "api_id dan timestamp ikut di-hash",
            "api_id and timestamp were hashed too",
        ),
        (
            php::canonical(business.into_iter().filter(|(name, _)| name != "testing").collect()),
            "testing tidak ikut di-hash",
            "testing was not hashed",
        ),
        (
            php::canonical(without(&["timestamp", "signature"])),
            "api_id ikut di-hash",
            "api_id was hashed too",
        ),
        (
            request.text.to_owned(),
            "seluruh isi permintaan di-hash seperti dikirim",
            "the whole body was hashed as it was sent",
        ),
        (
            "{}".to_owned(),
            "isi yang kosong di-hash sebagai {}, seharusnya teks kosong",
            "an empty body was hashed as {} instead of an empty text",
        ),
        (
            "[]".to_owned(),
            "isi yang kosong di-hash sebagai [], seharusnya teks kosong",
            "an empty body was hashed as [] instead of an empty text",
        ),
        (
            String::new(),
            "teks kosong yang di-hash, bukan isi permintaan",
            "an empty text was hashed instead of the body",
        ),
    ]
}

/// The outermost object as many languages write it unless told otherwise.
fn spaced(object: &Object) -> String {
    let entry = |(name, value): &(String, Json)| {
        let name = php::write(&Json::text(name), Style::Answer);
        format!("{name}: {}", php::write(value, Style::Answer))
    };
    let entries: Vec<_> = object.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

fn orders() -> Vec<Choice<Order>> {
    let mut all = vec![right([0, 1, 2, 3])];
    for order in
        [[1, 0, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [2, 0, 1, 3], [3, 0, 1, 2]]
    {
        all.push(wrong(
            order,
            "urutannya salah: seharusnya api_id, api_key, timestamp, lalu hash",
            "the order is wrong: it is api_id, api_key, timestamp, and then the hash",
        ));
    }
    all
}

fn separators() -> Vec<Choice<&'static str>> {
    let mut all = vec![right(SEPARATOR)];
    for separator in OTHER_SEPARATORS {
        all.push(wrong(
            separator,
            format!("pemisahnya {separator:?}, seharusnya \"|\""),
            format!("the separator is {separator:?} instead of \"|\""),
        ));
    }
    all
}

fn digests() -> Vec<Choice<Digested>> {
    fn hmac(key: &str, text: &str) -> String {
        sign::sign_callback(&Secret::new(key), text.as_bytes())
    }
    vec![
        right(hmac as Digested),
        wrong(
            (|key, text| {
                let bytes = hex::decode(hmac(key, text)).unwrap_or_default();
                STANDARD.encode(bytes)
            }) as Digested,
            "HMAC ditulis sebagai base64, bukan heksadesimal",
            "the HMAC is written in base64 instead of hexadecimal digits",
        ),
        wrong(
            (|_, text| body_hash(text)) as Digested,
            "dihitung dengan SHA-256 biasa, tanpa kunci",
            "computed with plain SHA-256, without a key",
        ),
        wrong(
            (|key, text| body_hash(&format!("{text}{key}"))) as Digested,
            "kunci ditempelkan pada teks lalu SHA-256; seharusnya HMAC",
            "the key was appended to the text for SHA-256 where HMAC belongs",
        ),
        wrong(
            (|key, text| sign::sign_callback(&Secret::new(text), key.as_bytes())) as Digested,
            "kunci dan teks HMAC tertukar",
            "key and text of the HMAC have changed places",
        ),
    ]
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
