//! The one list of routes: what is served, who may use it, and what is taken and answered. Dispatch,
//! roles and the published document all read it, so that none can say anything else.

use domain::administration::Role;
use http::Method;
use serde_json::{Value, json};

use super::callback_views::{
    CallbackDetail, CallbackDiagnosis, CallbackPage, EndpointList, EndpointView, IssuedEndpoint,
    ResentCallback,
};
use super::codes::Code;
use super::evidence_views::{EvidencePage, EvidenceView};
use super::forms::{EvidenceSource, InstantText, OrderReference, Protocol};
use super::preferences::{PreferencesToSet, PreferencesView};
use super::products::ProductView;
use super::requests::{
    AllowList, CallbackTest, CredentialToIssue, CredentialToRevoke, EndpointToSet,
    EvidenceAssignment, EvidenceRelease, FundingToMake, Limits, MerchantToAdd, ProductContent,
    ProductStatusShape, RepetitionShape, Resolution,
};
use super::shape::{Definitions, Shape};
use super::story_views::Stories;
use super::views::{
    AuditPage, CredentialList, CredentialView, FundingView, IssuedCredential, MerchantDetail,
    MerchantPage, MerchantView, OrderDetail, OrderPage, OrderStanding, ProductPage, TransferPage,
};

/// What is done on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    ListMerchants,
    AddMerchant,
    GetMerchant,
    SuspendMerchant,
    ResumeMerchant,
    PutAllowList,
    PutLimits,
    ListCredentials,
    IssueCredential,
    RevokeCredential,
    MakeFunding,
    ListMerchantTransfers,
    ListProducts,
    GetProduct,
    PutProduct,
    PutProductStatus,
    ListOrders,
    GetOrder,
    TellStories,
    ResolveOrder,
    ListAuditRecords,
    PutRepetition,
    ListEndpoints,
    GetEndpoint,
    PutEndpoint,
    StopEndpoint,
    GetPreferences,
    PutPreferences,
    ListCallbacks,
    GetCallback,
    ResendCallback,
    TestCallback,
    ListEvidence,
    GetEvidence,
    AssignEvidence,
    ReleaseEvidence,
}

/// Makes a schema.
pub(crate) type Schema = fn(&mut Definitions) -> Value;

/// A parameter of a query: its name, whether it must be there, its schema, and what it does.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: Schema,
    pub(crate) about: &'static str,
}

/// One method on one path.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Segments in braces stand for whatever the path has there.
    pub(crate) path: &'static str,
    /// The least role that may use it.
    pub(crate) role: Role,
    pub(crate) operation: Operation,
    /// Its name in the document.
    pub(crate) name: &'static str,
    /// What it does, in Indonesian and English.
    pub(crate) about: (&'static str, &'static str),
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Option<Schema>,
    pub(crate) status: u16,
    pub(crate) answer: Schema,
    /// What it may be denied for, besides what every route may.
    pub(crate) denials: &'static [Code],
}

const LIMIT: Parameter = Parameter {
    name: "limit",
    is_required: false,
    schema: |_| json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }),
    about: "How many items at most.",
};
const CURSOR: Parameter = Parameter {
    name: "cursor",
    is_required: false,
    schema: |_| json!({ "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[A-Za-z0-9_-]+$" }),
    about: "Where to go on: `next_cursor` of the part before, with the same filters.",
};
const PAGE: &[Parameter] = &[LIMIT, CURSOR];

const ORDERS: &[Parameter] = &[
    Parameter {
        name: "merchant",
        is_required: false,
        schema: |_| json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        about: "Of this merchant.",
    },
    Parameter {
        name: "state",
        is_required: false,
        schema: |_| json!({ "type": "string", "enum": domain::OrderState::NAMES }),
        about: "In this state.",
    },
    Parameter {
        name: "from",
        is_required: false,
        schema: InstantText::schema,
        about: "Made at this instant or later.",
    },
    Parameter {
        name: "until",
        is_required: false,
        schema: InstantText::schema,
        about: "Made before this instant.",
    },
    Parameter {
        name: "reference",
        is_required: false,
        schema: OrderReference::schema,
        about: "Under this reference of a merchant.",
    },
    Parameter {
        name: "destination",
        is_required: false,
        schema: OrderReference::schema,
        about: "For this customer's number, exactly.",
    },
    LIMIT,
    CURSOR,
];

