//! Pages and counts of conversations, each reader seeing what its rights allow.
//!
//! A reader with `conversation.read.own` sees conversations it owns or takes part in, and the queue
//! of its teams and the common queue; with `.team` everything of its teams and of no team; with
//! `.all` everything of the account. The condition is part of each query, so a page is always full
//! and a count never tells of what cannot be opened.

use std::collections::BTreeMap;
use std::str::FromStr;

use frontdesk_core::chat::SessionStatus;
use frontdesk_core::id::{AccountId, ConversationId, InboxId, TeamId, UserId, VisitorId};
use frontdesk_core::rights::{Right, Rights};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use super::{ConversationRow, Doing, ProjectionError, Projections, rows};

/// Rows on one page at most.
pub(super) const PAGE_ROWS_MAX: u16 = 100;

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

/// Which conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Open ones the reader owns or takes part in.
    Mine,
    /// Queued ones.
    Unassigned,
    /// Open ones of the reader's teams.
    Teams,
    /// All that are open.
    #[default]
    Open,
    /// Those whose session is closed.
    Closed,
    /// All.
    All,
}

impl View {
    /// The word in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::Teams => "teams",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
}

impl FromStr for View {
    type Err = ProjectionError;

    fn from_str(code: &str) -> Result<Self, ProjectionError> {
        [Self::Mine, Self::Unassigned, Self::Teams, Self::Open, Self::Closed, Self::All]
            .into_iter()
            .find(|view| view.code() == code)
            .ok_or(ProjectionError::Invalid { field: "view", reason: "unknown" })
    }
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

/// What a page is to hold.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Which conversations.
    pub view: View,
    /// Of this inbox only.
    pub inbox: Option<InboxId>,
    /// Of this team only.
    pub team: Option<TeamId>,
    /// Behind the end of an earlier page.
    pub after: Option<PageCursor>,
    /// Rows, 1 to 100.
    pub limit: u16,
}

/// A page, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<ConversationRow>,
    /// Where the next page begins; None on the last one.
    pub next: Option<PageCursor>,
}

/// How many conversations each view holds for a reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open ones the reader owns or takes part in.
    pub mine: u64,
    /// Queued ones.
    pub unassigned: u64,
    /// Open ones of each of the reader's teams.
    pub teams: BTreeMap<TeamId, u64>,
    /// All that are open.
    pub open: u64,
    /// Those whose session is closed.
    pub closed: u64,
}

const QUEUED: i64 = SessionStatus::Queued as i64;
const CLOSED: i64 = SessionStatus::Closed as i64;

const COLUMNS: &str = "SELECT c.*, v.contact, COALESCE(k.name, '') AS contact_name \
     FROM conversations c JOIN visitors v ON v.id = c.visitor AND v.account = c.account \
     LEFT JOIN contacts k ON k.id = v.contact AND k.account = c.account WHERE c.account = ";

impl Projections {
    /// Reads one page.
    pub async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page, ProjectionError> {
        let limit = usize::from(query.limit.clamp(1, PAGE_ROWS_MAX));
        let mut sql = QueryBuilder::new(COLUMNS);
        sql.push_bind(reader.account.to_string());
        push_visible(&mut sql, reader);
        push_view(&mut sql, reader, query.view);
        if let Some(inbox) = query.inbox {
            sql.push(" AND c.inbox = ").push_bind(inbox.to_string());
        }
        if let Some(team) = query.team {
            sql.push(" AND c.team = ").push_bind(team.to_string());
        }
        if let Some(after) = query.after {
            sql.push(" AND (c.last_at_ms < ").push_bind(after.last_at_ms);
            sql.push(" OR (c.last_at_ms = ").push_bind(after.last_at_ms);
            sql.push(" AND c.id < ").push_bind(after.conversation.to_string()).push("))");
        }
        // One row more than asked for tells whether there is a next page.
        sql.push(" ORDER BY c.last_at_ms DESC, c.id DESC LIMIT ");
        sql.push_bind(i64::try_from(limit + 1).unwrap_or(i64::MAX));
        let found = sql.build().fetch_all(self.database.reads()).await.doing("read a list")?;
        let rows: Vec<_> = found.iter().take(limit).map(conversation).collect::<Result<_, _>>()?;
        let next = rows
            .last()
            .filter(|_| found.len() > limit)
            .map(|row| PageCursor { last_at_ms: row.last_at_ms, conversation: row.conversation });
        Ok(Page { rows, next })
    }

