//! Copying the conversations of a partition from one shard to another, comparing them, and removing them.
//!
//! A conversation is copied whole: what the target has of it is removed first. So a copy may be made again at any time,
//! and one that changed is simply copied once more.

use frontdesk_storage::{HistoryError, Offset};
use sqlx::mysql::MySqlConnection;
use sqlx::{MySql, QueryBuilder};

use super::table::Row;
use crate::mysql::error::Fault;
use crate::mysql::rows::{ENTRIES, EVENTS, Statement};
use crate::mysql::shard::Shard;

/// Conversations that are copied together.
pub(super) const PAGE: usize = 64;
/// Rows of other tables that are read at once.
const ROWS: usize = 1000;
/// Conversations that are compared or removed together.
const IDS: usize = 200;

const CONVERSATIONS: Statement = Statement {
    head: "INSERT INTO conversations (id, log, state, changed) VALUES",
    row: "(?, ?, ?, ?)",
    tail: "",
};
type ConversationRow = (Vec<u8>, Vec<u8>, Offset);
type EntryRow = (Vec<u8>, u64, Vec<u8>, Option<Vec<u8>>, u64, Vec<u8>);
type EventRow = (Vec<u8>, u64, Vec<u8>);

/// Copies the conversations that changed next behind what a row says was copied, and notes that in it; returns how
/// many they were.
pub(super) fn copy_page(
    source: &Shard,
    target: &Shard,
    row: &mut Row,
) -> Result<usize, HistoryError> {
    let (log, changed, last) = (row.log, row.changed, row.last);
    let page = source.call("read conversations to copy", async |connection| {
        changed_behind(connection, log, changed, &last).await
    })?;
    let Some((id, _, changed)) = page.last() else { return Ok(0) };
    let ids: Vec<Vec<u8>> = page.iter().map(|(id, ..)| id.clone()).collect();
    let packet = target.packet_bytes_max;
    target.call("write copied conversations", async |connection| {
        remove(connection, &ids).await?;
        let weigh = |(_, state, _): &ConversationRow| state.len();
        CONVERSATIONS
            .run(connection, &page, packet, weigh, |query, (id, state, changed)| {
                query.bind(id.clone()).bind(log).bind(state.clone()).bind(*changed)
            })
            .await?;
        Ok(())
    })?;
    for id in &ids {
        copy_entries(source, target, id)?;
        copy_events(source, target, id)?;
    }
    row.changed = *changed;
    row.last = *source.conversation(id)?.as_bytes();
    Ok(page.len())
}

async fn changed_behind(
    connection: &mut MySqlConnection,
    log: u16,
    changed: Offset,
    last: &[u8],
) -> Result<Vec<ConversationRow>, Fault> {
    // Two ranges of the key: the rest of one change, and what lies behind it.
    Ok(sqlx::query_as(
        "(SELECT id, state, changed FROM conversations \
          WHERE log = ? AND changed = ? AND id > ? ORDER BY id LIMIT ?) \
         UNION ALL \
         (SELECT id, state, changed FROM conversations \
          WHERE log = ? AND changed > ? ORDER BY changed, id LIMIT ?) \
         ORDER BY changed, id LIMIT ?",
    )
    .bind(log)
    .bind(changed)
    .bind(last)
    .bind(PAGE as u64)
    .bind(log)
    .bind(changed)
    .bind(PAGE as u64)
    .bind(PAGE as u64)
    .fetch_all(connection)
    .await?)
}

fn copy_entries(source: &Shard, target: &Shard, id: &[u8]) -> Result<(), HistoryError> {
    let mut after = 0;
    loop {
        let rows: Vec<EntryRow> = source.call("read entries to copy", async |connection| {
            Ok(sqlx::query_as(
                "SELECT conversation, seq, sender, client_msg_id, content_hash, entry FROM entries \
                 WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?",
            )
            .bind(id)
            .bind(after)
            .bind(ROWS as u64)
            .fetch_all(connection)
            .await?)
        })?;
        let Some((_, seq, ..)) = rows.last() else { return Ok(()) };
        after = *seq;
        let weigh = |(_, _, sender, _, _, entry): &EntryRow| entry.len() + sender.len();
        let packet = target.packet_bytes_max;
        target.call("write copied entries", async |connection| {
            ENTRIES
                .run(connection, &rows, packet, weigh, |query, row| {
                    let (conversation, seq, sender, client_msg_id, content_hash, entry) = row;
                    query
                        .bind(conversation.clone())
                        .bind(*seq)
                        .bind(sender.clone())
                        .bind(client_msg_id.clone())
                        .bind(*content_hash)
                        .bind(entry.clone())
                })
                .await?;
            Ok(())
        })?;
        if rows.len() < ROWS {
            return Ok(());
        }
    }
}

