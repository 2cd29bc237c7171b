//! Puts stories into prose: what happened and when, the money, what is open, what to do next, and
//! the masked bodies at the end for whoever wants to see for himself.
//!
//! A pure function of the answer of the admin API and the language, so that every sentence is tested
//! against a file.

use std::fmt::Write as _;

use crate::administration::{ExchangeView, MovementView, OrderStory, Stories};

use super::figures::{clock, is_zero, money, parsed};
use super::language::Language;
use super::phrases::{exchange, headline, printable};
use super::reasons::reason;

/// All stories under a name, ready to be printed.
pub(super) fn narrated(stories: &Stories, language: Language) -> String {
    let mut page = Page { language, text: String::new(), bodies: Vec::new() };
    if stories.orders.is_empty() {
        page.nothing_bought(stories);
    }
    if let [_, _, ..] = stories.orders.as_slice() {
        let count = stories.orders.len();
        page.line(&match language {
            Language::Id => format!("Ada {count} pesanan dengan nama {}.", stories.name),
            Language::En => format!("There are {count} orders under the name {}.", stories.name),
        });
        page.line("");
    }
    for (index, story) in stories.orders.iter().enumerate() {
        if index > 0 {
            page.line("");
        }
        page.story(story, stories);
    }
    if !stories.orders.is_empty() && !stories.others.is_empty() {
        page.section("Permintaan lain yang menyebut referensi ini", "Other requests that name it");
        page.timeline(&stories.others, None, Vec::new());
    }
    page.bodies();
    page.text
}

/// Something that happened.
struct Happening {
    at: String,
    /// Among things of one instant, causes before effects.
    rank: u8,
    text: String,
}

struct Page {
    language: Language,
    text: String,
    /// Number and bodies of every exchange told so far.
    bodies: Vec<(String, String)>,
}

impl Page {
    fn say<'a>(&self, indonesian: &'a str, english: &'a str) -> &'a str {
        self.language.choose(indonesian, english)
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(&printable(text));
        self.text.push('\n');
    }

    fn item(&mut self, text: &str) {
        self.line(&format!("  {text}"));
    }

    fn section(&mut self, indonesian: &str, english: &str) {
        let title = self.say(indonesian, english).to_owned();
        self.line("");
        self.line(&title);
    }

    fn story(&mut self, story: &OrderStory, stories: &Stories) {
        self.head(story);
        self.section("Yang terjadi (WIB)", "What happened (WIB, UTC+7)");
        let happenings = Told { story, language: self.language }.happenings();
        self.timeline(&story.exchanges, Some(story.order.merchant), happenings);
        self.gaps(story, stories);
        self.money(story);
        self.section("Masih terbuka", "Still open");
        let open = Told { story, language: self.language }.open();
        open.iter().for_each(|text| self.item(text));
        self.section("Langkah berikutnya", "What to do next");
        let next = Told { story, language: self.language }.next();
        next.iter().for_each(|text| self.item(text));
    }

    fn head(&mut self, story: &OrderStory) {
        let order = &story.order;
        let state = headline(&order.state, self.language);
        let number = story.number.as_ref();
        let number = number.map(|it| format!(", {} {}", it.field, it.number)).unwrap_or_default();
        let (title, whose, what) = match self.language {
            Language::Id => (
                format!("Pesanan {}: {state}", order.order),
                format!(
                    "Referensi {}, merchant {} ({}), lewat {}{number}.",
                    order.reference, order.merchant, story.merchant_name, order.protocol
                ),
                format!(
                    "{} ({}) untuk nomor {}.",
                    story.product_name, order.code, order.destination
                ),
            ),
            Language::En => (
                format!("Order {}: {state}", order.order),
                format!(
                    "Reference {}, merchant {} ({}), through {}{number}.",
                    order.reference, order.merchant, story.merchant_name, order.protocol
                ),
                format!(
                    "{} ({}) for the number {}.",
                    story.product_name, order.code, order.destination
                ),
            ),
        };
        self.line(&title);
        self.line(&whose);
        self.line(&what);
    }

