//! Takes an encrypted message apart: what is in it, what its transport had made of it, what is missing,
//! and, where it does not open, how it was encrypted instead (S88pay reference, section 3).
//!
//! This is for whoever holds the credentials; a server tells nobody why a `key` does not open. The
//! usual mistakes are tried alone and together, fewest first, until one combination brings a message.
//! Nothing is asked of a server and no credential is shown.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::Masked;
use sha2::{Digest, Sha256};

use super::sign::{API_KEY, Cipher, Opened, SECRET_KEY, is_key, percent_decoded, read as blocks};
use super::wire::envelope::Envelope;
use super::wire::parameters::Parameters;
use crate::dissection::{Bilingual, Dissection, Mistake, Part, Undissected, fewest, misused};

/// How many mistakes are tried together.
const MISTAKES_MAX: usize = 3;
const BLOCK: usize = 16;
const MERCHANT_CODE: &str = "merchant_code";
const MERCHANT_API_KEY: &str = "merchant_api_key";
/// A time with so many digits counts milliseconds.
const MILLISECONDS_DIGITS: usize = 13;

/// Who encrypts.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Stands in the path of a request, and in many a text.
    pub merchant_code: &'a str,
    /// Makes the AES key, exactly as it was issued.
    pub api_key: &'a str,
    /// Makes the first vector, exactly as it was issued.
    pub secret_key: &'a str,
    /// Other keys that may have been used by mistake, in either place.
    pub other_keys: &'a [String],
}

/// A message of the API: its name, what only it has, and what it must have (sections 4.8 to 11).
struct Message {
    name: &'static str,
    marks: &'static [&'static str],
    required: &'static [&'static str],
}

/// The first one of which a text has a mark is meant.
const MESSAGES: [Message; 10] = [
    Message {
        name: "callback",
        marks: &["transaction_status"],
        required: &[
            "transaction_code",
            "transaction_no",
            "transaction_amount",
            "transaction_fee",
            "currency_code",
        ],
    },
    Message {
        name: "payout",
        marks: &["payout_code", "account_name", "bank_account_number", "back_account_number"],
        required: &[
            MERCHANT_CODE,
            "transaction_code",
            "transaction_timestamp",
            "payout_code",
            "transaction_amount",
            "user_id",
            "currency_code",
            "account_name",
        ],
    },
    Message {
        name: "deposit",
        marks: &["payment_code", "transaction_amount"],
        required: &[
            MERCHANT_CODE,
            MERCHANT_API_KEY,
            "transaction_code",
            "transaction_timestamp",
            "transaction_amount",
            "payment_code",
            "user_id",
            "currency_code",
        ],
    },
    Message { name: "submit-utr", marks: &["utr"], required: &["transaction_code", "utr"] },
    Message { name: "submit-refno", marks: &["ref_no"], required: &["transaction_code", "ref_no"] },
    Message {
        name: "krw-submit-information",
        marks: &["account_number"],
        required: &["transaction_code", "bank_code", "account_number"],
    },
    Message {
        name: "submit-depositor",
        marks: &["depositor_name"],
        required: &["transaction_code", "depositor_name"],
    },
    Message {
        name: "status",
        marks: &[MERCHANT_API_KEY, "transaction_code", "transaction_no"],
        required: &[MERCHANT_API_KEY, "transaction_code"],
    },
    Message {
        name: "channel",
        marks: &["currency_code"],
        required: &[MERCHANT_CODE, "currency_code"],
    },
    Message { name: "balance", marks: &[MERCHANT_CODE], required: &[MERCHANT_CODE] },
];

