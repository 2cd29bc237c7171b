//! The answers to tests of addresses, kept for repeats under the same name.
//!
//! A test changes nothing in the books, so its answer is kept in memory, and only the latest are.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::administration::RequestKey;
use serde_json::Value;

use super::codes::{Code, Denial};
use gateway::By;

/// How many answers are kept.
const KEPT: usize = 256;

/// A name, what was asked under it, and what was answered.
struct Made {
    key: RequestKey,
    fingerprint: [u8; 32],
    answer: Value,
}

/// The latest answers.
#[derive(Default)]
pub(super) struct TestsMade(Mutex<VecDeque<Made>>);

impl TestsMade {
    /// What was answered to the request of this name before. Denies another request of that name.
    pub(super) fn before(&self, by: &By) -> Result<Option<Value>, Denial> {
        let Some((key, fingerprint)) = named(by) else { return Ok(None) };
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter().find(|made| made.key == key) {
            Some(made) if made.fingerprint == fingerprint => Ok(Some(made.answer.clone())),
            Some(_) => Err(Code::RequestKeyReused.into()),
            None => Ok(None),
        }
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, by: &By, answer: &Value) {
        let Some((key, fingerprint)) = named(by) else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front(Made { key, fingerprint, answer: answer.clone() });
        all.truncate(KEPT);
    }
}

fn named(by: &By) -> Option<(RequestKey, [u8; 32])> {
    let request = by.request.as_ref()?;
    let key = RequestKey { actor: by.actor.name.clone(), text: request.text.clone() };
    Some((key, request.fingerprint))
}