    /// Exchanges and other happenings in the order of time.
    fn timeline(
        &mut self,
        exchanges: &[ExchangeView],
        merchant: Option<u32>,
        mut happenings: Vec<Happening>,
    ) {
        for each in exchanges {
            self.bodies.push((each.request.clone(), each.answer.clone()));
            let text = exchange(each, self.bodies.len(), merchant, self.language);
            happenings.push(Happening { at: each.at.clone(), rank: 0, text });
        }
        happenings.sort_by_key(|it| (parsed(&it.at), it.rank));
        for it in &happenings {
            self.item(&format!("{}  {}", clock(&it.at, self.language), it.text));
        }
    }

    /// What the log of exchanges does not know.
    fn gaps(&mut self, story: &OrderStory, stories: &Stories) {
        let (omitted, missed) = (story.exchanges_omitted, story.exchanges_missed);
        if omitted > 0 {
            self.item(&match self.language {
                Language::Id => format!("({omitted} percakapan di tengahnya tidak ditampilkan.)"),
                Language::En => format!("({omitted} exchanges in between are not shown.)"),
            });
        }
        if missed > 0 {
            self.item(&match self.language {
                Language::Id => format!(
                    "({missed} percakapan pada masa itu, milik siapa pun, tidak sempat dicatat.)"
                ),
                Language::En => {
                    format!("({missed} exchanges of that time, anybody's, were not recorded.)")
                }
            });
        }
        if !story.decisions_complete {
            let text = self.say(
                "(Jejak audit terlalu panjang; keputusan yang lebih lama mungkin ada.)",
                "(The audit record is too long; there may be earlier decisions.)",
            );
            self.item(text);
        }
        self.log_notice(stories, Some(&story.order.created_at));
    }

    /// Since when exchanges are kept, where that is later than what is told.
    fn log_notice(&mut self, stories: &Stories, from: Option<&str>) {
        let log = &stories.log;
        let since = log.kept_since.as_deref();
        let is_whole = from.zip(since).is_some_and(|(from, since)| parsed(since) <= parsed(from));
        let text = match since {
            _ if !log.on => self
                .say(
                    "(Percakapan tidak dicatat: exchanges.per_second = 0 atau berkasnya rusak.)",
                    "(Exchanges are not kept: exchanges.per_second = 0, or the file is damaged.)",
                )
                .to_owned(),
            None => self
                .say("(Belum ada percakapan yang tercatat.)", "(No exchange was recorded yet.)")
                .to_owned(),
            Some(_) if is_whole => return,
            Some(since) => {
                let since = clock(since, self.language);
                match self.language {
                    Language::Id => format!("(Percakapan tersimpan sejak {since} WIB.)"),
                    Language::En => format!("(Exchanges are kept since {since} WIB.)"),
                }
            }
        };
        self.item(&text);
    }

