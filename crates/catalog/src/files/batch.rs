//! A batch of changes about files in one transaction: what they touch is read, each is decided in order
//! with what those before it did, and what has changed is written back. The write lock is held from the
//! first read on, so nobody else changes anything in between and quotas hold for uploads that begin at
//! the same time. However many changes there are, it is the same handful of statements: lists go to
//! the database as JSON.

mod statements;

use std::collections::{BTreeSet, HashMap};

use frontdesk_core::id::AccountId;

use super::quota::{FileQuotas, FileUsage, Reserve, Room, UploaderUsage};
use super::{FileFacts, FileState, StoredFile, UNKNOWN, Uploader, file};
use crate::error::{Doing, Error};
use crate::rows;
use crate::sql;
use crate::store::{Lock, Store, Write};

const OPERATION: &str = "write about files";

/// What may happen to a file.
#[derive(Debug)]
pub(super) enum Change {
    /// An upload begins.
    Begin { file: Box<StoredFile>, reserve: Reserve, quotas: FileQuotas },
    /// Its bytes are there.
    Finish { account: AccountId, id: String, facts: FileFacts },
    /// It goes, or is gone.
    Move { account: AccountId, id: String, from: [FileState; 2], to: FileState },
}

impl Change {
    fn account(&self) -> AccountId {
        match self {
            Self::Begin { file, .. } => file.account,
            Self::Finish { account, .. } | Self::Move { account, .. } => *account,
        }
    }

    /// Of a file that is there.
    fn id(&self) -> Option<&str> {
        match self {
            Self::Begin { .. } => None,
            Self::Finish { id, .. } | Self::Move { id, .. } => Some(id),
        }
    }
}

