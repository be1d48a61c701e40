//! Documents an account writes about its smart service: flows of bots, rules of words, what a language model may, what
//! bots do. The catalog keeps them as texts and understands none of them; whoever does checks them first.
//!
//! A document has a revision, one more with every change, so that of two who change it at once the second is told. The
//! last [`VERSIONS_MAX`] of each are kept; going back to one is a change as any other. A secret that belongs to a
//! document lies beside it encrypted, under a key that is not in this database, and in no version.

use std::str::FromStr;

use frontdesk_core::id::AccountId;

use crate::{
    catalog::{Catalog, clock_ms},
    changes::Change,
    error::{Doing, Error, referenced},
    rows,
    sql::{self, Row},
    store::Write,
    text,
};

/// Largest document.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 10;
/// Documents of one kind: all flows of an account are in memory, checked.
pub const DOCUMENTS_MAX: usize = 50;
/// Versions kept of each.
pub const VERSIONS_MAX: usize = 50;
/// Largest encrypted secret.
pub const SEALED_BYTES_MAX: usize = 8 << 10;
const NAME_CHARS_MAX: usize = 100;
const AUTHOR_CHARS_MAX: usize = 254;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A flow of a bot; each has a name.
    Flow,
    /// Rules of words; one document without a name.
    Words,
    /// What the language model is and may; one document without a name.
    Llm,
    /// What bots do in which inbox; one document without a name.
    Bot,
}

impl DocumentKind {
    const ALL: [Self; 4] = [Self::Flow, Self::Words, Self::Llm, Self::Bot];

    /// The word stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Words => "words",
            Self::Llm => "llm",
            Self::Bot => "bot",
        }
    }

    /// Whether an account has several, told apart by name.
    const fn is_named(self) -> bool {
        matches!(self, Self::Flow)
    }
}

impl FromStr for DocumentKind {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.code() == code);
        known.ok_or_else(|| Error::invalid("kind", "unknown_word"))
    }
}

/// A document as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is about.
    pub kind: DocumentKind,
    /// Its name; empty where there is one of its kind.
    pub name: String,
    /// As it was put in.
    pub document: String,
    /// The secret that belongs to it, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// From 1.
    pub revision: u64,
    /// When it was changed last.
    pub updated_ms: i64,
    /// Who changed it, by the name of that time.
    pub by_name: String,
}

/// A document in a list, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentHeading {
    /// Its name.
    pub name: String,
    /// From 1.
    pub revision: u64,
    /// When it was changed last.
    pub updated_ms: i64,
    /// Who changed it, by the name of that time.
    pub by_name: String,
}

/// What a document is to be.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// What it says.
    pub document: &'a str,
    /// The secret that belongs to it, encrypted; what was there goes.
    pub sealed: Option<&'a [u8]>,
    /// Who changes it.
    pub by_name: &'a str,
}

/// A document as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentVersion {
    /// Its revision then.
    pub revision: u64,
    /// What it said.
    pub document: String,
    /// When it was written.
    pub at_ms: i64,
    /// Who wrote it, by the name of that time.
    pub by_name: String,
}

const UNKNOWN: Error = Error::NotFound { what: "document" };
const CHANGED: Error = Error::Conflict { what: "document", reason: "changed" };

impl Catalog {
    /// Lists the documents of a kind by name.
    pub async fn documents(
        &self,
        account: AccountId,
        kind: DocumentKind,
    ) -> Result<Vec<Document>, Error> {
        sql::query("SELECT * FROM documents WHERE account = ? AND kind = ? ORDER BY name")
            .bind(account.to_string())
            .bind(kind.code())
            .fetch_all(self.reads())
            .await
            .doing("read documents")?
            .iter()
            .map(document)
            .collect()
    }

    /// Lists the documents of a kind by name, without what they say.
    pub async fn document_headings(
        &self,
        account: AccountId,
        kind: DocumentKind,
    ) -> Result<Vec<DocumentHeading>, Error> {
        sql::query(
            "SELECT name, revision, updated_ms, by_name FROM documents \
             WHERE account = ? AND kind = ? ORDER BY name",
        )
        .bind(account.to_string())
        .bind(kind.code())
        .fetch_all(self.reads())
        .await
        .doing("list documents")?
        .iter()
        .map(|row| {
            Ok(DocumentHeading {
                name: rows::text(row, "name")?,
                revision: rows::number(row, "revision")?,
                updated_ms: rows::int(row, "updated_ms")?,
                by_name: rows::text(row, "by_name")?,
            })
        })
        .collect()
    }

