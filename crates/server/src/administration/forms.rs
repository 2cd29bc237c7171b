//! The forms of texts that the admin API takes: narrow enough that nothing which looks like one
//! name is another, and that nothing breaks a line of a log.

use protocols::{iak, ilenpay, isikuota, s88pay};

use super::shape::{text, words};

/// Latin letters and punctuation; never a control character or one that turns the writing around.
const fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~' | 'À'..='ɏ')
}

/// Whether a text is of this length, begins with one kind of character and goes on with another.
fn is_made_of(
    text: &str,
    longest: usize,
    first: impl Fn(char) -> bool,
    rest: impl Fn(char) -> bool,
) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(first)
        && characters.clone().count() < longest
        && characters.all(rest)
}

fn is_plain(text: &str, others: &str) -> bool {
    let alphanumeric = |it: char| it.is_ascii_alphanumeric();
    is_made_of(text, 64, alphanumeric, |it| alphanumeric(it) || others.contains(it))
}

text! {
    /// A name that people read, of one to a hundred printable Latin characters.
    DisplayName("^[!-~À-ɏ][ -~À-ɏ]{0,99}$", |text| {
        is_made_of(text, 100, |it| it != ' ' && is_printable(it), is_printable)
    })
}
text! {
    /// A sentence of one to two hundred printable Latin characters.
    Sentence("^[!-~À-ɏ][ -~À-ɏ]{0,199}$", |text| {
        is_made_of(text, 200, |it| it != ' ' && is_printable(it), is_printable)
    })
}
text! {
    /// A short name for a level or a group.
    Label("^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$", |text| is_plain(text, " ._-"))
}
text! {
    /// Our own name for a product.
    ProductName("^[a-z0-9][a-z0-9.-]{0,63}$", |text| {
        let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
        is_made_of(text, 64, plain, |it| plain(it) || it == '.' || it == '-')
    })
}
text! {
    /// Who saw money: a feed or an upstream.
    EvidenceSource("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", |text| is_plain(text, "._-"))
}
text! {
    /// A product's code in a protocol.
    ProductCode("^[!-~]{1,64}$", |text| {
        is_made_of(text, 64, |it| it.is_ascii_graphic(), |it| it.is_ascii_graphic())
    })
}
text! {
    /// The operator's own name for a payment, used once per merchant.
    FundingReference("^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$", |text| is_plain(text, "._:/-"))
}
text! {
    /// A merchant's name for an order.
    OrderReference("^[!-~]{1,128}$", |text| {
        is_made_of(text, 128, |it| it.is_ascii_graphic(), |it| it.is_ascii_graphic())
    })
}
text! {
    /// The public part of a credential: a user name, an API id, a merchant code.
    Identifier("^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$", |text| is_plain(text, "._@+-"))
}
text! {
    /// A key to take over. Shorter ones can be guessed and are refused.
    SecretText("^[!-~]{16,128}$", |text| {
        text.len() >= domain::administration::SECRET_LENGTH_MIN
            && is_made_of(text, 128, |it| it.is_ascii_graphic(), |it| it.is_ascii_graphic())
    })
}
text! {
    /// An address for callbacks. What it may lead to is looked at when it is set and at each try.
    CallbackUrl("^[Hh][Tt][Tt][Pp][Ss]?://[!-~]{1,1000}$", |text| {
        let rest = text.split_once("://");
        rest.is_some_and(|(scheme, rest)| {
            ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it))
                && is_made_of(rest, 1000, |it| it.is_ascii_graphic(), |it| it.is_ascii_graphic())
        })
    })
}
text! {
    /// A secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64.
    CallbackSecret("^whsec_[A-Za-z0-9+/]{32,88}={0,2}$", gateway::courier::is_secret)
}
text! {
    /// An amount in the merchant's currency, in decimal digits; rupiah have no decimals.
    DecimalAmount(r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,2})?$", |text| {
        let (whole, decimals) = text.split_once('.').map_or((text, None), |(whole, it)| {
            (whole, Some(it))
        });
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (1..=15).contains(&whole.len())
            && digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && decimals.is_none_or(|it| (1..=2).contains(&it.len()) && digits(it))
    })
}
text! {
    /// A network as an address with or without a prefix length, of either family.
    NetworkText("^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$", |text| {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, it)| {
            (address, Some(it))
        });
        (2..=45).contains(&address.len())
            && address.chars().all(|it| it.is_ascii_hexdigit() || it == ':' || it == '.')
            && prefix.is_none_or(|it| {
                (1..=3).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_digit())
            })
    })
}
text! {
    /// An instant by RFC 3339, in UTC.
    InstantText(
        r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?Z$",
        |text| text.starts_with("20") && text.ends_with('Z') && text.len() <= 24
            && text.parse::<jiff::Timestamp>().is_ok()
    )
}
text! {
    /// A minute of the day in Asia/Jakarta, such as 23:00.
    MinuteText("^([01][0-9]|2[0-3]):[0-5][0-9]$", |text| minute_of_day(text).is_some())
}

