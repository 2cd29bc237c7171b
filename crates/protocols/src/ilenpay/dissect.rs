//! Takes a signed request or a callback apart and finds out how it was signed instead (ilenpay
//! reference, sections 3 and 7.2).
//!
//! The usual mistakes are tried alone and together, fewest first, until one combination gives the
//! signature that is there. Nothing is asked of a server and no key is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Masked;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::sign::{API_KEY, API_USER, WEBHOOK_SECRET, presented, sign, sign_callback};
use super::wire::fields::of_body;
use crate::dissection::{Bilingual, Dissection, Mistake, Part, Undissected, fewest, misused};

/// How many mistakes are tried together.
const MISTAKES_MAX: usize = 3;
const SEPARATOR: &str = "+";
const OTHER_SEPARATORS: [&str; 8] = ["", " ", "%2B", "|", ":", "-", ".", ","];
/// What a callback's signature begins with.
const PREFIX: &str = "key=";
/// The bytes that a form carries as they are.
const PLAIN: &[u8] = b"-._~";

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Lets requests in; signs nothing.
    pub api_key: &'a str,
    /// Signs new collections and is never sent.
    pub api_user: &'a str,
    /// Signs callbacks.
    pub webhook_secret: &'a str,
    /// Other keys that may have been used by mistake.
    pub other_keys: &'a [String],
}

/// Text to signature.
type Digested = fn(text: &str) -> String;
/// Secret and body to signature.
type CallbackDigested = fn(secret: &str, body: &[u8]) -> String;

/// How a new collection is signed.
#[derive(Clone)]
struct Recipe {
    operator: String,
    nominal: String,
    reference: String,
    api_user: String,
    /// Which of the four comes when.
    order: [usize; 4],
    separator: &'static str,
    digest: Digested,
}

impl Recipe {
    fn signature(&self) -> String {
        let parts = [&self.operator, &self.nominal, &self.reference, &self.api_user];
        let parts = self.order.map(|place| parts.get(place).map_or("", |part| part.as_str()));
        (self.digest)(&parts.join(self.separator))
    }
}

/// Takes a new collection apart; `authorization` is the value of its header, where it is known.
pub fn dissect(
    body: &[u8],
    authorization: Option<&str>,
    signer: Signer<'_>,
) -> Result<Dissection, Undissected> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    let fields = of_body(&HeaderMap::new(), body).map_err(|_| {
        Undissected::new(
            "badan permintaan tidak terbaca: bukan form atau JSON, atau satu nama muncul dua kali",
            "the body cannot be read: no form or JSON, or a name comes twice",
        )
    })?;
    let field = |name: &'static str| {
        fields.text(name).ok_or_else(|| {
            Undissected::new(
                format!("kolom {name} tidak ada; hanya transaksi baru yang ditandatangani"),
                format!("the field {name} is missing; only new transactions are signed"),
            )
        })
    };
    let (operator, nominal) = (field("operator")?, field("nominal")?);
    let (reference, given) = (field("reff_id")?, field("sign")?);
    let expected = sign(operator, nominal, reference, signer.api_user);
    let is_right = given.eq_ignore_ascii_case(&expected);
    let mut mistakes = Vec::new();
    if !is_right {
        let right = Recipe {
            operator: operator.to_owned(),
            nominal: nominal.to_owned(),
            reference: reference.to_owned(),
            api_user: signer.api_user.to_owned(),
            order: [0, 1, 2, 3],
            separator: SEPARATOR,
            digest: md5,
        };
        mistakes = explained(&right, signer, given, &expected);
    }
    let unlet = authorization.and_then(|header| not_let_in(header, signer));
    let is_valid = is_right && unlet.is_none();
    mistakes.extend(unlet);
    Ok(Dissection {
        command: "transaksi/baru".to_owned(),
        method: Bilingual::new(
            "MD5 heksadesimal atas keempatnya yang disambung dengan +",
            "hexadecimal MD5 of the four joined by +",
        ),
        parts: vec![
            Part::shown("operator", operator),
            Part::shown("nominal", nominal),
            Part::shown("reff_id", reference),
            Part::masked(API_USER, signer.api_user),
        ],
        separator: SEPARATOR,
        remarks: remarks(given, &expected, signer),
        expected,
        given: given.to_owned(),
        is_valid,
        mistakes,
    })
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

