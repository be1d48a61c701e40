//! The one-time set-up link of a fresh installation (S6): a random token, valid for 15 minutes and
//! for the first account only. A new link voids the one before.

use frontdesk_core::secret::Secret128;

use crate::accounts::{CreatedAccount, NewAccount};
use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error};
use crate::secrets::secret_hash;
use crate::sql;
use crate::store::Lock;

/// How long a set-up link is valid.
pub const SETUP_MS: i64 = 15 * 60 * 1_000;

impl Catalog {
    /// Makes a set-up token, unless there is an account already.
    pub async fn create_setup_token(&self, now_ms: i64) -> Result<Secret128, Error> {
        let token = Secret128::random();
        let mut write = self.write_aside("make a set-up token", Lock::Configuration).await?;
        let accounts: i64 = sql::scalar("SELECT COUNT(*) FROM accounts")
            .fetch_one(&mut write)
            .await
            .doing("count accounts")?;
        if accounts != 0 {
            return Err(Error::SetupOver);
        }
        sql::query("DELETE FROM setup_tokens")
            .execute(&mut write)
            .await
            .doing("make a set-up token")?;
        sql::query("INSERT INTO setup_tokens (hash, ends_ms) VALUES (?, ?)")
            .bind(secret_hash(&token).to_vec())
            .bind(now_ms + SETUP_MS)
            .execute(&mut write)
            .await
            .doing("make a set-up token")?;
        write.commit().await.doing("make a set-up token")?;
        Ok(token)
    }

    /// Whether a token would be accepted: for the set-up page, before anything is typed.
    pub async fn check_setup_token(&self, token: &Secret128, now_ms: i64) -> Result<(), Error> {
        let valid: i64 =
            sql::scalar("SELECT COUNT(*) FROM setup_tokens WHERE hash = ? AND ends_ms > ?")
                .bind(secret_hash(token).to_vec())
                .bind(now_ms)
                .fetch_one(self.reads())
                .await
                .doing("read a set-up token")?;
        if valid == 0 { Err(Error::SetupOver) } else { Ok(()) }
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
        let mut write = self.write_aside("set up", Lock::Configuration).await?;
        let used = sql::query("DELETE FROM setup_tokens WHERE hash = ? AND ends_ms > ?")
            .bind(secret_hash(token).to_vec())
            .bind(now_ms)
            .execute(&mut write)
            .await
            .doing("use a set-up token")?;
        let accounts: i64 = sql::scalar("SELECT COUNT(*) FROM accounts")
            .fetch_one(&mut write)
            .await
            .doing("count accounts")?;
        if used.rows_affected() == 0 || accounts != 0 {
            return Err(Error::SetupOver);
        }
        let created = self.insert_account(&mut write, new, hash).await?;
        write.tell(Change::Account(created.account));
        write.commit().await.doing("set up")?;
        Ok(created)
    }
}
