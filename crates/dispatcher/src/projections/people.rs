//! Visitors and the contacts behind them.
//!
//! A visitor's row is made by its first summary. Its contact has the same 12 bytes for an id, unless the
//! visitor turned out to be the person of another one. What is known of contacts is the catalog's; what
//! is read here is the copy.

use std::collections::BTreeMap;

use frontdesk_catalog::ContactAuthor;
use frontdesk_core::id::{AccountId, ContactId, ConversationId, InboxId, VisitorId};
use sqlx::{QueryBuilder, Sqlite, sqlite::SqliteRow};

use super::{Doing, ProjectionError, Projections, Write, rows};
use crate::Summary;

/// Characters of an attribute's name or value.
const FIELD_CHARS_MAX: usize = 254;
/// Visitors whose names are read with one statement.
const NAMES_AT_A_TIME: usize = 500;
/// Attributes one visitor may have.
const ATTRIBUTES_MAX: usize = 50;

/// A contact at one inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Its id.
    pub id: VisitorId,
    /// The account.
    pub account: AccountId,
    /// The inbox.
    pub inbox: InboxId,
    /// The person.
    pub contact: ContactId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// SHA-256 of its secret; empty where it came with the identity of a site.
    pub secret_hash: Vec<u8>,
    /// BCP 47.
    pub language: String,
    /// What site and team know.
    pub attributes: BTreeMap<String, String>,
    /// Its first message.
    pub created_at_ms: i64,
    /// Its newest entry or event.
    pub last_at_ms: i64,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Empty while nobody knows.
    pub name: String,
    /// Empty while nobody knows.
    pub email: String,
    /// Empty while nobody knows.
    pub phone: String,
    /// What the team keeps in mind about the person.
    pub note: String,
    /// Its visitors, by id.
    pub visitors: Vec<VisitorId>,
    /// Its conversations, in the order of the visitors.
    pub conversations: Vec<ConversationId>,
    /// Who changed it last; none while nobody did.
    pub changed: Option<ContactAuthor>,
}

impl Contact {
    /// Of whom nothing is known.
    fn nameless(id: ContactId) -> Self {
        Self {
            id,
            name: String::new(),
            email: String::new(),
            phone: String::new(),
            note: String::new(),
            visitors: Vec::new(),
            conversations: Vec::new(),
            changed: None,
        }
    }
}

const UNKNOWN_VISITOR: ProjectionError = ProjectionError::NotFound { what: "visitor" };
const UNKNOWN_CONTACT: ProjectionError = ProjectionError::NotFound { what: "contact" };

impl Projections {
    /// Reads one visitor.
    pub async fn visitor(
        &self,
        account: AccountId,
        id: VisitorId,
    ) -> Result<Visitor, ProjectionError> {
        let row = sqlx::query("SELECT * FROM visitors WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.database.reads())
            .await
            .doing("read a visitor")?;
        visitor(&row.ok_or(UNKNOWN_VISITOR)?)
    }

    /// Replaces what site and team know of a visitor.
    pub async fn set_attributes(
        &self,
        account: AccountId,
        id: VisitorId,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Visitor, ProjectionError> {
        if attributes.len() > ATTRIBUTES_MAX {
            return Err(ProjectionError::Invalid { field: "attributes", reason: "too_many" });
        }
        for (name, value) in attributes {
            line("attributes", name)?;
            line("attributes", value)?;
        }
        let mut write = self.begin("change a visitor").await?;
        let changed =
            sqlx::query("UPDATE visitors SET attributes = ? WHERE account = ? AND id = ?")
                .bind(rows::to_json(attributes))
                .bind(account.to_string())
                .bind(id.to_string())
                .execute(&mut *write)
                .await
                .doing("change a visitor")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN_VISITOR);
        }
        self.commit_synced(write, "change a visitor").await?;
        self.visitor(account, id).await
    }

