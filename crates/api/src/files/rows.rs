//! A file as the catalog keeps it: quotas, rows, and what a message says of it.

use std::time::{SystemTime, UNIX_EPOCH};

use frontdesk_catalog::{
    FileFacts, FileQuotas, FileUsage, NewFile, Reserve, StoredFile, Uploader, UploaderQuota,
    new_file_id,
};
use frontdesk_core::{
    chat,
    id::{AccountId, ConversationId},
};

use super::{CatalogError, FileError, Files, Upload, Written, kind, name};

/// The span of a visitor's daily quota.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Files removed in one sweep; more take another.
const SWEEP_FILES_MAX: u32 = 1_000;

/// A stored file, as the routes need it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// 128 random bits in hexadecimal.
    pub id: String,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// Its name, with the extension of what it is.
    pub name: String,
    /// By its bytes.
    pub media_type: String,
    /// Bytes in the store.
    pub size_bytes: u64,
    /// A small picture lies beside it.
    pub has_thumbnail: bool,
}

impl Stored {
    /// Shown in place; everything else is saved.
    pub(crate) fn is_image(&self) -> bool {
        kind::served_inline(&self.media_type)
    }

    /// A type of our own table, whatever the row says.
    pub(crate) fn served_type(&self) -> &'static str {
        kind::served_type(&self.media_type)
    }

    /// JPEG pictures have JPEG thumbnails, the others PNG.
    pub(crate) fn thumbnail_type(&self) -> &'static str {
        if self.media_type == "image/jpeg" { "image/jpeg" } else { "image/png" }
    }
}

impl Files {
    /// Takes room for an upload of a size that is known, or of what is left.
    pub(super) async fn begin(&self, upload: &Upload<'_>) -> Result<Unfinished, FileError> {
        let reserve = match upload.declared_bytes {
            Some(bytes) => Reserve::Exactly(bytes),
            None => Reserve::UpTo(upload.allowed.file_bytes_max),
        };
        let id = new_file_id().map_err(FileError::Catalog)?;
        let new = NewFile {
            id: id.clone(),
            conversation: Some(upload.conversation),
            uploader: upload.uploader.clone(),
            name: name::clean(upload.name),
            reserve,
            quotas: self.quotas(upload),
        };
        let mut unfinished = Unfinished {
            files: self.clone(),
            account: upload.account,
            id,
            reserved_bytes: 0,
            bounded_by: None,
            kept: false,
        };
        match self.inner.catalog.begin_file(upload.account, new).await {
            Ok(begun) => {
                unfinished.reserved_bytes = begun.file.size_bytes;
                unfinished.bounded_by = begun.bounded_by;
                Ok(unfinished)
            }
            Err(error) => {
                unfinished.keep();
                Err(match error {
                    CatalogError::Quota { whose } => FileError::Quota { whose },
                    other => FileError::Catalog(other),
                })
            }
        }
    }

    fn quotas(&self, upload: &Upload<'_>) -> FileQuotas {
        let (limits, allowed) = (&self.inner.limits, &upload.allowed);
        let of = |files, bytes| FileUsage { files, bytes };
        let visitor = UploaderQuota {
            ever: of(limits.visitor_files_max, allowed.visitor_bytes_max),
            since: of(limits.visitor_files_max, allowed.visitor_day_bytes_max),
            since_ms: clock_ms() - DAY_MS,
        };
        FileQuotas {
            account: of(limits.account_files_max, allowed.account_bytes_max),
            uploader: (upload.uploader.kind == "visitor").then_some(visitor),
        }
    }

    pub(super) async fn finish(
        &self,
        id: &str,
        upload: &Upload<'_>,
        written: Written,
    ) -> Result<chat::File, FileError> {
        let facts = FileFacts {
            media_type: written.media_type.to_owned(),
            size_bytes: written.size_bytes,
            width: written.width,
            height: written.height,
            has_thumbnail: written.has_thumbnail,
        };
        let finished = self.inner.catalog.finish_file(upload.account, id, facts).await;
        finished.map(as_content).map_err(FileError::Catalog)
    }

    /// Finds a stored file of the account. Whether the caller may have it is another question.
    pub(crate) async fn find(&self, account: AccountId, id: &str) -> Result<Stored, FileError> {
        let file = self.row(account, id).await?;
        let conversation = file.conversation.ok_or(FileError::Unknown)?;
        Ok(Stored {
            name: shown_name(&file),
            id: file.id,
            conversation,
            media_type: file.media_type,
            size_bytes: file.size_bytes,
            has_thumbnail: file.has_thumbnail,
        })
    }