fn copy_events(source: &Shard, target: &Shard, id: &[u8]) -> Result<(), HistoryError> {
    let mut after = 0;
    loop {
        let rows: Vec<EventRow> = source.call("read events to copy", async |connection| {
            Ok(sqlx::query_as(
                "SELECT conversation, number, event FROM events \
                 WHERE conversation = ? AND number > ? ORDER BY number LIMIT ?",
            )
            .bind(id)
            .bind(after)
            .bind(ROWS as u64)
            .fetch_all(connection)
            .await?)
        })?;
        let Some((_, number, _)) = rows.last() else { return Ok(()) };
        after = *number;
        let packet = target.packet_bytes_max;
        target.call("write copied events", async |connection| {
            EVENTS
                .run(
                    connection,
                    &rows,
                    packet,
                    |(_, _, event)| event.len(),
                    |query, row| {
                        let (conversation, number, event) = row;
                        query.bind(conversation.clone()).bind(*number).bind(event.clone())
                    },
                )
                .await?;
            Ok(())
        })?;
        if rows.len() < ROWS {
            return Ok(());
        }
    }
}

/// Removes all that lies on a shard of a partition, and its progress.
pub(super) fn clean(shard: &Shard, log: u16) -> Result<(), HistoryError> {
    loop {
        let ids = ids(shard, log, &[])?;
        if ids.is_empty() {
            break;
        }
        shard.call("remove conversations", async |connection| remove(connection, &ids).await)?;
    }
    shard.call("remove the progress", async |connection| {
        sqlx::query("DELETE FROM progress WHERE log = ?").bind(log).execute(connection).await?;
        Ok(())
    })
}

/// Removes conversations, whose row goes last: what is left of one is found by it.
async fn remove(connection: &mut MySqlConnection, ids: &[Vec<u8>]) -> Result<(), Fault> {
    for head in [
        "DELETE FROM entries WHERE conversation IN (",
        "DELETE FROM events WHERE conversation IN (",
        "DELETE FROM conversations WHERE id IN (",
    ] {
        in_ids(head, ids).build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The next conversations of a partition behind an id.
pub(super) fn ids(shard: &Shard, log: u16, after: &[u8]) -> Result<Vec<Vec<u8>>, HistoryError> {
    shard.call("list conversations", async |connection| {
        Ok(sqlx::query_scalar(
            "SELECT id FROM conversations WHERE log = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(log)
        .bind(after)
        .bind(IDS as u64)
        .fetch_all(connection)
        .await?)
    })
}

/// How many conversations of a partition lie on a shard.
pub(super) fn count(shard: &Shard, log: u16) -> Result<u64, HistoryError> {
    shard.call("count conversations", async |connection| {
        let count = "SELECT CAST(COUNT(*) AS UNSIGNED) FROM conversations WHERE log = ?";
        Ok(sqlx::query_scalar(count).bind(log).fetch_one(connection).await?)
    })
}

/// What tells whether the rows of a table are the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) table: &'static str,
    pub(super) rows: u64,
    checksum: u64,
}

/// Counts and checksums of some conversations, of each table.
pub(super) fn sums(shard: &Shard, ids: &[Vec<u8>]) -> Result<[Sum; 3], HistoryError> {
    const TABLES: [(&str, &str, &str); 3] = [
        ("conversations", "id", "id, log, '/', changed, '/', state"),
        (
            "entries",
            "conversation",
            "conversation, seq, '/', content_hash, '/', LENGTH(sender), '/', sender, \
             COALESCE(client_msg_id, ''), entry",
        ),
        ("events", "conversation", "conversation, number, '/', event"),
    ];
    shard.call("compare conversations", async |connection| {
        let mut sums = [Sum { table: "", rows: 0, checksum: 0 }; 3];
        for (sum, (table, key, values)) in sums.iter_mut().zip(TABLES) {
            let head = format!(
                "SELECT CAST(COUNT(*) AS UNSIGNED), \
                 CAST(COALESCE(SUM(CRC32(CONCAT({values}))), 0) AS UNSIGNED) \
                 FROM {table} WHERE {key} IN ("
            );
            let mut query = in_ids(&head, ids);
            let (rows, checksum) =
                query.build_query_as().persistent(false).fetch_one(&mut *connection).await?;
            *sum = Sum { table, rows, checksum };
        }
        Ok(sums)
    })
}

fn in_ids(head: &str, ids: &[Vec<u8>]) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new(head);
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.clone());
    }
    list.push_unseparated(")");
    query
}
