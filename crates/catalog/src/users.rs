//! Users and their memberships. A user (one e-mail address, one password) may belong to several
//! accounts; what an account changes is its membership, so that no account can rename, disable or
//! take over somebody who also works elsewhere.

mod passwords;

use frontdesk_core::id::{AccountId, RoleId, TeamId, UserId};
use frontdesk_core::rights::Rights;
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, is_referenced, is_taken, taken};
use crate::password::Password;
use crate::roles::{self, Builtin, Granter};
use crate::settings::{self, At};
use crate::sql::{self, Row};
use crate::store::{Lock, Write};
use crate::{login, rows, teams, text};

/// Most sessions an agent may be given at a time.
pub(crate) const CAPACITY_MAX: u16 = 1_000;

/// Skills of one agent.
const SKILLS_MAX: usize = 16;
/// Longest skill.
const SKILL_CHARS_MAX: usize = 32;

/// What an agent chose; one choice for all tabs, kept over a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Gets sessions.
    Online,
    /// Keeps sessions, gets no new ones.
    Away,
    /// Not at work.
    Offline,
}

impl Presence {
    /// The word stored and shown in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

impl std::str::FromStr for Presence {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        [Self::Online, Self::Away, Self::Offline]
            .into_iter()
            .find(|presence| presence.code() == code)
            .ok_or_else(|| Error::invalid("presence", "unknown"))
    }
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// As it was typed.
    pub email: String,
    /// What visitors see.
    pub display_name: String,
    /// A file id, or `hue-0` to `hue-7` for the colour behind the initials; empty for none.
    pub avatar: String,
    /// BCP 47, of the console.
    pub language: String,
    /// The operator shut the user out of every account.
    pub disabled: bool,
    /// What the agent chose.
    pub presence: Presence,
    /// When it was created.
    pub created_ms: i64,
}

/// A user as one account knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// Its role in this account.
    pub role: RoleId,
    /// Set where the role is one every account begins with.
    pub builtin: Option<Builtin>,
    /// Sessions at a time; None takes the account's default.
    pub capacity: Option<u16>,
    /// What it is good at: sessions that wish for a skill come to those who have it, for a while.
    pub skills: Vec<String>,
    /// Its teams in this account.
    pub teams: Vec<TeamId>,
    /// The account shut the user out.
    pub disabled: bool,
    /// When it joined.
    pub joined_ms: i64,
}

/// A user to be created in an account.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique for the installation.
    pub email: String,
    /// What visitors see.
    pub display_name: String,
    /// BCP 47, of the console.
    pub language: String,
    /// A role of the account.
    pub role: RoleId,
    /// Sessions at a time; None takes the account's default.
    pub capacity: Option<u16>,
    /// What it is good at.
    pub skills: Vec<String>,
    /// Teams of the account.
    pub teams: Vec<TeamId>,
}

/// Changes of what a user is called; None leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// What visitors see.
    pub display_name: Option<String>,
    /// A file id, or `hue-0` to `hue-7` for the colour behind the initials; empty for none.
    pub avatar: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
}

/// What a user may do in an account, read at sign-in and whenever a socket opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The account.
    pub account: AccountId,
    /// The user.
    pub user: UserId,
    /// What visitors see.
    pub display_name: String,
    /// A file id; empty for none.
    pub avatar: String,
    /// BCP 47.
    pub language: String,
    /// Its role.
    pub role: RoleId,
    /// What the role allows.
    pub rights: Rights,
    /// Whether it is an owner of the account.
    pub owner: bool,
    /// Its teams in this account.
    pub teams: Vec<TeamId>,
    /// Sessions at a time.
    pub capacity: u16,
    /// What the agent chose.
    pub presence: Presence,
}

impl Access {
    /// This user as somebody who gives rights and roles.
    pub fn granter(&self) -> Granter {
        Granter { rights: self.rights, owner: self.owner }
    }
}

const MEMBERS: &str = "SELECT u.*, m.role_id, m.capacity, m.skills, m.disabled AS member_disabled, \
     m.created_ms AS joined_ms, r.builtin, r.rights FROM memberships m \
     JOIN users u ON u.id = m.user_id JOIN roles r ON r.id = m.role_id AND r.account = m.account \
     WHERE m.account = ? ORDER BY u.id";
