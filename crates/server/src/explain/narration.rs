//! Puts stories into prose: what happened and when, the money, what is open, what to do next, and
//! the masked bodies at the end for whoever wants to see for himself.
//!
//! A pure function of the answer of the admin API and the language, so that every sentence is tested
//! against a file.

use crate::administration::{ExchangeView, OrderStory, Stories};

use super::chronicle::{Chronicle, Happening};
use super::figures::{clock, is_zero, money, parsed};
use super::language::Language;
use super::phrases::{exchange, headline, printable};

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
        let happenings = Chronicle { story, language: self.language }.happenings();
        self.timeline(&story.exchanges, Some(story.order.merchant), happenings);
        self.gaps(story, stories);
        self.money(story);
        self.section("Masih terbuka", "Still open");
        let open = Chronicle { story, language: self.language }.open();
        open.iter().for_each(|text| self.item(text));
        self.section("Langkah berikutnya", "What to do next");
        let next = Chronicle { story, language: self.language }.next();
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
        let wrong = stories.others.last().filter(|it| it.signature == "invalid");
        if let Some(wrong) = wrong {
            let step = self.how_to_dissect(&wrong.protocol);
            self.item(&step);
            return;
        }
        let steps: &[(&str, &str)] = match count {
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

    /// What to do about a wrong signature in this protocol.
    fn how_to_dissect(&self, protocol: &str) -> String {
        let (indonesian, english) = match protocol {
            protocols::isikuota::NAME => (
                "isikuota --api-id API_ID --api-key KUNCI --secret-key RAHASIA BERKAS",
                "isikuota --api-id API_ID --api-key KEY --secret-key SECRET FILE",
            ),
            protocols::ilenpay::NAME => (
                "ilenpay --api-key KUNCI --api-user USER BERKAS",
                "ilenpay --api-key KEY --api-user USER FILE",
            ),
            protocols::s88pay::NAME => (
                "s88pay --merchant-code KODE --api-key KUNCI --secret-key RAHASIA BERKAS",
                "s88pay --merchant-code CODE --api-key KEY --secret-key SECRET FILE",
            ),
            _ => (
                "iak --username USERNAME --api-key KUNCI BERKAS",
                "iak --username USERNAME --api-key KEY FILE",
            ),
        };
        let told = self.say(
            "Permintaan terakhir bertanda tangan salah. Simpan badan permintaan merchant di sebuah \
             berkas, lalu: lunas verify-sign",
            "The last request was wrongly signed. Save the body of the merchant's request in a \
             file, then: lunas verify-sign",
        );
        format!("{told} {}", self.say(indonesian, english))
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