fn remarks(given: &str, expected: &str, signer: Signer<'_>) -> Vec<Bilingual> {
    let mut remarks = Vec::new();
    if given != expected && given.eq_ignore_ascii_case(expected) {
        remarks.push(Bilingual::new(
            "sign memakai huruf besar: Lunas menerimanya, ilenpay sendiri belum tentu",
            "the sign is in capitals: Lunas takes it, ilenpay itself may not",
        ));
    }
    if signer.api_user != signer.api_user.trim() {
        remarks.push(Bilingual::new(
            "api_user yang Anda berikan diapit spasi atau baris baru",
            "the api_user that you gave has blanks or line breaks around it",
        ));
    }
    remarks
}

/// Why the header of a request does not let it in; none if it does.
fn not_let_in(header: &str, signer: Signer<'_>) -> Option<Bilingual> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = header.trim_matches(['\r', '\n']).parse() {
        headers.insert(http::header::AUTHORIZATION, value);
    }
    let key = presented(&headers).unwrap_or_default();
    let why = match key {
        "" => ("Authorization kosong atau tidak terbaca", "Authorization is empty or unreadable"),
        _ if key == signer.api_key => return None,
        _ if key == signer.api_user || key == signer.webhook_secret => (
            "Authorization berisi kredensial lain, bukan api key",
            "Authorization has another credential than the api key",
        ),
        _ if key.ends_with(signer.api_key) => (
            "Authorization memakai skema; ilenpay hanya mengenal kunci itu sendiri",
            "Authorization has a scheme; ilenpay knows the bare key only",
        ),
        _ if key.eq_ignore_ascii_case(signer.api_key) => (
            "huruf besar dan kecil pada Authorization berbeda dari api key",
            "Authorization is the api key in letters of another case",
        ),
        _ => ("Authorization berisi kunci lain", "Authorization has another key"),
    };
    Some(Bilingual::new(why.0, why.1))
}

/// The signature without what stands around it, and what does.
fn bare<'a>(name: &str, given: &'a str) -> (&'a str, Option<Bilingual>) {
    let bare = given.trim().trim_matches(['"', '\'']);
    let bare = bare.strip_prefix("0x").unwrap_or(bare);
    let around = (bare.len() != given.len()).then(|| {
        Bilingual::new(
            format!("{name} diapit spasi, tanda kutip atau awalan 0x"),
            format!("the {name} has blanks, quotes or the prefix 0x around it"),
        )
    });
    (bare, around)
}

fn explained(right: &Recipe, signer: Signer<'_>, given: &str, expected: &str) -> Vec<Bilingual> {
    let (bare, around) = bare("sign", given);
    if bare.eq_ignore_ascii_case(expected) {
        return around.into_iter().collect();
    }
    let wanted = |recipe: &Recipe| {
        let signature = recipe.signature();
        signature == bare || signature == bare.to_ascii_lowercase()
    };
    let found = fewest(right, &mistakes(right, signer), MISTAKES_MAX, &wanted);
    // What is around a signature explains nothing where the signature itself is not explained.
    found.map_or_else(Vec::new, |(_, found)| around.into_iter().chain(found).collect())
}