const MEMBER: &str = "SELECT u.*, m.role_id, m.capacity, m.skills, m.disabled AS member_disabled, \
     m.created_ms AS joined_ms, r.builtin, r.rights FROM memberships m \
     JOIN users u ON u.id = m.user_id JOIN roles r ON r.id = m.role_id AND r.account = m.account \
     WHERE m.account = ? AND m.user_id = ?";

const UNKNOWN: Error = Error::NotFound { what: "user" };

impl Catalog {
    /// Lists the members of an account, oldest user first.
    pub async fn users(&self, account: AccountId) -> Result<Vec<Member>, Error> {
        let rows = sql::query(MEMBERS)
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read users")?;
        let mut teams = teams::by_user(self, account).await?;
        rows.iter()
            .map(|row| {
                let mut member = member(row)?;
                member.teams = teams.remove(&member.user.id).unwrap_or_default();
                Ok(member)
            })
            .collect()
    }

    /// Reads one member.
    pub async fn user(&self, account: AccountId, id: UserId) -> Result<Member, Error> {
        let row = sql::query(MEMBER)
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read a user")?;
        let mut member = member(&row.ok_or(UNKNOWN)?)?;
        member.teams = teams::of_user(self, account, id).await?;
        Ok(member)
    }

    /// Reads what a user may do in an account. A user who is shut out is unknown here.
    pub async fn access(&self, account: AccountId, id: UserId) -> Result<Access, Error> {
        let row = sql::query(MEMBER)
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read a user")?
            .ok_or(UNKNOWN)?;
        let member = member(&row)?;
        if member.disabled || member.user.disabled {
            return Err(UNKNOWN);
        }
        let capacity = match member.capacity {
            Some(capacity) => capacity,
            None => self.settings(account).await?.get(settings::CAPACITY, At::ACCOUNT),
        };
        Ok(Access {
            account,
            user: id,
            display_name: member.user.display_name,
            avatar: member.user.avatar,
            language: member.user.language,
            role: member.role,
            rights: roles::rights(&row)?,
            owner: member.builtin == Some(Builtin::Owner),
            teams: teams::of_user(self, account, id).await?,
            capacity,
            presence: member.user.presence,
        })
    }

    /// Creates a user as a member of an account.
    pub async fn create_user(
        &self,
        account: AccountId,
        new: &NewUser,
        password: &Password,
        granter: Granter,
    ) -> Result<Member, Error> {
        let hash = self.hash_new_password(password).await?;
        let mut write = self.write("create a user", Change::Account(account)).await?;
        granter.may_give_role(&roles::find(&mut write, account, new.role).await?)?;
        let id = insert(self, &mut write, account, new, &hash).await?;
        write.commit().await.doing("create a user")?;
        self.user(account, id).await
    }

    /// Makes an existing user a member of a further account: for the operator.
    pub async fn add_membership(
        &self,
        account: AccountId,
        user: UserId,
        role: RoleId,
    ) -> Result<Member, Error> {
        let mut write = self.write("add a membership", Change::Account(account)).await?;
        roles::find(&mut write, account, role).await?;
        let (_, now_ms) = self.new_id::<UserId>();
        insert_membership(&mut write, account, user, role, None, &[], now_ms).await?;
        write.commit().await.doing("add a membership")?;
        self.user(account, user).await
    }

    /// Changes what a user is called. Only the user, or an account it belongs to alone.
    pub async fn update_profile(
        &self,
        account: AccountId,
        id: UserId,
        change: &ProfileChange,
        by_itself: bool,
    ) -> Result<Member, Error> {
        let mut write = self.write("change a user", Change::Account(account)).await?;
        let mut user = find(&mut write, account, id).await?.user;
        if !by_itself {
            only_here(&mut write, account, id).await?;
        }
        if let Some(name) = &change.display_name {
            user.display_name = text::name("display_name", name)?;
        }
        if let Some(language) = &change.language {
            text::language_tag("language", language)?;
            user.language.clone_from(language);
        }
        if let Some(avatar) = &change.avatar {
            user.avatar = checked_avatar(avatar)?;
        }
        sql::query("UPDATE users SET display_name = ?, avatar = ?, language = ? WHERE id = ?")
            .bind(user.display_name)
            .bind(user.avatar)
            .bind(user.language)
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("change a user")?;
        write.commit().await.doing("change a user")?;
        self.user(account, id).await
    }

