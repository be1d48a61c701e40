//! Accounts, and the one way an account begins: with its roles, its owner, an inbox and an API key.

use frontdesk_core::id::{AccountId, ApiKeyId, InboxId, UserId};

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error};
use crate::inboxes::{InboxKind, NewInbox};
use crate::password::Password;
use crate::roles::{self, Builtin};
use crate::sql::{self, Row};
use crate::store::Lock;
use crate::text::{self, Texts};
use crate::users::{self, NewUser};
use crate::{api_keys, inboxes, rows};

/// A tenant of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// The language of texts for people whose language is not known.
    pub language: String,
    /// Made by `serve --demo`.
    pub demo: bool,
    /// When it was created.
    pub created_ms: i64,
}

/// What a first account needs.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Name of the account and of its first inbox.
    pub name: String,
    /// BCP 47.
    pub language: String,
    /// True for the demo account only.
    pub demo: bool,
    /// Of the owner.
    pub owner_email: String,
    /// Of the owner.
    pub owner_name: String,
    /// Of the owner.
    pub owner_password: Password,
    /// Sites on which the first inbox's widget may appear; empty allows none but our own pages.
    pub origins: Vec<String>,
}

/// What was made with an account. The API key is shown here and never again.
#[derive(Debug, Clone)]
pub struct CreatedAccount {
    /// The account.
    pub account: AccountId,
    /// Its owner.
    pub owner: UserId,
    /// Its first inbox.
    pub inbox: InboxId,
    /// The public key of that inbox.
    pub inbox_key: String,
    /// The id of its first API key, which has every right.
    pub api_key_id: ApiKeyId,
    /// That key.
    pub api_key: String,
}

impl Catalog {
    /// Creates an account with the default roles, an owner, one inbox and one API key; all or
    /// nothing.
    pub async fn create_account_with_admin(
        &self,
        new: NewAccount,
    ) -> Result<CreatedAccount, Error> {
        let hash = self.hash_new_password(&new.owner_password).await?;
        let mut write = self.write_aside("create an account", Lock::Configuration).await?;
        let created = self.insert_account(&mut write, new, hash).await?;
        write.tell(Change::Account(created.account));
        write.commit().await.doing("create an account")?;
        Ok(created)
    }

    pub(crate) async fn insert_account(
        &self,
        write: &mut crate::store::Write,
        new: NewAccount,
        password_hash: String,
    ) -> Result<CreatedAccount, Error> {
        let name = text::name("account", &new.name)?;
        text::language_tag("language", &new.language)?;
        let (account, now_ms) = self.new_id::<AccountId>();
        sql::query(
            "INSERT INTO accounts (id, name, language, demo, created_ms) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(account.to_string())
        .bind(&name)
        .bind(&new.language)
        .bind(i64::from(new.demo))
        .bind(now_ms)
        .execute(&mut *write)
        .await
        .doing("create an account")?;
        let owner_role = roles::insert_defaults(self, write, account).await?;
        let owner = users::insert(
            self,
            write,
            account,
            &NewUser {
                email: new.owner_email,
                display_name: new.owner_name,
                language: new.language.clone(),
                role: owner_role,
                capacity: None,
                skills: Vec::new(),
                teams: Vec::new(),
            },
            &password_hash,
        )
        .await?;
        let inbox = inboxes::insert(
            self,
            write,
            account,
            &NewInbox {
                name: name.clone(),
                kind: InboxKind::Website,
                origins: new.origins,
                greeting: default_greeting(),
                ..NewInbox::default()
            },
        )
        .await?;
        let rights = roles::builtin_rights(Builtin::Owner);
        let (api_key_id, api_key) =
            api_keys::insert(self, write, account, "first key", rights, false).await?;
        Ok(CreatedAccount {
            account,
            owner,
            inbox: inbox.id,
            inbox_key: inbox.public_key,
            api_key_id,
            api_key,
        })
    }

    /// Lists all accounts, oldest first: for the operator, never for a tenant.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        sql::query("SELECT * FROM accounts ORDER BY id")
            .fetch_all(self.reads())
            .await
            .doing("read accounts")?
            .iter()
            .map(account)
            .collect()
    }

    /// Reads one account.
    pub async fn account(&self, id: AccountId) -> Result<Account, Error> {
        let row = sql::query("SELECT * FROM accounts WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an account")?;
        account(&row.ok_or(Error::NotFound { what: "account" })?)
    }

    /// Changes name and language of an account.
    pub async fn update_account(
        &self,
        id: AccountId,
        name: &str,
        language: &str,
    ) -> Result<Account, Error> {
        let name = text::name("name", name)?;
        text::language_tag("language", language)?;
        let mut write = self.write("change an account", Change::Account(id)).await?;
        let changed = sql::query("UPDATE accounts SET name = ?, language = ? WHERE id = ?")
            .bind(name)
            .bind(language)
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("change an account")?;
        if changed.rows_affected() == 0 {
            return Err(Error::NotFound { what: "account" });
        }
        write.commit().await.doing("change an account")?;
        self.account(id).await
    }

    /// Whether the installation has no account yet, so that set-up is offered.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let accounts: i64 = sql::scalar("SELECT COUNT(*) FROM accounts")
            .fetch_one(self.reads())
            .await
            .doing("count accounts")?;
        Ok(accounts == 0)
    }

    /// Whether there is an account that `serve --demo` did not make.
    pub async fn has_real_account(&self) -> Result<bool, Error> {
        let accounts: i64 = sql::scalar("SELECT COUNT(*) FROM accounts WHERE demo = 0")
            .fetch_one(self.reads())
            .await
            .doing("count accounts")?;
        Ok(accounts > 0)
    }
}

fn account(row: &Row) -> Result<Account, Error> {
    Ok(Account {
        id: rows::parsed(row, "id")?,
        name: rows::text(row, "name")?,
        language: rows::text(row, "language")?,
        demo: rows::flag(row, "demo")?,
        created_ms: rows::int(row, "created_ms")?,
    })
}

fn default_greeting() -> Texts {
    Texts::one("en", "Hello! How can we help you?").with("zh-CN", "您好！请问有什么可以帮您？")
}
