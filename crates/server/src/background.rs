//! Work that runs beside a server and must not slow it.

/// The lowest priority that there is.
const LOWEST: i32 = 19;

/// Lets every other process go first: this one gets what time they leave. It counts for the thread
/// that calls and those that it starts. A system that refuses only makes it quicker.
pub(crate) fn give_way() {
    if let Err(error) = rustix::process::nice(LOWEST) {
        tracing::debug!(%error, "the priority could not be lowered");
    }
}