fn mistakes<'a>(right: &Recipe, signer: Signer<'a>) -> Vec<Mistake<'a, Recipe>> {
    let set = |recipe: &mut Recipe, user: &str| user.clone_into(&mut recipe.api_user);
    let mut all = Vec::new();
    for (name, key) in [(API_KEY, signer.api_key), (WEBHOOK_SECRET, signer.webhook_secret)] {
        all.push(Mistake::new(
            API_USER,
            move |recipe| set(recipe, key),
            format!("{name} dipakai di tempat api_user"),
            format!("the {name} was used in place of the api_user"),
        ));
    }
    all.extend(misused(API_USER, signer.api_user, signer.other_keys, set));
    values(right, &mut all);
    for separator in OTHER_SEPARATORS {
        all.push(Mistake::new(
            "separator",
            move |recipe: &mut Recipe| recipe.separator = separator,
            format!("pemisahnya {separator:?}, seharusnya \"+\""),
            format!("the separator is {separator:?} instead of \"+\""),
        ));
    }
    for order in
        [[3, 0, 1, 2], [0, 2, 1, 3], [1, 0, 2, 3], [2, 1, 0, 3], [2, 0, 1, 3], [0, 1, 3, 2]]
    {
        all.push(Mistake::new(
            "order",
            move |recipe: &mut Recipe| recipe.order = order,
            "urutannya salah: seharusnya operator, nominal, reff_id, lalu api_user",
            "the order is wrong: it is operator, nominal, reff_id, and then the api_user",
        ));
    }
    let digests: [(Digested, &str); 3] = [
        (|text| hex::encode(Sha1::digest(text)), "SHA-1"),
        (|text| hex::encode(Sha256::digest(text)), "SHA-256"),
        (|text| STANDARD.encode(Md5::digest(text)), "MD5, Base64"),
    ];
    for (digest, name) in digests {
        all.push(Mistake::new(
            "digest",
            move |recipe: &mut Recipe| recipe.digest = digest,
            format!("dihitung dengan {name}, seharusnya MD5 heksadesimal"),
            format!("computed with {name} instead of hexadecimal MD5"),
        ));
    }
    all
}

