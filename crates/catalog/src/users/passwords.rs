//! Changing and setting passwords. Whichever way it happens, every login session of the user ends.

use frontdesk_core::id::{AccountId, UserId};

use super::{UNKNOWN, find_below, only_here};
use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error};
use crate::login;
use crate::password::{Check, Password};
use crate::roles::Granter;
use crate::sql;

impl Catalog {
    /// Changes a user's own password. Every login session of the user ends; the caller begins a
    /// new one for the browser that asked.
    pub async fn change_password(
        &self,
        id: UserId,
        current: &Password,
        new: &Password,
    ) -> Result<(), Error> {
        let stored: Option<String> =
            sql::scalar("SELECT password_hash FROM users WHERE id = ? AND disabled = 0")
                .bind(id.to_string())
                .fetch_optional(self.reads())
                .await
                .doing("read a user")?;
        if self.hasher().check(current, stored).await? == Check::Wrong {
            return Err(Error::SignInFailed);
        }
        self.store_password(id, new, None).await
    }

    /// Sets a password for somebody else: by the operator, or by an account the user belongs to
    /// alone. Every login session of the user ends.
    pub async fn reset_password(
        &self,
        account: AccountId,
        id: UserId,
        new: &Password,
        granter: Granter,
    ) -> Result<(), Error> {
        self.store_password(id, new, Some((account, granter))).await
    }

    async fn store_password(
        &self,
        id: UserId,
        new: &Password,
        by: Option<(AccountId, Granter)>,
    ) -> Result<(), Error> {
        let hash = self.hash_new_password(new).await?;
        let mut write =
            self.write("set a password", Change::User { account: None, user: id }).await?;
        if let Some((account, granter)) = by {
            find_below(&mut write, account, id, granter).await?;
            only_here(&mut write, account, id).await?;
        }
        let changed = sql::query("UPDATE users SET password_hash = ? WHERE id = ?")
            .bind(hash)
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("set a password")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        login::end_all(&mut write, id).await?;
        write.commit().await.doing("set a password")
    }

    /// Sets any user's password: for the operator. Every login session of the user ends.
    pub async fn operator_set_password(&self, id: UserId, new: &Password) -> Result<(), Error> {
        self.store_password(id, new, None).await
    }

    pub(crate) async fn hash_new_password(&self, password: &Password) -> Result<String, Error> {
        password.check()?;
        self.hasher().hash(password).await
    }
}