/// What is said of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The API's word for what it seems to be; `-` for one that does not open.
    pub message: &'static str,
    /// Whether its text is a JSON object and not `name=value&…`.
    pub is_json: bool,
    /// Its parameters by name, as they are meant; none where it does not open.
    pub fields: Vec<Part>,
    /// What its transport or its sender had made of the `key`, and a tolerant receiver undoes.
    pub repaired: Vec<Bilingual>,
    /// What it has to have and has not.
    pub missing: Vec<&'static str>,
    /// Why a server refuses it as not encrypted by this merchant; none for one that it takes.
    pub mistakes: Vec<Bilingual>,
    /// What is worth knowing besides.
    pub remarks: Vec<Bilingual>,
    /// The whole text, with the credentials masked; empty where it does not open.
    pub text: String,
    /// The `key` that this text should have; empty where it does not open.
    pub expected: String,
    /// The `key` as it was given.
    pub given: String,
}

/// A credential to the key that it makes.
type Aes = fn(api_key: &str) -> [u8; 32];
/// A credential to the first vector that it makes.
type Vector = fn(secret_key: &str) -> [u8; BLOCK];

/// How a text is encrypted.
#[derive(Clone)]
struct Recipe {
    blocks: Vec<u8>,
    api_key: String,
    secret_key: String,
    aes: Aes,
    vector: Vector,
    padded: bool,
}

impl Recipe {
    fn cipher(&self) -> Cipher {
        Cipher::of_bytes((self.aes)(&self.api_key), (self.vector)(&self.secret_key))
    }

    /// The text, if what comes out is a message and no noise. A wrong vector spoils the first block
    /// only, and with it the first name.
    fn message(&self) -> Option<(String, Parameters)> {
        if self.blocks.is_empty() || !self.blocks.len().is_multiple_of(BLOCK) {
            return None;
        }
        let cipher = self.cipher();
        let text = if self.padded {
            let Opened { text, padded } = cipher.open(&self.blocks);
            Some(text).filter(|_| bool::from(padded))?
        } else {
            let text = cipher.decrypted(&self.blocks);
            let end = text.iter().rposition(|byte| !matches!(byte, 0 | b' '))?;
            text.get(..=end)?.to_vec()
        };
        let text = String::from_utf8(text).ok()?;
        let parameters = Parameters::read(&text).filter(Parameters::is_message)?;
        let is_name = |name: &str| {
            let plain = |it: char| it.is_ascii_alphanumeric() || "_-.[]".contains(it);
            name.starts_with(|it: char| it.is_ascii_alphabetic()) && name.chars().all(plain)
        };
        let is_clean = parameters.entries().all(|(name, _)| is_name(name));
        is_clean.then_some((text, parameters))
    }
}