    fn money(&mut self, story: &OrderStory) {
        let Some(quote) = &story.quote else { return };
        self.section("Uang", "Money");
        let currency = story.order.currency.clone().unwrap_or_default();
        let shown = |digits: &str| money(digits, &currency, self.language);
        let parts = format!(
            "{} ({} + admin {})",
            shown(&quote.price),
            shown(&quote.nominal),
            shown(&quote.admin)
        );
        let mut rows = vec![
            (self.say("Dibayar pelanggan", "The customer pays"), parts),
            (self.say("Harga merchant", "The merchant's price"), shown(&quote.charge)),
        ];
        if let Some(last) = story.movements.last() {
            rows.push((self.say("Masih ditahan", "Still held"), shown(&last.held)));
            rows.push((
                self.say("Diambil dari saldo", "Taken from the balance"),
                shown(&last.charged),
            ));
            rows.push((self.say("Untuk pemasok", "For the supplier"), shown(&last.cost)));
            rows.push((self.say("Margin kami", "Our margin"), shown(&last.margin)));
            if !is_zero(&last.owed) {
                rows.push((self.say("Utang merchant", "The merchant owes"), shown(&last.owed)));
            }
        }
        let rows: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<24}{value}")).collect();
        rows.iter().for_each(|row| self.item(row));
    }

    /// There is no order; perhaps there were requests.
    fn nothing_bought(&mut self, stories: &Stories) {
        let (name, count) = (&stories.name, stories.others.len());
        self.line(&match (self.language, count) {
            (Language::Id, 0) => format!("Tidak ada pesanan atau permintaan dengan nama {name}."),
            (Language::En, 0) => format!("There is no order and no request under the name {name}."),
            (Language::Id, _) => {
                format!(
                    "Tidak ada pesanan dengan nama {name}, tetapi ada permintaan yang menyebutnya."
                )
            }
            (Language::En, _) => {
                format!(
                    "There is no order under the name {name}, but there were requests naming it."
                )
            }
        });
        let searched = self.say(
            "Yang dicari: referensi merchant, nomor pesanan, dan tr_id.",
            "Searched were references of merchants, our order numbers, and tr_ids.",
        );
        self.line(searched);
        if count > 0 {
            self.section("Yang terjadi (WIB)", "What happened (WIB, UTC+7)");
            self.timeline(&stories.others, None, Vec::new());
        } else {
            self.line("");
        }
        self.log_notice(stories, None);
        if stories.log.missed > 0 {
            let missed = stories.log.missed;
            self.item(&match self.language {
                Language::Id => format!("({missed} percakapan tidak sempat dicatat.)"),
                Language::En => format!("({missed} exchanges were not recorded.)"),
            });
        }
        self.section("Langkah berikutnya", "What to do next");
        let wrong = stories.others.last().is_some_and(|it| it.signature == "invalid");
        let steps: &[(&str, &str)] = match count {
            _ if wrong => &[(
                "Permintaan terakhir bertanda tangan salah. Simpan badan permintaan merchant di sebuah \
                 berkas, lalu: lunas verify-sign iak --username USERNAME --api-key KUNCI BERKAS",
                "The last request was wrongly signed. Save the body of the merchant's request in a \
                 file, then: lunas verify-sign iak --username USERNAME --api-key KEY FILE",
            )],
            0 => &[
                (
                    "Periksa ejaannya; huruf besar dan kecil dibedakan.",
                    "Check the spelling; capitals matter.",
                ),
                (
                    "Cari dengan nomor pelanggan: lunas order list --destination NOMOR",
                    "Search by the customer's number: lunas order list --destination NUMBER",
                ),
                (
                    "Bila merchant yakin sudah mengirim, permintaannya tidak sampai di sini: periksa \
                     alamat tujuan dan jaringannya.",
                    "If the merchant is sure to have sent it, it did not arrive here: check its host \
                     and its network.",
                ),
            ],
            _ => &[(
                "Tidak ada uang yang bergerak. Merchant boleh mengulang setelah sebabnya dibereskan.",
                "No money has moved. The merchant may repeat it once the cause is gone.",
            )],
        };
        for (indonesian, english) in steps {
            let step = self.say(indonesian, english).to_owned();
            self.item(&step);
        }
    }

    /// The bodies of everything told, under the numbers by which it was.
    fn bodies(&mut self) {
        if self.bodies.is_empty() {
            return;
        }
        self.section("Permintaan dan jawaban, tersamar", "Requests and answers, masked");
        for (index, (request, answer)) in std::mem::take(&mut self.bodies).iter().enumerate() {
            let none = self.say("(tanpa isi)", "(empty)").to_owned();
            let shown = |body: &str| if body.is_empty() { none.clone() } else { body.to_owned() };
            self.item(&format!("[{}] > {}", index + 1, shown(request)));
            let indent = " ".repeat(format!("[{}]", index + 1).len());
            self.item(&format!("{indent} < {}", shown(answer)));
        }
    }
}

/// One order in one language.
struct Told<'a> {
    story: &'a OrderStory,
    language: Language,
}

