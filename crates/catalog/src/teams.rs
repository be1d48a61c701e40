//! Teams: who answers together, and the queue they answer from.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::id::{AccountId, TeamId, UserId};

use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::rows;
use crate::settings::{self, Place};
use crate::sql::{self, Row};
use crate::store::Write;
use crate::text::{NAME_CHARS_MAX, Texts};

/// A team of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Name by language.
    pub names: Texts,
    /// Its members, by id.
    pub members: Vec<UserId>,
    /// When it was created.
    pub created_ms: i64,
}

const UNKNOWN: Error = Error::NotFound { what: "team" };

impl Catalog {
    /// Lists the teams of an account with their members, oldest first.
    pub async fn teams(&self, account: AccountId) -> Result<Vec<Team>, Error> {
        let rows = sql::query("SELECT * FROM teams WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read teams")?;
        let mut members: BTreeMap<TeamId, Vec<UserId>> = BTreeMap::new();
        for (team, user) in memberships(self, account).await? {
            members.entry(team).or_default().push(user);
        }
        rows.iter()
            .map(|row| {
                let mut team = team(row)?;
                team.members = members.remove(&team.id).unwrap_or_default();
                Ok(team)
            })
            .collect()
    }

    /// Reads one team.
    pub async fn team(&self, account: AccountId, id: TeamId) -> Result<Team, Error> {
        let row = sql::query("SELECT * FROM teams WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read a team")?;
        let mut team = team(&row.ok_or(UNKNOWN)?)?;
        team.members = sql::query(
            "SELECT user_id FROM team_members WHERE account = ? AND team_id = ? ORDER BY user_id",
        )
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_all(self.reads())
        .await
        .doing("read a team")?
        .iter()
        .map(|row| rows::parsed(row, "user_id"))
        .collect::<Result<_, _>>()?;
        Ok(team)
    }

    /// Creates a team.
    pub async fn create_team(
        &self,
        account: AccountId,
        names: &Texts,
        members: &[UserId],
    ) -> Result<Team, Error> {
        let names = names.checked_present("names", NAME_CHARS_MAX)?;
        let (id, now_ms) = self.new_id::<TeamId>();
        let mut write = self.write("create a team", Change::Account(account)).await?;
        sql::query("INSERT INTO teams (id, account, names, created_ms) VALUES (?, ?, ?, ?)")
            .bind(id.to_string())
            .bind(account.to_string())
            .bind(rows::to_json(&names))
            .bind(now_ms)
            .execute(&mut write)
            .await
            .map_err(|source| {
                referenced(Error::NotFound { what: "account" }, "create a team", source)
            })?;
        replace_members(&mut write, account, id, members).await?;
        write.commit().await.doing("create a team")?;
        self.team(account, id).await
    }

    /// Renames a team.
    pub async fn rename_team(
        &self,
        account: AccountId,
        id: TeamId,
        names: &Texts,
    ) -> Result<Team, Error> {
        let names = names.checked_present("names", NAME_CHARS_MAX)?;
        let mut write = self.write("rename a team", Change::Account(account)).await?;
        let changed = sql::query("UPDATE teams SET names = ? WHERE account = ? AND id = ?")
            .bind(rows::to_json(&names))
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("rename a team")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("rename a team")?;
        self.team(account, id).await
    }

    /// Sets the members of a team.
    pub async fn set_team_members(
        &self,
        account: AccountId,
        id: TeamId,
        members: &[UserId],
    ) -> Result<Team, Error> {
        let mut write = self.write("change a team", Change::Account(account)).await?;
        exists(&mut write, account, id).await?;
        replace_members(&mut write, account, id, members).await?;
        write.commit().await.doing("change a team")?;
        self.team(account, id).await
    }

    /// Deletes a team that is no inbox's default. Sessions in its queue are the caller's to move.
    pub async fn delete_team(&self, account: AccountId, id: TeamId) -> Result<(), Error> {
        let mut write = self.write("delete a team", Change::Account(account)).await?;
        exists(&mut write, account, id).await?;
        sql::query("DELETE FROM teams WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .map_err(|source| {
                referenced(
                    Error::Conflict { what: "team", reason: "in_use" },
                    "delete a team",
                    source,
                )
            })?;
        settings::forget(&mut write, account, Place::Team(id)).await?;
        write.commit().await.doing("delete a team")
    }
}

