//! What became of sessions a bot had: how many it could finish, how many it handed over and why. One row for each, kept
//! for [`BOT_SESSION_DAYS_MAX`] days.

use std::{collections::BTreeMap, str::FromStr};

use frontdesk_core::id::{AccountId, ConversationId, InboxId, SessionId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, is_referenced},
    mysql::again,
    rows,
    sql::{self, Dialects, Row},
    store::Lock,
};

/// How long a row is kept.
pub const BOT_SESSION_DAYS_MAX: i64 = 400;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Reasons that are told apart in figures.
const REASONS_MAX: i64 = 50;
const REASON_CHARS_MAX: usize = 16;

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotOutcome {
    /// The bot still has it.
    Open,
    /// It ended without a person.
    Contained,
    /// A person got it.
    HandedOver,
    /// It ended, and the bot had no answer.
    NoAnswer,
}

impl BotOutcome {
    const ALL: [Self; 4] = [Self::Open, Self::Contained, Self::HandedOver, Self::NoAnswer];

    /// The word stored and shown in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Contained => "contained",
            Self::HandedOver => "handed_over",
            Self::NoAnswer => "no_answer",
        }
    }
}

impl FromStr for BotOutcome {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|outcome| outcome.code() == code);
        known.ok_or_else(|| Error::invalid("outcome", "unknown_word"))
    }
}

/// A session a bot had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotSession {
    /// The session.
    pub session: SessionId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The inbox.
    pub inbox: InboxId,
    /// When the bot got it, UTC milliseconds.
    pub at_ms: i64,
    /// What became of it.
    pub outcome: BotOutcome,
    /// Why it was handed over, as a short word; empty where it was not.
    pub reason: String,
    /// Messages of the visitor while the bot had it.
    pub turns: u64,
    /// How many of them the bot answered.
    pub answered: u64,
}

/// Sessions of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BotDay {
    /// Days since 1970, UTC.
    pub day: i64,
    /// All.
    pub sessions: u64,
    /// Without a person.
    pub contained: u64,
    /// A person got them.
    pub handed_over: u64,
    /// Ended without an answer.
    pub no_answer: u64,
}

/// Sessions over days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BotFigures {
    /// By day; days without any are absent.
    pub days: Vec<BotDay>,
    /// Why sessions were handed over, most often first as far as they are told apart.
    pub by_reason: BTreeMap<String, u64>,
}

const KEEP: Dialects = Dialects {
    sqlite: "INSERT INTO bot_sessions (account, session, conversation, inbox, at_ms, outcome, \
             reason, turns, answered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (account, session) DO UPDATE SET outcome = excluded.outcome, \
             reason = excluded.reason, turns = excluded.turns, answered = excluded.answered",
    mysql: "INSERT INTO bot_sessions (account, session, conversation, inbox, at_ms, outcome, \
            reason, turns, answered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
            ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), \
            turns = VALUES(turns), answered = VALUES(answered)",
};
const BY_DAY: Dialects = Dialects {
    sqlite: "SELECT at_ms / 86400000 AS day, outcome, COUNT(*) AS sessions FROM bot_sessions \
             WHERE account = ? AND at_ms >= ? GROUP BY day, outcome ORDER BY day",
    mysql: "SELECT at_ms DIV 86400000 AS day, outcome, COUNT(*) AS sessions FROM bot_sessions \
            WHERE account = ? AND at_ms >= ? GROUP BY day, outcome ORDER BY day",
};

impl Catalog {
    /// Keeps how a session stands now; when it began stays as it was kept first. An account that is gone meanwhile is
    /// no error.
    pub async fn keep_bot_session(
        &self,
        account: AccountId,
        session: &BotSession,
    ) -> Result<(), Error> {
        again(|| Box::pin(self.keep_session(account, session))).await
    }