    /// Lists the names of the documents of a kind, without what they say.
    pub async fn document_names(
        &self,
        account: AccountId,
        kind: DocumentKind,
    ) -> Result<Vec<String>, Error> {
        sql::query("SELECT name FROM documents WHERE account = ? AND kind = ? ORDER BY name")
            .bind(account.to_string())
            .bind(kind.code())
            .fetch_all(self.reads())
            .await
            .doing("read the names of documents")?
            .iter()
            .map(|row| rows::text(row, "name"))
            .collect()
    }

    /// Reads a document; None where there was never one. The name is empty where there is one of its kind.
    pub async fn document(
        &self,
        account: AccountId,
        kind: DocumentKind,
        name: &str,
    ) -> Result<Option<Document>, Error> {
        sql::query("SELECT * FROM documents WHERE account = ? AND kind = ? AND name = ?")
            .bind(account.to_string())
            .bind(kind.code())
            .bind(name)
            .fetch_optional(self.reads())
            .await
            .doing("read a document")?
            .as_ref()
            .map(document)
            .transpose()
    }

    /// Puts a document in the place of the one with revision `before`, 0 where there is none yet.
    ///
    /// Fails with [`Error::Conflict`] of reason `changed` where somebody else was faster.
    pub async fn set_document(
        &self,
        account: AccountId,
        kind: DocumentKind,
        name: &str,
        new: NewDocument<'_>,
        before: u64,
    ) -> Result<Document, Error> {
        const DOING: &str = "change a document";
        checked(kind, name, new)?;
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let known = find(&mut write, account, kind, name).await?;
        if known.as_ref().map_or(0, |known| known.revision) != before {
            return Err(CHANGED);
        }
        let set = store(&mut write, account, kind, name, new, known.as_ref()).await?;
        write.commit().await.doing(DOING)?;
        Ok(set)
    }

    /// Deletes a document with its versions.
    pub async fn delete_document(
        &self,
        account: AccountId,
        kind: DocumentKind,
        name: &str,
    ) -> Result<(), Error> {
        const DOING: &str = "delete a document";
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let gone = sql::query("DELETE FROM documents WHERE account = ? AND kind = ? AND name = ?")
            .bind(account.to_string())
            .bind(kind.code())
            .bind(name)
            .execute(&mut write)
            .await
            .doing(DOING)?;
        if gone.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing(DOING)
    }

    /// Lists what a document said, newest first; what it says now is the first.
    pub async fn document_versions(
        &self,
        account: AccountId,
        kind: DocumentKind,
        name: &str,
    ) -> Result<Vec<DocumentVersion>, Error> {
        let versions: Vec<_> = sql::query(
            "SELECT revision, document, at_ms, by_name FROM document_versions \
             WHERE account = ? AND kind = ? AND name = ? ORDER BY revision DESC",
        )
        .bind(account.to_string())
        .bind(kind.code())
        .bind(name)
        .fetch_all(self.reads())
        .await
        .doing("read the versions of a document")?
        .iter()
        .map(version)
        .collect::<Result<_, _>>()?;
        if versions.is_empty() { Err(UNKNOWN) } else { Ok(versions) }
    }

    /// Makes a document say again what it said at a revision; that is a new revision. Its secret stays as it is.
    pub async fn rollback_document(
        &self,
        account: AccountId,
        kind: DocumentKind,
        name: &str,
        to: u64,
        by_name: &str,
    ) -> Result<Document, Error> {
        const DOING: &str = "go back to a version";
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let known = find(&mut write, account, kind, name).await?.ok_or(UNKNOWN)?;
        let row = sql::query(
            "SELECT revision, document, at_ms, by_name FROM document_versions \
             WHERE account = ? AND kind = ? AND name = ? AND revision = ?",
        )
        .bind(account.to_string())
        .bind(kind.code())
        .bind(name)
        .bind(i64::try_from(to).map_err(|_| Error::invalid("version", "unknown"))?)
        .fetch_optional(&mut write)
        .await
        .doing(DOING)?;
        let then = version(&row.ok_or(Error::NotFound { what: "version" })?)?;
        let sealed = known.sealed.as_deref();
        let new = NewDocument { document: &then.document, sealed, by_name };
        checked(kind, name, new)?;
        let set = store(&mut write, account, kind, name, new, Some(&known)).await?;
        write.commit().await.doing(DOING)?;
        Ok(set)
    }
}

