//! Takes a signed request apart and finds out how it was signed instead (IAK reference, section 3).
//!
//! The usual mistakes are tried alone and together, fewest first, until one combination gives the
//! signature that the request has. Nothing is asked of a server and no key is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::commands::{Command, Signed};
use super::sign::{self, API_KEY};
use super::wire::content::{Malformed, Object, looks_like_xml};
use super::wire::fields::Fields;
use super::wire::{self, Format};
use crate::dissection::{Bilingual, Choice, Dissection, Part, Undissected, right, wrong};

/// How many mistakes are tried together.
const MISTAKES_MAX: usize = 3;

const SEPARATORS: [&str; 9] = [":", "|", "-", "_", ".", ",", "+", "&", " "];

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The user name.
    pub username: &'a str,
    /// The key, exactly as it is to be used.
    pub api_key: &'a str,
    /// Other keys that may have been used by mistake: that of the other environment, an older one.
    pub other_keys: &'a [String],
}

/// In which order the parts are joined.
#[derive(Clone, Copy)]
struct Order([usize; 3]);

type Hash = fn(&str) -> String;

/// Everything that may have been done instead, the right thing first in each list.
struct Alternatives {
    usernames: Vec<Choice<String>>,
    keys: Vec<Choice<String>>,
    whats: Vec<Choice<String>>,
    orders: Vec<Choice<Order>>,
    separators: Vec<Choice<&'static str>>,
    hashes: Vec<Choice<Hash>>,
}

/// Takes a request apart.
pub fn dissect(body: &[u8], signer: Signer<'_>) -> Result<Dissection, Undissected> {
    let object = read(body)?;
    let fields = Fields(&object);
    let name = text(fields, "commands")?;
    let command = Command::named(name).ok_or_else(|| unknown(name))?;
    let username = text(fields, "username")?;
    let given = text(fields, "sign")?;
    let (what_name, what) = match command.signed() {
        Signed::Field(field) => (field, numeral(fields, field)?),
        Signed::Word(word) => ("", word),
    };
    let expected = sign::sign(username, signer.api_key, what);
    let is_right = given.eq_ignore_ascii_case(&expected);
    let is_mine = username == signer.username;
    let mut mistakes = Vec::new();
    if !is_mine {
        mistakes.push(Bilingual::new(
            format!("username di badan permintaan bukan {}", signer.username),
            format!("the username in the body is not {}", signer.username),
        ));
    }
    if !is_right {
        mistakes.extend(explained(fields, signer, username, what_name, what, given));
    }
    let label = if what_name.is_empty() { "constant" } else { what_name };
    Ok(Dissection {
        command: command.name().to_owned(),
        method: Bilingual::new(
            "MD5 heksadesimal dari ketiganya, disambung tanpa pemisah",
            "hexadecimal MD5 of the three, joined without a separator",
        ),
        parts: vec![
            Part::shown("username", username),
            Part::masked(API_KEY, signer.api_key),
            Part::shown(label, what),
        ],
        separator: "",
        remarks: remarks(signer, what, given, &expected),
        expected,
        given: given.to_owned(),
        is_valid: is_right && is_mine,
        mistakes,
    })
}

fn read(body: &[u8]) -> Result<Object<'_>, Undissected> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let format = if looks_like_xml(body) { Format::Xml } else { Format::Json };
    wire::read(format, body.trim_ascii()).map_err(|Malformed(why)| {
        Undissected::new(format!("badan permintaan tidak terbaca: {why}"), why)
    })
}

fn unknown(name: &str) -> Undissected {
    let known: Vec<_> = Command::ALL.into_iter().map(Command::name).collect();
    let known = known.join(", ");
    Undissected::new(
        format!("perintah {name:?} tidak dikenal; yang dikenal: {known}"),
        format!("the command {name:?} is unknown; known are {known}"),
    )
}

fn missing(field: &str) -> Undissected {
    Undissected::new(
        format!("kolom {field} tidak ada atau tidak dapat dipakai"),
        format!("the field {field} is missing or cannot be used"),
    )
}

fn text<'a>(fields: Fields<'a>, field: &'static str) -> Result<&'a str, Undissected> {
    fields.text(field).map_err(|_| missing(field))
}

fn numeral<'a>(fields: Fields<'a>, field: &'static str) -> Result<&'a str, Undissected> {
    fields.numeral(field).map_err(|_| missing(field))
}

fn remarks(signer: Signer<'_>, what: &str, given: &str, expected: &str) -> Vec<Bilingual> {
    let mut remarks = Vec::new();
    if given != expected && given.eq_ignore_ascii_case(expected) {
        remarks.push(Bilingual::new(
            "sign memakai huruf besar: Lunas menerimanya, IAK sendiri belum tentu",
            "the signature is in capitals: Lunas takes it, IAK itself may not",
        ));
    }
    if signer.api_key != signer.api_key.trim() {
        remarks.push(Bilingual::new(
            "kunci yang Anda berikan diapit spasi atau baris baru",
            "the key that you gave has blanks or line breaks around it",
        ));
    }
    if what != what.trim() {
        remarks.push(Bilingual::new(
            "nilai yang ditandatangani diapit spasi; Lunas memeriksanya persis seperti dikirim",
            "the value that is signed has blanks around it; Lunas checks it exactly as it is sent",
        ));
    }
    remarks
}

