//! The copy of the catalog's contacts that lists join with.
//!
//! Copying is one function for a change just made, for a start after a crash in between, and for a file
//! that is new: it asks for what came after the revision it holds.

use frontdesk_catalog::{Catalog, Contact, ContactAuthor, ContactFact, ContactNews};
use frontdesk_core::id::AccountId;

use super::{Doing, ProjectionError, Projections, Write, rows};

/// Rows copied with one transaction.
const NEWS_MAX: u32 = 1_000;

impl Projections {
    /// Brings the copy to what the catalog knows.
    pub async fn copy_contacts(&self, catalog: &Catalog) -> Result<(), ProjectionError> {
        // Of two at once the second has little left to do, and none overtakes the other.
        let _turn = self.copying.lock().await;
        let mut copied = self.copied().await?.unwrap_or_default();
        loop {
            let news = catalog.contact_news(copied, NEWS_MAX).await;
            let news = news.map_err(ProjectionError::Contacts)?;
            let Some(last) = news.last() else { return Ok(()) };
            copied = last.revision;
            let mut write = self.begin("copy contacts").await?;
            for news in &news {
                copy(&mut write, news).await?;
            }
            note_copied(&mut write, copied).await?;
            write.commit().await.doing("copy contacts")?;
        }
    }

    /// Makes the copy one of this catalog, before anything is read from it: gives the catalog what was
    /// written here before it owned contacts, and begins anew where the catalog is an older one, from a
    /// backup.
    pub async fn begin_contacts(&self, catalog: &Catalog) -> Result<(), ProjectionError> {
        match self.copied().await? {
            None => self.hand_over_contacts(catalog).await?,
            Some(copied) => {
                let newest = catalog.contacts_revision().await;
                if copied > newest.map_err(ProjectionError::Contacts)? {
                    self.forget_contacts().await?;
                }
            }
        }
        self.copy_contacts(catalog).await
    }

    async fn forget_contacts(&self) -> Result<(), ProjectionError> {
        let mut write = self.begin("forget contacts").await?;
        for statement in [
            "DELETE FROM contacts",
            "DELETE FROM contact_visitors",
            "UPDATE visitors SET contact = id WHERE contact <> id",
        ] {
            sqlx::query(statement).execute(&mut *write).await.doing("forget contacts")?;
        }
        note_copied(&mut write, 0).await?;
        write.commit().await.doing("forget contacts")
    }

    async fn hand_over_contacts(&self, catalog: &Catalog) -> Result<(), ProjectionError> {
        let mut facts: Vec<(AccountId, ContactFact)> = Vec::new();
        let known = sqlx::query("SELECT * FROM contacts").fetch_all(self.database.reads()).await;
        for row in &known.doing("read contacts")? {
            let contact = Contact {
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
            };
            facts.push((rows::parsed(row, "account")?, ContactFact::Known(contact)));
        }
        let same = sqlx::query("SELECT account, id, contact FROM visitors WHERE contact <> id")
            .fetch_all(self.database.reads())
            .await
            .doing("read visitors")?;
        for row in &same {
            let visitor = rows::parsed(row, "id")?;
            let contact = rows::parsed(row, "contact")?;
            let fact = ContactFact::SamePerson { visitor, contact };
            facts.push((rows::parsed(row, "account")?, fact));
        }
        catalog.take_over_contacts(&facts).await.map_err(ProjectionError::Contacts)?;
        let mut write = self.begin("hand contacts over").await?;
        note_copied(&mut write, 0).await?;
        write.commit().await.doing("hand contacts over")
    }

    async fn copied(&self) -> Result<Option<i64>, ProjectionError> {
        sqlx::query_scalar("SELECT revision FROM contacts_copied")
            .fetch_optional(self.database.reads())
            .await
            .doing("read what is copied")
    }
}

async fn note_copied(write: &mut Write, revision: i64) -> Result<(), ProjectionError> {
    let updated = sqlx::query("UPDATE contacts_copied SET revision = ?")
        .bind(revision)
        .execute(&mut **write)
        .await
        .doing("note what is copied")?;
    if updated.rows_affected() == 0 {
        sqlx::query("INSERT INTO contacts_copied (revision) VALUES (?)")
            .bind(revision)
            .execute(&mut **write)
            .await
            .doing("note what is copied")?;
    }
    Ok(())
}

async fn copy(write: &mut Write, news: &ContactNews) -> Result<(), ProjectionError> {
    let account = news.account.to_string();
    match &news.fact {
        ContactFact::Known(contact) => {
            sqlx::query("DELETE FROM contacts WHERE id = ?")
                .bind(contact.id.to_string())
                .execute(&mut **write)
                .await
                .doing("copy a contact")?;
            sqlx::query(
                "INSERT INTO contacts (id, account, name, email, phone, note, updated_ms, \
                 updated_by, updated_by_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(contact.id.to_string())
            .bind(account)
            .bind(&contact.name)
            .bind(&contact.email)
            .bind(&contact.phone)
            .bind(&contact.note)
            .bind(contact.changed.at_ms)
            .bind(&contact.changed.id)
            .bind(&contact.changed.name)
            .execute(&mut **write)
            .await
            .doing("copy a contact")?;
        }
        ContactFact::SamePerson { visitor, contact } => {
            sqlx::query("DELETE FROM contact_visitors WHERE visitor = ?")
                .bind(visitor.to_string())
                .execute(&mut **write)
                .await
                .doing("copy a contact")?;
            sqlx::query(
                "INSERT INTO contact_visitors (visitor, account, contact) VALUES (?, ?, ?)",
            )
            .bind(visitor.to_string())
            .bind(&account)
            .bind(contact.to_string())
            .execute(&mut **write)
            .await
            .doing("copy a contact")?;
            sqlx::query("UPDATE visitors SET contact = ? WHERE account = ? AND id = ?")
                .bind(contact.to_string())
                .bind(account)
                .bind(visitor.to_string())
                .execute(&mut **write)
                .await
                .doing("copy a contact")?;
        }
    }
    Ok(())
}