    /// Counts what each view holds.
    pub async fn counts(&self, reader: &Reader) -> Result<Counts, ProjectionError> {
        let mut sql = QueryBuilder::new(
            "SELECT c.team, c.status, COUNT(*) AS conversations FROM conversations c \
             WHERE c.account = ",
        );
        sql.push_bind(reader.account.to_string());
        push_visible(&mut sql, reader);
        sql.push(" GROUP BY c.team, c.status");
        let groups =
            sql.build().fetch_all(self.database.reads()).await.doing("count conversations")?;
        let mut counts = Counts::default();
        counts.teams.extend(reader.teams.iter().map(|team| (*team, 0)));
        for group in &groups {
            let number = rows::count(group, "conversations")?;
            let status = rows::int(group, "status")?;
            if status == CLOSED {
                counts.closed += number;
            }
            // 0: without a session, in no view but `All`.
            if status == CLOSED || status == 0 {
                continue;
            }
            counts.open += number;
            if status == QUEUED {
                counts.unassigned += number;
            }
            if let Ok(team) = rows::text(group, "team")?.parse::<TeamId>()
                && let Some(of_team) = counts.teams.get_mut(&team)
            {
                *of_team += number;
            }
        }
        counts.mine = self.count_mine(reader).await?;
        Ok(counts)
    }

    /// Reads one conversation the reader may see.
    pub async fn conversation(
        &self,
        reader: &Reader,
        id: ConversationId,
    ) -> Result<ConversationRow, ProjectionError> {
        let mut sql = QueryBuilder::new(COLUMNS);
        sql.push_bind(reader.account.to_string());
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
        let mut sql = QueryBuilder::new(COLUMNS);
        sql.push_bind(reader.account.to_string());
        push_visible(&mut sql, reader);
        sql.push(" AND c.visitor = ").push_bind(visitor.to_string());
        sql.push(" ORDER BY c.last_at_ms DESC, c.id DESC LIMIT ")
            .push_bind(i64::from(PAGE_ROWS_MAX));
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
            let found = sqlx::query(
                "SELECT c.*, v.contact, COALESCE(k.name, '') AS contact_name FROM conversations c \
                 JOIN visitors v ON v.id = c.visitor AND v.account = c.account \
                 LEFT JOIN contacts k ON k.id = v.contact AND k.account = c.account \
                 WHERE c.id > ? AND ((c.status <> 0 AND c.status <> ?) OR c.mentioned <> '') \
                 ORDER BY c.id LIMIT 500",
            )
            .bind(&after)
            .bind(CLOSED)
            .fetch_all(self.database.reads())
            .await
            .doing("read live conversations")?;
            let Some(last) = found.last() else { return Ok(()) };
            after = rows::text(last, "id")?;
            for row in &found {
                visit(conversation(row)?);
            }
        }
    }

    async fn count_mine(&self, reader: &Reader) -> Result<u64, ProjectionError> {
        let mut sql =
            QueryBuilder::new("SELECT COUNT(*) AS mine FROM conversations c WHERE c.account = ");
        sql.push_bind(reader.account.to_string());
        push_visible(&mut sql, reader);
        push_view(&mut sql, reader, View::Mine);
        let row =
            sql.build().fetch_one(self.database.reads()).await.doing("count conversations")?;
        rows::count(&row, "mine")
    }
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
        push_in_teams(sql, reader, true);
    }
    if reader.rights.contains(Right::ConversationReadOwn) {
        sql.push(" OR (c.status = ").push_bind(QUEUED).push(" AND ");
        push_in_teams(sql, reader, true);
        sql.push(") OR ");
        push_own(sql, reader);
    }
    sql.push(")");
}

fn push_view(sql: &mut QueryBuilder<Sqlite>, reader: &Reader, view: View) {
    let open = |sql: &mut QueryBuilder<Sqlite>| {
        sql.push(" AND c.status <> 0 AND c.status <> ").push_bind(CLOSED);
    };
    match view {
        View::Mine => {
            open(sql);
            sql.push(" AND ");
            push_own(sql, reader);
        }
        View::Unassigned => {
            sql.push(" AND c.status = ").push_bind(QUEUED);
        }
        View::Teams => {
            open(sql);
            sql.push(" AND ");
            push_in_teams(sql, reader, false);
        }
        View::Open => open(sql),
        View::Closed => {
            sql.push(" AND c.status = ").push_bind(CLOSED);
        }
        View::All => {}
    }
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

fn push_in_teams(sql: &mut QueryBuilder<Sqlite>, reader: &Reader, common_too: bool) {
    sql.push("c.team IN (");
    {
        let mut list = sql.separated(", ");
        for team in &reader.teams {
            list.push_bind(team.to_string());
        }
        if common_too {
            list.push("''");
        } else if reader.teams.is_empty() {
            list.push("NULL");
        }
    }
    sql.push(")");
}

fn conversation(row: &SqliteRow) -> Result<ConversationRow, ProjectionError> {
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
