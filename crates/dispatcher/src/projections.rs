//! Lists, counters, visitors and contacts: what the log implies, kept ready to be queried, in a
//! SQLite file of its own (`projections.db`, NORMAL sync).
//!
//! Written behind the acks: batches of [`Summary`] and the offsets they contain, in one transaction,
//! so that after a crash the rest of the log is simply applied again. A summary is state, not a
//! change: writing one twice, or only the newest of several, gives the same rows. Live lists come
//! from memory; this file answers what is not live and what is asked over all of an account.
//!
//! What people write about contacts follows from no record of the log: it is the catalog's, and what
//! lies here is a copy for lists.

mod answers;
mod closed;
mod contacts;
mod lists;
mod people;
mod rows;

use std::collections::BTreeMap;
use std::path::Path;

use frontdesk_catalog::database::{Database, Durability, Step, Write};
use frontdesk_core::chat;
use frontdesk_core::id::{AccountId, ContactId, ConversationId, InboxId, VisitorId};
use prost::Message;

use self::closed::Standing;
use crate::Summary;

pub use lists::{Page, PageCursor, Reader};
pub use people::{Contact, Visitor};

/// Characters of the newest message a list shows.
const PREVIEW_CHARS: usize = 200;

const STEPS: &[Step] = &[
    (1, "projections", include_str!("projections/schema.sql")),
    (3, "mentions and authors", include_str!("projections/mentions.sql")),
    (4, "copied contacts", include_str!("projections/contacts.sql")),
    (5, "closed conversations", include_str!("projections/closed.sql")),
];

/// Why the projections refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The file cannot be opened, written or locked.
    #[error("the projections cannot be opened or written")]
    Database(#[source] frontdesk_catalog::Error),
    /// A statement failed.
    #[error("the projections failed to {operation}")]
    Sql {
        /// What was tried.
        operation: &'static str,
        /// What the database engine said.
        #[source]
        source: sqlx::Error,
    },
    /// The catalog does not give or take contacts.
    #[error("contacts cannot be exchanged with the catalog")]
    Contacts(#[source] frontdesk_catalog::Error),
    /// A stored value that cannot be read; `wipe` and a rebuild cure it.
    #[error("the projections hold a {what} that cannot be read")]
    Stored {
        /// Which column.
        what: &'static str,
    },
    /// No such thing in this account.
    #[error("{what} is unknown")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// A value that can never be accepted.
    #[error("{field} is not valid: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Why, as a stable word.
        reason: &'static str,
    },
}

impl ProjectionError {
    /// The stable code a client sees.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Database(error) | Self::Contacts(error) => error.code(),
            Self::Sql { .. } | Self::Stored { .. } => "internal",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
        }
    }
}

/// Names the operation of a failed statement.
trait Doing<T> {
    fn doing(self, operation: &'static str) -> Result<T, ProjectionError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, operation: &'static str) -> Result<T, ProjectionError> {
        self.map_err(|source| ProjectionError::Sql { operation, source })
    }
}

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationRow {
    /// Its id.
    pub conversation: ConversationId,
    /// The account.
    pub account: AccountId,
    /// The inbox it came through.
    pub inbox: InboxId,
    /// Whose it is.
    pub visitor: VisitorId,
    /// The person behind the visitor.
    pub contact: ContactId,
    /// What people call that person; empty while nobody does.
    pub contact_name: String,
    /// The current or last session.
    pub session: Option<chat::Session>,
    /// The newest entry everybody may see; a text is cut to a preview.
    pub last: Option<chat::Entry>,
    /// The newest seq.
    pub last_seq: u64,
    /// Entries everybody may see.
    pub visible_entries: u64,
    /// How far each actor has read.
    pub read_to: BTreeMap<String, u64>,
    /// Users whom a note mentions that they have not read.
    pub mentioned: Vec<String>,
    /// BCP 47, as the visitor's browser said.
    pub language: String,
    /// Where the visitor wrote first.
    pub page_url: String,
    /// Where the visitor came from.
    pub referrer: String,
    /// The visitor's browser.
    pub user_agent: String,
    /// When it began.
    pub created_at_ms: i64,
    /// Its newest entry or event.
    pub last_at_ms: i64,
}

impl ConversationRow {
    /// Whether somebody has not read the newest entry that everybody may see. An own message is
    /// never unread.
    pub fn is_unread_for(&self, actor: &str) -> bool {
        self.last.as_ref().is_some_and(|last| {
            last.actor.as_ref().is_none_or(|author| author.id != actor)
                && last.seq > self.read_to.get(actor).copied().unwrap_or_default()
        })
    }
}

