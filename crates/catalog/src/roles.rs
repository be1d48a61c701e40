//! Roles: sets of rights stored as data. Code checks rights, never roles; the one thing a built-in
//! role means to the catalog is that the last owner stays.

use frontdesk_core::id::{AccountId, RoleId};
use frontdesk_core::rights::{Right, Rights};

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::rows;
use crate::sql::{self, Row};
use crate::store::Write;
use crate::text::{NAME_CHARS_MAX, Texts};

/// The roles every account begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// Own conversations and the queue of own teams.
    Agent,
    /// Own teams.
    Supervisor,
    /// Everything.
    Admin,
    /// An admin who cannot be removed.
    Owner,
}

impl Builtin {
    /// All of them, from the fewest rights to the most.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Supervisor, Self::Admin, Self::Owner];

    /// The word stored and shown in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.code() == code)
    }

    fn names(self) -> Texts {
        let (en, zh) = match self {
            Self::Agent => ("Agent", "坐席"),
            Self::Supervisor => ("Supervisor", "主管"),
            Self::Admin => ("Admin", "管理员"),
            Self::Owner => ("Owner", "所有者"),
        };
        Texts::one("en", en).with("zh-CN", zh)
    }
}

/// A role of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Set for the roles every account begins with.
    pub builtin: Option<Builtin>,
    /// Name by language.
    pub names: Texts,
    /// What its members may do.
    pub rights: Rights,
}

/// Who gives a right or a role. Nobody gives what they do not have.
#[derive(Debug, Clone, Copy)]
pub struct Granter {
    /// Their rights in the account.
    pub rights: Rights,
    /// Whether they are an owner of the account.
    pub owner: bool,
}

impl Granter {
    /// The operator of the installation, at the command line.
    pub fn operator() -> Self {
        Self { rights: Rights::all(), owner: true }
    }

    pub(crate) fn may_give(self, rights: Rights) -> Result<(), Error> {
        match rights.iter().find(|right| !self.rights.contains(*right)) {
            Some(right) => Err(Error::Forbidden { right: right.code() }),
            None => Ok(()),
        }
    }

    pub(crate) fn may_give_role(self, role: &Role) -> Result<(), Error> {
        if role.builtin == Some(Builtin::Owner) && !self.owner {
            return Err(Error::Forbidden { right: "owner" });
        }
        self.may_give(role.rights)
    }
}

impl Catalog {
    /// Lists the roles of an account, in the order they were made.
    pub async fn roles(&self, account: AccountId) -> Result<Vec<Role>, Error> {
        sql::query("SELECT * FROM roles WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read roles")?
            .iter()
            .map(role)
            .collect()
    }

    /// Reads one role.
    pub async fn role(&self, account: AccountId, id: RoleId) -> Result<Role, Error> {
        let row = sql::query("SELECT * FROM roles WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read a role")?;
        role(&row.ok_or(Error::NotFound { what: "role" })?)
    }

    /// Reads one of the roles every account begins with.
    pub async fn builtin_role(&self, account: AccountId, builtin: Builtin) -> Result<Role, Error> {
        let row = sql::query("SELECT * FROM roles WHERE account = ? AND builtin = ?")
            .bind(account.to_string())
            .bind(builtin.code())
            .fetch_optional(self.reads())
            .await
            .doing("read a role")?;
        role(&row.ok_or(Error::NotFound { what: "role" })?)
    }

    /// Creates a role.
    pub async fn create_role(
        &self,
        account: AccountId,
        names: &Texts,
        rights: Rights,
        granter: Granter,
    ) -> Result<Role, Error> {
        granter.may_give(rights)?;
        let names = names.checked_present("names", NAME_CHARS_MAX)?;
        let (id, _) = self.new_id::<RoleId>();
        let new = Role { id, builtin: None, names, rights };
        let mut write = self.write("create a role", Change::Account(account)).await?;
        insert(&mut write, account, &new).await?;
        write.commit().await.doing("create a role")?;
        Ok(new)
    }