/// What may have been signed instead of what was sent.
fn values(right: &Recipe, all: &mut Vec<Mistake<'_, Recipe>>) {
    let mut add = |part: &'static str, sent: &str, signed: String| {
        if signed != sent {
            let told = (
                format!("{part} ditandatangani sebagai {signed:?}, dikirim sebagai {sent:?}"),
                format!("{part} was signed as {signed:?} and sent as {sent:?}"),
            );
            let make = move |recipe: &mut Recipe| match part {
                "operator" => recipe.operator.clone_from(&signed),
                "nominal" => recipe.nominal.clone_from(&signed),
                _ => recipe.reference.clone_from(&signed),
            };
            all.push(Mistake::new(part, make, told.0, told.1));
        }
    };
    for signed in
        [right.operator.to_lowercase(), right.operator.to_uppercase(), capital(&right.operator)]
    {
        add("operator", &right.operator, signed);
    }
    let digits: String = right.nominal.chars().filter(char::is_ascii_digit).collect();
    for signed in [
        digits.clone(),
        grouped(&digits, '.'),
        grouped(&digits, ','),
        format!("{digits}.00"),
        format!("Rp{}", grouped(&digits, '.')),
    ] {
        add("nominal", &right.nominal, signed);
    }
    for signed in [
        encoded(&right.reference),
        right.reference.trim().to_owned(),
        right.reference.to_lowercase(),
        right.reference.to_uppercase(),
        right.reference.replace(' ', "+"),
        right.reference.replace('+', " "),
    ] {
        add("reff_id", &right.reference, signed);
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Digits in groups of three.
fn grouped(digits: &str, mark: char) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// A value as forms carry it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// How a callback is signed.
#[derive(Clone)]
struct CallbackRecipe {
    secret: String,
    body: Vec<u8>,
    digest: CallbackDigested,
    prefix: &'static str,
}

impl CallbackRecipe {
    fn signature(&self) -> String {
        format!("{}{}", self.prefix, (self.digest)(&self.secret, &self.body))
    }
}

/// Takes a callback apart: its body, byte for byte, and its `X-Ilen-Signature`.
pub fn dissect_callback(
    body: &[u8],
    signature: &str,
    signer: Signer<'_>,
) -> Result<Dissection, Undissected> {
    if body.is_empty() {
        return Err(Undissected::new("badan callback kosong", "the body of the callback is empty"));
    }
    let secret = signer.webhook_secret;
    let expected = sign_callback(secret, body);
    let given = signature.trim_matches(['\r', '\n']);
    let is_valid = given == expected;
    let mut mistakes = Vec::new();
    if !is_valid {
        let right = CallbackRecipe {
            secret: secret.to_owned(),
            body: body.to_owned(),
            digest: hmac_sha1,
            prefix: PREFIX,
        };
        let (bare, around) = bare("X-Ilen-Signature", given);
        let wanted = |recipe: &CallbackRecipe| recipe.signature() == bare;
        if bare == expected {
            mistakes.extend(around);
        } else if let Some((_, found)) =
            fewest(&right, &callback_mistakes(&right, signer), MISTAKES_MAX, &wanted)
        {
            mistakes = around.into_iter().chain(found).collect();
        }
    }
    let text = String::from_utf8_lossy(body);
    // A ping tells the secret.
    let text = text.replace(secret, &Masked(secret).to_string());
    let is_ping = text.contains("\"webhook_id\"") && !text.contains("\"reff_id\"");
    Ok(Dissection {
        command: if is_ping { "webhook, ping" } else { "webhook" }.to_owned(),
        method: Bilingual::new(
            "key= dan HMAC-SHA1 heksadesimal dengan webhook secret, atas byte isi apa adanya",
            "key= and the hexadecimal HMAC-SHA1 under the webhook secret, over the body's own bytes",
        ),
        parts: vec![Part { length: text.chars().count(), ..Part::shown("body", &text) }],
        separator: "",
        expected,
        given: given.to_owned(),
        is_valid,
        mistakes,
        remarks: Vec::new(),
    })
}

fn hmac_sha1(secret: &str, body: &[u8]) -> String {
    sign_callback(secret, body).trim_start_matches(PREFIX).to_owned()
}

fn callback_mistakes<'a>(
    right: &CallbackRecipe,
    signer: Signer<'a>,
) -> Vec<Mistake<'a, CallbackRecipe>> {
    let set = |recipe: &mut CallbackRecipe, secret: &str| secret.clone_into(&mut recipe.secret);
    let mut all = Vec::new();
    for (name, key) in [(API_KEY, signer.api_key), (API_USER, signer.api_user)] {
        all.push(Mistake::new(
            WEBHOOK_SECRET,
            move |recipe| set(recipe, key),
            format!("{name} dipakai di tempat webhook secret"),
            format!("the {name} was used in place of the webhook secret"),
        ));
    }
    all.extend(misused(WEBHOOK_SECRET, signer.webhook_secret, signer.other_keys, set));
    let text = String::from_utf8_lossy(&right.body).into_owned();
    let compact = serde_json::from_str::<serde_json::Value>(&text).map(|json| json.to_string());
    let bodies = [
        (format!("{text}\n"), "dengan baris baru di ujungnya", "with a line break at its end"),
        (text.trim().to_owned(), "tanpa spasi di ujungnya", "without the blanks at its ends"),
        (text.replace("\\/", "/"), "dengan / di tempat \\/", "with / where \\/ stands"),
        (text.replace('\n', "\r\n"), "dengan CRLF di tempat LF", "with CRLF where LF stands"),
        (
            compact.unwrap_or_default(),
            "yang diurai lalu ditulis kembali",
            "after it was parsed and written again",
        ),
    ];
    for (body, indonesian, english) in bodies {
        if body.as_bytes() != right.body {
            all.push(Mistake::new(
                "body",
                move |recipe: &mut CallbackRecipe| recipe.body = body.clone().into_bytes(),
                format!("dihitung atas isi {indonesian}, bukan atas byte yang diterima"),
                format!("computed over the body {english}, not over the bytes that came"),
            ));
        }
    }
    let digests: [(CallbackDigested, &str); 3] = [
        (|secret, body| hmac_sha256(secret, body), "HMAC-SHA256"),
        (|_, body| hex::encode(Sha1::digest(body)), "SHA-1"),
        (
            |secret, body| {
                STANDARD.encode(hex::decode(hmac_sha1(secret, body)).unwrap_or_default())
            },
            "HMAC-SHA1, Base64",
        ),
    ];
    for (digest, name) in digests {
        all.push(Mistake::new(
            "digest",
            move |recipe: &mut CallbackRecipe| recipe.digest = digest,
            format!("dihitung dengan {name}, seharusnya HMAC-SHA1 heksadesimal"),
            format!("computed with {name} instead of hexadecimal HMAC-SHA1"),
        ));
    }
    for prefix in ["", "sha1=", "sha256="] {
        all.push(Mistake::new(
            "prefix",
            move |recipe: &mut CallbackRecipe| recipe.prefix = prefix,
            format!("awalannya {prefix:?}, seharusnya \"key=\""),
            format!("the prefix is {prefix:?} instead of \"key=\""),
        ));
    }
    all
}

fn hmac_sha256(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