/// The fewest mistakes that together give this signature.
fn explained(
    fields: Fields<'_>,
    signer: Signer<'_>,
    username: &str,
    what_name: &str,
    what: &str,
    given: &str,
) -> Vec<Bilingual> {
    let alternatives = Alternatives {
        usernames: usernames(username, signer.username),
        keys: keys(signer),
        whats: whats(fields, what_name, what),
        orders: orders(),
        separators: separators(),
        hashes: hashes(),
    };
    let (wanted, mut mistakes) = as_written(given);
    match (1..=MISTAKES_MAX).find_map(|most| alternatives.search(most, &wanted)) {
        Some(found) => mistakes.extend(found),
        // Only its writing was wrong, or nothing explains it.
        None if wanted != sign::sign(username, signer.api_key, what) => mistakes.clear(),
        None => {}
    }
    mistakes
}

/// The signature without what was put around it.
fn as_written(given: &str) -> (String, Vec<Bilingual>) {
    let bare = given.trim().trim_matches(['"', '\'']);
    let bare = bare.strip_prefix("0x").unwrap_or(bare);
    let mut mistakes = Vec::new();
    if bare.len() != given.len() {
        mistakes.push(Bilingual::new(
            "sign diapit spasi, tanda kutip atau awalan 0x",
            "the signature has blanks, quotes or the prefix 0x around it",
        ));
    }
    if bare.len() == 32 {
        (bare.to_ascii_lowercase(), mistakes)
    } else {
        (bare.to_owned(), mistakes)
    }
}

impl Alternatives {
    /// The mistakes, exactly so many, that give this signature.
    fn search(&self, count: usize, wanted: &str) -> Option<Vec<Bilingual>> {
        for username in &self.usernames {
            for key in &self.keys {
                for what in &self.whats {
                    for order in &self.orders {
                        for separator in &self.separators {
                            let so_far = [
                                &username.mistake,
                                &key.mistake,
                                &what.mistake,
                                &order.mistake,
                                &separator.mistake,
                            ];
                            let made = so_far.iter().filter(|it| it.is_some()).count();
                            if made > count {
                                continue;
                            }
                            let parts = [&*username.value, &*key.value, &*what.value];
                            let signed = order.value.join(parts, separator.value);
                            let is_wanted = |hash: &&Choice<Hash>| {
                                made + usize::from(hash.mistake.is_some()) == count
                                    && (hash.value)(&signed) == wanted
                            };
                            if let Some(hash) = self.hashes.iter().find(is_wanted) {
                                let all = so_far.into_iter().chain([&hash.mistake]);
                                return Some(all.flatten().cloned().collect());
                            }
                        }
                    }
                }
            }
        }
        None
    }
}

impl Order {
    fn join(self, parts: [&str; 3], separator: &str) -> String {
        let chosen = self.0.map(|index| parts.get(index).copied().unwrap_or_default());
        chosen.join(separator)
    }
}

fn usernames(username: &str, mine: &str) -> Vec<Choice<String>> {
    let mut all = vec![right(username.to_owned())];
    if mine != username {
        let indonesian = format!("dihitung dengan username {mine}, yang dikirim {username}");
        let english = format!("computed with the username {mine}, sent with {username}");
        all.push(wrong(mine.to_owned(), indonesian, english));
    }
    let local = username.strip_prefix("62").or(username.strip_prefix("+62"));
    let other = match (local, username.strip_prefix('0')) {
        (Some(rest), _) => Some(format!("0{rest}")),
        (None, Some(rest)) => Some(format!("62{rest}")),
        (None, None) => None,
    };
    if let Some(other) = other {
        let indonesian = format!("dihitung dengan username {other}, bentuk lain nomor itu");
        let english = format!("computed with the username {other}, another form of that number");
        all.push(wrong(other, indonesian, english));
    }
    all.push(wrong(
        String::new(),
        "username tidak ikut dihitung",
        "the username was left out of the computation",
    ));
    all
}

