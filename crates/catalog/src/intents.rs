//! What an account says of its own about intents: from which probability on a label counts, what decides without the
//! model, where each intent leads. It is kept as one document, which the router of the crate `intent` understands.

use frontdesk_core::id::AccountId;

use crate::{
    catalog::{Catalog, clock_ms},
    changes::Change,
    error::{Doing, Error, referenced},
    rows, sql,
};

/// Largest document.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 256 << 10;

/// The document of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentSettings {
    /// As it was put in.
    pub document: String,
    /// From 1; one more with every change, so that of two who change it at once the second is told.
    pub revision: u64,
}

impl Catalog {
    /// Reads what an account says; none where it never said anything.
    pub async fn intent_settings(
        &self,
        account: AccountId,
    ) -> Result<Option<IntentSettings>, Error> {
        let row = sql::query("SELECT document, revision FROM intent_settings WHERE account = ?")
            .bind(account.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read what is said about intents")?;
        row.map(|row| {
            Ok(IntentSettings {
                document: rows::text(&row, "document")?,
                revision: rows::number(&row, "revision")?,
            })
        })
        .transpose()
    }

    /// Puts a document in the place of the one with revision `before`, 0 where there is none yet.
    ///
    /// Fails with [`Error::Conflict`] of reason `changed` where somebody else was faster.
    pub async fn set_intent_settings(
        &self,
        account: AccountId,
        document: &str,
        before: u64,
    ) -> Result<IntentSettings, Error> {
        const DOING: &str = "change what is said about intents";
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::invalid("intents", "too_long"));
        }
        let changed = Error::Conflict { what: "intents", reason: "changed" };
        let revision = i64::try_from(before).map_err(|_| Error::invalid("revision", "unknown"))?;
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let known: Option<i64> =
            sql::scalar("SELECT revision FROM intent_settings WHERE account = ?")
                .bind(account.to_string())
                .fetch_optional(&mut write)
                .await
                .doing(DOING)?;
        if known.unwrap_or(0) != revision {
            return Err(changed);
        }
        let query = match known {
            Some(_) => sql::query(
                "UPDATE intent_settings SET document = ?, revision = ?, updated_ms = ? \
                 WHERE account = ?",
            ),
            None => sql::query(
                "INSERT INTO intent_settings (document, revision, updated_ms, account) \
                 VALUES (?, ?, ?, ?)",
            ),
        };
        query
            .bind(document)
            .bind(revision + 1)
            .bind(clock_ms())
            .bind(account.to_string())
            .execute(&mut write)
            .await
            .map_err(|source| referenced(Error::NotFound { what: "account" }, DOING, source))?;
        write.commit().await.doing(DOING)?;
        Ok(IntentSettings { document: document.to_owned(), revision: before + 1 })
    }
}
