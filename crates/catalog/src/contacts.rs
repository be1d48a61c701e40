//! The persons behind visitors: names, addresses, numbers and notes, as visitors, sites and teams wrote
//! them. They follow from no record of the log, so the catalog owns them.
//!
//! A visitor's contact has the same 12 bytes for an id and no row until somebody writes about it, or the
//! visitor turns out to be the person of another one. Every change takes the next revision; the
//! projections keep a copy for lists, and ask for what came after the revision they hold.

use frontdesk_core::id::{AccountId, ContactId, VisitorId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, referenced},
    rows,
    sql::{self, Row},
    store::{Lock, Write},
    text,
};

/// Characters of a contact's name, address or number.
const FIELD_CHARS_MAX: usize = 254;
/// Characters of a note about a contact.
const NOTE_CHARS_MAX: usize = 4_000;

/// What is known of a person.
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
    /// Who changed it last.
    pub changed: ContactAuthor,
}

/// Who wrote what is known of a contact, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactAuthor {
    /// User, key or visitor.
    pub id: String,
    /// The name at that time; empty for a visitor.
    pub name: String,
    /// UTC milliseconds.
    pub at_ms: i64,
}

/// Changes of a contact; None leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Something about contacts that a copy may not hold yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactNews {
    /// Rises with every change of the installation.
    pub revision: i64,
    /// Whose.
    pub account: AccountId,
    /// What.
    pub fact: ContactFact,
}

/// A row about contacts as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactFact {
    /// What is known of a person.
    Known(Contact),
    /// A visitor is the person of this contact.
    SamePerson {
        /// The visitor.
        visitor: VisitorId,
        /// The person.
        contact: ContactId,
    },
}

const NEWEST: [&str; 2] =
    ["SELECT MAX(revision) FROM contacts", "SELECT MAX(revision) FROM contact_visitors"];

impl Contact {
    fn nameless(id: ContactId) -> Self {
        Self {
            id,
            name: String::new(),
            email: String::new(),
            phone: String::new(),
            note: String::new(),
            changed: ContactAuthor::default(),
        }
    }

    fn apply(&mut self, change: &ContactChange) -> Result<(), Error> {
        for (field, new, current) in [
            ("name", &change.name, &mut self.name),
            ("email", &change.email, &mut self.email),
            ("phone", &change.phone, &mut self.phone),
        ] {
            if let Some(new) = new {
                *current = text::line(field, new, FIELD_CHARS_MAX)?;
            }
        }
        if !self.email.is_empty() && !text::is_email(&self.email) {
            return Err(Error::invalid("email", "email"));
        }
        if !self.phone.is_empty() && !text::is_phone(&self.phone) {
            return Err(Error::invalid("phone", "phone"));
        }
        if let Some(note) = &change.note {
            if note.chars().count() > NOTE_CHARS_MAX {
                return Err(Error::invalid("note", "too_long"));
            }
            note.trim().clone_into(&mut self.note);
        }
        Ok(())
    }
}

impl Catalog {
    /// Changes what is known of the contact behind a visitor. Survives power loss when this returns.
    pub async fn update_contact_of(
        &self,
        account: AccountId,
        visitor: VisitorId,
        change: &ContactChange,
        by: &ContactAuthor,
    ) -> Result<(), Error> {
        let mut write = self.write_aside("change a contact", Lock::Contacts).await?;
        let mut contact = contact_of(&mut write, account, visitor).await?;
        contact.apply(change)?;
        contact.changed = by.clone();
        store(&mut write, account, &contact).await?;
        write.commit().await.doing("change a contact")
    }

    /// Two visitors turn out to be one person: the contact of `visitor` becomes that of `same_as`, and
    /// what was known of the former alone is kept. Survives power loss when this returns.
    pub async fn merge_contacts(
        &self,
        account: AccountId,
        visitor: VisitorId,
        same_as: VisitorId,
        by: &ContactAuthor,
    ) -> Result<(), Error> {
        let mut write = self.write_aside("merge contacts", Lock::Contacts).await?;
        let former = contact_of(&mut write, account, visitor).await?;
        let mut kept = contact_of(&mut write, account, same_as).await?;
        if former.id == kept.id {
            return Ok(());
        }
        for (kept, former) in [
            (&mut kept.name, former.name),
            (&mut kept.email, former.email),
            (&mut kept.phone, former.phone),
            (&mut kept.note, former.note),
        ] {
            if kept.is_empty() {
                *kept = former;
            }
        }
        kept.changed = by.clone();
        store(&mut write, account, &kept).await?;
        point(&mut write, account, visitor, kept.id).await?;
        write.commit().await.doing("merge contacts")
    }

    /// The newest revision; 0 while nothing was written.
    pub async fn contacts_revision(&self) -> Result<i64, Error> {
        let mut last = 0;
        for newest in NEWEST {
            let found: Option<i64> = sql::scalar(newest)
                .fetch_one(self.reads())
                .await
                .doing("read the newest revision")?;
            last = last.max(found.unwrap_or_default());
        }
        Ok(last)
    }

    /// What came after a revision, in order, at most `limit` of it.
    pub async fn contact_news(&self, after: i64, limit: u32) -> Result<Vec<ContactNews>, Error> {
        let known =
            sql::query("SELECT * FROM contacts WHERE revision > ? ORDER BY revision LIMIT ?")
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(self.reads())
                .await
                .doing("read contacts")?;
        let same = sql::query(
            "SELECT * FROM contact_visitors WHERE revision > ? ORDER BY revision LIMIT ?",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.reads())
        .await
        .doing("read contacts")?;
        let mut news = Vec::with_capacity(known.len() + same.len());
        for row in &known {
            news.push(told(row, ContactFact::Known(contact(row)?))?);
        }
        for row in &same {
            let visitor = rows::parsed(row, "visitor")?;
            let contact = rows::parsed(row, "contact")?;
            news.push(told(row, ContactFact::SamePerson { visitor, contact })?);
        }
        news.sort_unstable_by_key(|news| news.revision);
        news.truncate(limit as usize);
        Ok(news)
    }

