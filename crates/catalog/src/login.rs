//! Signing in, and the login sessions that follow. Only the SHA-256 of a session's token is stored;
//! every sign-in makes a new token (S8), and a session ends 14 days after it was last used or 90
//! days after it began.

use frontdesk_core::id::{AccountId, UserId};
use frontdesk_core::secret::Secret128;

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::password::{Check, Password};
use crate::rows;
use crate::secrets::{hex, secret_hash};
use crate::sql::{self, Row};
use crate::store::{Lock, Write};
use crate::text;
use crate::users::{Access, User};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A session that nobody uses ends after this.
pub const IDLE_MS_MAX: i64 = 14 * DAY_MS;
/// A session ends after this, used or not.
pub const AGE_MS_MAX: i64 = 90 * DAY_MS;
/// How stale `seen_ms` may be: an open console costs one write a minute.
const SEEN_STEP_MS: i64 = 60_000;
/// Login sessions one user may have; the one unused for longest makes room.
const SESSIONS_MAX: i64 = 50;

/// Who signed in, and where this user may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// Accounts that let it in, oldest first; never empty.
    pub accounts: Vec<AccountId>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// Names it to its user; grants nothing.
    pub handle: String,
    /// Whose it is.
    pub user: UserId,
    /// The account it is in.
    pub account: AccountId,
    /// What the browser called itself.
    pub user_agent: String,
    /// When it began.
    pub created_ms: i64,
    /// When it was used, to the minute.
    pub seen_ms: i64,
    /// When it ends at the latest.
    pub ends_ms: i64,
}

const OVER: Error = Error::SessionOver;

impl Catalog {
    /// Checks e-mail address and password. Unknown users, wrong passwords and users who may enter
    /// no account are one error and cost the same; a hash with old parameters is renewed.
    pub async fn sign_in(&self, email: &str, password: &Password) -> Result<SignedIn, Error> {
        let row =
            sql::query("SELECT id, password_hash FROM users WHERE email_key = ? AND disabled = 0")
                .bind(text::email_key(email))
                .fetch_optional(self.reads())
                .await
                .doing("read a user")?;
        let stored = row.as_ref().map(|row| rows::text(row, "password_hash")).transpose()?;
        let check = self.hasher().check(password, stored).await?;
        let user: UserId = match (&row, &check) {
            (Some(row), Check::Right | Check::RightAndStale(_)) => rows::parsed(row, "id")?,
            _ => return Err(Error::SignInFailed),
        };
        if let Check::RightAndStale(hash) = check {
            let mut write = self.write_aside("renew a password hash", Lock::Rows).await?;
            sql::query("UPDATE users SET password_hash = ? WHERE id = ?")
                .bind(hash)
                .bind(user.to_string())
                .execute(&mut write)
                .await
                .doing("renew a password hash")?;
            write.commit().await.doing("renew a password hash")?;
        }
        let accounts = self.accounts_of(user).await?;
        if accounts.is_empty() { Err(Error::SignInFailed) } else { Ok(SignedIn { user, accounts }) }
    }

    /// Lists the accounts that let a user in, oldest first.
    pub async fn accounts_of(&self, user: UserId) -> Result<Vec<AccountId>, Error> {
        sql::query(
            "SELECT account FROM memberships WHERE user_id = ? AND disabled = 0 ORDER BY account",
        )
        .bind(user.to_string())
        .fetch_all(self.reads())
        .await
        .doing("read memberships")?
        .iter()
        .map(|row| rows::parsed(row, "account"))
        .collect()
    }

    /// Begins a login session after a sign-in or a change of account. The token the browser showed
    /// before, if any, ends: nobody can fix a session for somebody else.
    pub async fn begin_session(
        &self,
        user: UserId,
        account: AccountId,
        user_agent: &str,
        replaces: Option<&Secret128>,
        now_ms: i64,
    ) -> Result<(Secret128, LoginSession), Error> {
        let session = LoginSession {
            handle: String::new(),
            user,
            account,
            user_agent: cut(user_agent, 200),
            created_ms: now_ms,
            seen_ms: now_ms,
            ends_ms: now_ms + AGE_MS_MAX,
        };
        let mut write = self.write_aside("begin a login session", Lock::Sessions).await?;
        if let Some(old) = replaces {
            delete(&mut write, old).await?;
        }
        make_room(&mut write, user).await?;
        let made = insert(&mut write, session).await?;
        write.commit().await.doing("begin a login session")?;
        Ok(made)
    }

