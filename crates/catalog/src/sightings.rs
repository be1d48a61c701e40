//! Where an inbox's widget was seen: sites whose pages asked for a visitor's ticket, and those that were
//! refused because the inbox does not list them. The newest [`ORIGINS_MAX`] of each kind are kept; how
//! often a row is written is the caller's to bound.

use frontdesk_core::id::{AccountId, InboxId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, is_referenced},
    rows, sql,
    store::Lock,
};

/// Sites kept of each kind and inbox; the one not seen for longest makes room.
pub const ORIGINS_MAX: usize = 50;

/// One site, seen once or more since it was written last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Whose inbox.
    pub account: AccountId,
    /// Which inbox's widget.
    pub inbox: InboxId,
    /// `https://shop.example`.
    pub origin: &'a str,
    /// Address of the newest page; empty where the page did not say.
    pub page: &'a str,
    /// The site is not on the inbox's list.
    pub refused: bool,
    /// How often since it was written last.
    pub requests: u64,
    /// UTC milliseconds.
    pub now_ms: i64,
}

/// A site as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// `https://shop.example`.
    pub origin: String,
    /// Address of the newest page, without query; empty where the page did not say.
    pub page: String,
    /// UTC milliseconds.
    pub seen_ms: i64,
    /// How often it asked.
    pub requests: u64,
    /// The site was not on the inbox's list.
    pub refused: bool,
}

impl Catalog {
    /// Notes that a site was seen. An inbox that is gone meanwhile is no error.
    pub async fn note_sighting(&self, seen: Seen<'_>) -> Result<(), Error> {
        let requests = i64::try_from(seen.requests).unwrap_or(i64::MAX);
        let mut write = self.write_aside("note a sighting", Lock::Sightings).await?;
        let updated = sql::query(
            "UPDATE inbox_sightings SET page = ?, seen_ms = ?, requests = requests + ? \
             WHERE inbox = ? AND refused = ? AND origin = ?",
        )
        .bind(seen.page)
        .bind(seen.now_ms)
        .bind(requests)
        .bind(seen.inbox.to_string())
        .bind(i64::from(seen.refused))
        .bind(seen.origin)
        .execute(&mut write)
        .await
        .doing("note a sighting")?;
        if updated.rows_affected() == 0 {
            let inserted = sql::query(
                "INSERT INTO inbox_sightings (account, inbox, origin, refused, page, seen_ms, \
                 requests) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(seen.account.to_string())
            .bind(seen.inbox.to_string())
            .bind(seen.origin)
            .bind(i64::from(seen.refused))
            .bind(seen.page)
            .bind(seen.now_ms)
            .bind(requests)
            .execute(&mut write)
            .await;
            match inserted {
                Err(source) if is_referenced(&source) => return Ok(()),
                other => other.doing("note a sighting")?,
            };
            let oldest: Vec<String> = sql::scalar(
                "SELECT origin FROM inbox_sightings WHERE inbox = ? AND refused = ? \
                 ORDER BY seen_ms DESC, origin LIMIT 1000 OFFSET ?",
            )
            .bind(seen.inbox.to_string())
            .bind(i64::from(seen.refused))
            .bind(ORIGINS_MAX as i64)
            .fetch_all(&mut write)
            .await
            .doing("note a sighting")?;
            for origin in oldest {
                sql::query(
                    "DELETE FROM inbox_sightings WHERE inbox = ? AND refused = ? AND origin = ?",
                )
                .bind(seen.inbox.to_string())
                .bind(i64::from(seen.refused))
                .bind(origin)
                .execute(&mut write)
                .await
                .doing("note a sighting")?;
            }
        }
        write.commit().await.doing("note a sighting")
    }

    /// Lists the sites an inbox's widget was seen on or refused for, newest first.
    pub async fn sightings(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<Vec<Sighting>, Error> {
        sql::query(
            "SELECT * FROM inbox_sightings WHERE account = ? AND inbox = ? \
             ORDER BY seen_ms DESC, origin",
        )
        .bind(account.to_string())
        .bind(inbox.to_string())
        .fetch_all(self.reads())
        .await
        .doing("read sightings")?
        .iter()
        .map(|row| {
            Ok(Sighting {
                origin: rows::text(row, "origin")?,
                page: rows::text(row, "page")?,
                seen_ms: rows::int(row, "seen_ms")?,
                requests: rows::number(row, "requests")?,
                refused: rows::flag(row, "refused")?,
            })
        })
        .collect()
    }
}
