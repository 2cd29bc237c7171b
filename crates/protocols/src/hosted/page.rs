//! The pages as HTML: a function of an order and of who looks at it.
//!
//! Every text that is not ours passes [`escaped`]. Styles stand inside the page, so that it is there with
//! one answer, and are allowed by their digest; the script comes from [`SCRIPT_PATH`].

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Amount, Collecting, Detail, Order, OrderState, Product};
use gateway::collect::told;
use sha2::{Digest, Sha256};

use super::html::escaped;
use super::language::{Language, Words};
use super::money::readable;
use super::shown;

/// Where the script is.
pub(super) const SCRIPT_PATH: &str = "/pay/assets/page.js";
/// The script.
pub(super) const SCRIPT: &str = include_str!("assets/page.js");
const STYLE: &str = include_str!("assets/page.css");
/// Seconds between two looks of a browser without scripts; long enough to type a number.
const REFRESH: u32 = 30;
/// Seconds for which a result is shown before the browser goes on.
const LEAVE: u32 = 3;
/// A longer time is not worth being counted.
const COUNTED_MAX: Duration = Duration::from_secs(24 * 3600);

/// What a page may do and load: nothing but its own style and our script, and only here.
pub(crate) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; script-src 'self'; connect-src 'self'; \
         img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Makes browsers fetch the script anew when it has changed.
static SCRIPT_ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let digest = hex::encode(Sha256::digest(SCRIPT));
    format!("{SCRIPT_PATH}?v={}", digest.get(..12).unwrap_or_default())
});

/// How far a payment is, as a payer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Awaiting,
    Review,
    Paid,
    Unpaid,
    Expired,
}

impl Stage {
    pub(super) const fn of(order: &Order, collecting: &Collecting) -> Self {
        match order.state {
            OrderState::Succeeded => Self::Paid,
            OrderState::Awaiting if collecting.in_review => Self::Review,
            OrderState::Awaiting => Self::Awaiting,
            OrderState::Expired => Self::Expired,
            OrderState::Declined(_)
            | OrderState::Quoted
            | OrderState::Processing
            | OrderState::Failed(_) => Self::Unpaid,
        }
    }

    /// The word that the script is answered with, and that styles go by.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Review => "review",
            Self::Paid => "paid",
            Self::Unpaid | Self::Expired => "unpaid",
        }
    }

    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Unpaid | Self::Expired)
    }

    const fn words(self, words: &'static Words) -> &'static str {
        match self {
            Self::Awaiting => words.waiting,
            Self::Review => words.review,
            Self::Paid => words.paid,
            Self::Unpaid => words.unpaid,
            Self::Expired => words.expired,
        }
    }
}

/// What came of the button that was pressed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    NotFoundYet,
    SenderWrong,
    TooOften,
}

impl Notice {
    const ALL: [Self; 3] = [Self::NotFoundYet, Self::SenderWrong, Self::TooOften];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NotFoundYet => "not-yet",
            Self::SenderWrong => "sender",
            Self::TooOften => "often",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    const fn words(self, words: &'static Words) -> &'static str {
        match self {
            Self::NotFoundYet => words.not_found_yet,
            Self::SenderWrong => words.sender_wrong,
            Self::TooOften => words.too_often,
        }
    }
}

/// A page of an order.
pub(super) struct Page<'a> {
    /// The language.
    pub(super) language: Language,
    /// The address of the page without a query.
    pub(super) path: &'a str,
    /// The same, in the language that was asked for.
    pub(super) own: &'a str,
    /// Where the browser looks again: the same, with the result shown before anything follows.
    pub(super) again: &'a str,
    /// Who is paid.
    pub(super) merchant: &'a str,
    /// The order.
    pub(super) order: &'a Order,
    /// What is collected for it.
    pub(super) collecting: &'a Collecting,
    /// The way for the money, if it still exists.
    pub(super) product: Option<&'a Product>,
    /// Whether the payer says from which number credit was sent.
    pub(super) by_credit: bool,
    /// How long the payer has; none is for ever.
    pub(super) left: Option<Duration>,
    /// What came of the last button.
    pub(super) notice: Option<Notice>,
    /// Where the payer goes in the end, and whether without being asked.
    pub(super) leads_to: Option<(&'a str, bool)>,
    /// Whether the buttons of the sandbox are there.
    pub(super) sandbox: bool,
}

impl Page<'_> {
    pub(super) fn write(&self) -> String {
        let words = self.language.words();
        let stage = Stage::of(self.order, self.collecting);
        let body = match stage {
            Stage::Awaiting => self.guidance(words),
            Stage::Review => self.patience(words),
            Stage::Paid | Stage::Unpaid | Stage::Expired => self.result(stage, words),
        };
        let notice = self.notice.filter(|_| !stage.is_final()).map_or_else(String::new, |notice| {
            format!("<p class=\"notice\" role=\"alert\">{}</p>", notice.words(words))
        });
        let attributes = if stage.is_final() {
            String::new()
        } else {
            format!(
                " data-state=\"{}\" data-ask=\"{}/state\" data-self=\"{}\"",
                stage.name(),
                escaped(self.path),
                escaped(self.again)
            )
        };
        let pays = if stage == Stage::Awaiting { words.pay_to } else { words.payment_to };
        let merchant = format!("{pays} <bdi>{}</bdi>", escaped(self.merchant));
        let state = stage.words(words);
        let updates = if stage.is_final() {
            String::new()
        } else {
            format!("<br><span class=\"quiet\">{}</span>", words.updates)
        };
        let main = format!(
            "<main id=\"page\" class=\"{}\"{attributes}>\n<h1>{merchant}</h1>\n\
             <p class=\"state\" role=\"status\">{state}{updates}</p>\n{notice}{body}{}</main>",
            stage.name(),
            self.footer()
        );
        document(self.language, words.title, &self.head(stage), &main)
    }