/// Minutes since midnight.
pub(crate) fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then(|| hours * 60 + minutes)
}

words! {
    /// A protocol in which merchants call.
    Protocol {
        /// IAK, formerly mobilepulsa.
        Iak = "iak",
        /// isikuota.
        Isikuota = "isikuota",
        /// ilenpay.
        Ilenpay = "ilenpay",
        /// S88pay.
        S88pay = "s88pay",
    }
}

impl Protocol {
    /// Its name in credentials and aliases, and the secrets that a credential in it has, in the
    /// order of the alphabet.
    pub(crate) const fn parts(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Iak => (iak::NAME, &[iak::sign::API_KEY]),
            Self::Isikuota => {
                (isikuota::NAME, &[isikuota::sign::API_KEY, isikuota::sign::SECRET_KEY])
            }
            Self::Ilenpay => (ilenpay::NAME, &ILENPAY_SECRETS),
            Self::S88pay => (s88pay::NAME, &[s88pay::sign::API_KEY, s88pay::sign::SECRET_KEY]),
        }
    }
}

/// What ilenpay's reference gives a merchant (section 2).
const ILENPAY_SECRETS: [&str; 4] = [
    ilenpay::sign::API_KEY,
    ilenpay::sign::API_USER,
    ilenpay::sign::WEBHOOK_ID,
    ilenpay::sign::WEBHOOK_SECRET,
];

words! {
    /// A currency by its ISO 4217 code.
    CurrencyCode {
        /// Rupiah.
        Idr = "IDR", /// Dong.
        Vnd = "VND", /// Won.
        Krw = "KRW", /// Yen.
        Jpy = "JPY", /// Kyat.
        Mmk = "MMK", /// Baht.
        Thb = "THB", /// Indian rupee.
        Inr = "INR", /// Taka.
        Bdt = "BDT", /// Ringgit.
        Myr = "MYR", /// Philippine peso.
        Php = "PHP", /// Renminbi.
        Cny = "CNY", /// Real.
        Brl = "BRL", /// Lira.
        Try = "TRY", /// Nepalese rupee.
        Npr = "NPR", /// Pakistani rupee.
        Pkr = "PKR", /// United States dollar.
        Usd = "USD",
    }
}

impl CurrencyCode {
    /// The currency itself.
    pub(crate) const fn currency(self) -> domain::Currency {
        use domain::Currency;
        match self {
            Self::Idr => Currency::Idr,
            Self::Vnd => Currency::Vnd,
            Self::Krw => Currency::Krw,
            Self::Jpy => Currency::Jpy,
            Self::Mmk => Currency::Mmk,
            Self::Thb => Currency::Thb,
            Self::Inr => Currency::Inr,
            Self::Bdt => Currency::Bdt,
            Self::Myr => Currency::Myr,
            Self::Php => Currency::Php,
            Self::Cny => Currency::Cny,
            Self::Brl => Currency::Brl,
            Self::Try => Currency::Try,
            Self::Npr => Currency::Npr,
            Self::Pkr => Currency::Pkr,
            Self::Usd => Currency::Usd,
        }
    }
}

