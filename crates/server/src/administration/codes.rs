//! What the admin API answers when it does not do what was asked: one list of codes that never
//! change their meaning, each with its status and a sentence in Indonesian and in English.

use domain::administration::Objection;
use gateway::ports::{SettleFault, StoreFault};
use gateway::{ActFault, ByHandFault};
use http::StatusCode;

macro_rules! codes {
    ($($(#[$about:meta])* $name:ident = $status:literal $code:literal $indonesian:literal $english:literal;)+) => {
        /// Why something was not done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[$about])* $name,)+
        }

        impl Code {
            /// Every code.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Status, stable code, and what it means in Indonesian and English.
            pub(crate) const fn parts(self) -> (u16, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($status, $code, $indonesian, $english),)+
                }
            }
        }
    };
}

codes! {
    /// The body, or a field of it, is not of its form.
    RequestMalformed = 400 "REQUEST_MALFORMED"
        "Isi permintaan tidak sesuai bentuknya." "The request is not of the form that it has to have.";
    /// A parameter is unknown, given twice, or not of its form.
    QueryInvalid = 400 "QUERY_INVALID"
        "Parameter tidak dikenal, ganda, atau salah bentuk." "A parameter is unknown, given twice, or malformed.";
    /// The cursor was not given out for this list.
    CursorInvalid = 400 "CURSOR_INVALID"
        "Kursor ini bukan untuk daftar ini; mulai lagi tanpa kursor." "The cursor is not one of this list; begin again without one.";
    /// A POST came without a name.
    RequestKeyMissing = 400 "IDEMPOTENCY_KEY_MISSING"
        "Header Idempotency-Key wajib ada." "The header Idempotency-Key is needed.";
    /// The name is not of its form.
    RequestKeyInvalid = 400 "IDEMPOTENCY_KEY_INVALID"
        "Idempotency-Key harus 8 sampai 128 huruf, angka, titik, garis bawah atau tanda hubung." "The Idempotency-Key has to be 8 to 128 letters, digits, dots, underscores or hyphens.";
    /// No token, or one that nobody has.
    Unauthorized = 401 "UNAUTHORIZED"
        "Token bearer yang sah diperlukan." "A valid bearer token is needed.";
    /// The token's role may not.
    RoleInsufficient = 403 "ROLE_INSUFFICIENT"
        "Peran token ini tidak cukup." "The role of this token does not allow it.";
    /// No such path.
    PathUnknown = 404 "PATH_UNKNOWN"
        "Tidak ada alamat seperti itu." "There is no such path.";
    /// No such merchant.
    MerchantUnknown = 404 "MERCHANT_UNKNOWN"
        "Merchant tidak ditemukan." "There is no such merchant.";
    /// No such live credential.
    CredentialUnknown = 404 "CREDENTIAL_UNKNOWN"
        "Kredensial tidak ditemukan atau sudah dicabut." "There is no such credential, or it was revoked.";
    /// No such product.
    ProductUnknown = 404 "PRODUCT_UNKNOWN"
        "Produk tidak ditemukan." "There is no such product.";
    /// No such order.
    OrderUnknown = 404 "ORDER_NOT_FOUND"
        "Pesanan tidak ditemukan." "There is no such order.";
    /// No such address.
    EndpointUnknown = 404 "ENDPOINT_UNKNOWN"
        "Alamat callback untuk merchant dan protokol ini tidak ada." "There is no callback address of this merchant and protocol.";
    /// No such callback.
    CallbackUnknown = 404 "CALLBACK_UNKNOWN"
        "Callback tidak ditemukan." "There is no such callback.";
    /// No such evidence.
    EvidenceUnknown = 404 "EVIDENCE_UNKNOWN"
        "Bukti tidak ditemukan." "There is no such evidence.";
    /// The path is known, and not with this method.
    MethodNotAllowed = 405 "METHOD_NOT_ALLOWED"
        "Metode ini tidak berlaku di alamat ini." "The path does not have this method.";
    /// The body did not arrive in time.
    BodyTooSlow = 408 "BODY_TOO_SLOW"
        "Isi permintaan datang terlalu lambat." "The body arrived too slowly.";
    /// The first request of this name is under way.
    RequestInProgress = 409 "REQUEST_IN_PROGRESS"
        "Permintaan dengan kunci ini sedang diproses; coba lagi." "A request with this key is in progress; try again.";
    /// The identifier is somebody else's.
    IdentifierTaken = 409 "IDENTIFIER_TAKEN"
        "Pengenal ini milik merchant lain." "The identifier belongs to another merchant.";
    /// A rotation is under way.
    CredentialsTooMany = 409 "CREDENTIALS_TOO_MANY"
        "Sudah ada dua kunci aktif; cabut yang lama dahulu." "Two keys are live already; revoke the old one first.";
    /// The code is another product's.
    AliasTaken = 409 "ALIAS_TAKEN"
        "Kode ini milik produk lain." "The code belongs to another product.";
    /// The funding reference is used up.
    FundingReferenceUsed = 409 "FUNDING_REFERENCE_USED"
        "Referensi ini sudah dipakai; tidak ada uang yang dipindahkan." "The reference was used before; no money was moved.";
    /// The merchant has less.
    BalanceInsufficient = 409 "BALANCE_INSUFFICIENT"
        "Saldo tidak cukup." "The balance is not sufficient.";
    /// Nothing to decide.
    OrderNotPending = 409 "ORDER_NOT_PENDING"
        "Pesanan ini tidak menunggu keputusan." "The order is not pending.";
    /// A word pays no collection.
    OrderNeedsEvidence = 409 "ORDER_NEEDS_EVIDENCE"
        "Pesanan ini hanya dibayar oleh bukti; pasangkan dengan lunas evidence assign." "The order is paid by evidence alone; assign some with lunas evidence assign.";
    /// A call is under way.
    OrderInFlight = 409 "ORDER_IN_FLIGHT"
        "Pesanan ini sedang ditanyakan ke pemasok; coba lagi." "The supplier is being called about the order; try again.";
    /// It does not fit the order.
    EvidenceMisfit = 409 "EVIDENCE_MISFIT"
        "Bukti ini tidak cocok dengan pesanannya." "The evidence does not fit the order.";
    /// It is used, or nobody holds it back.
    EvidenceNotSuspended = 409 "EVIDENCE_NOT_SUSPENDED"
        "Bukti ini tidak sedang ditahan." "The evidence is not held back.";
    /// A try is under way.
    CallbackInFlight = 409 "CALLBACK_IN_FLIGHT"
        "Callback ini sedang dikirim; coba lagi." "The callback is being tried; try again.";
    /// The upstream has its own word.
    UpstreamSettled = 409 "UPSTREAM_SETTLED"
        "Pemasok sudah memutuskan lain." "The supplier has settled the order otherwise.";
    /// Several orders, and none is named.
    ReferenceAmbiguous = 409 "REFERENCE_AMBIGUOUS"
        "Beberapa pesanan memakai referensi ini; sebutkan nomornya." "Several orders have this reference; name one by its number.";
    /// More than the edge takes.
    BodyTooLarge = 413 "BODY_TOO_LARGE"
        "Isi permintaan terlalu besar." "The body is too large.";
    /// Not JSON.
    MediaTypeUnsupported = 415 "MEDIA_TYPE_UNSUPPORTED"
        "Isi permintaan harus application/json tanpa pengodean." "The body has to be application/json without a content coding.";
    /// The name was used for something else.
    RequestKeyReused = 422 "IDEMPOTENCY_KEY_REUSED"
        "Idempotency-Key ini sudah dipakai untuk permintaan lain." "The Idempotency-Key was used for another request before.";
    /// Nothing, too much, or too many decimals.
    AmountInvalid = 422 "AMOUNT_INVALID"
        "Jumlah tidak sah dalam mata uang ini." "The amount cannot be dealt in in this currency.";
    /// No network.
    NetworkInvalid = 422 "NETWORK_INVALID"
        "Jaringan tidak dapat dibaca, atau alamatnya di luar prefiksnya." "A network cannot be read, or has address bits beyond its prefix.";
    /// Wrong names, or a published one.
    SecretsInvalid = 422 "SECRETS_INVALID"
        "Kunci tidak lengkap, bernama salah, terlalu pendek, atau sudah dipublikasikan." "The secrets are incomplete, wrongly named, too short, or published.";
    /// No name that the protocol can carry.
    IdentifierInvalid = 422 "IDENTIFIER_INVALID"
        "Nama ini tidak dapat dipakai dalam protokol itu." "The protocol cannot carry this identifier.";
    /// Nothing that the protocol knows.
    PreferenceInvalid = 422 "PREFERENCE_INVALID"
        "Protokol itu tidak mengenal pilihan ini." "The protocol does not know this preference.";
    /// Nothing can be sent there.
    CallbackUrlInvalid = 422 "CALLBACK_URL_INVALID"
        "Alamat callback tidak dapat dipakai." "The callback address cannot be used.";
    /// A code or a level stands twice.
    ProductContradictory = 422 "PRODUCT_CONTRADICTORY"
        "Isi produk saling bertentangan." "A product says what cannot all be true.";
    /// The upstream could not be told.
    UpstreamFailed = 502 "UPSTREAM_FAILED"
        "Pemasok tidak dapat diberi tahu." "The supplier could not be told.";
    /// Ours.
    StoreUnavailable = 503 "STORE_UNAVAILABLE"
        "Penyimpanan tidak menjawab; coba lagi dengan kunci yang sama." "The store does not answer; try again with the same key.";
}

