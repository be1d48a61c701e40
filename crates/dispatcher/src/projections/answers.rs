//! How long visitors of an inbox waited for a first answer lately.

use frontdesk_core::chat;
use frontdesk_core::id::{AccountId, InboxId};

use super::{Doing, ProjectionError, Projections, rows};

/// The newest conversations of the account that are looked at, whatever their inbox: what the question
/// costs does not grow with the account.
const LOOKED_AT_MAX: i64 = 2_000;

impl Projections {
    /// Lists how long visitors waited for the first answer, in ms, in the newest sessions of an inbox
    /// since a time.
    pub async fn first_answers(
        &self,
        account: AccountId,
        inbox: InboxId,
        since_ms: i64,
    ) -> Result<Vec<i64>, ProjectionError> {
        let found = sqlx::query(
            "SELECT session FROM (SELECT inbox, session, last_at_ms FROM conversations \
             WHERE account = ? AND last_at_ms >= ? ORDER BY last_at_ms DESC LIMIT ?) recent \
             WHERE inbox = ? AND session IS NOT NULL",
        )
        .bind(account.to_string())
        .bind(since_ms)
        .bind(LOOKED_AT_MAX)
        .bind(inbox.to_string())
        .fetch_all(self.database.reads())
        .await
        .doing("read first answers")?;
        let mut waits = Vec::with_capacity(found.len());
        for row in &found {
            let session: Option<chat::Session> = rows::message(row, "session")?;
            let Some(session) = session else { continue };
            if session.opened_at_ms > 0 && session.first_answer_at_ms >= session.opened_at_ms {
                waits.push(session.first_answer_at_ms - session.opened_at_ms);
            }
        }
        Ok(waits)
    }
}
