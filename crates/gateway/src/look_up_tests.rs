use std::time::Duration;

use async_trait::async_trait;
use domain::{ProcessId, UpstreamName};

use super::*;
use crate::fixtures::{Fixture, merchant};
use crate::ports::{StatusBy, Upstream};
use crate::{Parts, Settings};

/// Knows one wallet, and stays silent about others.
struct Directory(UpstreamName);

#[async_trait]
impl Upstream for Directory {
    fn name(&self) -> &UpstreamName {
        &self.0
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn look_up(&self, question: LookUpQuestion) -> Result<Found, Refusal> {
        match question.sought {
            Sought::Wallet { number, .. } if number == "1" => Ok(Found::Name("BU*I".to_owned())),
            Sought::Wallet { .. } => std::future::pending().await,
            _ => Err(Refusal::DestinationInvalid),
        }
    }
}

fn wallet(number: &str) -> LookUpQuestion {
    let sought = Sought::Wallet { brand: "ovo", number: number.to_owned() };
    LookUpQuestion { protocol: ProtocolName::new("test"), mode: Mode::Live, sought }
}

async fn gateway(fixture: &Fixture) -> Arc<Gateway> {
    let name = UpstreamName::new("directory");
    let parts = Parts {
        store: Arc::clone(&fixture.store) as _,
        reports: Arc::clone(&fixture.store) as _,
        clock: Arc::clone(&fixture.clock) as _,
        observer: Arc::clone(&fixture.noting) as _,
        upstreams: vec![Arc::new(Directory(name.clone())) as _],
        settings: Settings {
            answer_within: Duration::from_secs(25),
            call_within: Duration::from_secs(120),
            cut_offs: true,
            upstream: name.clone(),
            test_upstream: name,
        },
        process: ProcessId(3),
        collections: fixture.store.clone(),
    };
    Gateway::open(parts).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_look_up_brings_what_the_supplier_says_and_changes_nothing() {
    let fixture = Fixture::new().await;
    let gateway = gateway(&fixture).await;
    let changes = fixture.store.changes();
    let game = Sought::Servers { game: "1".to_owned() };
    let table = [
        (wallet("1"), Ok(Found::Name("BU*I".to_owned()))),
        (wallet("2"), Err(Refusal::SupplierTimeout)),
        (LookUpQuestion { sought: game, ..wallet("1") }, Err(Refusal::DestinationInvalid)),
    ];
    for (question, expected) in table {
        let found = gateway.look_up(&fixture.merchant, question).await;
        assert_eq!(found, expected.map_err(Rejection::from));
    }
    let suspended = merchant(MerchantStatus::Suspended);
    let found = gateway.look_up(&suspended, wallet("1")).await;
    assert_eq!(found, Err(Refusal::AccountSuspended.into()));
    assert_eq!(fixture.store.changes(), changes);
}

#[tokio::test]
async fn a_supplier_who_does_not_offer_it_refuses() {
    let fixture = Fixture::new().await;
    let found = fixture.gateway.look_up(&fixture.merchant, wallet("1")).await;
    assert_eq!(found, Err(Refusal::ProductUnavailable.into()));
    let order = fixture.quoted("INV1").await;
    let mailed = fixture.gateway.mail_activation(order, "a@b.example".to_owned()).await;
    assert_eq!(mailed, Err(Refusal::ProductUnavailable.into()));
}
