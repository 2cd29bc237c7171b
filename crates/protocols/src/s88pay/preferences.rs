//! What merchants may want otherwise, under the names by which the operator sets it (S88pay reference,
//! sections 5, 7, 10 and 13 to 15).

/// Every answer has HTTP status 200, refusals too.
pub const ALWAYS_200: &str = "always_200";
/// Refused payouts say `success:true`, as the vendor's sample does, with HTTP status 200.
pub const PAYOUT_ERRORS_SUCCEED: &str = "payout_errors_succeed";
/// In which form deposits are called back: `json`, which is usual, or `kv`.
pub const CALLBACK_FORM: &str = "callback_form";
/// How callbacks tell the status: in `numbers`, which is usual, or in `names`.
pub const CALLBACK_STATUS: &str = "callback_status";
/// Where a payer's browser goes after a deposit that succeeded, unless the deposit says otherwise.
pub const SUCCESS_URL: &str = "success_url";
/// Where it goes after one that failed.
pub const FAILED_URL: &str = "failed_url";
/// A hosted deposit that is asked for again in the same words leads to its page while it is waited for.
pub const LENIENT_RELOAD: &str = "lenient_reload";

/// Whether a switch is on.
pub(crate) fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("true" | "yes" | "on" | "1"))
}