    /// Finds the session a request shows, with what its user may do now. Marks it as used.
    pub async fn verify_session(
        &self,
        token: &Secret128,
        now_ms: i64,
    ) -> Result<(LoginSession, Access), Error> {
        let mut session = self.find_session(token, now_ms).await?;
        let access =
            self.access(session.account, session.user).await.map_err(|error| match error {
                Error::NotFound { .. } => OVER,
                other => other,
            })?;
        if now_ms - session.seen_ms >= SEEN_STEP_MS {
            let mut write = self.write_aside("note the use of a login session", Lock::Rows).await?;
            sql::query("UPDATE login_sessions SET seen_ms = ? WHERE hash = ?")
                .bind(now_ms)
                .bind(secret_hash(token).to_vec())
                .execute(&mut write)
                .await
                .doing("note the use of a login session")?;
            write.commit().await.doing("note the use of a login session")?;
            session.seen_ms = now_ms;
        }
        Ok((session, access))
    }

    /// Gives a session a new token; the old one is void. Its age stays.
    pub async fn rotate_session(
        &self,
        token: &Secret128,
        now_ms: i64,
    ) -> Result<(Secret128, LoginSession), Error> {
        let mut session = self.find_session(token, now_ms).await?;
        session.seen_ms = now_ms;
        let mut write = self.write_aside("renew a login session", Lock::Sessions).await?;
        if delete(&mut write, token).await? == 0 {
            return Err(OVER);
        }
        let made = insert(&mut write, session).await?;
        write.commit().await.doing("renew a login session")?;
        Ok(made)
    }

    /// Lists the sessions of a user, newest first.
    pub async fn sessions(&self, user: UserId, now_ms: i64) -> Result<Vec<LoginSession>, Error> {
        sql::query(
            "SELECT * FROM login_sessions WHERE user_id = ? AND ends_ms > ? AND seen_ms > ? \
             ORDER BY created_ms DESC, handle",
        )
        .bind(user.to_string())
        .bind(now_ms)
        .bind(now_ms - IDLE_MS_MAX)
        .fetch_all(self.reads())
        .await
        .doing("read login sessions")?
        .iter()
        .map(session)
        .collect()
    }

    /// Ends one session of a user, by its handle.
    pub async fn revoke_session(&self, user: UserId, handle: &str) -> Result<(), Error> {
        let change = Change::Login { user, handle: handle.to_owned() };
        let mut write = self.write("end a login session", change).await?;
        let ended = sql::query("DELETE FROM login_sessions WHERE user_id = ? AND handle = ?")
            .bind(user.to_string())
            .bind(handle)
            .execute(&mut write)
            .await
            .doing("end a login session")?;
        if ended.rows_affected() == 0 {
            return Err(Error::NotFound { what: "login_session" });
        }
        write.commit().await.doing("end a login session")
    }

    /// Ends all sessions of a user but one; returns how many.
    pub async fn revoke_other_sessions(
        &self,
        user: UserId,
        keep_handle: &str,
    ) -> Result<u64, Error> {
        let mut write = self.write_aside("end login sessions", Lock::Configuration).await?;
        let handles: Vec<String> =
            sql::scalar("SELECT handle FROM login_sessions WHERE user_id = ? AND handle <> ?")
                .bind(user.to_string())
                .bind(keep_handle)
                .fetch_all(&mut write)
                .await
                .doing("end login sessions")?;
        for handle in handles {
            write.tell(Change::Login { user, handle });
        }
        let ended = sql::query("DELETE FROM login_sessions WHERE user_id = ? AND handle <> ?")
            .bind(user.to_string())
            .bind(keep_handle)
            .execute(&mut write)
            .await
            .doing("end login sessions")?;
        write.commit().await.doing("end login sessions")?;
        Ok(ended.rows_affected())
    }

    /// Signs out: ends the session of this token. Ending it twice is no error.
    pub async fn end_session(&self, token: &Secret128) -> Result<(), Error> {
        let mut write = self.write_aside("end a login session", Lock::Configuration).await?;
        let row = sql::query("SELECT user_id, handle FROM login_sessions WHERE hash = ?")
            .bind(secret_hash(token).to_vec())
            .fetch_optional(&mut write)
            .await
            .doing("read a login session")?;
        if let Some(row) = row {
            let (user, handle) = (rows::parsed(&row, "user_id")?, rows::text(&row, "handle")?);
            write.tell(Change::Login { user, handle });
        }
        delete(&mut write, token).await?;
        write.commit().await.doing("end a login session")
    }