fn checked(kind: DocumentKind, name: &str, new: NewDocument<'_>) -> Result<(), Error> {
    // A name is taken as it is: it stands in addresses and in other documents.
    if kind.is_named() == name.is_empty() {
        return Err(Error::invalid("name", "empty"));
    }
    if text::line("name", name, NAME_CHARS_MAX)? != name {
        return Err(Error::invalid("name", "whitespace"));
    }
    if new.document.len() > DOCUMENT_BYTES_MAX {
        return Err(Error::invalid("document", "too_long"));
    }
    if new.sealed.is_some_and(|sealed| sealed.len() > SEALED_BYTES_MAX) {
        return Err(Error::invalid("key", "too_long"));
    }
    text::line("by_name", new.by_name, AUTHOR_CHARS_MAX).map(drop)
}

async fn find(
    write: &mut Write,
    account: AccountId,
    kind: DocumentKind,
    name: &str,
) -> Result<Option<Document>, Error> {
    sql::query("SELECT * FROM documents WHERE account = ? AND kind = ? AND name = ?")
        .bind(account.to_string())
        .bind(kind.code())
        .bind(name)
        .fetch_optional(&mut *write)
        .await
        .doing("read a document")?
        .as_ref()
        .map(document)
        .transpose()
}

async fn store(
    write: &mut Write,
    account: AccountId,
    kind: DocumentKind,
    name: &str,
    new: NewDocument<'_>,
    known: Option<&Document>,
) -> Result<Document, Error> {
    const DOING: &str = "change a document";
    let revision = known.map_or(0, |known| known.revision) + 1;
    let stored = i64::try_from(revision).map_err(|_| Error::invalid("revision", "unknown"))?;
    let updated_ms = clock_ms();
    let query = if known.is_some() {
        sql::query(
            "UPDATE documents SET document = ?, sealed = ?, revision = ?, updated_ms = ?, \
             by_name = ? WHERE account = ? AND kind = ? AND name = ?",
        )
    } else {
        room(write, account, kind).await?;
        sql::query(
            "INSERT INTO documents (document, sealed, revision, updated_ms, by_name, account, \
             kind, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
    };
    query
        .bind(new.document)
        .bind(new.sealed.map(<[u8]>::to_vec))
        .bind(stored)
        .bind(updated_ms)
        .bind(new.by_name)
        .bind(account.to_string())
        .bind(kind.code())
        .bind(name)
        .execute(&mut *write)
        .await
        .map_err(|source| referenced(Error::NotFound { what: "account" }, DOING, source))?;
    sql::query(
        "INSERT INTO document_versions (document, revision, at_ms, by_name, account, kind, name) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.document)
    .bind(stored)
    .bind(updated_ms)
    .bind(new.by_name)
    .bind(account.to_string())
    .bind(kind.code())
    .bind(name)
    .execute(&mut *write)
    .await
    .doing(DOING)?;
    sql::query(
        "DELETE FROM document_versions WHERE account = ? AND kind = ? AND name = ? \
         AND revision <= ?",
    )
    .bind(account.to_string())
    .bind(kind.code())
    .bind(name)
    .bind(stored - VERSIONS_MAX as i64)
    .execute(&mut *write)
    .await
    .doing(DOING)?;
    Ok(Document {
        kind,
        name: name.to_owned(),
        document: new.document.to_owned(),
        sealed: new.sealed.map(<[u8]>::to_vec),
        revision,
        updated_ms,
        by_name: new.by_name.to_owned(),
    })
}

async fn room(write: &mut Write, account: AccountId, kind: DocumentKind) -> Result<(), Error> {
    let count: i64 = sql::scalar("SELECT COUNT(*) FROM documents WHERE account = ? AND kind = ?")
        .bind(account.to_string())
        .bind(kind.code())
        .fetch_one(&mut *write)
        .await
        .doing("count documents")?;
    if count >= DOCUMENTS_MAX as i64 {
        return Err(Error::Conflict { what: "documents", reason: "too_many" });
    }
    Ok(())
}

fn document(row: &Row) -> Result<Document, Error> {
    Ok(Document {
        kind: rows::parsed(row, "kind")?,
        name: rows::text(row, "name")?,
        document: rows::text(row, "document")?,
        sealed: rows::maybe_bytes(row, "sealed")?,
        revision: rows::number(row, "revision")?,
        updated_ms: rows::int(row, "updated_ms")?,
        by_name: rows::text(row, "by_name")?,
    })
}

fn version(row: &Row) -> Result<DocumentVersion, Error> {
    Ok(DocumentVersion {
        revision: rows::number(row, "revision")?,
        document: rows::text(row, "document")?,
        at_ms: rows::int(row, "at_ms")?,
        by_name: rows::text(row, "by_name")?,
    })
}
