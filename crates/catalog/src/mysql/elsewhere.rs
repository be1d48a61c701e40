//! What nodes tell each other by the database: changes of the configuration in the order of their commits. A node
//! reads what is new twice a second.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{Call, MySqlStore};
use crate::changes::{Change, Teller, WAITING_MAX};
use crate::error::{Doing, Error};
use crate::kept::Kept;
use crate::rows;
use crate::sql::{Row, query, scalar};
use crate::store::{On, Store};

/// How often a node looks.
const EVERY: Duration = Duration::from_millis(500);
/// How long a look may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);
/// Changes that are kept. A node that has missed more takes everything to be changed.
const KEPT_MAX: i64 = 10_000;
/// Changes one look reads.
pub(crate) const LOOK_MAX: i64 = 1_000;
const _: () = assert!(WAITING_MAX as i64 >= LOOK_MAX, "a listener that keeps up hears each");

/// Writes a change. Whoever does holds the lock that gives all changes one order, so the next number is free.
pub(super) async fn write(
    call: &mut Call,
    node: [u8; 8],
    change: &Change,
) -> Result<(), sqlx::Error> {
    let revision = newest(&mut *call).await? + 1;
    let (kind, account, user, detail) = columns(change);
    query(
        "INSERT INTO catalog_changes (revision, node, kind, account, user_id, detail) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(revision)
    .bind(node.to_vec())
    .bind(kind)
    .bind(account)
    .bind(user)
    .bind(detail)
    .execute(On::MySql(&mut *call))
    .await?;
    query("DELETE FROM catalog_changes WHERE revision <= ?")
        .bind(revision - KEPT_MAX)
        .execute(On::MySql(call))
        .await?;
    Ok(())
}

async fn newest(call: &mut Call) -> Result<i64, sqlx::Error> {
    let newest: Option<i64> =
        scalar("SELECT MAX(revision) FROM catalog_changes").fetch_one(On::MySql(call)).await?;
    Ok(newest.unwrap_or_default())
}

fn columns(change: &Change) -> (&'static str, String, String, String) {
    let none = String::new;
    match change {
        Change::Everything => ("everything", none(), none(), none()),
        Change::Account(account) => ("account", account.to_string(), none(), none()),
        Change::User { account, user } => {
            let account = account.map(|account| account.to_string()).unwrap_or_default();
            ("user", account, user.to_string(), none())
        }
        Change::Login { user, handle } => ("login", none(), user.to_string(), handle.clone()),
        Change::Key { account, key } => ("key", account.to_string(), none(), key.to_string()),
    }
}

fn change(row: &Row) -> Result<Change, Error> {
    let account = rows::text(row, "account")?;
    Ok(match rows::text(row, "kind")?.as_str() {
        "account" => Change::Account(rows::parsed(row, "account")?),
        "user" => Change::User {
            account: if account.is_empty() { None } else { Some(rows::parsed(row, "account")?) },
            user: rows::parsed(row, "user_id")?,
        },
        "login" => Change::Login {
            user: rows::parsed(row, "user_id")?,
            handle: rows::text(row, "detail")?,
        },
        "key" => Change::Key {
            account: rows::parsed(row, "account")?,
            key: rows::parsed(row, "detail")?,
        },
        // And what a newer version tells that this one does not know.
        _ => Change::Everything,
    })
}

/// How far a node has read.
struct Watch {
    node: [u8; 8],
    seen: i64,
}

impl Watch {
    /// What is new since the last look; a place is empty where the change is this node's own.
    async fn look(&mut self, store: &MySqlStore) -> Result<Vec<Option<Change>>, Error> {
        let mut call = store.begin_watch().await.doing("look for changes")?;
        let looked = self.look_by(&mut call).await;
        call.give_back();
        looked
    }

    async fn look_by(&mut self, call: &mut Call) -> Result<Vec<Option<Change>>, Error> {
        let rows =
            query("SELECT * FROM catalog_changes WHERE revision >= ? ORDER BY revision LIMIT ?")
                .bind(self.seen)
                .bind(LOOK_MAX)
                .fetch_all(On::MySql(&mut *call))
                .await
                .doing("look for changes")?;
        let revisions = rows.iter().map(|row| rows::int(row, "revision"));
        let revisions: Vec<i64> = revisions.collect::<Result<_, _>>()?;
        // What was seen last has gone: too many came since, or the database was restored.
        if revisions.first() != Some(&self.seen) {
            self.seen = newest(call).await.doing("look for changes")?;
            return Ok(vec![Some(Change::Everything)]);
        }
        let mut changes = Vec::new();
        for (revision, row) in revisions.into_iter().zip(&rows).skip(1) {
            let own = rows::bytes(row, "node")? == self.node;
            changes.push(if own { None } else { Some(change(row)?) });
            self.seen = revision;
        }
        Ok(changes)
    }
}

/// Watches until the catalog is dropped. What others change makes kept rows old and is told; while nobody can
/// look, kept rows are used as they are.
pub(crate) async fn watch(
    store: &Arc<Store>,
    kept: Arc<Kept>,
    teller: Teller,
) -> Result<(), Error> {
    let Store::MySql(database) = &**store else { return Ok(()) };
    let mut call = database.begin_watch().await.doing("look for changes")?;
    let seen = newest(&mut call).await.doing("look for changes")?;
    call.give_back();
    let watch = Watch { node: database.node, seen };
    tokio::spawn(look_on(Arc::downgrade(store), watch, kept, teller));
    Ok(())
}

async fn look_on(store: Weak<Store>, mut watch: Watch, kept: Arc<Kept>, teller: Teller) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(store) = store.upgrade() else { return };
        let Store::MySql(database) = &*store else { return };
        if database.is_closed() {
            return;
        }
        match watch.look(database).await {
            Ok(changes) => {
                // Of this node's own too: whoever waited for the commit may have gone away before it was noted.
                if !changes.is_empty() {
                    kept.changes.note();
                }
                kept.set_away(false);
                for change in changes.into_iter().flatten() {
                    teller.tell(change);
                }
            }
            Err(error) => {
                if kept.set_away(true) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the catalog is away");
                }
            }
        }
    }
}
