//! What the catalog knows of uploaded files; their bytes lie in the content store. A message may
//! reference a file only once it is `stored` (written and synced). The id is random: knowing one
//! is still not enough, access is checked per request against the conversation.

use frontdesk_core::id::{AccountId, ConversationId};

use crate::catalog::{Catalog, clock_ms};
use crate::error::{Doing, Error};
use crate::rows;
use crate::secrets;
use crate::sql::{self, Row};

mod batch;
mod queue;
mod quota;

use batch::Change;
pub(crate) use queue::FileQueue;
pub use quota::{FileQuotas, FileUsage, Reserve, UploaderQuota};

/// Characters a file name may have.
pub(crate) const FILE_NAME_CHARS_MAX: usize = 200;

/// Who uploaded a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uploader {
    /// `visitor`, `agent`, `bot` or `api`.
    pub kind: String,
    /// The id of that visitor, user, bot or key.
    pub id: String,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Bytes are coming in; nobody can fetch it.
    Uploading,
    /// Written and synced.
    Stored,
    /// Gone for everybody, but its bytes may still be in the content store.
    Removing,
    /// Gone; the id stays so that it is never used again.
    Deleted,
}

impl FileState {
    fn code(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Stored => "stored",
            Self::Removing => "removing",
            Self::Deleted => "deleted",
        }
    }
}

impl std::str::FromStr for FileState {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        [Self::Uploading, Self::Stored, Self::Removing, Self::Deleted]
            .into_iter()
            .find(|state| state.code() == code)
            .ok_or(Error::Stored { what: "state" })
    }
}

/// A file of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// 32 hexadecimal characters, 128 random bits.
    pub id: String,
    /// The account.
    pub account: AccountId,
    /// None for avatars and logos.
    pub conversation: Option<ConversationId>,
    /// Who uploaded it.
    pub uploader: Uploader,
    /// As the uploader called it, without path and control characters.
    pub name: String,
    /// By its magic bytes.
    pub media_type: String,
    /// Bytes in the store.
    pub size_bytes: u64,
    /// Pixels; 0 where it is no image.
    pub width: u32,
    /// Pixels; 0 where it is no image.
    pub height: u32,
    /// Whether a small picture lies beside it.
    pub has_thumbnail: bool,
    /// How far it is.
    pub state: FileState,
    /// When the upload began.
    pub created_ms: i64,
}

impl StoredFile {
    /// Bytes that quotas count, where they count the file.
    fn counted_bytes(&self) -> Option<u64> {
        matches!(self.state, FileState::Uploading | FileState::Stored).then_some(self.size_bytes)
    }
}

/// What is known when an upload begins.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// From [`new_file_id`]: known before the row is, so that an upload can be taken back at any time.
    pub id: String,
    /// None for avatars and logos.
    pub conversation: Option<ConversationId>,
    /// Who uploads it.
    pub uploader: Uploader,
    /// As the uploader calls it.
    pub name: String,
    /// Room taken for it while it comes in.
    pub reserve: Reserve,
    /// What it may not pass.
    pub quotas: FileQuotas,
}

/// An upload that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its size is what was reserved.
    pub file: StoredFile,
    /// Whose quota left less room than was asked for: `visitor` or `account`.
    pub bounded_by: Option<&'static str>,
}

/// What is known when its bytes are stored and synced.
#[derive(Debug, Clone)]
pub struct FileFacts {
    /// By its magic bytes.
    pub media_type: String,
    /// Bytes in the store.
    pub size_bytes: u64,
    /// Pixels; 0 where it is no image.
    pub width: u32,
    /// Pixels; 0 where it is no image.
    pub height: u32,
    /// Whether a small picture lies beside it.
    pub has_thumbnail: bool,
}

const UNKNOWN: Error = Error::NotFound { what: "file" };

/// Makes up the id of a file that is about to be uploaded.
pub fn new_file_id() -> Result<String, Error> {
    secrets::random_hex()
}

impl Catalog {
    /// Begins an upload: takes room for it, if all of its quotas have that much.
    pub async fn begin_file(&self, account: AccountId, new: NewFile) -> Result<Begun, Error> {
        let file = StoredFile {
            id: new.id,
            account,
            conversation: new.conversation,
            uploader: new.uploader,
            name: safe_name(&new.name),
            media_type: String::new(),
            size_bytes: 0,
            width: 0,
            height: 0,
            has_thumbnail: false,
            state: FileState::Uploading,
            created_ms: clock_ms(),
        };
        let (reserve, quotas) = (new.reserve, new.quotas);
        let change = Change::Begin { file: Box::new(file), reserve, quotas };
        let (file, bounded_by) = self.file_queue().make(change).await?;
        Ok(Begun { file, bounded_by })
    }

    /// Marks a file as stored: its bytes are written and synced.
    pub async fn finish_file(
        &self,
        account: AccountId,
        id: &str,
        facts: FileFacts,
    ) -> Result<StoredFile, Error> {
        let change = Change::Finish { account, id: id.to_owned(), facts };
        self.file_queue().make(change).await.map(|(file, _)| file)
    }

