//! Misbehaviour that a test can order: an upstream that is slow, silent, wrong or contradicts
//! itself.
//!
//! A fault changes what the sandbox says and when, never what it does: the purchase is in its book
//! before the fault begins, and the book has the truth. Each fault applies to calls for one
//! destination, or for any, a given number of times; of several that fit, the first that was
//! ordered is used up first.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

/// How the sandbox misbehaves in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// The payment's answer comes only after this time.
    Slow(Duration),
    /// The payment is never answered.
    Silent,
    /// The answer to the payment claims another nominal than was paid.
    WrongAmount,
    /// The payment is answered, and the same is said by two notices.
    Twice,
    /// The payment is answered, and after this time a notice says the opposite. An answer that
    /// leaves the outcome open has no opposite.
    Contradict(Duration),
    /// The inquiry is never answered.
    SilentInquiry,
}

/// A piece of misbehaviour, and when it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The customer's number for which it applies; any when there is none.
    pub destination: Option<String>,
    /// To how many calls it applies. A fault that applies to none does nothing.
    pub times: u32,
    /// What happens.
    pub behaviour: Behaviour,
}

/// Why a text does not order a fault.
#[derive(Debug, Error)]
pub enum FaultError {
    /// It is not the JSON object of [`parse`].
    #[error("fault is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// This fault needs a time.
    #[error("this fault needs milliseconds")]
    MillisecondsMissing,
    /// This fault has no use for a time.
    #[error("this fault takes no milliseconds")]
    MillisecondsUseless,
    /// It applies to no call.
    #[error("times must be at least 1")]
    NeverApplies,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    fault: Word,
    destination: Option<String>,
    times: Option<u32>,
    milliseconds: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Slow,
    Silent,
    WrongAmount,
    Twice,
    Contradict,
    SilentInquiry,
}

/// When nothing is said, a contradiction comes after this time.
const CONTRADICT_AFTER: Duration = Duration::from_secs(1);

/// Reads the order for a fault: `{"fault": "slow", "milliseconds": 5000, "destination":
/// "530000000000", "times": 2}`. The fault is one of `slow`, `silent`, `wrong_amount`, `twice`,
/// `contradict` and `silent_inquiry`. Without a destination it applies to any, without times once.
/// Milliseconds are for `slow`, which needs them, and `contradict`, which else waits a second.
pub fn parse(bytes: &[u8]) -> Result<Fault, FaultError> {
    let wire: Wire = serde_json::from_slice(bytes)?;
    let given = wire.milliseconds.map(Duration::from_millis);
    let untimed = |behaviour| match given {
        None => Ok(behaviour),
        Some(_) => Err(FaultError::MillisecondsUseless),
    };
    let behaviour = match wire.fault {
        Word::Slow => Behaviour::Slow(given.ok_or(FaultError::MillisecondsMissing)?),
        Word::Contradict => Behaviour::Contradict(given.unwrap_or(CONTRADICT_AFTER)),
        Word::Silent => untimed(Behaviour::Silent)?,
        Word::WrongAmount => untimed(Behaviour::WrongAmount)?,
        Word::Twice => untimed(Behaviour::Twice)?,
        Word::SilentInquiry => untimed(Behaviour::SilentInquiry)?,
    };
    match wire.times.unwrap_or(1) {
        0 => Err(FaultError::NeverApplies),
        times => Ok(Fault { destination: wire.destination, times, behaviour }),
    }
}

/// Which call a fault is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Inquiry,
    Payment,
}

impl Behaviour {
    const fn call(self) -> Call {
        match self {
            Self::SilentInquiry => Call::Inquiry,
            Self::Slow(_)
            | Self::Silent
            | Self::WrongAmount
            | Self::Twice
            | Self::Contradict(_) => Call::Payment,
        }
    }
}

/// The faults that are ordered and not used up.
#[derive(Debug, Default)]
pub(super) struct Script(Mutex<Vec<Fault>>);

impl Script {
    pub(super) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Uses up one fault for this call, if there is one.
    pub(super) fn take(&self, call: Call, destination: &str) -> Option<Behaviour> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|fault| fault.times > 0);
        let fault = faults.iter_mut().find(|fault| {
            fault.behaviour.call() == call
                && fault.destination.as_deref().is_none_or(|wanted| wanted == destination)
        })?;
        fault.times = fault.times.saturating_sub(1);
        Some(fault.behaviour)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_are_read() {
        let fault = |destination: Option<&str>, times, behaviour| Fault {
            destination: destination.map(str::to_owned),
            times,
            behaviour,
        };
        let table = [
            (
                r#"{"fault":"slow","milliseconds":5000,"destination":"530000000000","times":2}"#,
                fault(Some("530000000000"), 2, Behaviour::Slow(Duration::from_secs(5))),
            ),
            (r#"{"fault":"silent"}"#, fault(None, 1, Behaviour::Silent)),
            (r#"{"fault":"wrong_amount","times":7}"#, fault(None, 7, Behaviour::WrongAmount)),
            (r#"{"fault":"twice","destination":null}"#, fault(None, 1, Behaviour::Twice)),
            (
                r#"{"fault":"contradict"}"#,
                fault(None, 1, Behaviour::Contradict(Duration::from_secs(1))),
            ),
            (
                r#"{"fault":"contradict","milliseconds":0}"#,
                fault(None, 1, Behaviour::Contradict(Duration::ZERO)),
            ),
            (r#"{"fault":"silent_inquiry"}"#, fault(None, 1, Behaviour::SilentInquiry)),
        ];
        for (json, expected) in table {
            assert_eq!(parse(json.as_bytes()).expect(json), expected);
        }
    }

    #[test]
    fn other_texts_order_nothing() {
        let table = [
            ("", "malformed"),
            ("{}", "malformed"),
            (r#"{"fault":"explode"}"#, "malformed"),
            (r#"{"fault":"silent","fault":"twice"}"#, "malformed"),
            (r#"{"fault":"silent","destinations":"1"}"#, "malformed"),
            (r#"{"fault":"silent","times":-1}"#, "malformed"),
            (r#"{"fault":"silent","times":0}"#, "times"),
            (r#"{"fault":"slow"}"#, "needs milliseconds"),
            (r#"{"fault":"twice","milliseconds":1}"#, "takes no milliseconds"),
        ];
        for (json, reason) in table {
            let error = parse(json.as_bytes()).expect_err(json).to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn faults_are_used_up_in_order() {
        let script = Script::default();
        let order = |destination: Option<&str>, times, behaviour| {
            script.add(Fault { destination: destination.map(str::to_owned), times, behaviour });
        };
        order(Some("1"), 2, Behaviour::Silent);
        order(None, 1, Behaviour::Twice);
        order(None, 1, Behaviour::SilentInquiry);
        order(None, 0, Behaviour::WrongAmount);
        assert_eq!(script.take(Call::Payment, "1"), Some(Behaviour::Silent));
        assert_eq!(script.take(Call::Payment, "2"), Some(Behaviour::Twice));
        assert_eq!(script.take(Call::Payment, "2"), None);
        assert_eq!(script.take(Call::Payment, "1"), Some(Behaviour::Silent));
        assert_eq!(script.take(Call::Payment, "1"), None);
        assert_eq!(script.take(Call::Inquiry, "1"), Some(Behaviour::SilentInquiry));
        assert_eq!(script.take(Call::Inquiry, "1"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
