//! Visitors and the contacts behind them.
//!
//! A visitor's row is made by its first summary. Its contact has the same 12 bytes for an id until
//! somebody merges or renames it, so a rebuild comes to the same contact without a table of its own.

use std::collections::BTreeMap;

use frontdesk_core::id::{AccountId, ContactId, ConversationId, InboxId, VisitorId};
use sqlx::sqlite::SqliteRow;

use super::{Doing, ProjectionError, Projections, Write, rows};
use crate::Summary;

/// Characters of a contact's name, address or number.
const FIELD_CHARS_MAX: usize = 254;
/// Characters of a note about a contact.
const NOTE_CHARS_MAX: usize = 4_000;
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
}

/// Changes of a contact; None leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ContactChange {
    /// What people call the person.
    pub name: Option<String>,
    /// An address to write to.
    pub email: Option<String>,
    /// A number to call.
    pub phone: Option<String>,
    /// What the team keeps in mind about the person.
    pub note: Option<String>,
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
        let visitors =
            sqlx::query("SELECT id FROM visitors WHERE account = ? AND contact = ? ORDER BY id")
                .bind(account.to_string())
                .bind(id.to_string())
                .fetch_all(self.database.reads())
                .await
                .doing("read a contact")?
                .iter()
                .map(|row| rows::parsed(row, "id"))
                .collect::<Result<Vec<_>, _>>()?;
        let row = sqlx::query("SELECT * FROM contacts WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.database.reads())
            .await
            .doing("read a contact")?;
        if visitors.is_empty() && row.is_none() {
            return Err(UNKNOWN_CONTACT);
        }
        let field = |column| row.as_ref().map_or(Ok(String::new()), |row| rows::text(row, column));
        Ok(Contact {
            id,
            name: field("name")?,
            email: field("email")?,
            phone: field("phone")?,
            note: field("note")?,
            visitors,
        })
    }

    /// Changes what is known of a contact. Survives power loss when this returns.
    pub async fn update_contact(
        &self,
        account: AccountId,
        id: ContactId,
        change: &ContactChange,
        now_ms: i64,
    ) -> Result<Contact, ProjectionError> {
        let mut contact = self.contact(account, id).await?;
        for (field, new, current) in [
            ("name", &change.name, &mut contact.name),
            ("email", &change.email, &mut contact.email),
            ("phone", &change.phone, &mut contact.phone),
        ] {
            if let Some(text) = new {
                *current = line(field, text)?;
            }
        }
        if let Some(note) = &change.note {
            if note.chars().count() > NOTE_CHARS_MAX {
                return Err(ProjectionError::Invalid { field: "note", reason: "too_long" });
            }
            note.trim().clone_into(&mut contact.note);
        }
        let mut write = self.begin("change a contact").await?;
        let updated = sqlx::query(
            "UPDATE contacts SET name = ?, email = ?, phone = ?, note = ?, updated_ms = ? \
             WHERE account = ? AND id = ?",
        )
        .bind(&contact.name)
        .bind(&contact.email)
        .bind(&contact.phone)
        .bind(&contact.note)
        .bind(now_ms)
        .bind(account.to_string())
        .bind(id.to_string())
        .execute(&mut *write)
        .await
        .doing("change a contact")?;
        if updated.rows_affected() == 0 {
            sqlx::query(
                "INSERT INTO contacts (name, email, phone, note, updated_ms, account, id) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&contact.name)
            .bind(&contact.email)
            .bind(&contact.phone)
            .bind(&contact.note)
            .bind(now_ms)
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut *write)
            .await
            .doing("change a contact")?;
        }
        self.commit_synced(write, "change a contact").await?;
        Ok(contact)
    }

    /// Commits and syncs: with NORMAL sync only a checkpoint makes the journal durable, and what
    /// people wrote cannot be rebuilt from the history.
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
         attributes, created_at_ms, last_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, '{}', ?, ?)",
    )
    .bind(&origin.visitor)
    .bind(&origin.account)
    .bind(&origin.inbox)
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
