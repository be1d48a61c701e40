//! Visitors and the contacts behind them.
//!
//! A visitor's row is made by its first summary. Its contact has the same 12 bytes for an id until
//! somebody merges or renames it, so a rebuild comes to the same contact without a table of its own.

use std::collections::BTreeMap;

use frontdesk_core::id::{AccountId, ContactId, ConversationId, InboxId, VisitorId};
use sqlx::{QueryBuilder, Sqlite, sqlite::SqliteRow};

use super::{Doing, ProjectionError, Projections, Write, rows};
use crate::Summary;

/// Characters of a contact's name, address or number.
const FIELD_CHARS_MAX: usize = 254;
/// Characters of a note about a contact.
const NOTE_CHARS_MAX: usize = 4_000;
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

/// Who wrote what is known of a contact, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactAuthor {
    /// User, key or visitor.
    pub id: String,
    /// The name at that time; empty for a visitor.
    pub name: String,
    /// UTC milliseconds.
    pub at_ms: i64,
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

impl ContactChange {
    fn apply(&self, contact: &mut Contact) -> Result<(), ProjectionError> {
        for (field, new, current) in [
            ("name", &self.name, &mut contact.name),
            ("email", &self.email, &mut contact.email),
            ("phone", &self.phone, &mut contact.phone),
        ] {
            if let Some(text) = new {
                *current = line(field, text)?;
            }
        }
        if !contact.email.is_empty() && !frontdesk_catalog::is_email(&contact.email) {
            return Err(ProjectionError::Invalid { field: "email", reason: "email" });
        }
        if !contact.phone.is_empty() && !frontdesk_catalog::is_phone(&contact.phone) {
            return Err(ProjectionError::Invalid { field: "phone", reason: "phone" });
        }
        if let Some(note) = &self.note {
            if note.chars().count() > NOTE_CHARS_MAX {
                return Err(ProjectionError::Invalid { field: "note", reason: "too_long" });
            }
            note.trim().clone_into(&mut contact.note);
        }
        Ok(())
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

    /// Changes what is known of the contact behind a visitor. Survives power loss when this returns.
    pub async fn update_contact_of(
        &self,
        account: AccountId,
        visitor: VisitorId,
        change: &ContactChange,
        by: &ContactAuthor,
    ) -> Result<Contact, ProjectionError> {
        let contact = self.contact_of(account, visitor).await?;
        self.store_contact(account, contact, change, by).await
    }

    /// Changes what is known of a contact. Survives power loss when this returns.
    pub async fn update_contact(
        &self,
        account: AccountId,
        id: ContactId,
        change: &ContactChange,
        by: &ContactAuthor,
    ) -> Result<Contact, ProjectionError> {
        let contact = self.contact(account, id).await?;
        self.store_contact(account, contact, change, by).await
    }

    /// Two visitors turn out to be one person: the contact of `visitor` becomes that of `same_as`, and
    /// what was known of the former alone is kept. No stream changes.
    pub async fn merge_contacts(
        &self,
        account: AccountId,
        visitor: VisitorId,
        same_as: VisitorId,
        by: &ContactAuthor,
    ) -> Result<Contact, ProjectionError> {
        let former = self.contact_of(account, visitor).await?;
        let kept = self.contact_of(account, same_as).await?;
        if former.id == kept.id {
            return Ok(kept);
        }
        let missing = |kept: &str, former: &str| {
            (kept.is_empty() && !former.is_empty()).then(|| former.to_owned())
        };
        let change = ContactChange {
            name: missing(&kept.name, &former.name),
            email: missing(&kept.email, &former.email),
            phone: missing(&kept.phone, &former.phone),
            note: missing(&kept.note, &former.note),
        };
        let id = kept.id;
        self.store_contact(account, kept, &change, by).await?;
        let mut write = self.begin("merge contacts").await?;
        sqlx::query("UPDATE visitors SET contact = ? WHERE account = ? AND id = ?")
            .bind(id.to_string())
            .bind(account.to_string())
            .bind(visitor.to_string())
            .execute(&mut *write)
            .await
            .doing("merge contacts")?;
        self.commit_synced(write, "merge contacts").await?;
        self.contact(account, id).await
    }

    /// The names people gave the contacts behind these visitors; those without one are left out.
    pub async fn names_of(
        &self,
        visitors: &[VisitorId],
    ) -> Result<Vec<(VisitorId, String)>, ProjectionError> {
        let mut names = Vec::new();
        for part in visitors.chunks(NAMES_AT_A_TIME) {
            // A visitor without a row has a contact of its own id.
            let mut sql = QueryBuilder::<Sqlite>::new("WITH asked (id) AS (VALUES ");
            let mut list = sql.separated(", ");
            for visitor in part {
                list.push("(").push_bind_unseparated(visitor.to_string()).push_unseparated(")");
            }
            sql.push(
                ") SELECT asked.id AS id, k.name AS name FROM asked \
                 LEFT JOIN visitors v ON v.id = asked.id \
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
        let row = sqlx::query("SELECT contact FROM visitors WHERE account = ? AND id = ?")
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

    async fn store_contact(
        &self,
        account: AccountId,
        mut contact: Contact,
        change: &ContactChange,
        by: &ContactAuthor,
    ) -> Result<Contact, ProjectionError> {
        change.apply(&mut contact)?;
        let mut write = self.begin("change a contact").await?;
        let updated = sqlx::query(
            "UPDATE contacts SET name = ?, email = ?, phone = ?, note = ?, updated_ms = ?, \
             updated_by = ?, updated_by_name = ? WHERE account = ? AND id = ?",
        )
        .bind(&contact.name)
        .bind(&contact.email)
        .bind(&contact.phone)
        .bind(&contact.note)
        .bind(by.at_ms)
        .bind(&by.id)
        .bind(&by.name)
        .bind(account.to_string())
        .bind(contact.id.to_string())
        .execute(&mut *write)
        .await
        .doing("change a contact")?;
        if updated.rows_affected() == 0 {
            sqlx::query(
                "INSERT INTO contacts (name, email, phone, note, updated_ms, updated_by, \
                 updated_by_name, account, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&contact.name)
            .bind(&contact.email)
            .bind(&contact.phone)
            .bind(&contact.note)
            .bind(by.at_ms)
            .bind(&by.id)
            .bind(&by.name)
            .bind(account.to_string())
            .bind(contact.id.to_string())
            .execute(&mut *write)
            .await
            .doing("change a contact")?;
        }
        self.commit_synced(write, "change a contact").await?;
        contact.changed = Some(by.clone());
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