    /// Reads one contact with its visitors.
    pub async fn contact(
        &self,
        account: AccountId,
        id: ContactId,
    ) -> Result<Contact, ProjectionError> {
        let found = sqlx::query(
            "SELECT id, conversation FROM visitors WHERE account = ? AND contact = ? ORDER BY id",
        )
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_all(self.database.reads())
        .await
        .doing("read a contact")?;
        let row = sqlx::query("SELECT * FROM contacts WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.database.reads())
            .await
            .doing("read a contact")?;
        if found.is_empty() && row.is_none() {
            return Err(UNKNOWN_CONTACT);
        }
        let mut contact = Contact::nameless(id);
        for visitor in &found {
            contact.visitors.push(rows::parsed(visitor, "id")?);
            contact.conversations.push(rows::parsed(visitor, "conversation")?);
        }
        if let Some(row) = row {
            contact.name = rows::text(&row, "name")?;
            contact.email = rows::text(&row, "email")?;
            contact.phone = rows::text(&row, "phone")?;
            contact.note = rows::text(&row, "note")?;
            contact.changed = Some(ContactAuthor {
                id: rows::text(&row, "updated_by")?,
                name: rows::text(&row, "updated_by_name")?,
                at_ms: rows::int(&row, "updated_ms")?,
            });
        }
        Ok(contact)
    }

    /// Reads the contact behind a visitor. A visitor whose row is not written yet, or who has not
    /// written anything, has one of the same id.
    pub async fn contact_of(
        &self,
        account: AccountId,
        visitor: VisitorId,
    ) -> Result<Contact, ProjectionError> {
        let id = self.contact_id(account, visitor).await?;
        match self.contact(account, id).await {
            Err(ProjectionError::NotFound { .. }) => Ok(Contact::nameless(id)),
            found => found,
        }
    }

    /// The names people gave the contacts behind these visitors; those without one are left out.
    pub async fn names_of(
        &self,
        visitors: &[VisitorId],
    ) -> Result<Vec<(VisitorId, String)>, ProjectionError> {
        let mut names = Vec::new();
        for part in visitors.chunks(NAMES_AT_A_TIME) {
            // A visitor has a contact of its own id, or is somebody else's person.
            let mut sql = QueryBuilder::<Sqlite>::new("WITH asked (id) AS (VALUES ");
            let mut list = sql.separated(", ");
            for visitor in part {
                list.push("(").push_bind_unseparated(visitor.to_string()).push_unseparated(")");
            }
            sql.push(
                ") SELECT asked.id AS id, k.name AS name FROM asked \
                 LEFT JOIN contact_visitors v ON v.visitor = asked.id \
                 JOIN contacts k ON k.id = COALESCE(v.contact, asked.id) WHERE k.name <> ''",
            );
            let found = sql.build().fetch_all(self.database.reads()).await.doing("read names")?;
            for row in &found {
                names.push((rows::parsed(row, "id")?, rows::text(row, "name")?));
            }
        }
        Ok(names)
    }

    async fn contact_id(
        &self,
        account: AccountId,
        visitor: VisitorId,
    ) -> Result<ContactId, ProjectionError> {
        let row =
            sqlx::query("SELECT contact FROM contact_visitors WHERE account = ? AND visitor = ?")
                .bind(account.to_string())
                .bind(visitor.to_string())
                .fetch_optional(self.database.reads())
                .await
                .doing("read a visitor")?;
        match row {
            Some(row) => rows::parsed(&row, "contact"),
            None => Ok(ContactId::from_bytes(*visitor.as_bytes())),
        }
    }

    /// Commits and syncs: with NORMAL sync only a checkpoint makes the journal durable, and attributes
    /// cannot be rebuilt from the history.
    async fn commit_synced(
        &self,
        write: Write,
        operation: &'static str,
    ) -> Result<(), ProjectionError> {
        write.commit().await.doing(operation)?;
        self.database.checkpoint().await.map_err(ProjectionError::Database)
    }
}

/// Makes or refreshes the row of the visitor a summary is about.
pub(super) async fn write_visitor(
    write: &mut Write,
    summary: &Summary,
) -> Result<(), ProjectionError> {
    let origin = &summary.origin;
    let updated = sqlx::query(
        "UPDATE visitors SET conversation = ?, secret_hash = ?, language = ?, last_at_ms = ? \
         WHERE id = ? AND account = ?",
    )
    .bind(summary.conversation.to_string())
    .bind(origin.secret_hash.to_vec())
    .bind(&origin.language)
    .bind(summary.last_at_ms)
    .bind(&origin.visitor)
    .bind(&origin.account)
    .execute(&mut **write)
    .await
    .doing("write a visitor")?;
    if updated.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO visitors (id, account, inbox, contact, conversation, secret_hash, language, \
         attributes, created_at_ms, last_at_ms) VALUES (?, ?, ?, COALESCE((SELECT contact FROM \
         contact_visitors WHERE visitor = ?), ?), ?, ?, ?, '{}', ?, ?)",
    )
    .bind(&origin.visitor)
    .bind(&origin.account)
    .bind(&origin.inbox)
    .bind(&origin.visitor)
    .bind(&origin.visitor)
    .bind(summary.conversation.to_string())
    .bind(origin.secret_hash.to_vec())
    .bind(&origin.language)
    .bind(summary.created_at_ms)
    .bind(summary.last_at_ms)
    .execute(&mut **write)
    .await
    .doing("write a visitor")?;
    Ok(())
}

fn line(field: &'static str, text: &str) -> Result<String, ProjectionError> {
    let text = text.trim();
    if text.chars().count() > FIELD_CHARS_MAX {
        return Err(ProjectionError::Invalid { field, reason: "too_long" });
    }
    if text.chars().any(char::is_control) {
        return Err(ProjectionError::Invalid { field, reason: "control_character" });
    }
    Ok(text.to_owned())
}

fn visitor(row: &SqliteRow) -> Result<Visitor, ProjectionError> {
    Ok(Visitor {
        id: rows::parsed(row, "id")?,
        account: rows::parsed(row, "account")?,
        inbox: rows::parsed(row, "inbox")?,
        contact: rows::parsed(row, "contact")?,
        conversation: rows::parsed(row, "conversation")?,
        secret_hash: rows::bytes(row, "secret_hash")?,
        language: rows::text(row, "language")?,
        attributes: rows::json(row, "attributes")?,
        created_at_ms: rows::int(row, "created_at_ms")?,
        last_at_ms: rows::int(row, "last_at_ms")?,
    })
}
