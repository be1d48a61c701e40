//! API keys: shown once, stored as SHA-256. 128 random bits need no slow hash.

use frontdesk_core::id::{AccountId, ApiKeyId};
use frontdesk_core::rights::Rights;
use frontdesk_core::secret::Secret128;

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::roles::{self, Granter};
use crate::secrets::secret_hash;
use crate::sql::{self, Row};
use crate::store::{Lock, Write};
use crate::{rows, text};

/// What a key begins with, so that people and secret scanners know it.
pub const API_KEY_PREFIX: &str = "fd_";
/// How stale `last_used_ms` may be: a key used all day costs one write a minute, not one a request.
const USED_STEP_MS: i64 = 60_000;

/// An API key of one account, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The account it acts in.
    pub account: AccountId,
    /// What it is for.
    pub name: String,
    /// Its last four characters.
    pub hint: String,
    /// What it may do.
    pub rights: Rights,
    /// It speaks on the socket as a bot.
    pub bot: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was used, to the minute.
    pub last_used_ms: Option<i64>,
}

impl ApiKey {
    /// This key as somebody who gives rights and roles; it is never an owner.
    pub fn granter(&self) -> Granter {
        Granter { rights: self.rights, owner: false }
    }
}

const UNKNOWN: Error = Error::NotFound { what: "api_key" };

impl Catalog {
    /// Lists the keys of an account, oldest first.
    pub async fn api_keys(&self, account: AccountId) -> Result<Vec<ApiKey>, Error> {
        sql::query("SELECT * FROM api_keys WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read API keys")?
            .iter()
            .map(api_key)
            .collect()
    }

    /// Reads one key.
    pub async fn api_key(&self, account: AccountId, id: ApiKeyId) -> Result<ApiKey, Error> {
        let row = sql::query("SELECT * FROM api_keys WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an API key")?;
        api_key(&row.ok_or(UNKNOWN)?)
    }

    /// Creates a key, for a program or for a bot. The text is given here and never again.
    pub async fn create_api_key(
        &self,
        account: AccountId,
        name: &str,
        rights: Rights,
        bot: bool,
        granter: Granter,
    ) -> Result<(ApiKey, String), Error> {
        granter.may_give(rights)?;
        let mut write = self.write("create an API key", Change::Account(account)).await?;
        let (id, text) = insert(self, &mut write, account, name, rights, bot).await?;
        write.commit().await.doing("create an API key")?;
        Ok((self.api_key(account, id).await?, text))
    }

    /// Deletes a key: it stops working with this commit.
    pub async fn delete_api_key(&self, account: AccountId, id: ApiKeyId) -> Result<(), Error> {
        let mut write = self.write("delete an API key", Change::Key { account, key: id }).await?;
        let changed = sql::query("DELETE FROM api_keys WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("delete an API key")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("delete an API key")
    }

    /// Finds the key a request shows. Unknown and malformed keys are one error.
    pub async fn verify_api_key(&self, text: &str, now_ms: i64) -> Result<ApiKey, Error> {
        let secret = text.strip_prefix(API_KEY_PREFIX).ok_or(Error::SignInFailed)?;
        let secret = Secret128::parse(secret).map_err(|_| Error::SignInFailed)?;
        let hash = secret_hash(&secret);
        let row = sql::query("SELECT * FROM api_keys WHERE hash = ?")
            .bind(hash.to_vec())
            .fetch_optional(self.reads())
            .await
            .doing("read an API key")?;
        let mut key = api_key(&row.ok_or(Error::SignInFailed)?)?;
        if key.last_used_ms.is_none_or(|used| now_ms - used >= USED_STEP_MS) {
            let mut write = self.write_aside("note the use of an API key", Lock::Rows).await?;
            sql::query("UPDATE api_keys SET last_used_ms = ? WHERE id = ?")
                .bind(now_ms)
                .bind(key.id.to_string())
                .execute(&mut write)
                .await
                .doing("note the use of an API key")?;
            write.commit().await.doing("note the use of an API key")?;
            key.last_used_ms = Some(now_ms);
        }
        Ok(key)
    }
}

pub(crate) async fn insert(
    catalog: &Catalog,
    write: &mut Write,
    account: AccountId,
    name: &str,
    rights: Rights,
    bot: bool,
) -> Result<(ApiKeyId, String), Error> {
    let name = text::name("name", name)?;
    let secret = Secret128::random();
    let text = format!("{API_KEY_PREFIX}{}", secret.reveal());
    let hint = text[text.len() - 4..].to_owned();
    let (id, now_ms) = catalog.new_id::<ApiKeyId>();
    sql::query(
        "INSERT INTO api_keys (id, account, name, hash, hint, rights, bot, \
         created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.to_string())
    .bind(account.to_string())
    .bind(name)
    .bind(secret_hash(&secret).to_vec())
    .bind(hint)
    .bind(roles::rights_json(rights))
    .bind(i64::from(bot))
    .bind(now_ms)
    .execute(&mut *write)
    .await
    .map_err(|source| {
        referenced(Error::NotFound { what: "account" }, "create an API key", source)
    })?;
    Ok((id, text))
}

fn api_key(row: &Row) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: rows::parsed(row, "id")?,
        account: rows::parsed(row, "account")?,
        name: rows::text(row, "name")?,
        hint: rows::text(row, "hint")?,
        rights: roles::rights(row)?,
        bot: rows::flag(row, "bot")?,
        created_ms: rows::int(row, "created_ms")?,
        last_used_ms: rows::maybe_int(row, "last_used_ms")?,
    })
}