/// A request that was not carried out.
#[derive(Debug)]
pub(crate) struct Denial {
    /// Why.
    pub(crate) code: Code,
    /// What exactly, in English, where the code alone does not tell.
    pub(crate) particulars: Option<String>,
}

impl Denial {
    /// A denial that says more than its code.
    pub(crate) fn with(code: Code, particulars: impl ToString) -> Self {
        Self { code, particulars: Some(particulars.to_string()) }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.parts().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Code> for Denial {
    fn from(code: Code) -> Self {
        Self { code, particulars: None }
    }
}

/// The text of a fault is for the log; the caller learns only that it was ours.
impl From<StoreFault> for Denial {
    fn from(fault: StoreFault) -> Self {
        tracing::error!(%fault, "admin request failed");
        Code::StoreUnavailable.into()
    }
}

impl From<Objection> for Denial {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::RequestKeyReused => Code::RequestKeyReused.into(),
            Objection::MerchantUnknown => Code::MerchantUnknown.into(),
            Objection::IdentifierTaken => Code::IdentifierTaken.into(),
            Objection::CredentialsTooMany => Code::CredentialsTooMany.into(),
            Objection::CredentialUnknown => Code::CredentialUnknown.into(),
            Objection::SecretTooShort => Code::SecretsInvalid.into(),
            Objection::EndpointUnknown => Code::EndpointUnknown.into(),
            Objection::CallbackUnknown => Code::CallbackUnknown.into(),
            Objection::CallbackInFlight => Code::CallbackInFlight.into(),
            Objection::EvidenceUnknown => Code::EvidenceUnknown.into(),
            Objection::EvidenceMisfit(_) => Self::with(Code::EvidenceMisfit, objection),
            Objection::EvidenceNotSuspended => Code::EvidenceNotSuspended.into(),
            Objection::ProductUnknown => Code::ProductUnknown.into(),
            Objection::AliasTaken { .. } => Self::with(Code::AliasTaken, objection),
            Objection::FundingReferenceUsed => Code::FundingReferenceUsed.into(),
            Objection::AmountInvalid | Objection::CurrencyMismatch => Code::AmountInvalid.into(),
            Objection::BalanceInsufficient => Code::BalanceInsufficient.into(),
            Objection::OrderUnknown => Code::OrderUnknown.into(),
            Objection::OrderNotPending => Code::OrderNotPending.into(),
        }
    }
}