const STORIES: &[Parameter] = &[Parameter {
    name: "name",
    is_required: true,
    schema: OrderReference::schema,
    about: "A merchant's reference, our number of the order, or a protocol's, such as tr_id.",
}];
const CALLBACKS: &[Parameter] = &[
    Parameter {
        name: "merchant",
        is_required: false,
        schema: |_| json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        about: "Of this merchant.",
    },
    Parameter {
        name: "order",
        is_required: false,
        schema: |_| json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX }),
        about: "Of this order.",
    },
    Parameter {
        name: "state",
        is_required: false,
        schema: |_| json!({ "type": "string", "enum": domain::CallbackState::NAMES }),
        about: "In this state.",
    },
    LIMIT,
    CURSOR,
];

const EVIDENCE: &[Parameter] = &[
    Parameter {
        name: "state",
        is_required: false,
        schema: |_| json!({ "type": "string", "enum": domain::EvidenceState::NAMES }),
        about: "In this state.",
    },
    LIMIT,
    CURSOR,
];
const EVIDENCE_ID: &[Parameter] = &[Parameter {
    name: "id",
    is_required: true,
    schema: OrderReference::schema,
    about: "The source's name for it.",
}];

/// A path's parameter has one meaning wherever it stands.
pub(crate) fn path_parameter(name: &str) -> Value {
    match name {
        "product" => json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{0,63}$" }),
        "order" | "callback" => json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX }),
        "source" => EvidenceSource::schema(&mut Definitions::new()),
        "protocol" => Protocol::schema(&mut Definitions::new()),
        _ => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
    }
}

macro_rules! routes {
    ($(
        $method:ident $path:literal $role:ident $operation:ident $name:literal
        $indonesian:literal $english:literal
        ($query:expr) ($body:expr) => $status:literal $answer:ty, [$($denial:ident),*];
    )+) => {
        /// Every route.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            role: Role::$role,
            operation: Operation::$operation,
            name: $name,
            about: ($indonesian, $english),
            query: $query,
            body: $body,
            status: $status,
            answer: <$answer>::schema,
            denials: &[$(Code::$denial),*],
        },)+];
    };
}

