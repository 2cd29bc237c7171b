//! What the routes of evidence do: what came in, and what a person decides about money on suspense.

use domain::administration::Act;
use domain::command::{Credit, Release};
use domain::{Evidence, EvidenceKey, EvidenceState, MerchantId, OrderId};

use super::calls::{Call, Outcome, shown};
use super::codes::{Code, Denial};
use super::evidence_views::{self, EvidencePage};
use super::requests::{EvidenceAssignment, EvidenceRelease};

/// Stands between source and name in a cursor; no source has it in its name.
const SEPARATOR: char = ' ';

impl Call {
    pub(super) async fn list_evidence(&self) -> Outcome {
        let after = match self.place("evidence")? {
            None => None,
            Some(place) => {
                let (source, id) = place.split_once(SEPARATOR).ok_or(Code::CursorInvalid)?;
                Some(EvidenceKey { source: source.to_owned(), id: id.to_owned() })
            }
        };
        let state = self.query.get("state").map(String::as_str);
        if state.is_some_and(|state| !EvidenceState::NAMES.contains(&state)) {
            return Err(Denial::with(Code::QueryInvalid, "there is no such state"));
        }
        let reports = self.gateway.collections();
        let page = reports.evidence_list(state, after.as_ref(), self.limit()?).await?;
        let role = self.by.actor.role;
        let items = page.items.iter().map(|it| evidence_views::evidence(it, role)).collect();
        let next = page.next.map(|key| format!("{}{SEPARATOR}{}", key.source, key.id));
        shown(&EvidencePage::new(items, self.next_cursor("evidence", next)))
    }

    pub(super) async fn get_evidence(&self) -> Outcome {
        let id = self.query.get("id").cloned();
        let id = id.ok_or_else(|| Denial::with(Code::QueryInvalid, "id is needed"))?;
        let evidence = self.evidence(self.segment().to_owned(), id).await?;
        shown(&evidence_views::evidence(&evidence, self.by.actor.role))
    }

    async fn evidence(&self, source: String, id: String) -> Result<Evidence, Denial> {
        let key = EvidenceKey { source, id };
        let found = self.gateway.collections().evidence(&key).await?;
        found.ok_or(Code::EvidenceUnknown.into())
    }

    pub(super) async fn assign_evidence(&self) -> Outcome {
        let wanted: EvidenceAssignment = self.body()?;
        let evidence = self.evidence(wanted.source.0, wanted.id.0).await?;
        let order = self.gateway.order_of_any_merchant(OrderId(wanted.order)).await;
        let order = order.map_err(|rejection| match rejection {
            gateway::Rejection::Fault(fault) => Denial::from(fault),
            gateway::Rejection::Refused(_) => Code::OrderUnknown.into(),
        })?;
        let collecting = order.collecting.as_ref().ok_or(Code::OrderUnknown)?;
        self.act(Act::Assign(Credit {
            order: order.id,
            merchant: order.key.merchant,
            currency: collecting.gross.currency(),
            channel: (evidence.channel, evidence.amount.currency()),
            evidence: evidence.key,
            at: self.gateway.now(),
        }))
        .await
    }

    pub(super) async fn release_evidence(&self) -> Outcome {
        let wanted: EvidenceRelease = self.body()?;
        let evidence = self.evidence(wanted.source.0, wanted.id.0).await?;
        self.act(Act::Release(Release {
            evidence: evidence.key,
            channel: (evidence.channel, evidence.amount.currency()),
            merchant: wanted.merchant.map(MerchantId),
            reason: wanted.reason.0,
            at: self.gateway.now(),
        }))
        .await
    }
}