impl Told<'_> {
    fn money(&self, digits: &str) -> String {
        let currency = self.story.order.currency.as_deref().unwrap_or_default();
        money(digits, currency, self.language)
    }

    fn reason(&self) -> String {
        self.story.order.refusal.as_deref().map_or_else(String::new, |it| reason(it, self.language))
    }

    /// What is known besides the exchanges.
    fn happenings(&self) -> Vec<Happening> {
        let story = self.story;
        let mut all = Vec::new();
        let mut add = |at: &str, rank, text: String| {
            all.push(Happening { at: at.to_owned(), rank, text });
        };
        for state in &story.states {
            if let Some((rank, text)) = self.state(&state.state) {
                add(&state.at, rank, text);
            }
        }
        for attempt in &story.attempts {
            let (number, upstream) = (attempt.attempt, &attempt.upstream);
            add(
                &attempt.started_at,
                3,
                match self.language {
                    Language::Id => format!("Pemasok {upstream} dipanggil, percobaan {number}."),
                    Language::En => format!("The supplier {upstream} is called, attempt {number}."),
                },
            );
        }
        for movement in &story.movements {
            let rank = if movement.transfer.kind == "hold" { 2 } else { 5 };
            add(&movement.transfer.at, rank, self.movement(movement));
        }
        for decision in &story.decisions {
            let state = decision.after.get("state").map_or("", String::as_str);
            let state = headline(state, self.language);
            let (actor, role) = (&decision.actor, &decision.role);
            add(
                &decision.at,
                3,
                match self.language {
                    Language::Id => format!("{actor} ({role}) memutuskan pesanan ini: {state}."),
                    Language::En => format!("{actor} ({role}) decided this order: {state}."),
                },
            );
        }
        for callback in &story.callbacks {
            let Some(at) = &callback.last_delivery_at else { continue };
            let (event, state) = (&callback.event, &callback.state);
            add(at, 6, format!("Callback {event}: {state} ({}×).", callback.deliveries));
        }
        all
    }

    fn state(&self, state: &str) -> Option<(u8, String)> {
        let order = &self.story.order;
        Some(match (state, self.language) {
            ("quoted", Language::Id) => (
                1,
                format!(
                    "Tagihan dicatat sebagai pesanan {}; belum ada uang bergerak.",
                    order.order
                ),
            ),
            ("quoted", Language::En) => {
                (1, format!("The bill is stored as order {}; no money has moved.", order.order))
            }
            ("declined", Language::Id) => {
                (1, format!("Pemasok menolak: {}. Tidak ada uang bergerak.", self.reason()))
            }
            ("declined", Language::En) => {
                (1, format!("The supplier declines: {}. No money has moved.", self.reason()))
            }
            ("succeeded", _) => {
                let proof = order.serial_number.as_deref().filter(|it| !it.is_empty());
                let proof = proof.map_or(String::new(), |it| match self.language {
                    Language::Id => format!(", bukti {it}"),
                    Language::En => format!(", proof {it}"),
                });
                let told = match self.story.decisions.is_empty() {
                    true => {
                        ("Pemasok menyatakan berhasil", "The supplier says that it is delivered")
                    }
                    false => ("Pesanan menjadi berhasil", "The order has succeeded"),
                };
                let told = self.language.choose(told.0, told.1);
                (4, format!("{told}{proof}."))
            }
            ("failed", Language::Id) => {
                (4, format!("Pemasok menyatakan gagal: {}.", self.reason()))
            }
            ("failed", Language::En) => {
                (4, format!("The supplier says that it failed: {}.", self.reason()))
            }
            _ => return None,
        })
    }

    fn movement(&self, movement: &MovementView) -> String {
        let transfer = &movement.transfer;
        let (amount, number) = (self.money(&transfer.amount), transfer.transfer);
        let (from, to) = (movement.from.as_str(), movement.to.as_str());
        let (indonesian, english) = match (transfer.kind.as_str(), from, to) {
            ("hold", ..) => ("ditahan dari saldo merchant", "is held on the merchant's balance"),
            ("post", ..) => ("yang ditahan diambil", "that was held is taken"),
            ("void", ..) => {
                ("yang ditahan dikembalikan utuh ke saldo", "that was held is given back in full")
            }
            (_, "clearing", "upstream") => ("menjadi hak pemasok", "goes to the supplier"),
            (_, "clearing", "margin") => ("menjadi margin kami", "is our margin"),
            (_, "margin", "clearing") => ("ditutup dari margin kami", "is paid from our margin"),
            (_, "clearing", "merchant") => {
                ("dikembalikan ke saldo merchant", "is given back to the merchant's balance")
            }
            (_, "upstream", "clearing") => {
                ("ditarik kembali dari pemasok", "comes back from the supplier")
            }
            (_, "receivable", _) => ("menjadi utang merchant", "is owed by the merchant"),
            _ => ("dipindahkan", "is moved"),
        };
        let what = self.language.choose(indonesian, english);
        let word = self.language.choose("mutasi", "transfer");
        format!("{amount} {what} ({word} {number}).")
    }

    fn open(&self) -> Vec<String> {
        let story = self.story;
        let mut open = Vec::new();
        match story.order.state.as_str() {
            "quoted" => open.push(
                self.language
                    .choose("Merchant belum membayar.", "The merchant has not paid.")
                    .to_owned(),
            ),
            "processing" => open.push(self.pending()),
            _ => {}
        }
        for hold in story.holds.iter().filter(|hold| hold.state == "open") {
            let amount = self.money(&hold.amount);
            open.push(match self.language {
                Language::Id => format!("{amount} masih ditahan dari saldo merchant."),
                Language::En => format!("{amount} is still held on the merchant's balance."),
            });
        }
        for callback in story.callbacks.iter().filter(|it| it.state != "delivered") {
            open.push(format!("Callback {}: {}.", callback.event, callback.state));
        }
        if open.is_empty() {
            open.push(self.language.choose("Tidak ada.", "Nothing.").to_owned());
        }
        open
    }

    /// Why the outcome is not known, how often was asked, and when the next time is.
    fn pending(&self) -> String {
        let attempt = self.story.attempts.last();
        let why = attempt.and_then(|it| it.reason.as_deref());
        let why = why.map_or_else(
            || {
                let calling = ("pemasok sedang dipanggil", "the supplier is being called");
                self.language.choose(calling.0, calling.1).to_owned()
            },
            |name| reason(name, self.language),
        );
        let times = attempt.map_or(0, |it| it.questions);
        let mut text = match self.language {
            Language::Id => format!("Hasil dari pemasok: {why} (dicoba {times} kali)."),
            Language::En => format!("The outcome at the supplier: {why} (tried {times} times)."),
        };
        if let Some(due) = &self.story.question_due {
            let due = clock(due, self.language);
            // Writing into a text cannot fail.
            let _ = match self.language {
                Language::Id => write!(text, " Lunas bertanya lagi {due} WIB."),
                Language::En => write!(text, " Lunas asks again at {due} WIB."),
            };
        }
        text
    }

    fn next(&self) -> Vec<String> {
        let order = &self.story.order;
        let (reference, number) = (&order.reference, order.order);
        let expires = self.story.quote.as_ref().map(|it| clock(&it.expires_at, self.language));
        let expires = expires.unwrap_or_default();
        let texts: Vec<(String, String)> = match order.state.as_str() {
            "succeeded" => vec![(
                "Tidak ada. Bila pelanggan bertanya, tunjukkan bukti di atas atau struknya.".into(),
                "Nothing. If the customer asks, show the proof above or the receipt.".into(),
            )],
            "failed" => vec![(
                "Tidak ada di pihak kami. Untuk mencoba lagi, merchant cek tagihan dengan referensi \
                 baru."
                    .into(),
                "Nothing on our side. To try again, the merchant inquires under a new reference."
                    .into(),
            )],
            "declined" => vec![(
                "Bereskan sebabnya (nomor, waktu, tagihan), lalu cek tagihan dengan referensi baru: \
                 yang ini sudah terpakai."
                    .into(),
                "Remove the cause (number, time, bill), then inquire under a new reference: this \
                 one is used up."
                    .into(),
            )],
            "quoted" => vec![(
                format!("Merchant membayar sebelum {expires} WIB, atau cek tagihan lagi sesudahnya."),
                format!("The merchant pays before {expires} WIB, or inquires again after that."),
            )],
            "processing" => vec![
                (
                    "Jangan anggap gagal dan jangan beli ulang: uangnya aman ditahan.".into(),
                    "Do not take it for failed and do not buy again: the money is safely held.".into(),
                ),
                (
                    format!(
                        "Tanyakan ke pemasok. Bila ia memberi kepastian: lunas order resolve {reference} \
                         success (atau failed) --order {number}"
                    ),
                    format!(
                        "Ask the supplier. When it gives certainty: lunas order resolve {reference} \
                         success (or failed) --order {number}"
                    ),
                ),
            ],
            _ => vec![("Tidak ada.".into(), "Nothing.".into())],
        };
        let chosen = |(indonesian, english): (String, String)| match self.language {
            Language::Id => indonesian,
            Language::En => english,
        };
        texts.into_iter().map(chosen).collect()
    }
}