/// Lists, counters, visitors and contacts of one installation.
#[derive(Debug)]
pub struct Projections {
    database: Database,
    /// Held while contacts are copied.
    copying: tokio::sync::Mutex<()>,
}

impl Projections {
    /// Opens or creates the file.
    pub async fn open(path: &Path) -> Result<Self, ProjectionError> {
        let database = Database::open(path, STEPS, Durability::Normal)
            .await
            .map_err(ProjectionError::Database)?;
        Ok(Self { database, copying: tokio::sync::Mutex::default() })
    }

    /// The file behind the projections: for checks and closing.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Writes summaries and the offsets they bring the projections to, all or nothing. Of several
    /// summaries of one conversation the last one counts.
    pub async fn write(
        &self,
        summaries: &[Summary],
        offsets: &[(u16, u64)],
    ) -> Result<(), ProjectionError> {
        let mut write = self.begin("write summaries").await?;
        for summary in summaries {
            write_summary(&mut write, summary).await?;
        }
        for (log, offset) in offsets {
            write_offset(&mut write, *log, *offset).await?;
        }
        write.commit().await.doing("write summaries")
    }

    /// The offset of a log up to which everything is contained; 0 for a log never seen.
    pub async fn applied(&self, log: u16) -> Result<u64, ProjectionError> {
        let offset: Option<i64> =
            sqlx::query_scalar("SELECT log_offset FROM applied WHERE log = ?")
                .bind(i64::from(log))
                .fetch_optional(self.database.reads())
                .await
                .doing("read an offset")?;
        u64::try_from(offset.unwrap_or_default())
            .map_err(|_| ProjectionError::Stored { what: "log_offset" })
    }

    /// The same of every log that was seen.
    pub async fn applied_of_all(&self) -> Result<BTreeMap<u16, u64>, ProjectionError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT log, log_offset FROM applied")
            .fetch_all(self.database.reads())
            .await
            .doing("read offsets")?;
        let of = |(log, offset): (i64, i64)| Some((log.try_into().ok()?, offset.try_into().ok()?));
        rows.into_iter()
            .map(|row| of(row).ok_or(ProjectionError::Stored { what: "log_offset" }))
            .collect()
    }

    /// Forgets all offsets: the logs were drained and begin anew.
    pub async fn forget_logs(&self) -> Result<(), ProjectionError> {
        let mut write = self.begin("forget the logs").await?;
        sqlx::query("DELETE FROM applied").execute(&mut *write).await.doing("forget the logs")?;
        write.commit().await.doing("forget the logs")
    }

    /// Removes everything that follows from the history, so that it can be written again. The copy of
    /// contacts and the attributes of visitors stay.
    pub async fn wipe(&self) -> Result<(), ProjectionError> {
        let mut write = self.begin("wipe").await?;
        for statement in [
            "DELETE FROM conversations",
            "DELETE FROM people",
            "DELETE FROM closed_counts",
            "DELETE FROM applied",
        ] {
            sqlx::query(statement).execute(&mut *write).await.doing("wipe")?;
        }
        write.commit().await.doing("wipe")
    }

    async fn begin(&self, operation: &'static str) -> Result<Write, ProjectionError> {
        self.database.write(operation).await.map_err(ProjectionError::Database)
    }
}

