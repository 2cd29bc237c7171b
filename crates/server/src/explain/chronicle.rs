//! What the books know of one order, sentence by sentence: what happened, what is open, what to do.

use std::fmt::Write as _;

use crate::administration::{MovementView, OrderStory};

use super::figures::{clock, money};
use super::language::Language;
use super::phrases::headline;
use super::reasons::reason;

/// Something that happened.
pub(super) struct Happening {
    pub(super) at: String,
    /// Among things of one instant, causes before effects.
    pub(super) rank: u8,
    pub(super) text: String,
}

/// One order in one language.
pub(super) struct Chronicle<'a> {
    pub(super) story: &'a OrderStory,
    pub(super) language: Language,
}

impl Chronicle<'_> {
    fn money(&self, digits: &str) -> String {
        let currency = self.story.order.currency.as_deref().unwrap_or_default();
        money(digits, currency, self.language)
    }

    fn reason(&self) -> String {
        self.story.order.refusal.as_deref().map_or_else(String::new, |it| reason(it, self.language))
    }

    /// What is known besides the exchanges.
    pub(super) fn happenings(&self) -> Vec<Happening> {
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
            ("failed", _) => {
                let told = match self.story.decisions.is_empty() {
                    true => ("Pemasok menyatakan gagal", "The supplier says that it failed"),
                    false => ("Pesanan menjadi gagal", "The order has failed"),
                };
                let told = self.language.choose(told.0, told.1);
                (4, format!("{told}: {}.", self.reason()))
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

    /// What is not settled yet.
    pub(super) fn open(&self) -> Vec<String> {
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

    /// What somebody should do now.
    pub(super) fn next(&self) -> Vec<String> {
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
