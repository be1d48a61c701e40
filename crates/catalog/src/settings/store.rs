//! Settings in the database: one row per value that somebody set.

use std::collections::HashMap;
use std::sync::Arc;

use frontdesk_core::id::AccountId;
use serde_json::Value;

use super::{Place, Settings, json, spec};
use crate::catalog::{Catalog, clock_ms};
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::sql;
use crate::store::Write;
use crate::{inboxes, rows, teams};

impl Catalog {
    /// Reads all settings of an account.
    pub async fn settings(&self, account: AccountId) -> Result<Settings, Error> {
        self.kept().settings.get_or_read(account, self.read_settings(account)).await
    }

    async fn read_settings(&self, account: AccountId) -> Result<Settings, Error> {
        let rows =
            sql::query("SELECT scope_kind, scope_id, name, value FROM settings WHERE account = ?")
                .bind(account.to_string())
                .fetch_all(self.reads())
                .await
                .doing("read settings")?;
        let mut set = HashMap::with_capacity(rows.len());
        for row in &rows {
            // A key that this version no longer has, or a value its bounds no longer allow, is as
            // if it were not set.
            let Ok(spec) = spec(&rows::text(row, "name")?) else { continue };
            let Ok(number) = spec.checked(&rows::json(row, "value")?) else { continue };
            let place = match rows::text(row, "scope_kind")?.as_str() {
                "account" => Place::Account,
                "inbox" => Place::Inbox(rows::parsed(row, "scope_id")?),
                "team" => Place::Team(rows::parsed(row, "scope_id")?),
                _ => return Err(Error::Stored { what: "scope_kind" }),
            };
            set.insert((spec.name, place), number);
        }
        Ok(Settings { set: Arc::new(set) })
    }

    /// Sets a value at a place.
    pub async fn set_setting(
        &self,
        account: AccountId,
        place: Place,
        name: &str,
        value: &Value,
    ) -> Result<(), Error> {
        let spec = spec(name)?;
        if !place.allowed(spec) {
            return Err(Error::invalid(spec.name, "scope"));
        }
        let number = spec.checked(value)?;
        let mut write = self.write("set a setting", Change::Account(account)).await?;
        place_exists(&mut write, account, place).await?;
        // Update, then insert: the one upsert all dialects share. The write lock keeps it atomic.
        let (kind, id) = place.columns();
        let updated = sql::query(
            "UPDATE settings SET value = ?, updated_ms = ? WHERE account = ? AND \
             scope_kind = ? AND scope_id = ? AND name = ?",
        )
        .bind(json(spec, number).to_string())
        .bind(clock_ms())
        .bind(account.to_string())
        .bind(kind)
        .bind(&id)
        .bind(spec.name)
        .execute(&mut write)
        .await
        .doing("set a setting")?;
        if updated.rows_affected() == 0 {
            sql::query(
                "INSERT INTO settings (account, scope_kind, scope_id, name, value, updated_ms) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(account.to_string())
            .bind(kind)
            .bind(&id)
            .bind(spec.name)
            .bind(json(spec, number).to_string())
            .bind(clock_ms())
            .execute(&mut write)
            .await
            .map_err(|source| {
                referenced(Error::NotFound { what: "account" }, "set a setting", source)
            })?;
        }
        write.commit().await.doing("set a setting")
    }

    /// Removes a value at a place, so that the one further out holds again.
    pub async fn reset_setting(
        &self,
        account: AccountId,
        place: Place,
        name: &str,
    ) -> Result<(), Error> {
        let spec = spec(name)?;
        let mut write = self.write("reset a setting", Change::Account(account)).await?;
        place_exists(&mut write, account, place).await?;
        let (kind, id) = place.columns();
        sql::query(
            "DELETE FROM settings WHERE account = ? AND scope_kind = ? AND scope_id = ? AND name = ?",
        )
        .bind(account.to_string())
        .bind(kind)
        .bind(id)
        .bind(spec.name)
        .execute(&mut write)
        .await
        .doing("reset a setting")?;
        write.commit().await.doing("reset a setting")
    }
}

/// Removes the settings of an inbox or team that is deleted.
pub(crate) async fn forget(
    write: &mut Write,
    account: AccountId,
    place: Place,
) -> Result<(), Error> {
    let (kind, id) = place.columns();
    sql::query("DELETE FROM settings WHERE account = ? AND scope_kind = ? AND scope_id = ?")
        .bind(account.to_string())
        .bind(kind)
        .bind(id)
        .execute(&mut *write)
        .await
        .doing("remove settings")?;
    Ok(())
}

async fn place_exists(write: &mut Write, account: AccountId, place: Place) -> Result<(), Error> {
    match place {
        Place::Account => Ok(()),
        Place::Inbox(id) => inboxes::exists(write, account, id).await,
        Place::Team(id) => teams::exists(write, account, id).await,
    }
}