words! {
    /// Which way a balance is corrected.
    FundingDirection {
        /// The merchant receives.
        Credit = "credit",
        /// The merchant gives.
        Debit = "debit",
    }
}
words! {
    /// Which way money goes through a channel.
    FlowWord {
        /// From payers to merchants.
        In = "in",
        /// From merchants to bank accounts and wallets.
        Out = "out",
    }
}
words! {
    /// What became of an order, in a person's word.
    VerdictWord {
        /// It was delivered.
        Success = "success",
        /// It was not, and will not be.
        Failed = "failed",
    }
}
words! {
    /// How often a merchant may top up one number between two midnights in Asia/Jakarta.
    RepetitionRule {
        /// As often as it likes.
        Free = "free",
        /// Each product once.
        OncePerProduct = "once-per-product",
        /// Once, with whatever product.
        OncePerNumber = "once-per-number",
    }
}
words! {
    /// Whether a product is on sale.
    ProductState {
        /// On sale.
        Active = "active",
        /// Switched off.
        Inactive = "inactive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts<T: TryFrom<String>>(text: &str) -> bool {
        T::try_from(text.to_owned()).is_ok()
    }

    #[test]
    fn texts_that_pass_for_others_are_refused() {
        for text in ["", " a", "a\nb", "a\u{202e}b", "a\u{200b}", "\u{430}", &"a".repeat(101)] {
            assert!(!accepts::<DisplayName>(text), "{text:?}");
        }
        for text in ["Toko Contoh", "Warung É", "a", &"a".repeat(100)] {
            assert!(accepts::<DisplayName>(text), "{text:?}");
        }
        for text in ["", "a b", " a", "é", ".a", &"a".repeat(65)] {
            assert!(!accepts::<Identifier>(text), "{text:?}");
        }
        for text in ["", "PLN", "a_b", "-a"] {
            assert!(!accepts::<ProductName>(text), "{text:?}");
        }
        for text in ["short", "fifteen-chars--", "with blanks inside it", &"a".repeat(129)] {
            assert!(!accepts::<SecretText>(text), "{text:?}");
        }
        assert!(accepts::<SecretText>("0123456789abcdef"));
    }

    #[test]
    fn only_the_documented_spellings_of_amounts_are_taken() {
        for text in ["0", "1", "150000", "0.82", "125.5", "999999999999999"] {
            assert!(accepts::<DecimalAmount>(text), "{text}");
        }
        let wrong = [
            "",
            "-1",
            "+1",
            "1e3",
            "01",
            "1.",
            ".5",
            "1.234",
            "1,5",
            " 1",
            "1 ",
            "0x10",
            "١٠٠",
            "1000000000000000",
            "NaN",
        ];
        for text in wrong {
            assert!(!accepts::<DecimalAmount>(text), "{text}");
        }
    }

    #[test]
    fn minutes_and_instants() {
        let table = [("00:00", Some(0)), ("23:59", Some(1439)), ("24:00", None), ("1:00", None)];
        for (text, minute) in table {
            assert_eq!(minute_of_day(text), minute, "{text}");
        }
        for text in ["2026-02-30T00:00:00Z", "2026-01-01T00:00:00+07:00", "2026-01-01", "20"] {
            assert!(!accepts::<InstantText>(text), "{text}");
        }
        assert!(accepts::<InstantText>("2026-01-31T23:59:59.123Z"));
    }

    #[test]
    fn every_currency_has_its_code() {
        for currency in domain::Currency::ALL {
            let code: CurrencyCode =
                serde_json::from_value(currency.code().into()).expect("a known code");
            assert_eq!(code.currency(), currency);
        }
    }
}
