//! The one-time set-up link of a fresh installation (S6): a random token, valid for 15 minutes and
//! for the first account only. A new link voids the one before.

use frontdesk_core::secret::Secret128;
use sqlx::Row;

use crate::accounts::{CreatedAccount, NewAccount};
use crate::catalog::Catalog;
use crate::error::{Doing, Error};
use crate::login::secret_hash;

/// How long a set-up link is valid.
pub const SETUP_MS: i64 = 15 * 60 * 1_000;

impl Catalog {
    /// Makes a set-up token, unless there is an account already.
    pub async fn create_setup_token(&self, now_ms: i64) -> Result<Secret128, Error> {
        let token = Secret128::random();
        let mut write = self.write("make a set-up token").await?;
        let accounts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM accounts")
            .fetch_one(&mut *write)
            .await
            .doing("count accounts")?;
        if accounts != 0 {
            return Err(Error::SetupOver);
        }
        sqlx::query("DELETE FROM setup_tokens")
            .execute(&mut *write)
            .await
            .doing("make a set-up token")?;
        sqlx::query("INSERT INTO setup_tokens (hash, ends_ms) VALUES (?, ?)")
            .bind(secret_hash(&token).to_vec())
            .bind(now_ms + SETUP_MS)
            .execute(&mut *write)
            .await
            .doing("make a set-up token")?;
        write.commit().await.doing("make a set-up token")?;
        Ok(token)
    }

    /// Whether a token would be accepted: for the set-up page, before anything is typed.
    pub async fn check_setup_token(&self, token: &Secret128, now_ms: i64) -> Result<(), Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS valid FROM setup_tokens WHERE hash = ? AND ends_ms > ?",
        )
        .bind(secret_hash(token).to_vec())
        .bind(now_ms)
        .fetch_one(self.reads())
        .await
        .doing("read a set-up token")?;
        match row.try_get::<i64, _>("valid").doing("read a set-up token")? {
            0 => Err(Error::SetupOver),
            _ => Ok(()),
        }
    }

    /// Creates the first account in exchange for the token. Of two who use it at once one wins.
    pub async fn set_up(
        &self,
        token: &Secret128,
        new: NewAccount,
        now_ms: i64,
    ) -> Result<CreatedAccount, Error> {
        // Before the hash: who has no token must not make us compute.
        self.check_setup_token(token, now_ms).await?;
        let hash = self.hash_new_password(&new.owner_password).await?;
        let mut write = self.write("set up").await?;
        let used = sqlx::query("DELETE FROM setup_tokens WHERE hash = ? AND ends_ms > ?")
            .bind(secret_hash(token).to_vec())
            .bind(now_ms)
            .execute(&mut *write)
            .await
            .doing("use a set-up token")?;
        let accounts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM accounts")
            .fetch_one(&mut *write)
            .await
            .doing("count accounts")?;
        if used.rows_affected() == 0 || accounts != 0 {
            return Err(Error::SetupOver);
        }
        let created = self.insert_account(&mut write, new, hash).await?;
        write.commit().await.doing("set up")?;
        Ok(created)
    }
}
