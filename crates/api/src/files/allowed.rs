//! What an upload may take: the configuration's limits, lowered by what the account has set for itself
//! or for one inbox. The configuration is the ceiling: a setting above it changes nothing.

use frontdesk_catalog::settings::{self, At, Key, Settings, Spec};
use frontdesk_core::id::{AccountId, InboxId};

use super::{FileError, Files};
use crate::config::FileLimits;

const MIB: u64 = 1 << 20;

/// The limits of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Visitors may send files.
    pub(crate) visitors: bool,
    /// Largest file.
    pub(crate) file_bytes_max: u64,
    /// What one visitor may store in all.
    pub(crate) visitor_bytes_max: u64,
    /// What one visitor may upload in a day.
    pub(crate) visitor_day_bytes_max: u64,
    /// What the account may store.
    pub(crate) account_bytes_max: u64,
}

impl Allowed {
    fn new(limits: &FileLimits, settings: &Settings, at: At) -> Self {
        let lowered = |ceiling: u64, key: Key<u64>| {
            settings.chosen(key, at).map_or(ceiling, |mib| mib.saturating_mul(MIB).min(ceiling))
        };
        Self {
            visitors: settings.get(settings::VISITOR_FILES, at),
            file_bytes_max: lowered(limits.file_bytes_max, settings::FILE_MIB),
            visitor_bytes_max: limits.visitor_bytes_max,
            visitor_day_bytes_max: lowered(limits.visitor_bytes_max, settings::VISITOR_MIB),
            account_bytes_max: lowered(limits.account_bytes_max, settings::ACCOUNT_MIB),
        }
    }
}

impl Files {
    /// What may be uploaded to an inbox's conversation now.
    pub(crate) async fn allowed(
        &self,
        account: AccountId,
        inbox: Option<InboxId>,
    ) -> Result<Allowed, FileError> {
        let settings = self.inner.catalog.settings(account).await.map_err(FileError::Catalog)?;
        Ok(Allowed::new(&self.inner.limits, &settings, At { team: None, inbox }))
    }

    /// The largest file that may be uploaded at a place, bytes.
    pub fn size_max(&self, settings: &Settings, at: At) -> u64 {
        Allowed::new(&self.inner.limits, settings, at).file_bytes_max
    }

    /// The most a setting may say, in its own unit: what the configuration allows. `None` for settings
    /// that the configuration does not bound.
    pub(crate) fn ceiling(&self, spec: &Spec) -> Option<i64> {
        let limits = &self.inner.limits;
        let bytes = [
            (settings::FILE_MIB, limits.file_bytes_max),
            (settings::VISITOR_MIB, limits.visitor_bytes_max),
            (settings::ACCOUNT_MIB, limits.account_bytes_max),
        ]
        .into_iter()
        .find_map(|(key, bytes)| (key.spec().name == spec.name).then_some(bytes))?;
        // Rounded up, so that leaving a limit alone and setting it to the most are the same.
        Some(i64::try_from(bytes.div_ceil(MIB)).unwrap_or(i64::MAX))
    }
}
