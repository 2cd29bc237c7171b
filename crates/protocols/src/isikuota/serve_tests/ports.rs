//! Suppliers that obey the end of a number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::bill::names;
use domain::{Amount, Bill, Delivery, Detail, Doubt, Mode, Outcome, Period, Refusal, UpstreamName};
use gateway::ports::{BillAnswer, BillQuestion, Purchase, StatusBy, Supplied, Upstream};
use tokio::sync::Semaphore;

/// Obeys the last four digits of the customer's number: `0014` and `0034` refuse an inquiry, `0103`
/// does not answer it; `0037` refuses a purchase, `0039` leaves it open, `0030` delivers without a
/// serial number. To test orders it gives the figures of section 10, like the sandbox.
pub(super) struct Supplier {
    pub(super) name: UpstreamName,
    /// Purchases wait for a permit each.
    pub(super) permits: Semaphore,
    pub(super) purchases: AtomicU64,
    /// What is owed by whoever is asked about next.
    pub(super) owed: Mutex<u32>,
}

impl Supplier {
    pub(super) fn new(name: &str, permits: usize) -> Self {
        Self {
            name: UpstreamName::new(name),
            permits: Semaphore::new(permits),
            purchases: AtomicU64::new(0),
            owed: Mutex::new(150_000),
        }
    }
}

pub(super) fn details(code: &str) -> (Period, Detail) {
    let record = |entries: Vec<(&str, Detail)>| {
        Detail::Record(entries.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
    };
    let text = |text: &str| Detail::Text(text.to_owned());
    if code == "MPBPJS" {
        let details = vec![
            (names::BRANCH_CODE, text("0901")),
            (names::BRANCH_NAME, text("BANDUNG")),
            (names::PARTICIPANTS, Detail::Number(3)),
        ];
        return (Period::MonthCount(6), record(details));
    }
    let single = record(vec![
        (names::PERIOD, text("202605")),
        (names::AMOUNT, Detail::Money(Amount::rupiah(150_000))),
        (names::PENALTY, Detail::Money(Amount::rupiah(0))),
    ]);
    let details = vec![
        (names::TARIFF, text("R1")),
        (names::POWER, Detail::Number(1300)),
        (names::BILLS, Detail::List(vec![single])),
    ];
    (Period::None, record(details))
}

#[async_trait]
impl Upstream for Supplier {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn inquire(&self, question: BillQuestion) -> BillAnswer {
        match question.destination.get(question.destination.len().saturating_sub(4)..) {
            Some("0014") => return BillAnswer::Refused(Refusal::DestinationInvalid),
            Some("0034") => return BillAnswer::Refused(Refusal::BillPaid),
            Some("0103") => return BillAnswer::Silent,
            _ => {}
        }
        let (period, details) = details(&question.code);
        let (customer_name, nominal) = match question.mode {
            Mode::Live => ("Budi Contoh", *self.owed.lock().unwrap()),
            Mode::Test => ("Demo Member", 22_500),
        };
        BillAnswer::Bill(Bill {
            customer_name: customer_name.to_owned(),
            period,
            nominal: Amount::rupiah(nominal),
            count: 1,
            details,
        })
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        self.purchases.fetch_add(1, Ordering::SeqCst);
        match self.permits.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Outcome::Unknown(Doubt::Silent).into(),
        }
        let order = &purchase.order;
        let serial_number = match order.destination.get(order.destination.len().saturating_sub(4)..)
        {
            Some("0037") => return Outcome::Refused(Refusal::TransactionFailed).into(),
            Some("0039") => return Outcome::Unknown(Doubt::InProcess).into(),
            Some("0030") => "",
            _ => match (order.key.mode, order.is_top_up()) {
                (Mode::Live, true) => "0041002233445566",
                (Mode::Live, false) => "BPJS99887766",
                (Mode::Test, true) => "1234-5678-9012-3456",
                (Mode::Test, false) => "S1234554321N",
            },
        };
        Outcome::Delivered(Delivery {
            cost: order.quote.expect("an accepted order has a quote").nominal,
            serial_number: serial_number.to_owned(),
            details: None,
        })
        .into()
    }
}
