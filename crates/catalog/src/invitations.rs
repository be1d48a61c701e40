//! Invitations: a link by which somebody becomes a member of an account with a role and teams, and chooses
//! name and password. The link carries 128 random bits, of which only the hash is stored; it works once
//! and for a week. It never gives more than who made it may give at the moment it is used.

use frontdesk_core::{
    id::{AccountId, ApiKeyId, InvitationId, RoleId, TeamId, UserId},
    rights::Right,
    secret::Secret128,
};

use crate::{
    catalog::Catalog,
    changes::Change,
    error::{Doing, Error, referenced},
    password::Password,
    roles::{self, Granter},
    rows,
    secrets::secret_hash,
    sql::{self, Row},
    store::Write,
    text,
    users::{self, NewUser},
};

/// How long a link is valid.
pub const INVITATION_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Invitations of one account that are open at a time.
pub const INVITATIONS_MAX: usize = 200;

/// Who made an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inviter {
    /// A member.
    User(UserId),
    /// A program.
    Key(ApiKeyId),
}

/// An invitation nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id; grants nothing.
    pub id: InvitationId,
    /// The account.
    pub account: AccountId,
    /// How the person will sign in.
    pub email: String,
    /// What visitors will see; empty where the person is to say it.
    pub display_name: String,
    /// BCP 47, of the console and the page behind the link.
    pub language: String,
    /// What the person will be.
    pub role: RoleId,
    /// Where the person will be.
    pub teams: Vec<TeamId>,
    /// Who made it.
    pub by: Inviter,
    /// When it was made.
    pub created_ms: i64,
    /// When it ends.
    pub ends_ms: i64,
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Unique for the installation.
    pub email: String,
    /// What visitors will see; empty where the person is to say it.
    pub display_name: String,
    /// BCP 47.
    pub language: String,
    /// A role of the account.
    pub role: RoleId,
    /// Teams of the account.
    pub teams: Vec<TeamId>,
}

const UNKNOWN: Error = Error::NotFound { what: "invitation" };

