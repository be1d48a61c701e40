//! Conversations as readers may see them, and those that live lists are filled with.
//!
//! A reader with `conversation.read.own` sees conversations it owns or takes part in, and the queue
//! of its teams and the common queue; with `.team` everything of its teams and of no team; with
//! `.all` everything of the account. The condition is part of each query. Open ones are listed from
//! memory, closed ones by `closed`.

use std::str::FromStr;

use frontdesk_core::chat::SessionStatus;
use frontdesk_core::id::{AccountId, ConversationId, TeamId, UserId, VisitorId};
use frontdesk_core::rights::{Right, Rights};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use super::{ConversationRow, Doing, ProjectionError, Projections, rows};

/// Conversations of one visitor that are told at most.
const OF_VISITOR_MAX: i64 = 100;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The account asked about; nothing of another one is ever returned.
    pub account: AccountId,
    /// The user; None for an API key.
    pub user: Option<UserId>,
    /// What the reader may do.
    pub rights: Rights,
    /// The reader's teams.
    pub teams: Vec<TeamId>,
}

/// The end of a page: the next one begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// Of the last row.
    pub last_at_ms: i64,
    /// Of the last row.
    pub conversation: ConversationId,
}

impl std::fmt::Display for PageCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.last_at_ms, self.conversation)
    }
}

impl FromStr for PageCursor {
    type Err = ProjectionError;

    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let parts = text.split_once('-').and_then(|(ms, id)| {
            Some(Self { last_at_ms: ms.parse().ok()?, conversation: id.parse().ok()? })
        });
        parts.ok_or(ProjectionError::Invalid { field: "cursor", reason: "malformed" })
    }
}

/// A page, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<ConversationRow>,
    /// Where the next page begins; None on the last one.
    pub next: Option<PageCursor>,
}

const QUEUED: i64 = SessionStatus::Queued as i64;

/// What is read of a conversation `c`, and where that is.
pub(super) const ROW: &str = "SELECT c.*, v.contact, COALESCE(k.name, '') AS contact_name";
pub(super) const JOINS: &str = "JOIN visitors v ON v.id = c.visitor AND v.account = c.account \
     LEFT JOIN contacts k ON k.id = v.contact AND k.account = c.account";

impl Projections {
    /// Reads one conversation the reader may see.
    pub async fn conversation(
        &self,
        reader: &Reader,
        id: ConversationId,
    ) -> Result<ConversationRow, ProjectionError> {
        let mut sql = of_account(reader.account);
        push_visible(&mut sql, reader);
        sql.push(" AND c.id = ").push_bind(id.to_string());
        let row =
            sql.build().fetch_optional(self.database.reads()).await.doing("read a conversation")?;
        conversation(&row.ok_or(ProjectionError::NotFound { what: "conversation" })?)
    }

    /// Lists the conversations of a visitor that the reader may see, newest first.
    pub async fn conversations_of(
        &self,
        reader: &Reader,
        visitor: VisitorId,
    ) -> Result<Vec<ConversationRow>, ProjectionError> {
        let mut sql = of_account(reader.account);
        push_visible(&mut sql, reader);
        sql.push(" AND c.visitor = ").push_bind(visitor.to_string());
        sql.push(" ORDER BY c.last_at_ms DESC, c.id DESC LIMIT ").push_bind(OF_VISITOR_MAX);
        sql.build()
            .fetch_all(self.database.reads())
            .await
            .doing("read conversations of a visitor")?
            .iter()
            .map(conversation)
            .collect()
    }

    /// Calls `visit` with every conversation of every account whose session is not closed or that
    /// mentions somebody, oldest id first: how the routing owner fills its queues and loads after a
    /// start, and what lists keep in memory.
    pub async fn live_conversations(
        &self,
        visit: &mut (dyn FnMut(ConversationRow) + Send),
    ) -> Result<(), ProjectionError> {
        let mut after = String::new();
        loop {
            // The words of the index `conversations_live`.
            let mut sql = QueryBuilder::<Sqlite>::new(ROW);
            sql.push(" FROM conversations c ").push(JOINS).push(" WHERE c.id > ").push_bind(&after);
            sql.push(" AND (c.status NOT IN (0, 3) OR c.mentioned <> '') ORDER BY c.id LIMIT 500");
            let reads = self.database.reads();
            let found = sql.build().fetch_all(reads).await.doing("read live conversations")?;
            let Some(last) = found.last() else { return Ok(()) };
            after = rows::text(last, "id")?;
            for row in &found {
                visit(conversation(row)?);
            }
        }
    }
}

/// Begins a query for conversations of an account.
fn of_account(account: AccountId) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(ROW);
    sql.push(" FROM conversations c ").push(JOINS).push(" WHERE c.account = ");
    sql.push_bind(account.to_string());
    sql
}

/// Adds the condition that the reader may see the conversation.
fn push_visible(sql: &mut QueryBuilder<Sqlite>, reader: &Reader) {
    if reader.rights.contains(Right::ConversationReadAll) {
        return;
    }
    // The same rule as the router's `may_read`: without a session there is nobody to own it, and
    // whoever has none of the three rights sees nothing.
    sql.push(" AND c.status <> 0 AND (1 = 0");
    if reader.rights.contains(Right::ConversationReadTeam) {
        sql.push(" OR ");
        push_in_teams(sql, reader);
    }
    if reader.rights.contains(Right::ConversationReadOwn) {
        sql.push(" OR (c.status = ").push_bind(QUEUED).push(" AND ");
        push_in_teams(sql, reader);
        sql.push(") OR ");
        push_own(sql, reader);
    }
    sql.push(")");
}

fn push_own(sql: &mut QueryBuilder<Sqlite>, reader: &Reader) {
    match reader.user {
        Some(user) => {
            sql.push("c.id IN (SELECT conversation FROM people WHERE user_id = ");
            sql.push_bind(user.to_string()).push(")");
        }
        None => {
            sql.push("1 = 0");
        }
    }
}

/// Of the reader's teams, or of none.
fn push_in_teams(sql: &mut QueryBuilder<Sqlite>, reader: &Reader) {
    sql.push("c.team IN (''");
    for team in &reader.teams {
        sql.push(", ").push_bind(team.to_string());
    }
    sql.push(")");
}

pub(super) fn conversation(row: &SqliteRow) -> Result<ConversationRow, ProjectionError> {
    Ok(ConversationRow {
        conversation: rows::parsed(row, "id")?,
        account: rows::parsed(row, "account")?,
        inbox: rows::parsed(row, "inbox")?,
        visitor: rows::parsed(row, "visitor")?,
        contact: rows::parsed(row, "contact")?,
        contact_name: rows::text(row, "contact_name")?,
        session: rows::message(row, "session")?,
        last: rows::message(row, "last_entry")?,
        last_seq: rows::count(row, "last_seq")?,
        visible_entries: rows::count(row, "visible_entries")?,
        read_to: rows::json(row, "read_to")?,
        mentioned: rows::text(row, "mentioned")?.split_whitespace().map(str::to_owned).collect(),
        language: rows::text(row, "language")?,
        page_url: rows::text(row, "page_url")?,
        referrer: rows::text(row, "referrer")?,
        user_agent: rows::text(row, "user_agent")?,
        created_at_ms: rows::int(row, "created_at_ms")?,
        last_at_ms: rows::int(row, "last_at_ms")?,
    })
}
