//! When rules of words had something to say about a message, and about whose: never what it said. The newest
//! [`SCREEN_HITS_MAX`] of each account are kept.

use frontdesk_core::id::{AccountId, ScreenHitId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, is_referenced},
    mysql::again,
    rows,
    sql::{self, Row},
    store::Lock,
};

/// Kept of each account; the oldest make room.
pub const SCREEN_HITS_MAX: usize = 10_000;

/// One time a rule had something to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewScreenHit {
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Name of the rule.
    pub rule: String,
    /// `mask`, `refuse` or `flag`.
    pub action: String,
    /// `visitor`, `agent`, `bot` or `api`.
    pub by_kind: String,
    /// Id of who wrote it.
    pub by_id: String,
    /// Name of that time; empty for a visitor without one.
    pub by_name: String,
    /// Where.
    pub conversation: String,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenHit {
    /// Sorts by time.
    pub id: ScreenHitId,
    /// What happened.
    pub hit: NewScreenHit,
}

impl Catalog {
    /// Keeps what happened, oldest first. An account that is gone meanwhile is no error.
    pub async fn note_screen_hits(
        &self,
        account: AccountId,
        hits: &[NewScreenHit],
    ) -> Result<(), Error> {
        again(|| Box::pin(self.note_hits(account, hits))).await
    }

    async fn note_hits(&self, account: AccountId, hits: &[NewScreenHit]) -> Result<(), Error> {
        const DOING: &str = "note hits of rules";
        let mut write = self.write_aside(DOING, Lock::Rows).await?;
        for hit in hits {
            let (id, _) = self.new_id::<ScreenHitId>();
            let noted = sql::query(
                "INSERT INTO screen_hits (account, id, at_ms, rule, action, by_kind, by_id, \
                 by_name, conversation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(account.to_string())
            .bind(id.to_string())
            .bind(hit.at_ms)
            .bind(bounded(&hit.rule, 254))
            .bind(bounded(&hit.action, 16))
            .bind(bounded(&hit.by_kind, 16))
            .bind(bounded(&hit.by_id, 20))
            .bind(bounded(&hit.by_name, 254))
            .bind(bounded(&hit.conversation, 20))
            .execute(&mut write)
            .await;
            match noted {
                Err(source) if is_referenced(&source) => return Ok(()),
                other => other.doing(DOING)?,
            };
        }
        let oldest: Option<String> = sql::scalar(
            "SELECT id FROM screen_hits WHERE account = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        )
        .bind(account.to_string())
        .bind(SCREEN_HITS_MAX as i64)
        .fetch_optional(&mut write)
        .await
        .doing(DOING)?;
        if let Some(oldest) = oldest {
            sql::query("DELETE FROM screen_hits WHERE account = ? AND id <= ?")
                .bind(account.to_string())
                .bind(oldest)
                .execute(&mut write)
                .await
                .doing(DOING)?;
        }
        write.commit().await.doing(DOING)
    }

    /// Lists what happened, newest first, before one of them.
    pub async fn screen_hits(
        &self,
        account: AccountId,
        before: Option<ScreenHitId>,
        limit: usize,
    ) -> Result<Vec<ScreenHit>, Error> {
        // Nothing sorts behind it.
        let before = before.map_or_else(|| "w".to_owned(), |id| id.to_string());
        sql::query(
            "SELECT * FROM screen_hits WHERE account = ? AND id < ? ORDER BY id DESC LIMIT ?",
        )
        .bind(account.to_string())
        .bind(before)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.reads())
        .await
        .doing("read hits of rules")?
        .iter()
        .map(hit)
        .collect()
    }
}

/// What happened is kept even where a name is longer than a column.
fn bounded(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

fn hit(row: &Row) -> Result<ScreenHit, Error> {
    Ok(ScreenHit {
        id: rows::parsed(row, "id")?,
        hit: NewScreenHit {
            at_ms: rows::int(row, "at_ms")?,
            rule: rows::text(row, "rule")?,
            action: rows::text(row, "action")?,
            by_kind: rows::text(row, "by_kind")?,
            by_id: rows::text(row, "by_id")?,
            by_name: rows::text(row, "by_name")?,
            conversation: rows::text(row, "conversation")?,
        },
    })
}
