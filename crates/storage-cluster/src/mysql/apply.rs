//! A batch in one transaction, and who may apply one.
//!
//! The first statement moves the partition's progress on, if it still stands where this owner left it and still
//! has this owner's epoch. From there on the row is locked, and everything else follows or nothing does.

use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_mysql::rollback;
use frontdesk_storage::{Batch, ConversationWrite, EntryWrite, HistoryError, Offset};
use sqlx::mysql::MySqlConnection;
use sqlx::{MySql, QueryBuilder};

use super::epoch::{PAUSED, is_here, owner};
use super::error::Fault;
use super::nodes::Progress;
use super::rows::{ENTRIES, EVENTS, Statement, Values};

const STATES: Statement = Statement {
    head: "INSERT INTO conversations (id, log, state, changed) VALUES",
    row: "(?, ?, ?, ?)",
    tail: "ON DUPLICATE KEY UPDATE state = VALUES(state), changed = VALUES(changed)",
};
/// What a shard that is busy with other partitions as well takes of one: a batch gets time for its bytes. After the
/// shard was away a batch holds all that was said meanwhile, and one deadline for whatever size would never be met.
const BYTES_PER_S_MIN: u64 = 512 << 10;

/// A partition this node owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned {
    /// The epoch it was taken with.
    pub(super) epoch: u64,
    /// What is known to be applied.
    pub(super) applied: Offset,
}

/// How much longer a batch may take than a call that writes little.
pub(super) fn extra_time(batch: &Batch) -> Duration {
    let bytes: usize = batch.conversations.iter().map(ConversationWrite::bytes).sum();
    Duration::from_millis(bytes as u64 * 1_000 / BYTES_PER_S_MIN)
}

/// Applies a batch and returns the offset that is applied then; `None` if the partition does not lie here.
pub(super) async fn apply(
    connection: &mut MySqlConnection,
    batch: &Batch,
    owned: Owned,
    packet_bytes_max: usize,
) -> Result<Option<Offset>, Fault> {
    sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
    let moved =
        sqlx::query("UPDATE progress SET applied = ? WHERE log = ? AND epoch = ? AND applied = ?")
            .bind(batch.offset)
            .bind(batch.log)
            .bind(owned.epoch)
            .bind(owned.applied)
            .execute(&mut *connection)
            .await?;
    if moved.rows_affected() == 0 {
        rollback(connection).await?;
        return why_not(connection, batch, owned).await;
    }
    write(connection, batch, packet_bytes_max).await?;
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(Some(batch.offset))
}

/// Tells why the progress does not stand where this owner left it.
async fn why_not(
    connection: &mut MySqlConnection,
    batch: &Batch,
    owned: Owned,
) -> Result<Option<Offset>, Fault> {
    let log = batch.log;
    let Some((epoch, applied)) = stored(connection, log).await? else { return Ok(None) };
    if !is_here(epoch) {
        return Ok(None);
    }
    if owner(epoch) != owned.epoch {
        return Err(Fault::History(HistoryError::Fenced { log }));
    }
    if applied >= batch.offset {
        return Ok(Some(applied));
    }
    // It is paused, or it was until just now.
    if epoch != owned.epoch || applied == owned.applied {
        return Err(Fault::History(HistoryError::Unavailable {
            operation: "apply a batch",
            place: format!("partition {log}"),
            source: "it is being moved to another shard; try again in a moment".into(),
        }));
    }
    Err(Fault::History(HistoryError::Overtaken { log, applied }))
}

/// Epoch and offset of a partition; `None` if it does not lie here.
pub(super) async fn progress(
    connection: &mut MySqlConnection,
    log: u16,
) -> Result<Option<(u64, Offset)>, sqlx::Error> {
    let stored = stored(connection, log).await?;
    let here = stored.filter(|(epoch, _)| is_here(*epoch));
    Ok(here.map(|(epoch, applied)| (owner(epoch), applied)))
}

/// Epoch with its marks, and offset, as they stand here.
pub(super) async fn stored(
    connection: &mut MySqlConnection,
    log: u16,
) -> Result<Option<(u64, Offset)>, sqlx::Error> {
    sqlx::query_as("SELECT epoch, applied FROM progress WHERE log = ?")
        .bind(log)
        .fetch_optional(connection)
        .await
}

/// How it stands with all partitions that lie here.
pub(super) async fn progress_of_all(
    connection: &mut MySqlConnection,
) -> Result<Vec<Progress>, sqlx::Error> {
    let all: Vec<(u16, u64, Offset)> =
        sqlx::query_as("SELECT log, epoch, applied FROM progress").fetch_all(connection).await?;
    let here = all.into_iter().filter(|(_, epoch, _)| is_here(*epoch));
    let progress = |(log, epoch, applied)| Progress { log, epoch: owner(epoch), applied };
    Ok(here.map(progress).collect())
}

