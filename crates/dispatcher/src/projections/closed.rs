//! Closed conversations: pages of them, and how many there are for a reader.
//!
//! Both cost what they give, however much is stored. A page is picked from the newest ones of each source
//! the reader has: everybody's, or each team's, and their own. Counts are kept by team and by person, in
//! the transaction that writes the row.

use frontdesk_core::chat::SessionStatus;
use frontdesk_core::id::{AccountId, UserId};
use frontdesk_core::rights::Right;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use super::lists::{JOINS, ROW, conversation};
use super::{Doing, Page, PageCursor, ProjectionError, Projections, Reader, Write, rows};

/// Rows on one page at most.
const PAGE_ROWS_MAX: u16 = 100;

const CLOSED: i64 = SessionStatus::Closed as i64;

/// Conversations that have an index in the order of the list.
enum Source {
    Everybody,
    /// A team's, or those of no team.
    Team(String),
    /// Whose session the reader owned or took part in.
    Own(UserId),
}

/// What of a row this list depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Owner and participants, sorted and separated by blanks.
    pub(super) people: String,
    pub(super) team: String,
    /// Its place in the list; None where the session is not closed.
    pub(super) closed_at_ms: Option<i64>,
}

impl Standing {
    pub(super) fn new(people: String, team: String, status: i64, last_at_ms: i64) -> Self {
        Self { people, team, closed_at_ms: (status == CLOSED).then_some(last_at_ms) }
    }

    pub(super) fn stored(row: &SqliteRow) -> Result<Self, ProjectionError> {
        let (status, last_at_ms) = (rows::int(row, "status")?, rows::int(row, "last_at_ms")?);
        Ok(Self::new(rows::text(row, "people")?, rows::text(row, "team")?, status, last_at_ms))
    }

    /// Whether the two count in the same places.
    fn counts_as(&self, other: &Self) -> bool {
        self.closed_at_ms.is_some() == other.closed_at_ms.is_some()
            && (&self.people, &self.team) == (&other.people, &other.team)
    }
}