fn hashed(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The beginning of a text as bytes, filled with zeros.
fn beginning<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

/// Reads a message that came as a JSON body, a form, a multipart body, an address with a query, or a
/// bare `key`.
pub fn read(given: &[u8], signer: Signer<'_>) -> Result<Reading, Undissected> {
    let given = given.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(given);
    let given = String::from_utf8_lossy(given);
    let key = key_in(&given)
        .ok_or_else(|| Undissected::new("tidak ada key di dalamnya", "there is no key in it"))?;
    let right = Recipe {
        blocks: blocks(&key).unwrap_or_default(),
        api_key: signer.api_key.to_owned(),
        secret_key: signer.secret_key.to_owned(),
        aes: hashed,
        vector: |secret_key| beginning(&hex::encode(hashed(secret_key))),
        padded: true,
    };
    let found = match right.message() {
        Some(_) => Some((right.clone(), Vec::new())),
        None => fewest(&right, &mistakes(&key, signer), MISTAKES_MAX, &|recipe| {
            recipe.message().is_some()
        }),
    };
    let opened = found.and_then(|(recipe, mistakes)| Some((recipe.message()?, mistakes)));
    let Some(((text, parameters), mut mistakes)) = opened else {
        if right.blocks.is_empty() {
            return Err(no_blocks(&key));
        }
        return Ok(closed(&key, &right));
    };
    let message = MESSAGES.iter().find(|it| it.marks.iter().any(|mark| has(&parameters, mark)));
    let (name, required) = message.map_or(("-", &[][..]), |it| (it.name, it.required));
    let missing =
        required.iter().copied().filter(|name| !has(&parameters, name)).collect::<Vec<_>>();
    mistakes.extend(unidentified(&parameters, &missing, signer));
    let field = |(name, value): (&str, &str)| match name {
        MERCHANT_API_KEY => Part::masked(name, value),
        _ => Part::shown(name, value),
    };
    Ok(Reading {
        message: name,
        is_json: text.trim_start().starts_with('{'),
        fields: parameters.entries().map(field).collect(),
        repaired: repaired(&key),
        missing,
        mistakes,
        remarks: remarks(&parameters, signer),
        expected: Cipher::new(signer.api_key, signer.secret_key).encrypt(&text),
        text: masked(&text, &parameters, signer),
        given: key,
    })
}

/// The same as the dissection of a signature: the text is what is signed, and the `key` the signature.
pub fn dissect(given: &[u8], signer: Signer<'_>) -> Result<Dissection, Undissected> {
    let reading = read(given, signer)?;
    let mut remarks = reading.repaired;
    if !reading.missing.is_empty() {
        let missing = reading.missing.join(", ");
        remarks.push(Bilingual::new(
            format!("tidak ada di dalamnya: {missing}"),
            format!("missing from it: {missing}"),
        ));
    }
    remarks.extend(reading.remarks);
    Ok(Dissection {
        command: reading.message.to_owned(),
        method: Bilingual::new(
            "AES-256-CBC atas teks, kunci SHA-256(api_key), IV 16 huruf pertama dari \
             hex(SHA-256(secret_key)), lalu Base64",
            "AES-256-CBC of the text, key SHA-256(api_key), IV the first 16 letters of \
             hex(SHA-256(secret_key)), then Base64",
        ),
        parts: vec![
            Part::masked(API_KEY, signer.api_key),
            Part::masked(SECRET_KEY, signer.secret_key),
            Part::shown("text", &reading.text),
        ],
        separator: " · ",
        expected: reading.expected,
        given: reading.given,
        is_valid: reading.mistakes.is_empty(),
        mistakes: reading.mistakes,
        remarks,
    })
}

/// The `key` in whatever was given.
fn key_in(given: &str) -> Option<String> {
    let given = given.trim_start_matches(|it: char| it.is_ascii_whitespace());
    let body = match given.split_once('?') {
        Some((address, query)) if !address.starts_with('{') => query,
        _ => given,
    };
    let is_form = body.starts_with("key=") || body.contains("&key=");
    if is_form || body.starts_with('{') || body.starts_with("--") {
        return Envelope::of_body(body).map(|envelope| envelope.key);
    }
    Some(body.to_owned()).filter(|key| !key.trim().is_empty())
}

fn has(parameters: &Parameters, name: &str) -> bool {
    let aliases: &[&str] = match name {
        "ref_no" => &["ref_no", "utr"],
        "depositor_name" => &["depositor_name", "deposit_name"],
        "transaction_code" => &["transaction_code", "transaction_no"],
        _ => &[],
    };
    parameters.given(name).is_some() || parameters.optional(aliases).is_some()
}

/// What keeps a text from being Base64 of whole blocks, which is error 118.
fn no_blocks(key: &str) -> Undissected {
    let decoded = percent_decoded(key.as_bytes()).unwrap_or_else(|| key.as_bytes().to_vec());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_ \r\n\t".contains(&byte);
    if let Some(odd) = decoded.iter().copied().find(|byte| !plain(*byte)) {
        let odd = char::from(odd).escape_default();
        return Undissected::new(
            format!("key bukan Base64: ada karakter {odd} (kesalahan 118)"),
            format!("the key is no Base64: there is a character {odd} (error 118)"),
        );
    }
    let letters = decoded.iter().filter(|byte| !b"=\r\n\t".contains(byte)).count();
    let bytes = letters.saturating_mul(3) / 4;
    Undissected::new(
        format!("key terpotong: {bytes} byte, bukan kelipatan 16 (kesalahan 118)"),
        format!("the key is cut short: {bytes} bytes, which is no multiple of 16 (error 118)"),
    )
}

/// A message that nothing opens.
fn closed(key: &str, right: &Recipe) -> Reading {
    let mistake = if bool::from(right.cipher().open(&right.blocks).padded) {
        Bilingual::new(
            "api_key cocok, tetapi 16 byte pertama kacau atau isinya bukan pesan: secret_key-nya lain, \
             atau yang dienkripsi bukan name=value&… maupun JSON",
            "the api_key fits, but the first 16 bytes are garbled or the text is no message: the \
             secret_key is another one, or what was encrypted is neither name=value&… nor JSON",
        )
    } else {
        Bilingual::new(
            "padding salah: api_key-nya lain, atau key berubah di jalan",
            "the padding is wrong: the api_key is another one, or the key was changed on its way",
        )
    };
    Reading {
        message: "-",
        is_json: false,
        fields: Vec::new(),
        repaired: repaired(key),
        missing: Vec::new(),
        mistakes: vec![mistake],
        remarks: Vec::new(),
        text: String::new(),
        expected: String::new(),
        given: key.to_owned(),
    }
}

/// What of a text says that it is not from this merchant.
fn unidentified(
    parameters: &Parameters,
    missing: &[&'static str],
    signer: Signer<'_>,
) -> Vec<Bilingual> {
    let mut all = Vec::new();
    for name in [MERCHANT_CODE, MERCHANT_API_KEY] {
        if missing.contains(&name) {
            all.push(Bilingual::new(
                format!("{name} tidak ada; itu dijawab 115 seperti key yang salah"),
                format!("{name} is missing, which is answered 115 like a wrong key"),
            ));
        }
    }
    let code = signer.merchant_code;
    if parameters.given(MERCHANT_CODE).is_some_and(|given| given != code) {
        all.push(Bilingual::new(
            format!("merchant_code di dalamnya bukan {code}"),
            format!("the merchant_code in it is not {code}"),
        ));
    }
    let other = |given: &str| !bool::from(is_key(signer.api_key, given));
    if parameters.raw(MERCHANT_API_KEY).is_some_and(other) {
        all.push(Bilingual::new(
            "merchant_api_key di dalamnya bukan api_key",
            "the merchant_api_key in it is not the api_key",
        ));
    }
    all
}

fn remarks(parameters: &Parameters, signer: Signer<'_>) -> Vec<Bilingual> {
    let mut all = Vec::new();
    let time = parameters.given("transaction_timestamp").unwrap_or_default();
    if time.len() >= MILLISECONDS_DIGITS {
        all.push(Bilingual::new(
            "transaction_timestamp tampaknya dalam milidetik; seharusnya detik",
            "the transaction_timestamp seems to count milliseconds; it has to count seconds",
        ));
    }
    let unknown: Vec<_> =
        parameters.entries().map(|(name, _)| name).filter(|name| !is_known(name)).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        all.push(Bilingual::new(
            format!("diabaikan, karena tidak dikenal: {unknown}"),
            format!("ignored, because nobody knows it: {unknown}"),
        ));
    }
    for (name, credential) in [(API_KEY, signer.api_key), (SECRET_KEY, signer.secret_key)] {
        if credential != credential.trim() {
            all.push(Bilingual::new(
                format!("{name} yang Anda berikan diapit spasi atau baris baru"),
                format!("the {name} that you gave has blanks or line breaks around it"),
            ));
        }
    }
    all
}

/// What callbacks tell besides what requests may have.
fn is_known(name: &str) -> bool {
    const OF_CALLBACKS: [&str; 3] =
        ["transaction_actual_amount", "transaction_fee", "transaction_ref"];
    Parameters::is_known(name) || OF_CALLBACKS.contains(&name)
}

/// A text without the credentials in it.
fn masked(text: &str, parameters: &Parameters, signer: Signer<'_>) -> String {
    let given = [parameters.raw(MERCHANT_API_KEY), parameters.given(MERCHANT_API_KEY)];
    let mut secrets: Vec<_> = given.into_iter().flatten().collect();
    secrets.extend([signer.api_key, signer.secret_key]);
    secrets.retain(|secret| !secret.is_empty());
    secrets
        .iter()
        .fold(text.to_owned(), |text, secret| text.replace(secret, &Masked(secret).to_string()))
}

/// What a tolerant receiver undoes (section 3.6, steps 1 to 4).
fn repaired(key: &str) -> Vec<Bilingual> {
    let mut all = Vec::new();
    let mut add = |is_so: bool, indonesian: &str, english: &str| {
        if is_so {
            all.push(Bilingual::new(indonesian, english));
        }
    };
    let trimmed = key.trim_matches(|it: char| it.is_ascii_whitespace());
    add(trimmed != key, "spasi di sekeliling key dibuang", "blanks around the key were taken away");
    let mut text = trimmed.as_bytes().to_vec();
    let mut rounds = 0;
    while let Some(decoded) = percent_decoded(&text).filter(|_| rounds < 3) {
        text = decoded;
        rounds += 1;
    }
    let holds = |bytes: &[u8]| text.iter().any(|byte| bytes.contains(byte));
    add(
        rounds == 0 && holds(b"+/="),
        "key tidak di-percent-encode: penerima PHP kehilangan + di dalam JSON dan form",
        "the key was not percent-encoded: PHP receivers lose a + in JSON and forms",
    );
    add(
        rounds > 1,
        "key di-percent-encode lebih dari sekali",
        "the key was percent-encoded more than once",
    );
    add(holds(b" "), "spasi dibaca sebagai +", "blanks were read as +");
    add(
        holds(b"-_"),
        "alfabet Base64 untuk URL (- dan _) dibaca sebagai + dan /",
        "the Base64 alphabet of addresses (- and _) was read as + and /",
    );
    add(holds(b"\r\n\t"), "baris baru di dalam key dibuang", "line breaks in the key were dropped");
    let equals = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = text.iter().filter(|byte| !b"=\r\n\t".contains(byte)).count();
    let wanted = (4 - letters % 4) % 4;
    add(equals < wanted, "= di ujung key ditambahkan", "the = at the end of the key were added");
    add(equals > wanted, "= yang berlebih dibuang", "needless = at the end were dropped");
    all
}

fn mistakes<'a>(key: &str, signer: Signer<'a>) -> Vec<Mistake<'a, Recipe>> {
    let mut all = Vec::new();
    transports(key, &mut all);
    let set_api = |recipe: &mut Recipe, value: &str| value.clone_into(&mut recipe.api_key);
    let set_secret = |recipe: &mut Recipe, value: &str| value.clone_into(&mut recipe.secret_key);
    spellings(API_KEY, signer.api_key, (SECRET_KEY, signer.secret_key), set_api, &mut all);
    spellings(SECRET_KEY, signer.secret_key, (API_KEY, signer.api_key), set_secret, &mut all);
    all.extend(misused(API_KEY, signer.api_key, signer.other_keys, set_api));
    all.extend(misused(SECRET_KEY, signer.secret_key, signer.other_keys, set_secret));
    let keys: [(Aes, &str, &str); 2] = [
        (
            |api_key| beginning(&hex::encode(hashed(api_key))),
            "kunci AES dari 32 huruf hex SHA-256, seharusnya 32 byte-nya",
            "the AES key is 32 hexadecimal letters of the SHA-256 instead of its 32 bytes",
        ),
        (
            |api_key| beginning(api_key),
            "api_key dipakai langsung sebagai kunci AES, seharusnya SHA-256-nya",
            "the api_key itself was used as AES key instead of its SHA-256",
        ),
    ];
    for (aes, indonesian, english) in keys {
        let make = move |recipe: &mut Recipe| recipe.aes = aes;
        all.push(Mistake::new("aes", make, indonesian, english));
    }
    let vectors: [(Vector, &str, &str); 3] = [
        (
            |secret_key| {
                let mut vector = [0; BLOCK];
                vector.iter_mut().zip(hashed(secret_key)).for_each(|(place, byte)| *place = byte);
                vector
            },
            "IV dari 16 byte pertama SHA-256, seharusnya 16 huruf pertama hex-nya",
            "the IV is the first 16 bytes of the SHA-256 instead of the first 16 letters of its \
             hexadecimal text",
        ),
        (
            |secret_key| beginning(secret_key),
            "secret_key dipakai langsung sebagai IV, seharusnya hex SHA-256-nya",
            "the secret_key itself was used as IV instead of its hexadecimal SHA-256",
        ),
        (|_| [0; BLOCK], "IV berisi nol", "the IV is all zeros"),
    ];
    for (vector, indonesian, english) in vectors {
        let make = move |recipe: &mut Recipe| recipe.vector = vector;
        all.push(Mistake::new("vector", make, indonesian, english));
    }
    all.push(Mistake::new(
        "padding",
        |recipe: &mut Recipe| recipe.padded = false,
        "diisi dengan nol atau spasi, seharusnya padding PKCS#7",
        "filled up with zeros or blanks instead of PKCS#7 padding",
    ));
    all
}