/// Takes partitions with a higher epoch than any before; all of them or none. `None` if one does not lie here. One that
/// is paused stays so.
pub(super) async fn own(
    connection: &mut MySqlConnection,
    logs: &[u16],
    epoch: u64,
) -> Result<Option<Vec<(u16, Owned)>>, Fault> {
    sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
    // In the order of numbers, so that two who take the same ones do not wait for each other.
    let mut query = in_logs("SELECT log, epoch, applied FROM progress WHERE log IN (", logs);
    query.push(" ORDER BY log FOR UPDATE");
    let found: Vec<(u16, u64, u64)> =
        query.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
    if found.len() < logs.len() || found.iter().any(|(_, of, _)| !is_here(*of)) {
        rollback(connection).await?;
        return Ok(None);
    }
    if let Some((log, ..)) = found.iter().find(|(_, of, _)| owner(*of) >= epoch) {
        return Err(Fault::History(HistoryError::Fenced { log: *log }));
    }
    let mut query = QueryBuilder::new("UPDATE progress SET epoch = (epoch & ");
    query.push_bind(PAUSED).push(") | ").push_bind(epoch).push(" WHERE log IN (");
    push_logs(&mut query, logs);
    query.build().persistent(false).execute(&mut *connection).await?;
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    let owned = |(log, _, applied)| (log, Owned { epoch, applied });
    Ok(Some(found.into_iter().map(owned).collect()))
}

fn in_logs(head: &str, logs: &[u16]) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new(head);
    push_logs(&mut query, logs);
    query
}

fn push_logs(query: &mut QueryBuilder<MySql>, logs: &[u16]) {
    let mut list = query.separated(", ");
    for log in logs {
        list.push_bind(*log);
    }
    list.push_unseparated(")");
}

struct EntryRow<'a> {
    conversation: &'a ConversationId,
    entry: &'a EntryWrite,
    content: &'a Bytes,
}

async fn write(
    connection: &mut MySqlConnection,
    batch: &Batch,
    packet_bytes_max: usize,
) -> Result<(), Fault> {
    let changes = &batch.conversations;
    STATES
        .run(
            connection,
            changes,
            packet_bytes_max,
            |change| change.state.len(),
            |query, change| {
                query
                    .bind(&change.conversation.as_bytes()[..])
                    .bind(batch.log)
                    .bind(&change.state[..])
                    .bind(batch.offset)
            },
        )
        .await?;

    // An entry may be added and replaced in the same batch.
    let mut entries = Vec::new();
    let mut replaced = Vec::new();
    for change in changes {
        let begin = entries.len();
        entries.extend(change.entries.iter().map(|entry| EntryRow {
            conversation: &change.conversation,
            entry,
            content: &entry.entry,
        }));
        for (seq, by) in &change.replaced {
            match change.entries.binary_search_by_key(seq, |entry| entry.seq) {
                Ok(at) => entries[begin + at].content = by,
                Err(_) => replaced.push((change.conversation, *seq, by)),
            }
        }
    }
    let weigh = |row: &EntryRow<'_>| row.content.len() + row.entry.sender.len();
    ENTRIES.run(connection, &entries, packet_bytes_max, weigh, bind_entry).await?;
    for (conversation, seq, by) in replaced {
        replace(connection, conversation, seq, by).await?;
    }

    let events: Vec<_> = changes
        .iter()
        .flat_map(|change| change.events.iter().map(|event| (&change.conversation, event)))
        .collect();
    EVENTS
        .run(
            connection,
            &events,
            packet_bytes_max,
            |(_, (_, event))| event.len(),
            |query, (conversation, (number, event))| {
                query.bind(&conversation.as_bytes()[..]).bind(*number).bind(&event[..])
            },
        )
        .await?;
    Ok(())
}

fn bind_entry<'q>(query: Values<'q>, row: &EntryRow<'_>) -> Values<'q> {
    let id = &row.entry.client_msg_id;
    query
        .bind(&row.conversation.as_bytes()[..])
        .bind(row.entry.seq)
        .bind(row.entry.sender.as_bytes())
        .bind((!id.is_empty()).then_some(&id[..]))
        .bind(row.entry.content_hash)
        .bind(&row.content[..])
}

async fn replace(
    connection: &mut MySqlConnection,
    conversation: ConversationId,
    seq: u64,
    by: &Bytes,
) -> Result<(), Fault> {
    let replaced = sqlx::query("UPDATE entries SET entry = ? WHERE conversation = ? AND seq = ?")
        .bind(&by[..])
        .bind(&conversation.as_bytes()[..])
        .bind(seq)
        .execute(connection)
        .await?;
    if replaced.rows_affected() == 0 {
        return Err(Fault::History(HistoryError::Damaged { conversation, what: "entries" }));
    }
    Ok(())
}