/// The file as it is after a change, and whose quota gave a new one less room than it asked for.
pub(super) type Made = (StoredFile, Option<&'static str>);

/// Makes the changes that may be made and commits them; gives the result of each, in order.
pub(super) async fn commit(
    store: &Store,
    changes: Vec<Change>,
) -> Result<Vec<Result<Made, Error>>, Error> {
    let mut write = store.write(OPERATION, Lock::Files).await?;
    let mut batch = Batch::default();
    batch.read_accounts(&mut write, &changes).await?;
    batch.read_uploaders(&mut write, &changes).await?;
    batch.read_files(&mut write, &changes).await?;
    let made = changes.into_iter().map(|change| batch.make(change)).collect();
    batch.write_files(&mut write).await?;
    batch.write_accounts(&mut write).await?;
    write.commit().await.doing(OPERATION)?;
    Ok(made)
}

/// What the changes touch, as it is and becomes.
#[derive(Default)]
struct Batch {
    accounts: HashMap<AccountId, FileUsage>,
    uploaders: HashMap<(AccountId, Uploader), UploaderUsage>,
    files: HashMap<String, StoredFile>,
    changed_accounts: BTreeSet<AccountId>,
    changed_files: BTreeSet<String>,
}

impl Batch {
    async fn read_accounts(&mut self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        let accounts: BTreeSet<_> = changes.iter().map(Change::account).collect();
        let accounts: Vec<String> = accounts.iter().map(ToString::to_string).collect();
        let found = sql::query(statements::ACCOUNTS)
            .bind(rows::to_json(&accounts))
            .fetch_all(write)
            .await
            .doing("read what is stored")?;
        for row in &found {
            let usage = FileUsage::of(row, "files", "bytes")?;
            self.accounts.insert(rows::parsed(row, "id")?, usage);
        }
        Ok(())
    }

    /// Adds up what those have who begin an upload under a quota of their own. An index holds all
    /// that is added up.
    async fn read_uploaders(&mut self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        // Where one begins two uploads, the first says since when: they are moments apart.
        let mut asked = HashMap::new();
        for change in changes {
            if let Change::Begin { file, quotas, .. } = change
                && let Some(quota) = &quotas.uploader
            {
                let uploader = (file.account, file.uploader.clone());
                asked.entry(uploader).or_insert(quota.since_ms);
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = asked.into_iter().collect();
        let list: Vec<_> = asked
            .iter()
            .map(|((account, uploader), since_ms)| {
                (account.to_string(), &uploader.id, &uploader.kind, since_ms)
            })
            .collect();
        let found = sql::query(statements::UPLOADERS)
            .bind(rows::to_json(&list))
            .fetch_all(write)
            .await
            .doing("sum files")?;
        for row in &found {
            let place: usize = rows::number(row, "place")?;
            let (uploader, since_ms) = &asked[place];
            let usage = UploaderUsage {
                ever: FileUsage::of(row, "files", "bytes")?,
                since: FileUsage::of(row, "since_files", "since_bytes")?,
                since_ms: *since_ms,
            };
            self.uploaders.insert(uploader.clone(), usage);
        }
        Ok(())
    }

    async fn read_files(&mut self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        let ids: Vec<&str> = changes.iter().filter_map(Change::id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found = sql::query(statements::FILES)
            .bind(rows::to_json(&ids))
            .fetch_all(write)
            .await
            .doing("read files")?;
        for row in &found {
            let file = file(row)?;
            self.files.insert(file.id.clone(), file);
        }
        Ok(())
    }

    /// Decides one change.
    fn make(&mut self, change: Change) -> Result<Made, Error> {
        match change {
            Change::Begin { mut file, reserve, quotas } => {
                let (bytes, bounded_by) = self.room(&file, &quotas)?.take(reserve)?;
                file.size_bytes = bytes;
                Ok((self.becomes(*file), bounded_by))
            }
            Change::Finish { account, id, facts } => {
                let file = self.found(account, &id, &[FileState::Uploading])?;
                let stored = StoredFile {
                    media_type: facts.media_type,
                    size_bytes: facts.size_bytes,
                    width: facts.width,
                    height: facts.height,
                    has_thumbnail: facts.has_thumbnail,
                    state: FileState::Stored,
                    ..file
                };
                Ok((self.becomes(stored), None))
            }
            Change::Move { account, id, from, to } => {
                let file = self.found(account, &id, &from)?;
                Ok((self.becomes(StoredFile { state: to, ..file }), None))
            }
        }
    }

    fn room(&self, file: &StoredFile, quotas: &FileQuotas) -> Result<Room, Error> {
        let stored = self.accounts.get(&file.account);
        let stored = stored.ok_or(Error::NotFound { what: "account" })?;
        let room = Room::of_account(quotas.account, *stored);
        let Some(quota) = quotas.uploader else { return Ok(room) };
        let stored = self.uploaders.get(&(file.account, file.uploader.clone()));
        let stored = stored.expect("whoever begins under a quota of its own was asked for");
        Ok(room.with_uploader(quota, *stored))
    }

    fn found(
        &self,
        account: AccountId,
        id: &str,
        states: &[FileState],
    ) -> Result<StoredFile, Error> {
        let file = self.files.get(id).ok_or(UNKNOWN)?;
        let fits = file.account == account && states.contains(&file.state);
        if fits { Ok(file.clone()) } else { Err(UNKNOWN) }
    }

    /// A file is new, or another than it was; what is stored follows.
    fn becomes(&mut self, file: StoredFile) -> StoredFile {
        let was = self.files.insert(file.id.clone(), file.clone());
        let (was, is) = (was.and_then(|was| was.counted_bytes()), file.counted_bytes());
        if let Some(account) = self.accounts.get_mut(&file.account) {
            account.moves(was, is);
        }
        if let Some(uploader) = self.uploaders.get_mut(&(file.account, file.uploader.clone())) {
            uploader.ever.moves(was, is);
            if file.created_ms >= uploader.since_ms {
                uploader.since.moves(was, is);
            }
        }
        self.changed_accounts.insert(file.account);
        self.changed_files.insert(file.id.clone());
        file
    }

    async fn write_files(&self, write: &mut Write) -> Result<(), Error> {
        if self.changed_files.is_empty() {
            return Ok(());
        }
        let list: Vec<_> = self
            .changed_files
            .iter()
            .map(|id| {
                let file = &self.files[id];
                (
                    &file.id,
                    file.account.to_string(),
                    file.conversation.map(|id| id.to_string()).unwrap_or_default(),
                    &file.uploader.kind,
                    &file.uploader.id,
                    &file.name,
                    &file.media_type,
                    file.size_bytes,
                    file.width,
                    file.height,
                    u8::from(file.has_thumbnail),
                    file.state.code(),
                    file.created_ms,
                )
            })
            .collect();
        sql::query(statements::WRITE_FILES)
            .bind(rows::to_json(&list))
            .execute(write)
            .await
            .doing(OPERATION)?;
        Ok(())
    }

    async fn write_accounts(&self, write: &mut Write) -> Result<(), Error> {
        if self.changed_accounts.is_empty() {
            return Ok(());
        }
        let list: Vec<_> = self
            .changed_accounts
            .iter()
            .filter_map(|id| self.accounts.get(id).map(|usage| (id, usage)))
            .map(|(id, usage)| (id.to_string(), usage.files, usage.bytes))
            .collect();
        sql::query(statements::WRITE_ACCOUNTS)
            .bind(rows::to_json(&list))
            .execute(write)
            .await
            .doing(OPERATION)?;
        Ok(())
    }
}