    /// What makes a browser look again, or go on.
    fn head(&self, stage: Stage) -> String {
        match self.leads_to {
            _ if !stage.is_final() => format!(
                "<noscript><meta http-equiv=\"refresh\" content=\"{REFRESH};url={}\"></noscript>\n\
                 <script src=\"{}\" defer></script>\n",
                escaped(self.again),
                escaped(&SCRIPT_ADDRESS)
            ),
            Some((address, true)) => format!(
                "<meta http-equiv=\"refresh\" content=\"{LEAVE};url={}\">\n",
                escaped(address)
            ),
            _ => String::new(),
        }
    }

    fn result(&self, stage: Stage, words: &Words) -> String {
        let warning = match stage {
            Stage::Unpaid | Stage::Expired => format!("<p>{}</p>\n", words.no_more),
            Stage::Paid | Stage::Awaiting | Stage::Review => String::new(),
        };
        let onward = match self.leads_to {
            Some((address, _)) => format!(
                "<a class=\"button\" href=\"{}\" rel=\"noreferrer\">{}</a>\n",
                escaped(address),
                words.back
            ),
            None => format!("<p>{}</p>\n", words.close),
        };
        format!("{}{warning}{onward}", self.summary(words))
    }

    /// What is shown while a person looks: nothing that would lead anybody to pay twice.
    fn patience(&self, words: &Words) -> String {
        format!("{}{}", self.summary(words), self.sandbox_form(words))
    }

    fn summary(&self, words: &Words) -> String {
        list(&[(words.sum, large(self.collecting.due)), self.order_entry(words)])
    }

    fn order_entry(&self, words: &Words) -> (&'static str, String) {
        let reference = escaped(self.order.key.reference.as_str());
        (words.order, format!("<dd><bdi>{reference}</bdi></dd>"))
    }

    fn guidance(&self, words: &'static Words) -> String {
        let amount = if self.by_credit { words.credit_amount } else { words.amount };
        let mut entries = vec![(amount, large(self.collecting.due))];
        entries.extend(self.destination(words));
        entries.push(self.order_entry(words));
        let told_where = entries.len() > 2;
        let elsewhere = if told_where { words.exactly } else { words.no_account };
        let left = self.left.filter(|left| *left <= COUNTED_MAX).map_or_else(String::new, |left| {
            let seconds = left.as_secs();
            format!(
                "<p>{} <strong id=\"left\" data-seconds=\"{seconds}\">{}</strong></p>\n",
                words.time_left,
                clock(seconds)
            )
        });
        let form = if self.by_credit { self.sender_form(words) } else { String::new() };
        format!("{}<p>{elsewhere}</p>\n{left}{form}{}", list(&entries), self.sandbox_form(words))
    }