routes! {
    GET "/admin/v1/merchants" Viewer ListMerchants "listMerchants"
        "Daftar merchant." "Lists merchants." (PAGE) (None) => 200 MerchantPage, [CursorInvalid];
    POST "/admin/v1/merchants" Administrator AddMerchant "addMerchant"
        "Tambah merchant." "Adds a merchant."
        (&[]) (Some(MerchantToAdd::schema)) => 201 MerchantView, [];
    GET "/admin/v1/merchants/{merchant}" Viewer GetMerchant "getMerchant"
        "Satu merchant dan saldonya." "One merchant and its balance."
        (&[]) (None) => 200 MerchantDetail, [MerchantUnknown];
    POST "/admin/v1/merchants/{merchant}/suspend" Operator SuspendMerchant "suspendMerchant"
        "Bekukan merchant; yang sedang berjalan tetap diselesaikan."
        "Suspends a merchant; what is under way is still resolved."
        (&[]) (None) => 200 MerchantView, [MerchantUnknown];
    POST "/admin/v1/merchants/{merchant}/resume" Operator ResumeMerchant "resumeMerchant"
        "Aktifkan lagi merchant." "Resumes a merchant."
        (&[]) (None) => 200 MerchantView, [MerchantUnknown];
    PUT "/admin/v1/merchants/{merchant}/allow-list" Administrator PutAllowList "putAllowList"
        "Tentukan dari mana merchant boleh memanggil." "Sets from where a merchant may call."
        (&[]) (Some(AllowList::schema)) => 200 MerchantView, [MerchantUnknown, NetworkInvalid];
    PUT "/admin/v1/merchants/{merchant}/limits" Administrator PutLimits "putLimits"
        "Tentukan seberapa sering merchant boleh memanggil." "Sets how often a merchant may call."
        (&[]) (Some(Limits::schema)) => 200 MerchantView, [MerchantUnknown];
    GET "/admin/v1/merchants/{merchant}/credentials" Viewer ListCredentials "listCredentials"
        "Daftar kredensial tanpa kuncinya." "Lists credentials without their secrets."
        (&[]) (None) => 200 CredentialList, [MerchantUnknown];
    POST "/admin/v1/merchants/{merchant}/credentials" Administrator IssueCredential "issueCredential"
        "Terbitkan kunci baru; kunci hanya ditampilkan di sini. Paling banyak dua kunci aktif."
        "Issues a key, which is shown here only. At most two are live at once."
        (&[]) (Some(CredentialToIssue::schema)) => 201 IssuedCredential,
        [MerchantUnknown, IdentifierTaken, IdentifierInvalid, CredentialsTooMany, SecretsInvalid];
    POST "/admin/v1/merchants/{merchant}/credential-revocations" Administrator RevokeCredential "revokeCredential"
        "Cabut kunci, seketika dan untuk selamanya." "Takes a key out of use, at once and for ever."
        (&[]) (Some(CredentialToRevoke::schema)) => 200 CredentialView, [CredentialUnknown];
    POST "/admin/v1/merchants/{merchant}/fundings" Administrator MakeFunding "makeFunding"
        "Tambah atau kurangi saldo; satu referensi hanya berlaku sekali."
        "Credits or debits a balance; a reference is used once."
        (&[]) (Some(FundingToMake::schema)) => 201 FundingView,
        [MerchantUnknown, FundingReferenceUsed, BalanceInsufficient, AmountInvalid];
    GET "/admin/v1/merchants/{merchant}/transfers" Viewer ListMerchantTransfers "listMerchantTransfers"
        "Mutasi saldo, terbaru lebih dahulu." "What was moved on the balance, newest first."
        (PAGE) (None) => 200 TransferPage, [MerchantUnknown, CursorInvalid];
    GET "/admin/v1/products" Viewer ListProducts "listProducts"
        "Daftar produk." "Lists products." (PAGE) (None) => 200 ProductPage, [CursorInvalid];
    GET "/admin/v1/products/{product}" Viewer GetProduct "getProduct"
        "Satu produk." "One product." (&[]) (None) => 200 ProductView, [ProductUnknown];
    PUT "/admin/v1/products/{product}" Administrator PutProduct "putProduct"
        "Tambah atau ganti produk." "Adds or replaces a product."
        (&[]) (Some(ProductContent::schema)) => 200 ProductView,
        [ProductUnknown, AliasTaken, AmountInvalid, ProductContradictory];
    PUT "/admin/v1/products/{product}/status" Operator PutProductStatus "putProductStatus"
        "Buka atau tutup produk." "Switches a product on or off."
        (&[]) (Some(ProductStatusShape::schema)) => 200 ProductView, [ProductUnknown];
    GET "/admin/v1/orders" Viewer ListOrders "listOrders"
        "Daftar pesanan, terbaru lebih dahulu. Satu bagian bisa kosong walau daftar belum habis."
        "Lists orders, newest first. A part may be empty and the list still go on."
        (ORDERS) (None) => 200 OrderPage, [CursorInvalid];
    GET "/admin/v1/orders/{order}" Viewer GetOrder "getOrder"
        "Satu pesanan dengan panggilan dan mutasinya." "One order with its attempts and transfers."
        (&[]) (None) => 200 OrderDetail, [OrderUnknown];
    GET "/admin/v1/order-stories" Viewer TellStories "tellOrderStories"
        "Seluruh cerita setiap pesanan yang dikenal dengan nama ini: percakapan tersamar, uang, panggilan, keputusan."
        "The whole story of every order that is known by a name: masked exchanges, money, attempts, decisions."
        (STORIES) (None) => 200 Stories, [];
    POST "/admin/v1/order-resolutions" Operator ResolveOrder "resolveOrder"
        "Putuskan pesanan yang hasilnya belum diketahui." "Decides an order whose outcome is open."
        (&[]) (Some(Resolution::schema)) => 200 OrderStanding,
        [OrderUnknown, OrderNotPending, OrderNeedsEvidence, OrderInFlight, UpstreamSettled, ReferenceAmbiguous, UpstreamFailed];
    GET "/admin/v1/audit-records" Viewer ListAuditRecords "listAuditRecords"
        "Jejak audit, terbaru lebih dahulu." "What operators did, newest first."
        (PAGE) (None) => 200 AuditPage, [CursorInvalid];
    PUT "/admin/v1/merchants/{merchant}/repetition" Administrator PutRepetition "putRepetition"
        "Tentukan berapa kali satu nomor boleh diisi sehari."
        "Sets how often a merchant may top up one number a day."
        (&[]) (Some(RepetitionShape::schema)) => 200 MerchantView, [MerchantUnknown];
    GET "/admin/v1/merchants/{merchant}/endpoints" Viewer ListEndpoints "listEndpoints"
        "Alamat callback merchant." "Where a merchant is called back."
        (&[]) (None) => 200 EndpointList, [MerchantUnknown];
    GET "/admin/v1/merchants/{merchant}/endpoints/{protocol}" Viewer GetEndpoint "getEndpoint"
        "Alamat callback untuk satu protokol." "Where a merchant is called back in one protocol."
        (&[]) (None) => 200 EndpointView, [MerchantUnknown, EndpointUnknown];
    PUT "/admin/v1/merchants/{merchant}/endpoints/{protocol}" Administrator PutEndpoint "putEndpoint"
        "Tentukan alamat callback; rahasia baru hanya ditampilkan di sini."
        "Sets where a merchant is called back; a new secret is shown here and nowhere else."
        (&[]) (Some(EndpointToSet::schema)) => 200 IssuedEndpoint,
        [MerchantUnknown, EndpointUnknown, CallbackUrlInvalid];
    POST "/admin/v1/merchants/{merchant}/endpoints/{protocol}/stop" Operator StopEndpoint "stopEndpoint"
        "Hentikan pengiriman ke alamat ini." "Sends nothing more to an address."
        (&[]) (None) => 200 EndpointView, [EndpointUnknown];
    GET "/admin/v1/merchants/{merchant}/preferences/{protocol}" Viewer GetPreferences "getPreferences"
        "Pilihan merchant untuk satu protokol." "What a merchant has otherwise in one protocol."
        (&[]) (None) => 200 PreferencesView, [MerchantUnknown, EndpointUnknown];
    PUT "/admin/v1/merchants/{merchant}/preferences/{protocol}" Administrator PutPreferences "putPreferences"
        "Tentukan semua pilihan merchant untuk satu protokol."
        "Sets all that a merchant has otherwise in one protocol."
        (&[]) (Some(PreferencesToSet::schema)) => 200 PreferencesView,
        [MerchantUnknown, EndpointUnknown, PreferenceInvalid];
    GET "/admin/v1/callbacks" Viewer ListCallbacks "listCallbacks"
        "Daftar callback, terbaru lebih dahulu. Satu bagian bisa kosong walau daftar belum habis."
        "Lists callbacks, newest first. A part may be empty and the list still go on."
        (CALLBACKS) (None) => 200 CallbackPage, [CursorInvalid];
    GET "/admin/v1/callbacks/{callback}" Viewer GetCallback "getCallback"
        "Satu callback dengan semua percobaannya." "One callback with all its tries."
        (&[]) (None) => 200 CallbackDetail, [CallbackUnknown];
    POST "/admin/v1/callbacks/{callback}/resend" Operator ResendCallback "resendCallback"
        "Kirim lagi, dengan isi yang sama." "Has a callback sent again, with the same content."
        (&[]) (None) => 200 ResentCallback, [CallbackUnknown, CallbackInFlight];
    POST "/admin/v1/callback-tests" Operator TestCallback "testCallback"
        "Kirim pesan uji dan periksa setiap langkahnya. Tidak tercatat; setelah mulai ulang, nama yang sama menguji lagi."
        "Sends a test message and tells each step. It leaves no record; after a restart the same name tests again."
        (&[]) (Some(CallbackTest::schema)) => 200 CallbackDiagnosis, [EndpointUnknown];
    GET "/admin/v1/evidence" Viewer ListEvidence "listEvidence"
        "Daftar bukti uang masuk, menurut sumber dan namanya." "Lists evidence of money, by source and name."
        (EVIDENCE) (None) => 200 EvidencePage, [CursorInvalid];
    GET "/admin/v1/evidence/{source}" Viewer GetEvidence "getEvidence"
        "Satu bukti uang masuk." "One piece of evidence."
        (EVIDENCE_ID) (None) => 200 EvidenceView, [EvidenceUnknown];
    POST "/admin/v1/evidence-assignments" Administrator AssignEvidence "assignEvidence"
        "Bayar satu pesanan dengan bukti ini; jumlahnya harus tepat."
        "Pays an order by evidence, whose amount has to be the order's."
        (&[]) (Some(EvidenceAssignment::schema)) => 200 OrderStanding,
        [EvidenceUnknown, EvidenceMisfit, OrderUnknown];
    POST "/admin/v1/evidence-releases" Administrator ReleaseEvidence "releaseEvidence"
        "Serahkan uang yang ditahan kepada merchant, atau catat bahwa uang itu dikembalikan."
        "Gives money on suspense to a merchant, or notes that it went back to whoever sent it."
        (&[]) (Some(EvidenceRelease::schema)) => 200 EvidenceView,
        [EvidenceUnknown, EvidenceNotSuspended, MerchantUnknown, AmountInvalid];
}