    /// Takes over what was written before the catalog owned contacts. What it knows already stays, and
    /// what is of no account is left out.
    pub async fn take_over_contacts(
        &self,
        facts: &[(AccountId, ContactFact)],
    ) -> Result<(), Error> {
        let mut write = self.write_aside("take over contacts", Lock::Contacts).await?;
        for (account, fact) in facts {
            let found: i64 = sql::scalar("SELECT COUNT(*) FROM accounts WHERE id = ?")
                .bind(account.to_string())
                .fetch_one(&mut write)
                .await
                .doing("take over contacts")?;
            if found == 0 {
                continue;
            }
            match fact {
                ContactFact::Known(contact) => {
                    if read(&mut write, *account, contact.id).await?.is_none() {
                        store(&mut write, *account, contact).await?;
                    }
                }
                ContactFact::SamePerson { visitor, contact } => {
                    if pointed(&mut write, *account, *visitor).await?.is_none() {
                        point(&mut write, *account, *visitor, *contact).await?;
                    }
                }
            }
        }
        write.commit().await.doing("take over contacts")
    }
}

async fn contact_of(
    write: &mut Write,
    account: AccountId,
    visitor: VisitorId,
) -> Result<Contact, Error> {
    let id = pointed(write, account, visitor).await?;
    let id = id.unwrap_or_else(|| ContactId::from_bytes(*visitor.as_bytes()));
    Ok(read(write, account, id).await?.unwrap_or_else(|| Contact::nameless(id)))
}

async fn pointed(
    write: &mut Write,
    account: AccountId,
    visitor: VisitorId,
) -> Result<Option<ContactId>, Error> {
    sql::query("SELECT contact FROM contact_visitors WHERE account = ? AND visitor = ?")
        .bind(account.to_string())
        .bind(visitor.to_string())
        .fetch_optional(&mut *write)
        .await
        .doing("read a contact")?
        .as_ref()
        .map(|row| rows::parsed(row, "contact"))
        .transpose()
}

async fn read(
    write: &mut Write,
    account: AccountId,
    id: ContactId,
) -> Result<Option<Contact>, Error> {
    sql::query("SELECT * FROM contacts WHERE account = ? AND id = ?")
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut *write)
        .await
        .doing("read a contact")?
        .as_ref()
        .map(contact)
        .transpose()
}

/// Writers follow one another, so the next revision is free.
async fn next_revision(write: &mut Write) -> Result<i64, Error> {
    let mut last = 0;
    for newest in NEWEST {
        let found: Option<i64> =
            sql::scalar(newest).fetch_one(&mut *write).await.doing("number a change")?;
        last = last.max(found.unwrap_or_default());
    }
    Ok(last + 1)
}

async fn store(write: &mut Write, account: AccountId, contact: &Contact) -> Result<(), Error> {
    let revision = next_revision(write).await?;
    let known = read(write, account, contact.id).await?.is_some();
    let statement = if known {
        "UPDATE contacts SET name = ?, email = ?, phone = ?, note = ?, updated_ms = ?, \
         updated_by = ?, updated_by_name = ?, revision = ? WHERE account = ? AND id = ?"
    } else {
        "INSERT INTO contacts (name, email, phone, note, updated_ms, updated_by, \
         updated_by_name, revision, account, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    };
    sql::query(statement)
        .bind(&contact.name)
        .bind(&contact.email)
        .bind(&contact.phone)
        .bind(&contact.note)
        .bind(contact.changed.at_ms)
        .bind(&contact.changed.id)
        .bind(&contact.changed.name)
        .bind(revision)
        .bind(account.to_string())
        .bind(contact.id.to_string())
        .execute(&mut *write)
        .await
        .map_err(|source| unknown_account("change a contact", source))?;
    Ok(())
}

async fn point(
    write: &mut Write,
    account: AccountId,
    visitor: VisitorId,
    contact: ContactId,
) -> Result<(), Error> {
    let revision = next_revision(write).await?;
    let statement = if pointed(write, account, visitor).await?.is_some() {
        "UPDATE contact_visitors SET contact = ?, revision = ? WHERE account = ? AND visitor = ?"
    } else {
        "INSERT INTO contact_visitors (contact, revision, account, visitor) VALUES (?, ?, ?, ?)"
    };
    sql::query(statement)
        .bind(contact.to_string())
        .bind(revision)
        .bind(account.to_string())
        .bind(visitor.to_string())
        .execute(&mut *write)
        .await
        .map_err(|source| unknown_account("merge contacts", source))?;
    Ok(())
}

fn unknown_account(operation: &'static str, source: sqlx::Error) -> Error {
    referenced(Error::NotFound { what: "account" }, operation, source)
}

fn contact(row: &Row) -> Result<Contact, Error> {
    Ok(Contact {
        id: rows::parsed(row, "id")?,
        name: rows::text(row, "name")?,
        email: rows::text(row, "email")?,
        phone: rows::text(row, "phone")?,
        note: rows::text(row, "note")?,
        changed: ContactAuthor {
            id: rows::text(row, "updated_by")?,
            name: rows::text(row, "updated_by_name")?,
            at_ms: rows::int(row, "updated_ms")?,
        },
    })
}

fn told(row: &Row, fact: ContactFact) -> Result<ContactNews, Error> {
    Ok(ContactNews {
        revision: rows::int(row, "revision")?,
        account: rows::parsed(row, "account")?,
        fact,
    })
}