async fn write_summary(write: &mut Write, summary: &Summary) -> Result<(), ProjectionError> {
    let id = summary.conversation.to_string();
    let session = summary.session.as_ref();
    let status = i64::from(session.map_or(0, |session| session.status));
    let team = session.map_or("", |session| session.team.as_str());
    let now = Standing::new(people_of(session), team.to_owned(), status, summary.last_at_ms);
    let before =
        sqlx::query("SELECT people, team, status, last_at_ms FROM conversations WHERE id = ?")
            .bind(&id)
            .fetch_optional(&mut **write)
            .await
            .doing("read a conversation")?
            .map(|row| Standing::stored(&row))
            .transpose()?;
    let statement = match &before {
        Some(_) => {
            "UPDATE conversations SET account = ?, inbox = ?, visitor = ?, status = ?, owner = ?, \
             team = ?, session_number = ?, waiting_since_ms = ?, last_at_ms = ?, priority = ?, \
             rating = ?, intent = ?, people = ?, session = ?, last_entry = ?, last_seq = ?, \
             visible_entries = ?, read_to = ?, language = ?, page_url = ?, referrer = ?, \
             user_agent = ?, mentioned = ?, created_at_ms = ? WHERE id = ?"
        }
        None => {
            "INSERT INTO conversations (account, inbox, visitor, status, owner, team, \
             session_number, waiting_since_ms, last_at_ms, priority, rating, intent, people, \
             session, last_entry, last_seq, visible_entries, read_to, language, page_url, \
             referrer, user_agent, mentioned, created_at_ms, id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        }
    };
    let origin = &summary.origin;
    let owner = session.and_then(|session| session.owner.as_ref());
    let read_to: BTreeMap<&str, u64> = summary
        .cursors
        .iter()
        .filter_map(|cursor| Some((cursor.actor.as_ref()?.id.as_str(), cursor.read_seq)))
        .collect();
    sqlx::query(statement)
        .bind(&origin.account)
        .bind(&origin.inbox)
        .bind(&origin.visitor)
        .bind(status)
        .bind(owner.map_or("", |owner| owner.id.as_str()))
        .bind(team)
        .bind(i64::from(session.map_or(0, |session| session.number)))
        .bind(session.map_or(0, |session| session.waiting_since_ms))
        .bind(summary.last_at_ms)
        .bind(i64::from(session.map_or(0, |session| session.priority)))
        .bind(i64::from(session.map_or(0, |session| session.rating)))
        .bind(session.map_or("", |session| session.intent.as_str()))
        .bind(&now.people)
        .bind(session.map(Message::encode_to_vec))
        .bind(summary.last.as_ref().map(|entry| preview(entry).encode_to_vec()))
        .bind(rows::stored_int(summary.last_seq))
        .bind(rows::stored_int(summary.visible_entries))
        .bind(rows::to_json(&read_to))
        .bind(&origin.language)
        .bind(&origin.page_url)
        .bind(&origin.referrer)
        .bind(&origin.user_agent)
        .bind(summary.mentioned.join(" "))
        .bind(summary.created_at_ms)
        .bind(&id)
        .execute(&mut **write)
        .await
        .doing("write a conversation")?;
    let placed = |standing: &Standing| (standing.people.clone(), standing.closed_at_ms);
    if before.as_ref().map(placed) != Some(placed(&now)) {
        write_people(write, &id, &now).await?;
    }
    closed::count(write, &origin.account, before.as_ref(), &now).await?;
    people::write_visitor(write, summary).await
}

async fn write_people(
    write: &mut Write,
    conversation: &str,
    now: &Standing,
) -> Result<(), ProjectionError> {
    sqlx::query("DELETE FROM people WHERE conversation = ?")
        .bind(conversation)
        .execute(&mut **write)
        .await
        .doing("write participants")?;
    for user in now.people.split_whitespace() {
        sqlx::query("INSERT INTO people (user_id, conversation, closed_at_ms) VALUES (?, ?, ?)")
            .bind(user)
            .bind(conversation)
            .bind(now.closed_at_ms)
            .execute(&mut **write)
            .await
            .doing("write participants")?;
    }
    Ok(())
}

async fn write_offset(write: &mut Write, log: u16, offset: u64) -> Result<(), ProjectionError> {
    let updated = sqlx::query("UPDATE applied SET log_offset = ? WHERE log = ?")
        .bind(rows::stored_int(offset))
        .bind(i64::from(log))
        .execute(&mut **write)
        .await
        .doing("write an offset")?;
    if updated.rows_affected() == 0 {
        sqlx::query("INSERT INTO applied (log, log_offset) VALUES (?, ?)")
            .bind(i64::from(log))
            .bind(rows::stored_int(offset))
            .execute(&mut **write)
            .await
            .doing("write an offset")?;
    }
    Ok(())
}

/// Owner and participants of a session, each once, in order.
fn people_of(session: Option<&chat::Session>) -> String {
    let Some(session) = session else { return String::new() };
    let mut people: Vec<&str> = session
        .owner
        .iter()
        .chain(&session.participants)
        .map(|person| person.id.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    people.sort_unstable();
    people.dedup();
    people.join(" ")
}

/// The entry with its text cut to what a list shows.
fn preview(entry: &chat::Entry) -> chat::Entry {
    let mut entry = entry.clone();
    if let Some(chat::entry::Body::Content(content)) = &mut entry.body
        && let Some(chat::content::Kind::Text(text)) = &mut content.kind
        && let Some((end, _)) = text.body.char_indices().nth(PREVIEW_CHARS)
    {
        text.body.truncate(end);
        text.body.push('…');
    }
    entry
}

#[cfg(test)]
mod tests;