    /// Gives a member another role. Sockets with the old rights are the caller's to close.
    pub async fn change_role(
        &self,
        account: AccountId,
        id: UserId,
        role: RoleId,
        granter: Granter,
    ) -> Result<Member, Error> {
        let mut write = self
            .write("change a role of a user", Change::User { account: Some(account), user: id })
            .await?;
        let member = find_below(&mut write, account, id, granter).await?;
        let role = roles::find(&mut write, account, role).await?;
        granter.may_give_role(&role)?;
        if role.builtin != Some(Builtin::Owner) {
            keep_an_owner(&mut write, account, &member).await?;
        }
        sql::query("UPDATE memberships SET role_id = ? WHERE account = ? AND user_id = ?")
            .bind(role.id.to_string())
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("change a role of a user")?;
        write.commit().await.doing("change a role of a user")?;
        self.user(account, id).await
    }

    /// Sets how many sessions a member takes at a time; None takes the account's default.
    pub async fn set_capacity(
        &self,
        account: AccountId,
        id: UserId,
        capacity: Option<u16>,
    ) -> Result<Member, Error> {
        check_capacity(capacity)?;
        const SET: &str = "UPDATE memberships SET capacity = ? WHERE account = ? AND user_id = ?";
        self.set_of_membership(account, id, SET, capacity.map(i64::from)).await
    }

    /// Sets what a member is good at.
    pub async fn set_skills(
        &self,
        account: AccountId,
        id: UserId,
        skills: &[String],
    ) -> Result<Member, Error> {
        let skills = checked_skills(skills)?;
        const SET: &str = "UPDATE memberships SET skills = ? WHERE account = ? AND user_id = ?";
        self.set_of_membership(account, id, SET, rows::to_json(&skills)).await
    }

    /// Carries out a statement that sets one value of a membership.
    async fn set_of_membership(
        &self,
        account: AccountId,
        id: UserId,
        statement: &'static str,
        value: impl Into<sql::Value>,
    ) -> Result<Member, Error> {
        const DOING: &str = "change a user";
        let mut write = self.write(DOING, Change::Account(account)).await?;
        find(&mut write, account, id).await?;
        sql::query(statement)
            .bind(value)
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing(DOING)?;
        write.commit().await.doing(DOING)?;
        self.user(account, id).await
    }

    /// Sets the teams of a member.
    pub async fn set_user_teams(
        &self,
        account: AccountId,
        id: UserId,
        teams: &[TeamId],
    ) -> Result<Member, Error> {
        let mut write = self.write("change the teams of a user", Change::Account(account)).await?;
        find(&mut write, account, id).await?;
        teams::replace_of_user(&mut write, account, id, teams).await?;
        write.commit().await.doing("change the teams of a user")?;
        self.user(account, id).await
    }

    /// Shuts a member out of the account, or lets it in again. Its login sessions there end with
    /// this commit; its sockets are the caller's to close.
    pub async fn set_disabled(
        &self,
        account: AccountId,
        id: UserId,
        disabled: bool,
        granter: Granter,
    ) -> Result<Member, Error> {
        let mut write =
            self.write("disable a user", Change::User { account: Some(account), user: id }).await?;
        let member = find_below(&mut write, account, id, granter).await?;
        if disabled {
            keep_an_owner(&mut write, account, &member).await?;
            login::end_in_account(&mut write, account, id).await?;
        }
        sql::query("UPDATE memberships SET disabled = ? WHERE account = ? AND user_id = ?")
            .bind(i64::from(disabled))
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("disable a user")?;
        write.commit().await.doing("disable a user")?;
        self.user(account, id).await
    }

