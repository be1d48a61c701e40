//! Who visitors are on the site around the widget: the secrets a site signs identities with, and which
//! visitor of an inbox each identity is.
//!
//! A secret is never stored. Its row holds a random salt, and whoever has the installation's key
//! derives the secret from it again; a copy of this database signs nothing.
//!
//! The binding of an identity to a visitor follows from no record of the log: it exists before the
//! first message, has to be unique over all devices, and decides who may read a conversation. So it
//! lies here, synced when it is made, and not among the projections.

use std::collections::BTreeMap;

use frontdesk_core::id::{AccountId, ConversationId, IdentitySecretId, InboxId, VisitorId};
use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, clock_ms};
use crate::changes::Change;
use crate::error::{Doing, Error};
use crate::inboxes::{self, coded};
use crate::sql::{self, Row};
use crate::store::{Lock, Write};
use crate::{rows, text};

/// Secrets of one inbox that work at the same time: the one in use, and its successor.
pub const IDENTITY_SECRETS_MAX: usize = 2;
/// Characters of the name a site has for a person.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Attributes a site may tell of one person.
pub const ATTRIBUTES_MAX: usize = 50;
/// Characters of a person's name, address or number, and of an attribute's name or value.
const FIELD_CHARS_MAX: usize = 254;

/// Whether visitors of an inbox come with an identity the site signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityMode {
    /// Identities are refused.
    #[default]
    Off,
    /// Visitors with and without one are welcome.
    Optional,
    /// Nobody without one is let in.
    Required,
}
coded!(
    IdentityMode,
    IdentityMode::Off => "off",
    IdentityMode::Optional => "optional",
    IdentityMode::Required => "required"
);

/// A secret of an inbox, without the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentitySecret {
    /// Its id.
    pub id: IdentitySecretId,
    /// The inbox whose identities it signs.
    pub inbox: InboxId,
    /// What the installation's key makes the secret from.
    pub salt: [u8; 16],
    /// When it was made.
    pub created_ms: i64,
}

impl std::fmt::Debug for IdentitySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentitySecret")
            .field("id", &self.id)
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

/// What a site says of a person, signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityClaims {
    /// What people call the person.
    pub name: Option<String>,
    /// An address to write to. Never decides who somebody is.
    pub email: Option<String>,
    /// A number to call.
    pub phone: Option<String>,
    /// Anything else the team should see.
    pub attributes: BTreeMap<String, String>,
}

/// A person of the site as a visitor of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorIdentity {
    /// The site's own name for the person.
    pub subject: String,
    /// The inbox.
    pub inbox: InboxId,
    /// The visitor, over all devices.
    pub visitor: VisitorId,
    /// The visitor's conversation.
    pub conversation: ConversationId,
    /// What the site signed last about the person; none where it only ever signed who it is.
    pub claims: Option<IdentityClaims>,
}

/// What came of binding an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The identity as it is now.
    pub identity: VisitorIdentity,
    /// The site said something else than before, or this is the first time.
    pub changed: bool,
}

impl IdentityClaims {
    /// Trims, and checks lengths and characters. Empty texts are as good as none, and so is an address
    /// nobody could write to or a number nobody could dial: the person is who the site says all the same.
    pub fn checked(self) -> Result<Self, Error> {
        let field = |name: &str, value: Option<String>| -> Result<Option<String>, Error> {
            let checked = value.map(|value| text::line(name, &value, FIELD_CHARS_MAX));
            Ok(checked.transpose()?.filter(|value| !value.is_empty()))
        };
        if self.attributes.len() > ATTRIBUTES_MAX {
            return Err(Error::invalid("attributes", "too_many"));
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in self.attributes {
            let name = text::line("attributes", &name, FIELD_CHARS_MAX)?;
            if name.is_empty() {
                return Err(Error::invalid("attributes", "empty"));
            }
            attributes.insert(name, text::line("attributes", &value, FIELD_CHARS_MAX)?);
        }
        Ok(Self {
            name: field("name", self.name)?,
            email: field("email", self.email)?.filter(|email| text::is_email(email)),
            phone: field("phone", self.phone)?.filter(|phone| text::is_phone(phone)),
            attributes,
        })
    }
}

const UNKNOWN_SECRET: Error = Error::NotFound { what: "identity_secret" };

impl Catalog {
    /// Lists the secrets of all inboxes of an account, oldest first.
    pub async fn identity_secrets(&self, account: AccountId) -> Result<Vec<IdentitySecret>, Error> {
        sql::query("SELECT * FROM identity_secrets WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read identity secrets")?
            .iter()
            .map(secret)
            .collect()
    }

