//! What the log is told when the catalog fails: that its database is away its connections tell once, and whoever asks is
//! told to try again; anything else nobody expects.

use frontdesk_catalog::Error as CatalogError;

/// Tells what could not be done.
pub(super) fn tell(error: &CatalogError, what: &'static str) {
    let is_away = matches!(error, CatalogError::Unavailable { .. });
    let error: &dyn std::error::Error = error;
    if is_away {
        tracing::debug!(error, what, "the catalog is away");
    } else {
        tracing::error!(error, what, "the catalog failed");
    }
}