    /// Changes name and rights of a role; the rights of the owner role are fixed.
    pub async fn update_role(
        &self,
        account: AccountId,
        id: RoleId,
        names: &Texts,
        rights: Rights,
        granter: Granter,
    ) -> Result<Role, Error> {
        let names = names.checked_present("names", NAME_CHARS_MAX)?;
        let mut write = self.write("change a role", Change::Account(account)).await?;
        let current = find(&mut write, account, id).await?;
        if current.builtin == Some(Builtin::Owner) && rights != current.rights {
            return Err(Error::Conflict { what: "role", reason: "owner_fixed" });
        }
        // Who changes a role must hold what it had and what it gets: else an agent with the right
        // to edit roles could strip an admin.
        granter.may_give_role(&current)?;
        granter.may_give(rights)?;
        sql::query("UPDATE roles SET names = ?, rights = ? WHERE account = ? AND id = ?")
            .bind(rows::to_json(&names))
            .bind(rights_json(rights))
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("change a role")?;
        write.commit().await.doing("change a role")?;
        Ok(Role { id, builtin: current.builtin, names, rights })
    }

    /// Deletes a role nobody has; those every account begins with stay.
    pub async fn delete_role(&self, account: AccountId, id: RoleId) -> Result<(), Error> {
        let mut write = self.write("delete a role", Change::Account(account)).await?;
        if find(&mut write, account, id).await?.builtin.is_some() {
            return Err(Error::Conflict { what: "role", reason: "builtin" });
        }
        sql::query("DELETE FROM roles WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .map_err(|source| {
                referenced(
                    Error::Conflict { what: "role", reason: "in_use" },
                    "delete a role",
                    source,
                )
            })?;
        write.commit().await.doing("delete a role")
    }
}

/// The rights a built-in role begins with.
pub(crate) fn builtin_rights(builtin: Builtin) -> Rights {
    match builtin {
        Builtin::Agent => Rights::agent(),
        Builtin::Supervisor => Rights::supervisor(),
        Builtin::Admin => Rights::admin(),
        Builtin::Owner => Rights::owner(),
    }
}

/// Gives a new account its roles; returns the owner's.
pub(crate) async fn insert_defaults(
    catalog: &Catalog,
    write: &mut Write,
    account: AccountId,
) -> Result<RoleId, Error> {
    let mut owner = None;
    for builtin in Builtin::ALL {
        let (id, _) = catalog.new_id::<RoleId>();
        let rights = builtin_rights(builtin);
        insert(
            write,
            account,
            &Role { id, builtin: Some(builtin), names: builtin.names(), rights },
        )
        .await?;
        owner = Some(id);
    }
    Ok(owner.expect("the list of built-in roles ends with the owner"))
}

/// Reads a role inside a change.
pub(crate) async fn find(write: &mut Write, account: AccountId, id: RoleId) -> Result<Role, Error> {
    let row = sql::query("SELECT * FROM roles WHERE account = ? AND id = ?")
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut *write)
        .await
        .doing("read a role")?;
    role(&row.ok_or(Error::NotFound { what: "role" })?)
}

async fn insert(write: &mut Write, account: AccountId, role: &Role) -> Result<(), Error> {
    sql::query("INSERT INTO roles (id, account, builtin, names, rights) VALUES (?, ?, ?, ?, ?)")
        .bind(role.id.to_string())
        .bind(account.to_string())
        .bind(role.builtin.map_or("", Builtin::code))
        .bind(rows::to_json(&role.names))
        .bind(rights_json(role.rights))
        .execute(&mut *write)
        .await
        .map_err(|source| {
            referenced(Error::NotFound { what: "account" }, "create a role", source)
        })?;
    Ok(())
}

fn role(row: &Row) -> Result<Role, Error> {
    Ok(Role {
        id: rows::parsed(row, "id")?,
        builtin: Builtin::parse(&rows::text(row, "builtin")?),
        names: rows::json(row, "names")?,
        rights: rights(row)?,
    })
}

/// Rights are stored by their codes, so that their numbers in memory mean nothing on disk.
pub(crate) fn rights_json(rights: Rights) -> String {
    rows::to_json(&rights.iter().map(Right::code).collect::<Vec<_>>())
}

pub(crate) fn rights(row: &Row) -> Result<Rights, Error> {
    let codes: Vec<String> = rows::json(row, "rights")?;
    codes.iter().map(|code| Right::parse(code).ok_or(Error::Stored { what: "rights" })).collect()
}