    /// Removes what has run out by itself: login sessions, set-up tokens and idempotency keys.
    /// Nothing depends on it but the size of the file.
    pub async fn sweep(&self, now_ms: i64) -> Result<(), Error> {
        let mut write = self.write_aside("sweep", Lock::Sessions).await?;
        sql::query("DELETE FROM login_sessions WHERE ends_ms <= ? OR seen_ms <= ?")
            .bind(now_ms)
            .bind(now_ms - IDLE_MS_MAX)
            .execute(&mut write)
            .await
            .doing("sweep login sessions")?;
        sql::query("DELETE FROM setup_tokens WHERE ends_ms <= ?")
            .bind(now_ms)
            .execute(&mut write)
            .await
            .doing("sweep set-up tokens")?;
        sql::query("DELETE FROM invitations WHERE ends_ms <= ?")
            .bind(now_ms)
            .execute(&mut write)
            .await
            .doing("sweep invitations")?;
        sql::query("DELETE FROM idempotency_keys WHERE created_ms <= ?")
            .bind(now_ms - crate::idempotency::KEPT_MS)
            .execute(&mut write)
            .await
            .doing("sweep idempotency keys")?;
        write.commit().await.doing("sweep")
    }

    /// The user behind a session, as the user sees itself.
    pub async fn session_user(&self, access: &Access) -> Result<User, Error> {
        Ok(self.user(access.account, access.user).await?.user)
    }

    async fn find_session(&self, token: &Secret128, now_ms: i64) -> Result<LoginSession, Error> {
        let row = sql::query("SELECT * FROM login_sessions WHERE hash = ?")
            .bind(secret_hash(token).to_vec())
            .fetch_optional(self.reads())
            .await
            .doing("read a login session")?;
        let session = session(&row.ok_or(OVER)?)?;
        if now_ms >= session.ends_ms || now_ms - session.seen_ms >= IDLE_MS_MAX {
            return Err(OVER);
        }
        Ok(session)
    }
}

/// Ends the sessions of a user in one account.
pub(crate) async fn end_in_account(
    write: &mut Write,
    account: AccountId,
    user: UserId,
) -> Result<(), Error> {
    sql::query("DELETE FROM login_sessions WHERE account = ? AND user_id = ?")
        .bind(account.to_string())
        .bind(user.to_string())
        .execute(&mut *write)
        .await
        .doing("end login sessions")?;
    Ok(())
}

/// Ends all sessions of a user.
pub(crate) async fn end_all(write: &mut Write, user: UserId) -> Result<(), Error> {
    sql::query("DELETE FROM login_sessions WHERE user_id = ?")
        .bind(user.to_string())
        .execute(&mut *write)
        .await
        .doing("end login sessions")?;
    Ok(())
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars).collect()
}

async fn delete(write: &mut Write, token: &Secret128) -> Result<u64, Error> {
    let deleted = sql::query("DELETE FROM login_sessions WHERE hash = ?")
        .bind(secret_hash(token).to_vec())
        .execute(&mut *write)
        .await
        .doing("end a login session")?;
    Ok(deleted.rows_affected())
}

/// Ends the sessions used longest ago, so that a script that signs in again and again does not
/// fill the table.
async fn make_room(write: &mut Write, user: UserId) -> Result<(), Error> {
    let handles: Vec<String> = sql::scalar(
        "SELECT handle FROM login_sessions WHERE user_id = ? ORDER BY seen_ms, created_ms",
    )
    .bind(user.to_string())
    .fetch_all(&mut *write)
    .await
    .doing("read login sessions")?;
    let surplus = handles.len().saturating_sub(SESSIONS_MAX as usize - 1);
    for handle in &handles[..surplus] {
        sql::query("DELETE FROM login_sessions WHERE handle = ?")
            .bind(handle)
            .execute(&mut *write)
            .await
            .doing("end a login session")?;
    }
    Ok(())
}

async fn insert(
    write: &mut Write,
    mut session: LoginSession,
) -> Result<(Secret128, LoginSession), Error> {
    let token = Secret128::random();
    let hash = secret_hash(&token);
    session.handle = hex(&hash[..12]);
    sql::query(
        "INSERT INTO login_sessions (hash, handle, user_id, account, user_agent, created_ms, \
         seen_ms, ends_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(hash.to_vec())
    .bind(&session.handle)
    .bind(session.user.to_string())
    .bind(session.account.to_string())
    .bind(&session.user_agent)
    .bind(session.created_ms)
    .bind(session.seen_ms)
    .bind(session.ends_ms)
    .execute(&mut *write)
    .await
    .map_err(|source| {
        referenced(Error::NotFound { what: "user" }, "begin a login session", source)
    })?;
    Ok((token, session))
}

fn session(row: &Row) -> Result<LoginSession, Error> {
    Ok(LoginSession {
        handle: rows::text(row, "handle")?,
        user: rows::parsed(row, "user_id")?,
        account: rows::parsed(row, "account")?,
        user_agent: rows::text(row, "user_agent")?,
        created_ms: rows::int(row, "created_ms")?,
        seen_ms: rows::int(row, "seen_ms")?,
        ends_ms: rows::int(row, "ends_ms")?,
    })
}
