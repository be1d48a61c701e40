//! Whether articles helped their readers: one vote for each article, reader and day, which the reader may change.

use frontdesk_core::id::{AccountId, ArticleId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, is_referenced, is_taken},
    mysql::again,
    rows, sql,
    store::{Lock, Write},
};

/// Bytes of what names a voter.
pub const VOTER_BYTES: usize = 16;
/// Votes of one account and day; more are not counted, so that nobody fills the database by voting.
const VOTES_PER_DAY_MAX: i64 = 20_000;

/// What became of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// It counts.
    Counted,
    /// The reader said the opposite before; this counts instead.
    Changed,
    /// The reader said so before.
    Known,
    /// There were too many today.
    Full,
}

impl Catalog {
    /// Counts a reader's vote. `voter` names the reader for one `day` (since 1970, UTC); votes of other days are
    /// forgotten, what they counted stays.
    pub async fn vote_article(
        &self,
        account: AccountId,
        article: ArticleId,
        voter: [u8; VOTER_BYTES],
        day: i64,
        helpful: bool,
    ) -> Result<Vote, Error> {
        again(|| Box::pin(self.vote(account, article, voter, day, helpful))).await
    }

    async fn vote(
        &self,
        account: AccountId,
        article: ArticleId,
        voter: [u8; VOTER_BYTES],
        day: i64,
        helpful: bool,
    ) -> Result<Vote, Error> {
        const DOING: &str = "count a vote";
        let mut write = self.write_aside(DOING, Lock::Rows).await?;
        let known = sql::query(
            "SELECT day, helpful FROM article_votes WHERE account = ? AND article = ? AND voter = ?",
        )
        .bind(account.to_string())
        .bind(article.to_string())
        .bind(voter.to_vec())
        .fetch_optional(&mut write)
        .await
        .doing(DOING)?;
        if let Some(row) = known {
            let before = rows::flag(&row, "helpful")?;
            if before == helpful {
                return Ok(Vote::Known);
            }
            let changed = sql::query(
                "UPDATE article_votes SET helpful = ? WHERE account = ? AND article = ? \
                 AND voter = ? AND helpful <> ?",
            )
            .bind(i64::from(helpful))
            .bind(account.to_string())
            .bind(article.to_string())
            .bind(voter.to_vec())
            .bind(i64::from(helpful))
            .execute(&mut write)
            .await
            .doing(DOING)?;
            // On another node the reader said the same meanwhile, and it was counted there.
            if changed.rows_affected() == 0 {
                return Ok(Vote::Known);
            }
            let step = if helpful { 1 } else { -1 };
            count(&mut write, account, article, step, -step).await?;
            write.commit().await.doing(DOING)?;
            return Ok(Vote::Changed);
        }
        sql::query("DELETE FROM article_votes WHERE account = ? AND day < ?")
            .bind(account.to_string())
            .bind(day)
            .execute(&mut write)
            .await
            .doing(DOING)?;
        let today: i64 =
            sql::scalar("SELECT COUNT(*) FROM article_votes WHERE account = ? AND day = ?")
                .bind(account.to_string())
                .bind(day)
                .fetch_one(&mut write)
                .await
                .doing(DOING)?;
        if today >= VOTES_PER_DAY_MAX {
            return Ok(Vote::Full);
        }
        let inserted = sql::query(
            "INSERT INTO article_votes (account, article, voter, day, helpful) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(account.to_string())
        .bind(article.to_string())
        .bind(voter.to_vec())
        .bind(day)
        .bind(i64::from(helpful))
        .execute(&mut write)
        .await;
        match inserted {
            // The same reader voted on another node meanwhile.
            Err(source) if is_taken(&source) => return Ok(Vote::Known),
            Err(source) if is_referenced(&source) => return Err(super::UNKNOWN),
            other => other.doing(DOING)?,
        };
        count(&mut write, account, article, i64::from(helpful), i64::from(!helpful)).await?;
        write.commit().await.doing(DOING)?;
        Ok(Vote::Counted)
    }
}

async fn count(
    write: &mut Write,
    account: AccountId,
    article: ArticleId,
    helpful: i64,
    unhelpful: i64,
) -> Result<(), Error> {
    sql::query(
        "UPDATE articles SET helpful = helpful + ?, unhelpful = unhelpful + ? \
         WHERE account = ? AND id = ?",
    )
    .bind(helpful)
    .bind(unhelpful)
    .bind(account.to_string())
    .bind(article.to_string())
    .execute(&mut *write)
    .await
    .doing("count a vote")?;
    Ok(())
}