impl Catalog {
    /// Makes an invitation; one that was open for the same address ends. The secret is given here and
    /// never again.
    pub async fn create_invitation(
        &self,
        account: AccountId,
        new: &NewInvitation,
        by: Inviter,
        granter: Granter,
        now_ms: i64,
    ) -> Result<(Invitation, Secret128), Error> {
        let email = text::email(&new.email)?;
        let email_key = text::email_key(&email);
        let display_name = text::line("display_name", &new.display_name, text::NAME_CHARS_MAX)?;
        text::language_tag("language", &new.language)?;
        let secret = Secret128::random();
        let (id, _) = self.new_id::<InvitationId>();
        let mut write = self.write("make an invitation", Change::Account(account)).await?;
        granter.may_give_role(&roles::find(&mut write, account, new.role).await?)?;
        let known = existing_teams(&mut write, account).await?;
        if new.teams.iter().any(|team| !known.contains(team)) {
            return Err(Error::NotFound { what: "team" });
        }
        let users: i64 = sql::scalar("SELECT COUNT(*) FROM users WHERE email_key = ?")
            .bind(&email_key)
            .fetch_one(&mut write)
            .await
            .doing("make an invitation")?;
        if users > 0 {
            return Err(Error::Conflict { what: "email", reason: "taken" });
        }
        sql::query("DELETE FROM invitations WHERE account = ? AND (email_key = ? OR ends_ms <= ?)")
            .bind(account.to_string())
            .bind(&email_key)
            .bind(now_ms)
            .execute(&mut write)
            .await
            .doing("make an invitation")?;
        let open: i64 = sql::scalar("SELECT COUNT(*) FROM invitations WHERE account = ?")
            .bind(account.to_string())
            .fetch_one(&mut write)
            .await
            .doing("make an invitation")?;
        if usize::try_from(open).unwrap_or(usize::MAX) >= INVITATIONS_MAX {
            return Err(Error::Conflict { what: "invitation", reason: "too_many" });
        }
        let (by_kind, by_id) = match by {
            Inviter::User(user) => ("user", user.to_string()),
            Inviter::Key(key) => ("key", key.to_string()),
        };
        sql::query(
            "INSERT INTO invitations (id, account, hash, email, email_key, display_name, language, \
             role_id, teams, by_kind, by_id, created_ms, ends_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(account.to_string())
        .bind(secret_hash(&secret).to_vec())
        .bind(&email)
        .bind(&email_key)
        .bind(&display_name)
        .bind(&new.language)
        .bind(new.role.to_string())
        .bind(rows::to_json(&new.teams))
        .bind(by_kind)
        .bind(by_id)
        .bind(now_ms)
        .bind(now_ms + INVITATION_MS)
        .execute(&mut write)
        .await
        .map_err(|source| {
            referenced(Error::NotFound { what: "account" }, "make an invitation", source)
        })?;
        write.commit().await.doing("make an invitation")?;
        let invitation = Invitation {
            id,
            account,
            email,
            display_name,
            language: new.language.clone(),
            role: new.role,
            teams: new.teams.clone(),
            by,
            created_ms: now_ms,
            ends_ms: now_ms + INVITATION_MS,
        };
        Ok((invitation, secret))
    }

    /// Lists the invitations of an account that are open, oldest first.
    pub async fn invitations(
        &self,
        account: AccountId,
        now_ms: i64,
    ) -> Result<Vec<Invitation>, Error> {
        sql::query("SELECT * FROM invitations WHERE account = ? AND ends_ms > ? ORDER BY id")
            .bind(account.to_string())
            .bind(now_ms)
            .fetch_all(self.reads())
            .await
            .doing("read invitations")?
            .iter()
            .map(invitation)
            .collect()
    }

    /// Withdraws an invitation: its link stops working with this commit.
    pub async fn withdraw_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
    ) -> Result<(), Error> {
        let mut write = self.write("withdraw an invitation", Change::Account(account)).await?;
        let gone = sql::query("DELETE FROM invitations WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("withdraw an invitation")?;
        if gone.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("withdraw an invitation")
    }

    /// The invitation behind a link, as long as it would be accepted.
    pub async fn invitation(&self, secret: &Secret128, now_ms: i64) -> Result<Invitation, Error> {
        let row = sql::query("SELECT * FROM invitations WHERE hash = ? AND ends_ms > ?")
            .bind(secret_hash(secret).to_vec())
            .bind(now_ms)
            .fetch_optional(self.reads())
            .await
            .doing("read an invitation")?;
        let found = invitation(&row.ok_or(Error::InvitationOver)?)?;
        let granter = self.inviter(&found).await?;
        let role = self.role(found.account, found.role).await;
        let role = role.map_err(|_| Error::InvitationOver)?;
        granter.may_give_role(&role).map_err(|_| Error::InvitationOver)?;
        Ok(found)
    }

    /// Makes the invited person a member in exchange for the link. Of two who use it at once one wins.
    pub async fn accept_invitation(
        &self,
        secret: &Secret128,
        display_name: &str,
        password: &Password,
        now_ms: i64,
    ) -> Result<(AccountId, UserId), Error> {
        // Before the hash: who has no link must not make us compute.
        let found = self.invitation(secret, now_ms).await?;
        let granter = self.inviter(&found).await?;
        let hash = self.hash_new_password(password).await?;
        let mut write = self.write("accept an invitation", Change::Account(found.account)).await?;
        let used = sql::query("DELETE FROM invitations WHERE id = ? AND ends_ms > ?")
            .bind(found.id.to_string())
            .bind(now_ms)
            .execute(&mut write)
            .await
            .doing("use an invitation")?;
        if used.rows_affected() == 0 {
            return Err(Error::InvitationOver);
        }
        let role = roles::find(&mut write, found.account, found.role).await;
        let role = role.map_err(|_| Error::InvitationOver)?;
        granter.may_give_role(&role).map_err(|_| Error::InvitationOver)?;
        // A team may have been dissolved since.
        let known = existing_teams(&mut write, found.account).await?;
        let new = NewUser {
            email: found.email,
            display_name: display_name.to_owned(),
            language: found.language,
            role: found.role,
            capacity: None,
            skills: Vec::new(),
            teams: found.teams.into_iter().filter(|team| known.contains(team)).collect(),
        };
        let user = users::insert(self, &mut write, found.account, &new, &hash).await?;
        write.commit().await.doing("accept an invitation")?;
        Ok((found.account, user))
    }

    /// What who made an invitation may give now; nothing once it may not invite any more.
    async fn inviter(&self, invitation: &Invitation) -> Result<Granter, Error> {
        let account = invitation.account;
        let granter = match invitation.by {
            Inviter::User(user) => self.access(account, user).await.map(|access| access.granter()),
            Inviter::Key(key) => self.api_key(account, key).await.map(|key| key.granter()),
        };
        match granter {
            Ok(granter) if granter.rights.contains(Right::SettingsUsers) => Ok(granter),
            Ok(_) | Err(Error::NotFound { .. }) => Err(Error::InvitationOver),
            Err(error) => Err(error),
        }
    }
}

async fn existing_teams(write: &mut Write, account: AccountId) -> Result<Vec<TeamId>, Error> {
    sql::query("SELECT id FROM teams WHERE account = ?")
        .bind(account.to_string())
        .fetch_all(&mut *write)
        .await
        .doing("read teams")?
        .iter()
        .map(|row| rows::parsed(row, "id"))
        .collect()
}

fn invitation(row: &Row) -> Result<Invitation, Error> {
    let by = match rows::text(row, "by_kind")?.as_str() {
        "user" => Inviter::User(rows::parsed(row, "by_id")?),
        "key" => Inviter::Key(rows::parsed(row, "by_id")?),
        _ => return Err(Error::Stored { what: "by_kind" }),
    };
    Ok(Invitation {
        id: rows::parsed(row, "id")?,
        account: rows::parsed(row, "account")?,
        email: rows::text(row, "email")?,
        display_name: rows::text(row, "display_name")?,
        language: rows::text(row, "language")?,
        role: rows::parsed(row, "role_id")?,
        teams: rows::json(row, "teams")?,
        by,
        created_ms: rows::int(row, "created_ms")?,
        ends_ms: rows::int(row, "ends_ms")?,
    })
}