/// How the blocks may have been written.
fn transports(key: &str, all: &mut Vec<Mistake<'_, Recipe>>) {
    let bare = key.trim();
    let in_hex = hex::decode(bare).ok();
    let decoded = percent_decoded(bare.as_bytes()).unwrap_or_else(|| bare.as_bytes().to_vec());
    let twice = BASE64_STANDARD.decode(decoded).ok();
    let twice = twice.and_then(|once| String::from_utf8(once).ok());
    let twice = twice.and_then(|inner| blocks(&inner));
    let found = [
        (in_hex, "ditulis heksadesimal, seharusnya Base64", "written in hexadecimal, not Base64"),
        (twice, "Base64 dua kali", "Base64 was applied twice"),
    ];
    for (found, indonesian, english) in found {
        if let Some(found) = found {
            let make = move |recipe: &mut Recipe| recipe.blocks.clone_from(&found);
            all.push(Mistake::new("transport", make, indonesian, english));
        }
    }
}

/// How a credential that is issued percent-encoded may have been taken (section 2.3).
fn spellings<'a>(
    name: &'static str,
    credential: &str,
    (other_name, other): (&str, &'a str),
    set: impl Fn(&mut Recipe, &str) + Copy + 'a,
    all: &mut Vec<Mistake<'a, Recipe>>,
) {
    if let Some(decoded) = percent_decoded(credential.as_bytes())
        && let Ok(decoded) = String::from_utf8(decoded)
    {
        all.push(Mistake::new(
            name,
            move |recipe| set(recipe, &decoded),
            format!("{name} di-decode dulu; %3D di dalamnya harus dipakai apa adanya"),
            format!("the {name} was percent-decoded; a %3D in it has to be used as it stands"),
        ));
    }
    let encoded = credential.replace('%', "%25").replace('+', "%2B");
    let encoded = encoded.replace('/', "%2F").replace('=', "%3D");
    if encoded != credential {
        all.push(Mistake::new(
            name,
            move |recipe| set(recipe, &encoded),
            format!("{name} di-percent-encode; harus dipakai apa adanya"),
            format!("the {name} was percent-encoded; it has to be used as it stands"),
        ));
    }
    all.push(Mistake::new(
        name,
        move |recipe| set(recipe, other),
        format!("{other_name} dipakai di tempat {name}"),
        format!("the {other_name} was used in place of the {name}"),
    ));
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