    /// Ends a membership, and the user with its last one. What the user wrote keeps its name.
    pub async fn remove_user(
        &self,
        account: AccountId,
        id: UserId,
        granter: Granter,
    ) -> Result<(), Error> {
        let mut write =
            self.write("remove a user", Change::User { account: Some(account), user: id }).await?;
        let member = find_below(&mut write, account, id, granter).await?;
        keep_an_owner(&mut write, account, &member).await?;
        // Teams and login sessions go with the membership.
        sql::query("DELETE FROM memberships WHERE account = ? AND user_id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("remove a user")?;
        if memberships(&mut write, id).await? == 0 {
            sql::query("DELETE FROM users WHERE id = ?")
                .bind(id.to_string())
                .execute(&mut write)
                .await
                .doing("remove a user")?;
        }
        write.commit().await.doing("remove a user")
    }

    /// Keeps what an agent chose.
    pub async fn set_presence(
        &self,
        account: AccountId,
        id: UserId,
        presence: Presence,
    ) -> Result<(), Error> {
        let mut write = self.write_aside("set a presence", Lock::Rows).await?;
        find(&mut write, account, id).await?;
        sql::query("UPDATE users SET presence = ? WHERE id = ?")
            .bind(presence.code())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("set a presence")?;
        write.commit().await.doing("set a presence")
    }

    /// Finds a user by e-mail address: for the operator.
    pub async fn find_user(&self, email: &str) -> Result<User, Error> {
        let row = sql::query("SELECT * FROM users WHERE email_key = ?")
            .bind(text::email_key(email))
            .fetch_optional(self.reads())
            .await
            .doing("read a user")?;
        user(&row.ok_or(UNKNOWN)?)
    }

    /// Shuts a user out of every account, or lets it in again: for the operator.
    pub async fn operator_set_disabled(&self, id: UserId, disabled: bool) -> Result<(), Error> {
        let mut write =
            self.write("disable a user", Change::User { account: None, user: id }).await?;
        if disabled {
            let accounts: Vec<String> =
                sql::scalar("SELECT account FROM memberships WHERE user_id = ?")
                    .bind(id.to_string())
                    .fetch_all(&mut write)
                    .await
                    .doing("read memberships")?;
            for account in accounts {
                let account = account.parse().map_err(|_| Error::Stored { what: "account" })?;
                let member = find(&mut write, account, id).await?;
                keep_an_owner(&mut write, account, &member).await?;
            }
            login::end_all(&mut write, id).await?;
        }
        let changed = sql::query("UPDATE users SET disabled = ? WHERE id = ?")
            .bind(i64::from(disabled))
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("disable a user")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("disable a user")
    }
}

/// Inserts a user with its membership and teams.
pub(crate) async fn insert(
    catalog: &Catalog,
    write: &mut Write,
    account: AccountId,
    new: &NewUser,
    password_hash: &str,
) -> Result<UserId, Error> {
    let email = text::email(&new.email)?;
    let display_name = text::name("display_name", &new.display_name)?;
    text::language_tag("language", &new.language)?;
    check_capacity(new.capacity)?;
    let skills = checked_skills(&new.skills)?;
    let (id, now_ms) = catalog.new_id::<UserId>();
    sql::query(
        "INSERT INTO users (id, email, email_key, password_hash, display_name, avatar, language, \
         disabled, presence, created_ms) VALUES (?, ?, ?, ?, ?, '', ?, 0, ?, ?)",
    )
    .bind(id.to_string())
    .bind(&email)
    .bind(text::email_key(&email))
    .bind(password_hash)
    .bind(display_name)
    .bind(&new.language)
    .bind(Presence::Online.code())
    .bind(now_ms)
    .execute(&mut *write)
    .await
    .map_err(|source| {
        taken(Error::Conflict { what: "email", reason: "taken" }, "create a user", source)
    })?;
    insert_membership(write, account, id, new.role, new.capacity, &skills, now_ms).await?;
    teams::replace_of_user(write, account, id, &new.teams).await?;
    Ok(id)
}

async fn insert_membership(
    write: &mut Write,
    account: AccountId,
    user: UserId,
    role: RoleId,
    capacity: Option<u16>,
    skills: &[String],
    now_ms: i64,
) -> Result<(), Error> {
    sql::query(
        "INSERT INTO memberships (account, user_id, role_id, capacity, skills, disabled, \
         created_ms) VALUES (?, ?, ?, ?, ?, 0, ?)",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(role.to_string())
    .bind(capacity.map(i64::from))
    .bind(rows::to_json(&skills))
    .bind(now_ms)
    .execute(&mut *write)
    .await
    .map_err(|source| {
        if is_taken(&source) {
            Error::Conflict { what: "user", reason: "member_already" }
        } else if is_referenced(&source) {
            UNKNOWN
        } else {
            Error::sql("add a membership", source)
        }
    })?;
    Ok(())
}

/// Reads a member inside a change, without its teams.
pub(crate) async fn find(
    write: &mut Write,
    account: AccountId,
    id: UserId,
) -> Result<Member, Error> {
    let row = sql::query(MEMBER)
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut *write)
        .await
        .doing("read a user")?;
    member(&row.ok_or(UNKNOWN)?)
}

/// Reads a member whose rights are no more than those of who wants to change it.
async fn find_below(
    write: &mut Write,
    account: AccountId,
    id: UserId,
    granter: Granter,
) -> Result<Member, Error> {
    let member = find(write, account, id).await?;
    granter.may_give_role(&roles::find(write, account, member.role).await?)?;
    Ok(member)
}

/// Refuses to go on where `member` is the only owner who can sign in.
async fn keep_an_owner(
    write: &mut Write,
    account: AccountId,
    member: &Member,
) -> Result<(), Error> {
    if member.builtin != Some(Builtin::Owner) {
        return Ok(());
    }
    let others: i64 = sql::scalar(
        "SELECT COUNT(*) FROM memberships m JOIN roles r ON r.id = m.role_id AND \
         r.account = m.account JOIN users u ON u.id = m.user_id WHERE m.account = ? AND \
         r.builtin = 'owner' AND m.disabled = 0 AND u.disabled = 0 AND m.user_id <> ?",
    )
    .bind(account.to_string())
    .bind(member.user.id.to_string())
    .fetch_one(&mut *write)
    .await
    .doing("count owners")?;
    if others == 0 { Err(Error::LastOwner) } else { Ok(()) }
}

/// Refuses to go on where the user belongs to another account too: its name and password are not
/// this account's to change.
async fn only_here(write: &mut Write, account: AccountId, id: UserId) -> Result<(), Error> {
    find(write, account, id).await?;
    if memberships(write, id).await? > 1 {
        return Err(Error::Conflict { what: "user", reason: "own_choice_only" });
    }
    Ok(())
}

async fn memberships(write: &mut Write, id: UserId) -> Result<i64, Error> {
    sql::scalar("SELECT COUNT(*) FROM memberships WHERE user_id = ?")
        .bind(id.to_string())
        .fetch_one(&mut *write)
        .await
        .doing("count memberships")
}

fn check_capacity(capacity: Option<u16>) -> Result<(), Error> {
    match capacity {
        Some(sessions) if sessions > CAPACITY_MAX => Err(Error::invalid("capacity", "too_large")),
        _ => Ok(()),
    }
}

/// Skills as they are compared: trimmed, in lower case, each once.
fn checked_skills(skills: &[String]) -> Result<Vec<String>, Error> {
    if skills.len() > SKILLS_MAX {
        return Err(Error::invalid("skills", "too_many"));
    }
    let mut checked: Vec<String> = Vec::with_capacity(skills.len());
    for skill in skills {
        let skill = skill.trim().to_lowercase();
        if skill.is_empty() {
            return Err(Error::invalid("skills", "empty"));
        }
        if skill.chars().count() > SKILL_CHARS_MAX {
            return Err(Error::invalid("skills", "too_long"));
        }
        if skill.chars().any(char::is_control) {
            return Err(Error::invalid("skills", "characters"));
        }
        if !checked.contains(&skill) {
            checked.push(skill);
        }
    }
    Ok(checked)
}

fn user(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: rows::parsed(row, "id")?,
        email: rows::text(row, "email")?,
        display_name: rows::text(row, "display_name")?,
        avatar: rows::text(row, "avatar")?,
        language: rows::text(row, "language")?,
        disabled: rows::flag(row, "disabled")?,
        presence: rows::parsed(row, "presence")?,
        created_ms: rows::int(row, "created_ms")?,
    })
}