    async fn keep_session(&self, account: AccountId, session: &BotSession) -> Result<(), Error> {
        const DOING: &str = "keep a bot's session";
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let reason: String = session.reason.chars().take(REASON_CHARS_MAX).collect();
        let mut write = self.write_aside(DOING, Lock::Rows).await?;
        let kept = sql::query(KEEP)
            .bind(account.to_string())
            .bind(session.session.to_string())
            .bind(session.conversation.to_string())
            .bind(session.inbox.to_string())
            .bind(session.at_ms)
            .bind(session.outcome.code())
            .bind(reason)
            .bind(number(session.turns))
            .bind(number(session.answered))
            .execute(&mut write)
            .await;
        match kept {
            Err(source) if is_referenced(&source) => return Ok(()),
            other => other.doing(DOING)?,
        };
        sql::query("DELETE FROM bot_sessions WHERE account = ? AND at_ms < ?")
            .bind(account.to_string())
            .bind(session.at_ms - BOT_SESSION_DAYS_MAX * DAY_MS)
            .execute(&mut write)
            .await
            .doing(DOING)?;
        write.commit().await.doing(DOING)
    }

    /// Lists sessions a bot had, newest first, before the time and id of one of them.
    pub async fn bot_sessions(
        &self,
        account: AccountId,
        outcome: Option<BotOutcome>,
        before: Option<(i64, SessionId)>,
        limit: usize,
    ) -> Result<Vec<BotSession>, Error> {
        let outcome = outcome.map(|outcome| outcome.code().to_owned());
        // Nothing sorts behind it.
        let (at_ms, id) =
            before.map_or((i64::MAX, "w".to_owned()), |(at_ms, id)| (at_ms, id.to_string()));
        sql::query(
            "SELECT * FROM bot_sessions WHERE account = ? AND (? IS NULL OR outcome = ?) \
             AND (at_ms < ? OR (at_ms = ? AND session < ?)) \
             ORDER BY at_ms DESC, session DESC LIMIT ?",
        )
        .bind(account.to_string())
        .bind(outcome.clone())
        .bind(outcome)
        .bind(at_ms)
        .bind(at_ms)
        .bind(id)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.reads())
        .await
        .doing("read bots' sessions")?
        .iter()
        .map(bot_session)
        .collect()
    }

    /// Counts sessions that began at `since_ms` or later.
    pub async fn bot_figures(
        &self,
        account: AccountId,
        since_ms: i64,
    ) -> Result<BotFigures, Error> {
        const DOING: &str = "count bots' sessions";
        let rows = sql::query(BY_DAY)
            .bind(account.to_string())
            .bind(since_ms)
            .fetch_all(self.reads())
            .await
            .doing(DOING)?;
        let mut days: Vec<BotDay> = Vec::new();
        for row in &rows {
            let day = rows::int(row, "day")?;
            if days.last().is_none_or(|last| last.day != day) {
                days.push(BotDay { day, ..BotDay::default() });
            }
            let sessions: u64 = rows::number(row, "sessions")?;
            if let Some(last) = days.last_mut() {
                last.sessions += sessions;
                match rows::parsed(row, "outcome")? {
                    BotOutcome::Open => {}
                    BotOutcome::Contained => last.contained += sessions,
                    BotOutcome::HandedOver => last.handed_over += sessions,
                    BotOutcome::NoAnswer => last.no_answer += sessions,
                }
            }
        }
        let by_reason = sql::query(
            "SELECT reason, COUNT(*) AS sessions FROM bot_sessions WHERE account = ? \
             AND at_ms >= ? AND outcome = ? GROUP BY reason ORDER BY sessions DESC, reason LIMIT ?",
        )
        .bind(account.to_string())
        .bind(since_ms)
        .bind(BotOutcome::HandedOver.code())
        .bind(REASONS_MAX)
        .fetch_all(self.reads())
        .await
        .doing(DOING)?
        .iter()
        .map(|row| Ok((rows::text(row, "reason")?, rows::number(row, "sessions")?)))
        .collect::<Result<_, Error>>()?;
        Ok(BotFigures { days, by_reason })
    }
}

fn bot_session(row: &Row) -> Result<BotSession, Error> {
    Ok(BotSession {
        session: rows::parsed(row, "session")?,
        conversation: rows::parsed(row, "conversation")?,
        inbox: rows::parsed(row, "inbox")?,
        at_ms: rows::int(row, "at_ms")?,
        outcome: rows::parsed(row, "outcome")?,
        reason: rows::text(row, "reason")?,
        turns: rows::number(row, "turns")?,
        answered: rows::number(row, "answered")?,
    })
}