    /// What a message says of a file: only one the sender has stored in this very conversation.
    pub async fn describe(
        &self,
        account: AccountId,
        conversation: ConversationId,
        sender: &str,
        id: &str,
    ) -> Result<chat::File, FileError> {
        let file = self.row(account, id).await?;
        if file.conversation != Some(conversation) || file.uploader.id != sender {
            return Err(FileError::Unknown);
        }
        Ok(as_content(file))
    }

    /// Removes files for good: nobody can fetch them once this returns. Where the store does not
    /// remove the bytes at once, the sweep does.
    pub async fn remove(&self, account: AccountId, ids: &[String]) -> Result<(), FileError> {
        for id in ids {
            self.take_away(account, id).await?;
        }
        for id in ids {
            if let Err(error) = self.remove_bytes(account, id).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    file.id = id,
                    error,
                    "a removed file's bytes stay until the next sweep"
                );
            }
        }
        Ok(())
    }

    /// A file that is gone already is fine.
    async fn take_away(&self, account: AccountId, id: &str) -> Result<(), FileError> {
        gone(self.inner.catalog.delete_file(account, id).await)
    }

    async fn remove_bytes(&self, account: AccountId, id: &str) -> Result<(), FileError> {
        self.remove_objects(id).await?;
        gone(self.inner.catalog.file_removed(account, id).await)
    }

    /// Removes the bytes of files that were deleted, and of uploads that began before a time and never
    /// finished; returns how many.
    pub async fn sweep(&self, before_ms: i64) -> Result<usize, FileError> {
        let left = self.inner.catalog.leftover_files(before_ms, SWEEP_FILES_MAX).await;
        let left = left.map_err(FileError::Catalog)?;
        for file in &left {
            self.take_away(file.account, &file.id).await?;
            self.remove_bytes(file.account, &file.id).await?;
        }
        Ok(left.len())
    }

    async fn row(&self, account: AccountId, id: &str) -> Result<StoredFile, FileError> {
        let plain = id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(FileError::Unknown);
        }
        self.inner.catalog.file(account, id).await.map_err(|error| match error {
            CatalogError::NotFound { .. } => FileError::Unknown,
            other => FileError::Catalog(other),
        })
    }
}

/// An upload that has, or is about to have, a row and has no end yet. Dropped, as when the client goes
/// away in the middle, it gives its room back; bytes that are already there are left to the sweep.
pub(super) struct Unfinished {
    files: Files,
    account: AccountId,
    pub(super) id: String,
    pub(super) reserved_bytes: u64,
    /// Whose quota ends the body before the largest size does.
    pub(super) bounded_by: Option<&'static str>,
    kept: bool,
}

impl Unfinished {
    /// The upload is stored, or was never begun.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    /// What was written of an upload that failed goes. A store that has just failed is not asked
    /// again: the client waits for its answer.
    pub(super) async fn discard(mut self, why: &FileError) {
        let taken = self.files.take_away(self.account, &self.id).await;
        self.kept = true;
        let (files, id) = (&self.files, &self.id);
        let left = match taken {
            Ok(()) if matches!(why, FileError::Store { .. }) => return,
            Ok(()) => files.remove_bytes(self.account, id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = left {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(
                file.id = id,
                error,
                "left-over of a failed upload stays until the next sweep"
            );
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let (files, account, id) = (self.files.clone(), self.account, std::mem::take(&mut self.id));
        // Outside of a runtime the process ends, and the next start sweeps.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = files.take_away(account, &id).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(
                        file.id = id,
                        error,
                        "an upload that broke off keeps its room until the next sweep"
                    );
                }
            });
        }
    }
}

fn gone(result: Result<(), CatalogError>) -> Result<(), FileError> {
    match result {
        Ok(()) | Err(CatalogError::NotFound { .. }) => Ok(()),
        Err(error) => Err(FileError::Catalog(error)),
    }
}

fn clock_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The name as uploaded, with the extension of what the bytes are.
fn shown_name(file: &StoredFile) -> String {
    name::with_extension(&name::clean(&file.name), kind::extensions(&file.media_type))
}

fn as_content(file: StoredFile) -> chat::File {
    chat::File {
        name: shown_name(&file),
        id: file.id,
        media_type: file.media_type,
        size_bytes: file.size_bytes,
        width: file.width,
        height: file.height,
        has_thumbnail: file.has_thumbnail,
    }
}

/// Who uploads, in the catalog's words.
pub(crate) fn uploader(kind: &str, id: String) -> Uploader {
    Uploader { kind: kind.to_owned(), id }
}