fn member(row: &Row) -> Result<Member, Error> {
    let builtin = rows::text(row, "builtin")?;
    Ok(Member {
        user: user(row)?,
        role: rows::parsed(row, "role_id")?,
        builtin: Builtin::parse(&builtin),
        capacity: rows::maybe_int(row, "capacity")?
            .map(|capacity| u16::try_from(capacity).map_err(|_| Error::Stored { what: "capacity" }))
            .transpose()?,
        skills: rows::json(row, "skills")?,
        teams: Vec::new(),
        disabled: rows::flag(row, "member_disabled")?,
        joined_ms: rows::int(row, "joined_ms")?,
    })
}

/// Colours the console has for initials.
const AVATAR_HUES: u8 = 8;

fn checked_avatar(avatar: &str) -> Result<String, Error> {
    let is_hue = avatar.strip_prefix("hue-").is_some_and(|hue| {
        hue.len() == 1 && hue.parse::<u8>().is_ok_and(|number| number < AVATAR_HUES)
    });
    let is_file = avatar.len() == 32 && avatar.bytes().all(|byte| byte.is_ascii_hexdigit());
    if avatar.is_empty() || is_hue || is_file {
        Ok(avatar.to_owned())
    } else {
        Err(Error::invalid("avatar", "avatar"))
    }
}