/// Makes sure that the account has this team.
pub(crate) async fn exists(write: &mut Write, account: AccountId, id: TeamId) -> Result<(), Error> {
    let teams: i64 = sql::scalar("SELECT COUNT(*) FROM teams WHERE account = ? AND id = ?")
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_one(&mut *write)
        .await
        .doing("read a team")?;
    if teams == 0 { Err(UNKNOWN) } else { Ok(()) }
}

/// The teams of every member of an account.
pub(crate) async fn by_user(
    catalog: &Catalog,
    account: AccountId,
) -> Result<BTreeMap<UserId, Vec<TeamId>>, Error> {
    let mut teams: BTreeMap<UserId, Vec<TeamId>> = BTreeMap::new();
    for (team, user) in memberships(catalog, account).await? {
        teams.entry(user).or_default().push(team);
    }
    Ok(teams)
}

/// The teams of one member.
pub(crate) async fn of_user(
    catalog: &Catalog,
    account: AccountId,
    user: UserId,
) -> Result<Vec<TeamId>, Error> {
    sql::query(
        "SELECT team_id FROM team_members WHERE account = ? AND user_id = ? ORDER BY team_id",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .fetch_all(catalog.reads())
    .await
    .doing("read teams")?
    .iter()
    .map(|row| rows::parsed(row, "team_id"))
    .collect()
}

/// Sets the teams of one member.
pub(crate) async fn replace_of_user(
    write: &mut Write,
    account: AccountId,
    user: UserId,
    teams: &[TeamId],
) -> Result<(), Error> {
    sql::query("DELETE FROM team_members WHERE account = ? AND user_id = ?")
        .bind(account.to_string())
        .bind(user.to_string())
        .execute(&mut *write)
        .await
        .doing("change teams")?;
    for team in teams.iter().collect::<BTreeSet<_>>() {
        insert_member(write, account, *team, user, UNKNOWN).await?;
    }
    Ok(())
}

async fn replace_members(
    write: &mut Write,
    account: AccountId,
    team: TeamId,
    members: &[UserId],
) -> Result<(), Error> {
    sql::query("DELETE FROM team_members WHERE account = ? AND team_id = ?")
        .bind(account.to_string())
        .bind(team.to_string())
        .execute(&mut *write)
        .await
        .doing("change a team")?;
    for user in members.iter().collect::<BTreeSet<_>>() {
        insert_member(write, account, team, *user, Error::NotFound { what: "user" }).await?;
    }
    Ok(())
}

async fn insert_member(
    write: &mut Write,
    account: AccountId,
    team: TeamId,
    user: UserId,
    unknown: Error,
) -> Result<(), Error> {
    // The foreign keys hold the account too, so neither side can belong to another one.
    sql::query("INSERT INTO team_members (account, team_id, user_id) VALUES (?, ?, ?)")
        .bind(account.to_string())
        .bind(team.to_string())
        .bind(user.to_string())
        .execute(&mut *write)
        .await
        .map_err(|source| referenced(unknown, "change a team", source))?;
    Ok(())
}

async fn memberships(
    catalog: &Catalog,
    account: AccountId,
) -> Result<Vec<(TeamId, UserId)>, Error> {
    sql::query(
        "SELECT team_id, user_id FROM team_members WHERE account = ? ORDER BY team_id, user_id",
    )
    .bind(account.to_string())
    .fetch_all(catalog.reads())
    .await
    .doing("read teams")?
    .iter()
    .map(|row| Ok((rows::parsed(row, "team_id")?, rows::parsed(row, "user_id")?)))
    .collect()
}

fn team(row: &Row) -> Result<Team, Error> {
    Ok(Team {
        id: rows::parsed(row, "id")?,
        names: rows::json(row, "names")?,
        members: Vec::new(),
        created_ms: rows::int(row, "created_ms")?,
    })
}