    /// Reads a stored file; one that is uploading or deleted is unknown.
    pub async fn file(&self, account: AccountId, id: &str) -> Result<StoredFile, Error> {
        let row = sql::query("SELECT * FROM files WHERE account = ? AND id = ? AND state = ?")
            .bind(account.to_string())
            .bind(id)
            .bind(FileState::Stored.code())
            .fetch_optional(self.reads())
            .await
            .doing("read a file")?;
        file(&row.ok_or(UNKNOWN)?)
    }

    /// Reads a file that a message is about to name: it was mostly stored a moment ago.
    pub async fn file_to_send(&self, account: AccountId, id: &str) -> Result<StoredFile, Error> {
        match self.kept().files.get(id).filter(|file| file.account == account) {
            Some(file) => Ok(file),
            None => self.file(account, id).await,
        }
    }

    /// Lists the stored files of a conversation, oldest first.
    pub async fn files_of(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Vec<StoredFile>, Error> {
        sql::query(
            "SELECT * FROM files WHERE account = ? AND conversation = ? AND state = ? \
             ORDER BY created_ms, id",
        )
        .bind(account.to_string())
        .bind(conversation.to_string())
        .bind(FileState::Stored.code())
        .fetch_all(self.reads())
        .await
        .doing("read files")?
        .iter()
        .map(file)
        .collect()
    }

    /// Takes a file away from everybody. Its bytes are still there: removing them is the caller's next
    /// step, [`Catalog::file_removed`] the one after it, and where either fails a sweep does both.
    pub async fn delete_file(&self, account: AccountId, id: &str) -> Result<(), Error> {
        let kept = [FileState::Uploading, FileState::Stored];
        self.move_file(account, id, kept, FileState::Removing).await
    }

    /// Notes that the bytes of a deleted file are gone.
    pub async fn file_removed(&self, account: AccountId, id: &str) -> Result<(), Error> {
        self.move_file(account, id, [FileState::Removing; 2], FileState::Deleted).await
    }

    async fn move_file(
        &self,
        account: AccountId,
        id: &str,
        from: [FileState; 2],
        to: FileState,
    ) -> Result<(), Error> {
        let change = Change::Move { account, id: id.to_owned(), from, to };
        self.file_queue().make(change).await.map(drop)
    }

    /// Lists files of any account whose bytes have to go: uploads that began before a time and never
    /// finished, and deleted files that nobody has noted as removed.
    pub async fn leftover_files(
        &self,
        before_ms: i64,
        limit: u32,
    ) -> Result<Vec<StoredFile>, Error> {
        sql::query(
            "SELECT * FROM files WHERE state = ? OR (state = ? AND created_ms < ?) \
             ORDER BY created_ms LIMIT ?",
        )
        .bind(FileState::Removing.code())
        .bind(FileState::Uploading.code())
        .bind(before_ms)
        .bind(i64::from(limit))
        .fetch_all(self.reads())
        .await
        .doing("read files")?
        .iter()
        .map(file)
        .collect()
    }

    /// What an account has stored.
    pub async fn file_usage(&self, account: AccountId) -> Result<FileUsage, Error> {
        let row = sql::query("SELECT files, bytes FROM file_usage WHERE account = ?")
            .bind(account.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read what is stored")?;
        row.map_or(Ok(FileUsage::default()), |row| FileUsage::of(&row, "files", "bytes"))
    }
}

/// The last part of a path, without what a file system, a header or a reader's eye could be
/// tricked by: control characters, separators, and marks that turn the direction of text.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !turns(*c) && !"<>:\"|?*".contains(*c))
        .collect();
    let clean = clean.trim().trim_start_matches('.');
    let length = clean.chars().count();
    if clean.is_empty() {
        return "file".to_owned();
    }
    if length <= FILE_NAME_CHARS_MAX {
        return clean.to_owned();
    }
    // The end of a name tells its kind: cut in front of it.
    clean.chars().skip(length - FILE_NAME_CHARS_MAX).collect()
}

fn file(row: &Row) -> Result<StoredFile, Error> {
    let conversation = rows::text(row, "conversation")?;
    Ok(StoredFile {
        id: rows::text(row, "id")?,
        account: rows::parsed(row, "account")?,
        conversation: match conversation.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Error::Stored { what: "conversation" })?),
        },
        uploader: Uploader {
            kind: rows::text(row, "uploader_kind")?,
            id: rows::text(row, "uploader")?,
        },
        name: rows::text(row, "name")?,
        media_type: rows::text(row, "media_type")?,
        size_bytes: rows::number(row, "size_bytes")?,
        width: rows::number(row, "width")?,
        height: rows::number(row, "height")?,
        has_thumbnail: rows::flag(row, "has_thumbnail")?,
        state: rows::parsed(row, "state")?,
        created_ms: rows::int(row, "created_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_names_lose_what_could_trick_a_file_system_a_header_or_an_eye() {
        for (given, kept) in [
            ("photo.png", "photo.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\fakepath\\报价单.pdf", "报价单.pdf"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("<script>.html", "script.html"),
            (".htaccess", "htaccess"),
            ("..", "file"),
            ("", "file"),
            ("a/", "file"),
        ] {
            assert_eq!(safe_name(given), kept, "{given:?}");
        }
        let long = format!("{}.png", "长".repeat(300));
        assert_eq!(safe_name(&long).chars().count(), FILE_NAME_CHARS_MAX);
        assert!(safe_name(&long).ends_with("长.png"));
    }
}