    /// Where the money goes.
    fn destination(&self, words: &'static Words) -> Vec<(&'static str, String)> {
        let particular = |name| match self.collecting.particulars.get(name) {
            Some(Detail::Text(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        };
        let plain = |text: &str| format!("<dd><bdi>{}</bdi></dd>", escaped(text));
        let emphasised =
            |text: &str| format!("<dd class=\"large\"><bdi>{}</bdi></dd>", escaped(text));
        let product = self.product.filter(|_| self.by_credit);
        // Other channels have a setting for several currencies there, which is the operator's business.
        let account = product.and_then(|product| product.channel.as_ref());
        let account = account.map(|channel| channel.account.as_str()).filter(|it| !it.is_empty());
        let account = particular(shown::ACCOUNT).or(account).map(emphasised);
        let operator = product.map(|product| product.name.as_str());
        let bank = particular(shown::BANK).map(plain);
        let number = if self.by_credit { words.number } else { words.account };
        let entries = [
            (words.operator, operator.map(plain)),
            (words.bank, bank),
            (number, account),
            (words.holder, particular(shown::HOLDER).map(plain)),
            (words.note, particular(shown::NOTE).map(emphasised)),
        ];
        entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn sender_form(&self, words: &Words) -> String {
        let known = match self.collecting.particulars.get(told::SENDER) {
            Some(Detail::Text(sender)) => escaped(sender),
            _ => String::new(),
        };
        format!(
            "<form method=\"post\" action=\"{}\">\n<label for=\"sender\">{}</label>\n\
             <span class=\"quiet\">{}</span>\n\
             <input id=\"sender\" name=\"sender\" type=\"tel\" inputmode=\"tel\" \
             autocomplete=\"tel\" maxlength=\"21\" placeholder=\"0812…\" value=\"{known}\" required>\n\
             <button name=\"action\" value=\"check\">{}</button>\n</form>\n",
            escaped(self.own),
            words.sender,
            words.sender_hint,
            words.check
        )
    }

    fn sandbox_form(&self, words: &Words) -> String {
        if !self.sandbox {
            return String::new();
        }
        format!(
            "<form class=\"sandbox\" method=\"post\" action=\"{}\">\n<p>{}</p>\n\
             <button name=\"action\" value=\"pay\">{}</button>\n\
             <button class=\"lesser\" name=\"action\" value=\"fail\">{}</button>\n</form>\n",
            escaped(self.own),
            words.sandbox,
            words.press_pay,
            words.press_fail
        )
    }

    fn footer(&self) -> String {
        let others = Language::ALL.into_iter().filter(|language| *language != self.language);
        let links: String = others.map(|language| language_link(self.path, language)).collect();
        format!("<footer>{links}</footer>\n")
    }
}

fn language_link(path: &str, language: Language) -> String {
    let (path, tag, name) = (escaped(path), language.tag(), language.name());
    format!("<a href=\"{path}?lang={tag}\" hreflang=\"{tag}\" lang=\"{tag}\">{name}</a>")
}

fn large(amount: Amount) -> String {
    format!("<dd class=\"large\">{}</dd>", escaped(&readable(amount)))
}

/// Entries whose values are HTML.
fn list(entries: &[(&'static str, String)]) -> String {
    let entries: String =
        entries.iter().map(|(name, value)| format!("<dt>{name}</dt>{value}\n")).collect();
    format!("<dl>\n{entries}</dl>\n")
}

/// Hours where there are some, minutes and seconds, as the script counts them.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The page for an address that leads nowhere. It tells nothing, not even what was asked for.
pub(super) fn unknown(language: Language) -> String {
    let words = language.words();
    message(language, words.unknown_title, words.unknown)
}

/// The page for a payment that was refused before it had one: why, in the words and with the number of its
/// protocol, and in all languages because the words are in English whoever reads them.
pub(crate) fn refused(why: &str, number: u16) -> String {
    let advice: String = Language::ALL
        .into_iter()
        .map(|it| format!("<p lang=\"{}\">{}</p>\n", it.tag(), it.words().refused))
        .collect();
    let language = Language::English;
    let title = language.words().refused_title;
    let main = format!(
        "<main id=\"page\" class=\"unpaid\">\n<h1>{title}</h1>\n\
         <p class=\"state\">{}<br><span class=\"quiet\">error code {number}</span></p>\n{advice}</main>",
        escaped(why)
    );
    document(language, title, "", &main)
}

/// The page for a fault of ours.
pub(super) fn fault(language: Language) -> String {
    let words = language.words();
    message(language, words.fault_title, words.fault)
}

fn message(language: Language, title: &str, text: &str) -> String {
    let main = format!("<main id=\"page\">\n<h1>{title}</h1>\n<p>{text}</p>\n</main>");
    document(language, title, "", &main)
}

fn document(language: Language, title: &str, head: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n{head}</head>\n\
         <body>\n{main}\n</body>\n</html>\n",
        language.tag()
    )
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
