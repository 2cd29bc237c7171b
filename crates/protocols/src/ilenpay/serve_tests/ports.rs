//! A payer who pays as the sandbox's does, and a network that takes down what is sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::callback::Received;
use domain::{Detail, Order, UpstreamName};
use gateway::collect::told;
use gateway::ports::{Handed, Messenger, Moment, Parcel, PayerDoes, StatusBy, Upstream};

/// Where it is not told to be nobody: pays when the sender is told, unless the number ends in `0404`, and
/// when the button is pressed; gives up when the other one is.
pub(crate) struct Payer {
    pub(crate) name: UpstreamName,
    pub(crate) is_nobody: AtomicBool,
}

#[async_trait]
impl Upstream for Payer {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn play_payer(&self, order: &Order, moment: Moment) -> PayerDoes {
        if self.is_nobody.load(Ordering::SeqCst) {
            return PayerDoes::Nothing;
        }
        let particulars = order.collecting.as_ref().map(|it| &it.particulars);
        let sender = particulars.and_then(|it| it.get(told::SENDER));
        let unknown = matches!(sender, Some(Detail::Text(it)) if it.ends_with("0404"));
        match moment {
            Moment::Told if !unknown => PayerDoes::Pays,
            Moment::PressedPay => PayerDoes::Pays,
            Moment::PressedFail => PayerDoes::GivesUp,
            Moment::Told | Moment::Opened => PayerDoes::Nothing,
        }
    }
}

/// Takes down what is sent, and answers what it is told to.
#[derive(Default)]
pub(crate) struct Network {
    sent: Mutex<Vec<Parcel>>,
    answer: Mutex<Option<Received>>,
}

impl Network {
    pub(crate) fn answers(&self, received: Received) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(received);
    }

    pub(crate) fn sent(&self) -> Vec<Parcel> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Messenger for Network {
    async fn send(&self, parcel: Parcel) -> Handed {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(parcel);
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let usual = Received::Answered { status: 200, excerpt: String::new() };
        Handed { received: answer.unwrap_or(usual), retry_after: None }
    }
}