    /// Lists the secrets of one inbox, oldest first.
    pub async fn identity_secrets_of(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<Vec<IdentitySecret>, Error> {
        sql::query("SELECT * FROM identity_secrets WHERE account = ? AND inbox = ? ORDER BY id")
            .bind(account.to_string())
            .bind(inbox.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read identity secrets")?
            .iter()
            .map(secret)
            .collect()
    }

    /// Makes a secret for an inbox, which may have two.
    pub async fn create_identity_secret(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<IdentitySecret, Error> {
        let mut salt = [0u8; 16];
        getrandom::fill(&mut salt).map_err(|_| Error::Hash)?;
        let mut write = self.write("create an identity secret", Change::Account(account)).await?;
        inboxes::exists(&mut write, account, inbox).await?;
        let live: i64 =
            sql::scalar("SELECT COUNT(*) FROM identity_secrets WHERE account = ? AND inbox = ?")
                .bind(account.to_string())
                .bind(inbox.to_string())
                .fetch_one(&mut write)
                .await
                .doing("read identity secrets")?;
        if usize::try_from(live).unwrap_or(usize::MAX) >= IDENTITY_SECRETS_MAX {
            return Err(Error::Conflict { what: "identity_secrets", reason: "too_many" });
        }
        let (id, created_ms) = self.new_id::<IdentitySecretId>();
        sql::query(
            "INSERT INTO identity_secrets (id, account, inbox, salt, created_ms) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(account.to_string())
        .bind(inbox.to_string())
        .bind(salt.to_vec())
        .bind(created_ms)
        .execute(&mut write)
        .await
        .doing("create an identity secret")?;
        write.commit().await.doing("create an identity secret")?;
        Ok(IdentitySecret { id, inbox, salt, created_ms })
    }

    /// Deletes a secret: what it signed is refused from this commit on.
    pub async fn delete_identity_secret(
        &self,
        account: AccountId,
        inbox: InboxId,
        id: IdentitySecretId,
    ) -> Result<(), Error> {
        let mut write = self.write("delete an identity secret", Change::Account(account)).await?;
        let changed =
            sql::query("DELETE FROM identity_secrets WHERE account = ? AND inbox = ? AND id = ?")
                .bind(account.to_string())
                .bind(inbox.to_string())
                .bind(id.to_string())
                .execute(&mut write)
                .await
                .doing("delete an identity secret")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN_SECRET);
        }
        write.commit().await.doing("delete an identity secret")
    }

    /// Whom a visitor is on the site; None for a visitor without an identity.
    pub async fn identity_of(
        &self,
        account: AccountId,
        visitor: VisitorId,
    ) -> Result<Option<VisitorIdentity>, Error> {
        sql::query("SELECT * FROM visitor_identities WHERE account = ? AND visitor = ?")
            .bind(account.to_string())
            .bind(visitor.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an identity")?
            .as_ref()
            .map(identity)
            .transpose()
    }

    /// Finds the visitor of an identity. One that comes for the first time becomes the visitor of this
    /// device, unless that is somebody else's already; then it becomes `fresh`. Of two devices that
    /// come at once the second finds what the first made. Without `claims` those known so far stay.
    pub async fn bind_identity(
        &self,
        account: AccountId,
        inbox: InboxId,
        subject: &str,
        claims: Option<&IdentityClaims>,
        device: Option<(VisitorId, ConversationId)>,
        fresh: (VisitorId, ConversationId),
    ) -> Result<Binding, Error> {
        // Nearly every call finds things as they are and need not wait for the writer.
        let known = sql::query(FIND)
            .bind(account.to_string())
            .bind(inbox.to_string())
            .bind(subject)
            .fetch_optional(self.reads())
            .await
            .doing("read an identity")?;
        if let Some(row) = &known {
            let identity = identity(row)?;
            if claims.is_none() || identity.claims.as_ref() == claims {
                return Ok(Binding { identity, changed: false });
            }
        }
        let subject = text::line("sub", subject, SUBJECT_CHARS_MAX)?;
        if subject.is_empty() {
            return Err(Error::invalid("sub", "empty"));
        }
        let mut write = self.write_aside("bind an identity", Lock::Identities).await?;
        let identity =
            upsert(&mut write, account, inbox, subject, claims.cloned(), device, fresh).await?;
        write.commit().await.doing("bind an identity")?;
        Ok(Binding { identity, changed: true })
    }
}

const FIND: &str =
    "SELECT * FROM visitor_identities WHERE account = ? AND inbox = ? AND subject = ?";

async fn upsert(
    write: &mut Write,
    account: AccountId,
    inbox: InboxId,
    subject: String,
    claims: Option<IdentityClaims>,
    device: Option<(VisitorId, ConversationId)>,
    fresh: (VisitorId, ConversationId),
) -> Result<VisitorIdentity, Error> {
    let now_ms = clock_ms();
    let known = sql::query(FIND)
        .bind(account.to_string())
        .bind(inbox.to_string())
        .bind(&subject)
        .fetch_optional(&mut *write)
        .await
        .doing("read an identity")?;
    if let Some(row) = &known {
        if claims.is_none() {
            return identity(row);
        }
        sql::query(
            "UPDATE visitor_identities SET claims = ?, updated_ms = ? \
             WHERE account = ? AND inbox = ? AND subject = ?",
        )
        .bind(rows::to_json(&claims))
        .bind(now_ms)
        .bind(account.to_string())
        .bind(inbox.to_string())
        .bind(&subject)
        .execute(&mut *write)
        .await
        .doing("bind an identity")?;
        return Ok(VisitorIdentity { claims, ..identity(row)? });
    }
    inboxes::exists(write, account, inbox).await?;
    let (visitor, conversation) = match device {
        Some((visitor, conversation)) if !is_bound(write, account, visitor).await? => {
            (visitor, conversation)
        }
        _ => fresh,
    };
    sql::query(
        "INSERT INTO visitor_identities (account, inbox, subject, visitor, conversation, claims, \
         created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account.to_string())
    .bind(inbox.to_string())
    .bind(&subject)
    .bind(visitor.to_string())
    .bind(conversation.to_string())
    .bind(rows::to_json(&claims))
    .bind(now_ms)
    .bind(now_ms)
    .execute(&mut *write)
    .await
    .doing("bind an identity")?;
    Ok(VisitorIdentity { subject, inbox, visitor, conversation, claims })
}

async fn is_bound(
    write: &mut Write,
    account: AccountId,
    visitor: VisitorId,
) -> Result<bool, Error> {
    let found: i64 =
        sql::scalar("SELECT COUNT(*) FROM visitor_identities WHERE account = ? AND visitor = ?")
            .bind(account.to_string())
            .bind(visitor.to_string())
            .fetch_one(&mut *write)
            .await
            .doing("read an identity")?;
    Ok(found > 0)
}

fn secret(row: &Row) -> Result<IdentitySecret, Error> {
    let salt = rows::bytes(row, "salt")?;
    Ok(IdentitySecret {
        id: rows::parsed(row, "id")?,
        inbox: rows::parsed(row, "inbox")?,
        salt: salt.try_into().map_err(|_| Error::Stored { what: "salt" })?,
        created_ms: rows::int(row, "created_ms")?,
    })
}

fn identity(row: &Row) -> Result<VisitorIdentity, Error> {
    Ok(VisitorIdentity {
        subject: rows::text(row, "subject")?,
        inbox: rows::parsed(row, "inbox")?,
        visitor: rows::parsed(row, "visitor")?,
        conversation: rows::parsed(row, "conversation")?,
        claims: rows::json(row, "claims")?,
    })
}