impl Route {
    /// What stands in the path where the route has braces, if the path is this route's.
    pub(crate) fn matches<'path>(&self, path: &'path str) -> Option<Vec<&'path str>> {
        let mut found = Vec::new();
        let mut given = path.split('/');
        for expected in self.path.split('/') {
            let segment = given.next()?;
            if expected.starts_with('{') {
                found.push(segment);
            } else if expected != segment {
                return None;
            }
        }
        given.next().is_none().then_some(found)
    }

    /// Whether its requests are named by their callers.
    pub(crate) fn is_named(&self) -> bool {
        self.method == Method::POST
    }

    /// Every code that it may be denied for.
    pub(crate) fn all_denials(&self) -> Vec<Code> {
        let mut all = vec![
            Code::QueryInvalid,
            Code::Unauthorized,
            Code::RoleInsufficient,
            Code::BodyTooSlow,
            Code::BodyTooLarge,
            Code::RequestMalformed,
            Code::StoreUnavailable,
        ];
        if self.is_named() {
            all.extend([
                Code::RequestKeyMissing,
                Code::RequestKeyInvalid,
                Code::RequestInProgress,
                Code::RequestKeyReused,
            ]);
        }
        if self.body.is_some() {
            all.push(Code::MediaTypeUnsupported);
        }
        if self.path.contains('{') {
            all.push(Code::PathUnknown);
        }
        all.extend(self.denials);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_routes_are_alike() {
        let paths: BTreeSet<_> =
            ROUTES.iter().map(|route| (route.path, route.method.as_str())).collect();
        assert_eq!(paths.len(), ROUTES.len());
        let names: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
        assert_eq!(names.len(), ROUTES.len());
        for route in ROUTES {
            let own = ROUTES.iter().filter(|other| {
                other.method == route.method && other.matches(route.path).is_some()
            });
            assert_eq!(own.count(), 1, "{} {}", route.method, route.path);
            assert!(route.method == Method::GET || route.role > Role::Viewer, "{}", route.path);
        }
    }

    #[test]
    fn a_path_is_matched_whole() {
        let route = &ROUTES[2];
        assert_eq!(route.matches("/admin/v1/merchants/7"), Some(vec!["7"]));
        for path in ["/admin/v1/merchants", "/admin/v1/merchants/7/", "/admin/v1/merchants/7/x"] {
            assert_eq!(route.matches(path), None, "{path}");
        }
    }
}
