//! Values of closed lists and small values, as bytes.
//!
//! A number once given to a value is never given to another one. Long lists, to which reasons are
//! added now and then, are written by the stable names that the domain gives them.

use domain::administration::{Action, Role};
use domain::callback::Event;
use domain::evidence::Doubtful;
use domain::posting::Direction;
use domain::{
    Amount, Currency, Doubt, Flow, Hash, Kind, MerchantId, MerchantStatus, Mode, ProductStatus,
    Refusal, Repetition, Timestamp,
};

use super::bytes::{Reader, Writer};
use crate::sqlite::fields::Problem;

/// Numbers the values of closed lists. A value without a number does not compile.
macro_rules! numbered {
    ($($write:ident, $read:ident: $list:ident { $($value:ident = $number:literal),+ $(,)? })+) => {
        $(
            pub(super) fn $write(writer: &mut Writer<'_>, value: $list) {
                writer.byte(match value { $($list::$value => $number),+ });
            }

            pub(super) fn $read(reader: &mut Reader<'_>) -> Result<$list, Problem> {
                match reader.byte()? {
                    $($number => Ok($list::$value),)+
                    other => Err(format!(concat!("{} is not a ", stringify!($list)), other)),
                }
            }
        )+
    };
}

numbered! {
    write_currency, read_currency: Currency {
        Idr = 1, Vnd = 2, Krw = 3, Jpy = 4, Mmk = 5, Thb = 6, Inr = 7, Bdt = 8, Myr = 9, Php = 10,
        Cny = 11, Brl = 12, Try = 13, Npr = 14, Pkr = 15, Usd = 16,
    }
    write_mode, read_mode: Mode { Live = 1, Test = 2 }
    write_kind, read_kind: Kind { Purchase = 1, Collection = 2, Payout = 3 }
    write_doubt, read_doubt: Doubt {
        InProcess = 1, UndefinedError = 2, UndefinedResponse = 3, Silent = 4, Contradictory = 5,
        Abandoned = 6,
    }
    write_direction, read_direction: Direction { Credit = 1, Debit = 2 }
    write_merchant_status, read_merchant_status: MerchantStatus { Active = 1, Suspended = 2 }
    write_product_status, read_product_status: ProductStatus { Active = 1, Inactive = 2 }
    write_role, read_role: Role { Viewer = 1, Operator = 2, Administrator = 3 }
    write_repetition, read_repetition: Repetition {
        Free = 1, OncePerProduct = 2, OncePerNumber = 3,
    }
    write_flow, read_flow: Flow { In = 1, Out = 2 }
    write_event, read_event: Event { Succeeded = 1, Failed = 2, SerialNumber = 3, InReview = 4 }
    write_doubtful, read_doubtful: Doubtful {
        NoOrder = 1, SeveralOrders = 2, TooLate = 3, TooLittle = 4, TooMuch = 5, PaidBefore = 6,
    }
}

pub(super) fn write_refusal(writer: &mut Writer<'_>, refusal: Refusal) {
    writer.text(refusal.name());
}

pub(super) fn read_refusal(reader: &mut Reader<'_>) -> Result<Refusal, Problem> {
    Refusal::from_name(reader.text()?).ok_or_else(|| "a refusal is unknown".to_owned())
}

pub(super) fn write_action(writer: &mut Writer<'_>, action: Action) {
    writer.text(action.name());
}

pub(super) fn read_action(reader: &mut Reader<'_>) -> Result<Action, Problem> {
    Action::from_name(reader.text()?).ok_or_else(|| "an action is unknown".to_owned())
}

pub(super) fn write_amount(writer: &mut Writer<'_>, amount: Amount) {
    write_currency(writer, amount.currency());
    writer.signed(amount.minor());
}

pub(super) fn read_amount(reader: &mut Reader<'_>) -> Result<Amount, Problem> {
    let currency = read_currency(reader)?;
    Amount::new(reader.signed()?, currency).map_err(|error| error.to_string())
}

pub(super) fn write_timestamp(writer: &mut Writer<'_>, timestamp: Timestamp) {
    writer.signed(timestamp.milliseconds());
}

pub(super) fn read_timestamp(reader: &mut Reader<'_>) -> Result<Timestamp, Problem> {
    reader.signed().map(Timestamp::from_milliseconds)
}

pub(super) fn write_hash(writer: &mut Writer<'_>, hash: Hash) {
    writer.bytes(&hash.0);
}

pub(super) fn read_hash(reader: &mut Reader<'_>) -> Result<Hash, Problem> {
    reader.bytes().map(Hash)
}

/// What is written as 1 or 0.
pub(super) fn read_flag(reader: &mut Reader<'_>) -> Result<bool, Problem> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(format!("{other} is neither yes nor no")),
    }
}

pub(super) fn read_merchant_id(reader: &mut Reader<'_>) -> Result<MerchantId, Problem> {
    reader.number().map(MerchantId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_come_back() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        Refusal::ALL.iter().for_each(|refusal| write_refusal(&mut writer, *refusal));
        Action::ALL.into_iter().for_each(|action| write_action(&mut writer, action));
        Currency::ALL.into_iter().for_each(|currency| write_currency(&mut writer, currency));
        let mut reader = Reader::new(&bytes);
        for refusal in Refusal::ALL {
            assert_eq!(read_refusal(&mut reader), Ok(*refusal));
        }
        for action in Action::ALL {
            assert_eq!(read_action(&mut reader), Ok(action));
        }
        for currency in Currency::ALL {
            assert_eq!(read_currency(&mut reader), Ok(currency));
        }
        assert!(reader.is_at_end());
    }

    #[test]
    fn what_is_unknown_is_not_quoted() {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).text("canary");
        let problems = [
            read_refusal(&mut Reader::new(&bytes)).expect_err("unknown"),
            read_action(&mut Reader::new(&bytes)).expect_err("unknown"),
        ];
        for problem in problems {
            assert!(!problem.contains("canary"), "{problem}");
        }
        assert!(read_currency(&mut Reader::new(&[0])).is_err());
    }
}
