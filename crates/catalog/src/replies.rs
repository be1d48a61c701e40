//! Canned replies: texts an agent inserts by a shortcut, for the whole account or one team.

use frontdesk_core::id::{AccountId, ReplyId, TeamId};

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, is_referenced, is_taken, taken};
use crate::sql::{self, Row};
use crate::store::Write;
use crate::text::{TEXT_CHARS_MAX, Texts};
use crate::{rows, teams};

/// Characters a shortcut may have.
pub(crate) const SHORTCUT_CHARS_MAX: usize = 40;

/// A canned reply of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its id.
    pub id: ReplyId,
    /// The team that has it; None for everybody.
    pub team: Option<TeamId>,
    /// What an agent types after `/`.
    pub shortcut: String,
    /// The text by language.
    pub texts: Texts,
    /// When it was created.
    pub created_ms: i64,
}

/// What a reply consists of.
#[derive(Debug, Clone)]
pub struct NewReply {
    /// The team that has it; None for everybody.
    pub team: Option<TeamId>,
    /// What an agent types after `/`; without spaces.
    pub shortcut: String,
    /// The text by language.
    pub texts: Texts,
}

const UNKNOWN: Error = Error::NotFound { what: "reply" };
const TAKEN: Error = Error::Conflict { what: "shortcut", reason: "taken" };

impl Catalog {
    /// Lists the replies of an account by shortcut.
    pub async fn replies(&self, account: AccountId) -> Result<Vec<Reply>, Error> {
        sql::query("SELECT * FROM canned_replies WHERE account = ? ORDER BY shortcut, id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read replies")?
            .iter()
            .map(reply)
            .collect()
    }

    /// Reads one reply.
    pub async fn reply(&self, account: AccountId, id: ReplyId) -> Result<Reply, Error> {
        let row = sql::query("SELECT * FROM canned_replies WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read a reply")?;
        reply(&row.ok_or(UNKNOWN)?)
    }

    /// Creates a reply. A shortcut is unique within its team, and within the whole account's.
    pub async fn create_reply(&self, account: AccountId, new: &NewReply) -> Result<Reply, Error> {
        let (shortcut, texts) = checked(new)?;
        let (id, created_ms) = self.new_id::<ReplyId>();
        let mut write = self.write("create a reply", Change::Account(account)).await?;
        team_exists(&mut write, account, new.team).await?;
        sql::query(
            "INSERT INTO canned_replies (id, account, team_id, scope, shortcut, texts, created_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(account.to_string())
        .bind(new.team.map(|team| team.to_string()))
        .bind(scope(new.team))
        .bind(&shortcut)
        .bind(rows::to_json(&texts))
        .bind(created_ms)
        .execute(&mut write)
        .await
        .map_err(|source| {
            if is_taken(&source) {
                TAKEN
            } else if is_referenced(&source) {
                Error::NotFound { what: "account" }
            } else {
                Error::sql("create a reply", source)
            }
        })?;
        write.commit().await.doing("create a reply")?;
        Ok(Reply { id, team: new.team, shortcut, texts, created_ms })
    }

    /// Replaces a reply.
    pub async fn update_reply(
        &self,
        account: AccountId,
        id: ReplyId,
        new: &NewReply,
    ) -> Result<Reply, Error> {
        let (shortcut, texts) = checked(new)?;
        let mut write = self.write("change a reply", Change::Account(account)).await?;
        team_exists(&mut write, account, new.team).await?;
        let changed = sql::query(
            "UPDATE canned_replies SET team_id = ?, scope = ?, shortcut = ?, texts = ? \
             WHERE account = ? AND id = ?",
        )
        .bind(new.team.map(|team| team.to_string()))
        .bind(scope(new.team))
        .bind(shortcut)
        .bind(rows::to_json(&texts))
        .bind(account.to_string())
        .bind(id.to_string())
        .execute(&mut write)
        .await
        .map_err(|source| taken(TAKEN, "change a reply", source))?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("change a reply")?;
        self.reply(account, id).await
    }

    /// Deletes a reply.
    pub async fn delete_reply(&self, account: AccountId, id: ReplyId) -> Result<(), Error> {
        let mut write = self.write("delete a reply", Change::Account(account)).await?;
        let changed = sql::query("DELETE FROM canned_replies WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("delete a reply")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("delete a reply")
    }
}

fn scope(team: Option<TeamId>) -> String {
    team.map(|team| team.to_string()).unwrap_or_default()
}

async fn team_exists(
    write: &mut Write,
    account: AccountId,
    team: Option<TeamId>,
) -> Result<(), Error> {
    match team {
        Some(team) => teams::exists(write, account, team).await,
        None => Ok(()),
    }
}

fn checked(new: &NewReply) -> Result<(String, Texts), Error> {
    let shortcut = new.shortcut.trim().trim_start_matches('/').to_lowercase();
    if shortcut.is_empty() {
        return Err(Error::invalid("shortcut", "empty"));
    }
    if shortcut.chars().count() > SHORTCUT_CHARS_MAX {
        return Err(Error::invalid("shortcut", "too_long"));
    }
    if shortcut.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::invalid("shortcut", "whitespace"));
    }
    Ok((shortcut, new.texts.checked_present("texts", TEXT_CHARS_MAX)?))
}

fn reply(row: &Row) -> Result<Reply, Error> {
    Ok(Reply {
        id: rows::parsed(row, "id")?,
        team: rows::maybe_parsed(row, "team_id")?,
        shortcut: rows::text(row, "shortcut")?,
        texts: rows::json(row, "texts")?,
        created_ms: rows::int(row, "created_ms")?,
    })
}
