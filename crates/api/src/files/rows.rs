//! A file as the catalog keeps it: quotas, rows, and what a message says of it.

use frontdesk_catalog::{FileFacts, NewFile, StoredFile, Uploader};
use frontdesk_core::{
    chat,
    id::{AccountId, ConversationId},
};

use super::{CatalogError, FileError, Files, Upload, Written, kind, name};

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
    pub(super) async fn check_quota(
        &self,
        upload: &Upload<'_>,
        more: u64,
    ) -> Result<(), FileError> {
        let limits = &self.inner.limits;
        let account =
            self.inner.catalog.file_usage(upload.account).await.map_err(FileError::Catalog)?;
        if account.bytes.saturating_add(more) > limits.account_bytes_max {
            return Err(FileError::Quota { whose: "account" });
        }
        if upload.uploader.kind != "visitor" {
            return Ok(());
        }
        let visitor = self
            .inner
            .catalog
            .uploader_usage(upload.account, &upload.uploader, 0)
            .await
            .map_err(FileError::Catalog)?;
        let full = visitor.files >= limits.visitor_files_max
            || visitor.bytes.saturating_add(more) > limits.visitor_bytes_max;
        if full { Err(FileError::Quota { whose: "visitor" }) } else { Ok(()) }
    }

    pub(super) async fn begin(&self, upload: &Upload<'_>) -> Result<String, FileError> {
        let new = NewFile {
            conversation: Some(upload.conversation),
            uploader: upload.uploader.clone(),
            name: name::clean(upload.name),
        };
        let begun = self.inner.catalog.begin_file(upload.account, new).await;
        begun.map(|file| file.id).map_err(FileError::Catalog)
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

    /// What was written of an upload that failed goes; if that fails too, the sweep does it.
    pub(super) async fn discard(&self, account: AccountId, id: &str) {
        if let Err(error) = self.remove(account, id).await {
            tracing::warn!(file.id = id, %error, "left-over of a failed upload stays until the next sweep");
        }
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

    /// Removes a file for good: nobody can fetch it once this returns.
    pub async fn remove(&self, account: AccountId, id: &str) -> Result<(), FileError> {
        match self.inner.catalog.delete_file(account, id).await {
            Ok(()) | Err(CatalogError::NotFound { .. }) => {}
            Err(error) => return Err(FileError::Catalog(error)),
        }
        self.remove_objects(id).await
    }

    /// Removes uploads that began before a time and never finished; returns how many.
    pub async fn sweep(&self, before_ms: i64) -> Result<usize, FileError> {
        let left = self
            .inner
            .catalog
            .unfinished_files(before_ms, 1_000)
            .await
            .map_err(FileError::Catalog)?;
        for file in &left {
            self.remove(file.account, &file.id).await?;
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