fn keys(signer: Signer<'_>) -> Vec<Choice<String>> {
    let key = signer.api_key;
    let bare = key.trim();
    let mut all = vec![right(key.to_owned())];
    let mut add = |value: String, indonesian: &str, english: &str| {
        if value != key {
            all.push(wrong(value, indonesian, english));
        }
    };
    add(
        bare.to_owned(),
        "dihitung dengan kunci tanpa spasi di sekelilingnya",
        "computed with the key without the blanks around it",
    );
    for around in
        [format!("{bare}\n"), format!("{bare}\r\n"), format!("{bare} "), format!(" {bare}")]
    {
        add(
            around,
            "kunci yang dipakai diapit spasi atau baris baru",
            "the key that was used has a blank or a line break around it",
        );
    }
    for (index, other) in signer.other_keys.iter().enumerate() {
        let number = index + 1;
        add(
            other.clone(),
            &format!("dihitung dengan kunci lain nomor {number} (produksi, uji coba, atau lama)"),
            &format!("computed with other key number {number} (production, development, or old)"),
        );
    }
    add(
        bare.to_ascii_uppercase(),
        "kunci ditulis dengan huruf besar",
        "the key was written in capitals",
    );
    add(
        bare.to_ascii_lowercase(),
        "kunci ditulis dengan huruf kecil",
        "the key was written in small letters",
    );
    add(String::new(), "kunci tidak ikut dihitung", "the key was left out of the computation");
    all
}

/// What may stand where reference, number or word belongs.
fn whats(fields: Fields<'_>, name: &str, what: &str) -> Vec<Choice<String>> {
    let mut all = vec![right(what.to_owned())];
    let meant = if name.is_empty() {
        (format!("kata tetap {what:?}"), format!("the fixed word {what:?}"))
    } else {
        (name.to_owned(), name.to_owned())
    };
    let mut add = |value: String, indonesian: String, english: String| {
        if all.iter().all(|choice| choice.value != value) {
            all.push(wrong(value, indonesian, english));
        }
    };
    let mut instead = |value: &str, indonesian: &str, english: &str| {
        add(
            value.to_owned(),
            format!("ditandatangani dengan {indonesian}, seharusnya {}", meant.0),
            format!("signed with {english} where {} belongs", meant.1),
        );
    };
    for field in ["ref_id", "tr_id", "hp", "code", "commands", "username"] {
        if let Ok(Some(value)) = fields.optional_numeral(field) {
            instead(value, field, field);
            if value.trim() != value {
                let (indonesian, english) =
                    (format!("{field} tanpa spasi"), format!("{field} without its blanks"));
                instead(value.trim(), &indonesian, &english);
            }
        }
    }
    for word in sign::RESERVED {
        instead(word, &format!("kata tetap {word:?}"), &format!("the fixed word {word:?}"));
    }
    instead("", "teks kosong", "an empty text");
    instead(name, "nama kolomnya", "the name of the field");
    for variant in [what.to_ascii_uppercase(), what.to_ascii_lowercase()] {
        instead(&variant, "huruf besar/kecil yang lain", "other capitals");
    }
    let quoted = format!("\"{what}\"");
    instead(&quoted, "tanda kutipnya", "its quotes");
    for around in [format!("{what} "), format!(" {what}"), format!("{what}\n")] {
        instead(&around, "spasi di sekelilingnya", "a blank around it");
    }
    let digits = what.trim_start_matches('0');
    instead(digits, "angka tanpa nol di depan", "the number without its leading zeros");
    all
}

fn orders() -> Vec<Choice<Order>> {
    let mut all = vec![right(Order([0, 1, 2]))];
    all.push(wrong(
        Order([1, 0, 2]),
        "username dan kunci tertukar tempat",
        "username and key have changed places",
    ));
    for order in [[0, 2, 1], [2, 0, 1], [2, 1, 0], [1, 2, 0]] {
        all.push(wrong(
            Order(order),
            "urutannya salah: seharusnya username, kunci, lalu nilai",
            "the order is wrong: it is username, key, and then the value",
        ));
    }
    all
}

fn separators() -> Vec<Choice<&'static str>> {
    let mut all = vec![right("")];
    for separator in SEPARATORS {
        all.push(wrong(
            separator,
            format!("ada pemisah {separator:?} di antara bagian-bagiannya"),
            format!("the separator {separator:?} stands between the parts"),
        ));
    }
    all
}

fn hashes() -> Vec<Choice<Hash>> {
    fn once(text: &str) -> String {
        hex::encode(Md5::digest(text))
    }
    vec![
        right(once as Hash),
        wrong((|text| once(&once(text))) as Hash, "dihitung MD5 dua kali", "hashed with MD5 twice"),
        wrong(
            (|text| STANDARD.encode(Md5::digest(text))) as Hash,
            "MD5 ditulis sebagai base64, bukan heksadesimal",
            "the MD5 is written in base64 instead of hexadecimal digits",
        ),
        wrong(
            (|text| hex::encode(Sha256::digest(text))) as Hash,
            "dihitung dengan SHA-256, bukan MD5",
            "hashed with SHA-256 instead of MD5",
        ),
        wrong(
            (|text| once(text)[..16].to_owned()) as Hash,
            "hanya 16 dari 32 angka heksadesimalnya yang dikirim",
            "only 16 of its 32 hexadecimal digits were sent",
        ),
    ]
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