impl Projections {
    /// Reads one page of the closed conversations the reader may see, newest first; `limit` is 1 to 100.
    pub async fn closed(
        &self,
        reader: &Reader,
        after: Option<PageCursor>,
        limit: u16,
    ) -> Result<Page, ProjectionError> {
        let limit = usize::from(limit.clamp(1, PAGE_ROWS_MAX));
        let sources = sources(reader);
        if sources.is_empty() {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        // One row more than asked for tells whether there is a next page.
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut sql = QueryBuilder::new(ROW);
        sql.push(" FROM (");
        for (at, source) in sources.iter().enumerate() {
            // What stands in two of them is one row.
            sql.push(if at > 0 { " UNION " } else { "" });
            push_newest(&mut sql, reader.account, source, after, wanted);
        }
        // In this order: first the ids, then their rows.
        sql.push(") newest CROSS JOIN conversations c ON c.id = newest.id ").push(JOINS);
        sql.push(" ORDER BY c.last_at_ms DESC, c.id DESC LIMIT ").push_bind(wanted);
        let found = sql.build().fetch_all(self.database.reads()).await.doing("read a list")?;
        let rows: Vec<_> = found.iter().take(limit).map(conversation).collect::<Result<_, _>>()?;
        let next = rows
            .last()
            .filter(|_| found.len() > limit)
            .map(|row| PageCursor { last_at_ms: row.last_at_ms, conversation: row.conversation });
        Ok(Page { rows, next })
    }

    /// Tells how many closed conversations the reader may see.
    pub async fn count_closed(&self, reader: &Reader) -> Result<u64, ProjectionError> {
        let mut sql = QueryBuilder::new(
            "SELECT COALESCE(SUM(conversations), 0) AS conversations FROM closed_counts \
             WHERE account = ",
        );
        sql.push_bind(reader.account.to_string()).push(" AND (1 = 0");
        let mut teams = Vec::new();
        for source in sources(reader) {
            match source {
                Source::Everybody => {
                    sql.push(" OR user_id = ''");
                }
                Source::Team(team) => {
                    sql.push(" OR (user_id = '' AND team = ").push_bind(team.clone()).push(")");
                    teams.push(team);
                }
                Source::Own(user) => {
                    sql.push(" OR (user_id = ").push_bind(user.to_string());
                    // Those of the reader's teams are counted there.
                    for team in &teams {
                        sql.push(" AND team <> ").push_bind(team.clone());
                    }
                    sql.push(")");
                }
            }
        }
        sql.push(")");
        let row =
            sql.build().fetch_one(self.database.reads()).await.doing("count conversations")?;
        rows::count(&row, "conversations")
    }
}

/// Where the closed conversations are that the reader may see; own ones last.
fn sources(reader: &Reader) -> Vec<Source> {
    if reader.rights.contains(Right::ConversationReadAll) {
        return vec![Source::Everybody];
    }
    let mut sources = Vec::new();
    if reader.rights.contains(Right::ConversationReadTeam) {
        sources.extend(reader.teams.iter().map(|team| Source::Team(team.to_string())));
        sources.push(Source::Team(String::new()));
    }
    if reader.rights.contains(Right::ConversationReadOwn) {
        sources.extend(reader.user.map(Source::Own));
    }
    sources
}

/// The ids of the newest of a source, behind the end of an earlier page.
fn push_newest(
    sql: &mut QueryBuilder<Sqlite>,
    account: AccountId,
    source: &Source,
    after: Option<PageCursor>,
    wanted: i64,
) {
    let (at, id) = match source {
        Source::Everybody | Source::Team(_) => {
            sql.push("SELECT id FROM (SELECT id FROM conversations WHERE account = ");
            sql.push_bind(account.to_string()).push(" AND status = ").push_bind(CLOSED);
            if let Source::Team(team) = source {
                sql.push(" AND team = ").push_bind(team.clone());
            }
            ("last_at_ms", "id")
        }
        Source::Own(user) => {
            sql.push(
                "SELECT id FROM (SELECT conversation AS id FROM people \
                 CROSS JOIN conversations own ON own.id = conversation WHERE user_id = ",
            );
            sql.push_bind(user.to_string()).push(" AND closed_at_ms IS NOT NULL");
            sql.push(" AND own.account = ").push_bind(account.to_string());
            ("closed_at_ms", "conversation")
        }
    };
    if let Some(after) = after {
        sql.push(format!(" AND ({at}, {id}) < (")).push_bind(after.last_at_ms).push(", ");
        sql.push_bind(after.conversation.to_string()).push(")");
    }
    sql.push(format!(" ORDER BY {at} DESC, {id} DESC LIMIT ")).push_bind(wanted).push(")");
}

/// Brings the counts from what a conversation was to what it is.
pub(super) async fn count(
    write: &mut Write,
    account: &str,
    before: Option<&Standing>,
    now: &Standing,
) -> Result<(), ProjectionError> {
    if before.is_some_and(|before| before.counts_as(now)) {
        return Ok(());
    }
    for (standing, by) in before.map(|before| (before, -1)).into_iter().chain([(now, 1)]) {
        if standing.closed_at_ms.is_none() {
            continue;
        }
        for user in std::iter::once("").chain(standing.people.split_whitespace()) {
            sqlx::query(
                "INSERT INTO closed_counts (account, user_id, team, conversations) \
                 VALUES (?, ?, ?, ?) ON CONFLICT (account, user_id, team) \
                 DO UPDATE SET conversations = conversations + excluded.conversations",
            )
            .bind(account)
            .bind(user)
            .bind(&standing.team)
            .bind(by)
            .execute(&mut **write)
            .await
            .doing("count closed conversations")?;
        }
    }
    Ok(())
}