impl From<ActFault> for Denial {
    fn from(fault: ActFault) -> Self {
        match fault {
            ActFault::Objected(objection) => objection.into(),
            ActFault::Fault(fault) => fault.into(),
        }
    }
}

impl From<ByHandFault> for Denial {
    fn from(fault: ByHandFault) -> Self {
        match fault {
            ByHandFault::NotFound => Code::OrderUnknown.into(),
            ByHandFault::NotPending => Code::OrderNotPending.into(),
            ByHandFault::NeedsEvidence => Code::OrderNeedsEvidence.into(),
            ByHandFault::InFlight => Code::OrderInFlight.into(),
            ByHandFault::Upstream(SettleFault::Settled) => Code::UpstreamSettled.into(),
            ByHandFault::Upstream(fault) => Self::with(Code::UpstreamFailed, fault),
            ByHandFault::Objected(objection) => objection.into(),
            ByHandFault::Store(fault) => fault.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_have_a_status() {
        let codes: std::collections::BTreeSet<_> =
            Code::ALL.iter().map(|code| code.parts().1).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            let (status, name, indonesian, english) = code.parts();
            assert_eq!(Denial::from(*code).status().as_u16(), status, "{name}");
            assert!((400..600).contains(&status) && indonesian != english, "{name}");
        }
    }
}
