//! A file as the catalog keeps it: quotas, rows, and what a message says of it.

use std::time::{SystemTime, UNIX_EPOCH};

use frontdesk_catalog::{FileFacts, FileUsage, NewFile, StoredFile, Uploader};
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
    /// How many bytes may still come in, and whose quota says so.
    pub(super) async fn room(&self, upload: &Upload<'_>) -> Result<Room, FileError> {
        let room = self.left(upload).await?;
        if room.bytes == 0 || room.files == 0 {
            return Err(FileError::Quota { whose: room.whose });
        }
        Ok(room)
    }

    async fn left(&self, upload: &Upload<'_>) -> Result<Room, FileError> {
        let (catalog, limits) = (&self.inner.catalog, &self.inner.limits);
        let allowed = &upload.allowed;
        let account = catalog.file_usage(upload.account).await.map_err(FileError::Catalog)?;
        let mut room = Room::of("account", limits.account_files_max, allowed.account_bytes_max);
        room.take(account);
        if upload.uploader.kind != "visitor" {
            return Ok(room);
        }
        let day_began = clock_ms() - DAY_MS;
        let stored = catalog.uploader_usage(upload.account, &upload.uploader, day_began).await;
        let stored = stored.map_err(FileError::Catalog)?;
        for (usage, bytes_max) in [
            (stored.ever, allowed.visitor_bytes_max),
            (stored.since, allowed.visitor_day_bytes_max),
        ] {
            let mut visitor = Room::of("visitor", limits.visitor_files_max, bytes_max);
            visitor.take(usage);
            room = room.narrower(visitor);
        }
        Ok(room)
    }

    /// Takes room for an upload. Whoever reserves looks again afterwards: of uploads that began at
    /// the same time each sees the others, so that together they never have more than the quota.
    pub(super) async fn begin(
        &self,
        upload: &Upload<'_>,
        reserved_bytes: u64,
    ) -> Result<Unfinished, FileError> {
        let new = NewFile {
            conversation: Some(upload.conversation),
            uploader: upload.uploader.clone(),
            name: name::clean(upload.name),
            reserved_bytes,
        };
        let begun = self.inner.catalog.begin_file(upload.account, new).await;
        let id = begun.map_err(FileError::Catalog)?.id;
        let unfinished =
            Unfinished { files: self.clone(), account: upload.account, id, kept: false };
        let room = self.left(upload).await?;
        if room.over {
            let error = FileError::Quota { whose: room.whose };
            unfinished.discard(&error).await;
            return Err(error);
        }
        Ok(unfinished)
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
        let finished = self.inner.catalog.finish_file(upload.account, id, &facts).await;
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

/// How much may still come in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
    files: u64,
    /// More is taken than allowed.
    over: bool,
    /// Whose quota it is.
    pub(super) whose: &'static str,
}

impl Room {
    fn of(whose: &'static str, files: u64, bytes: u64) -> Self {
        Self { bytes, files, over: false, whose }
    }

    fn take(&mut self, usage: FileUsage) {
        self.over = usage.bytes > self.bytes || usage.files > self.files;
        self.bytes = self.bytes.saturating_sub(usage.bytes);
        self.files = self.files.saturating_sub(usage.files);
    }

    /// The one that ends first: what is over, then what is full, then what has fewer bytes left.
    fn narrower(self, other: Self) -> Self {
        let rank = |room: &Self| (!room.over, room.files.min(1), room.bytes);
        if rank(&other) < rank(&self) { other } else { self }
    }
}

/// An upload that has a row and no end yet. Dropped, as when the client goes away in the middle, it
/// gives its room back; bytes that are already there are left to the sweep.
pub(super) struct Unfinished {
    files: Files,
    account: AccountId,
    pub(super) id: String,
    kept: bool,
}

impl Unfinished {
    /// The upload is stored.
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
