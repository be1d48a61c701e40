//! The statements of a move: what stands in `moves`, and what becomes of the partition's progress.

use frontdesk_storage::{HistoryError, Offset};
use sqlx::mysql::MySqlConnection;

use crate::mysql::epoch::{CLOSED, PAUSED, owner};
use crate::mysql::error::Fault;
use frontdesk_mysql::rollback;

/// A move as it stands in the first shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) log: u16,
    pub(super) source: u16,
    pub(super) target: u16,
    pub(super) is_flipped: bool,
    /// What was copied: conversations up to this change, and of those of this change, up to this id.
    pub(super) changed: Offset,
    pub(super) last: [u8; 12],
}

impl Row {
    /// Of a move of which nothing is copied.
    pub(super) fn new(log: u16, source: u16, target: u16) -> Self {
        Self { log, source, target, is_flipped: false, changed: 0, last: [0; 12] }
    }
}

type Columns = (u16, u16, u16, u8, u64, Vec<u8>);

fn row((log, source, target, flipped, changed, last): Columns) -> Result<Row, sqlx::Error> {
    let last = last.try_into().map_err(|_| sqlx::Error::Decode("an id has 12 bytes".into()))?;
    Ok(Row { log, source, target, is_flipped: flipped != 0, changed, last })
}

pub(super) async fn all(connection: &mut MySqlConnection) -> Result<Vec<Row>, Fault> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT log, source, target, flipped, changed, last FROM moves ORDER BY log",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(row).collect::<Result<_, _>>()?)
}

pub(super) async fn find(connection: &mut MySqlConnection, log: u16) -> Result<Option<Row>, Fault> {
    Ok(all(connection).await?.into_iter().find(|row| row.log == log))
}

/// Begins a move, or notes how far it has come.
pub(super) async fn save(connection: &mut MySqlConnection, row: Row) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO moves (log, source, target, flipped, changed, last) VALUES (?, ?, ?, 0, ?, ?) \
         ON DUPLICATE KEY UPDATE changed = VALUES(changed), last = VALUES(last)",
    )
    .bind(row.log)
    .bind(row.source)
    .bind(row.target)
    .bind(row.changed)
    .bind(&row.last[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// From now on the partition lies on the target.
pub(super) async fn flip(connection: &mut MySqlConnection, row: Row) -> Result<(), Fault> {
    sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
    let flipped = async {
        sqlx::query("UPDATE placements SET shard = ? WHERE log = ?")
            .bind(row.target)
            .bind(row.log)
            .execute(&mut *connection)
            .await?;
        sqlx::query("UPDATE moves SET flipped = 1 WHERE log = ?")
            .bind(row.log)
            .execute(&mut *connection)
            .await?;
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await?;
        Ok(())
    };
    let flipped = flipped.await;
    if flipped.is_err() {
        rollback(connection).await?;
    }
    flipped
}

/// The move has ended.
pub(super) async fn remove(connection: &mut MySqlConnection, log: u16) -> Result<(), Fault> {
    sqlx::query("DELETE FROM moves WHERE log = ?").bind(log).execute(connection).await?;
    Ok(())
}

/// On the source: nothing is applied any more.
pub(super) async fn pause(connection: &mut MySqlConnection, log: u16) -> Result<(), Fault> {
    mark(connection, "UPDATE progress SET epoch = epoch | ? WHERE log = ?", PAUSED, log).await
}

/// On the source: applies go on.
pub(super) async fn unpause(connection: &mut MySqlConnection, log: u16) -> Result<(), Fault> {
    mark(connection, "UPDATE progress SET epoch = epoch & ~? WHERE log = ?", PAUSED, log).await
}

async fn mark(
    connection: &mut MySqlConnection,
    statement: &'static str,
    bits: u64,
    log: u16,
) -> Result<(), Fault> {
    sqlx::query(statement).bind(bits).bind(log).execute(connection).await?;
    Ok(())
}

/// On the source: epoch without marks, and offset.
pub(super) async fn progress(
    connection: &mut MySqlConnection,
    log: u16,
) -> Result<(u64, Offset), Fault> {
    let found = crate::mysql::apply::stored(connection, log).await?;
    let (epoch, applied) = found.ok_or(Fault::History(HistoryError::Fenced { log }))?;
    Ok((owner(epoch), applied))
}

/// On the target: the partition is there, but paused until the source is closed.
pub(super) async fn prepare(
    connection: &mut MySqlConnection,
    log: u16,
    (epoch, applied): (u64, Offset),
) -> Result<(), Fault> {
    sqlx::query("REPLACE INTO progress (log, epoch, applied) VALUES (?, ?, ?)")
        .bind(log)
        .bind(epoch | PAUSED)
        .bind(applied)
        .execute(connection)
        .await?;
    Ok(())
}

/// On the source: the partition does not lie here any more. Returns the epoch of its last owner; 0 if that was done
/// and cleaned before.
pub(super) async fn close(connection: &mut MySqlConnection, log: u16) -> Result<u64, Fault> {
    mark(connection, "UPDATE progress SET epoch = epoch | ? WHERE log = ?", CLOSED, log).await?;
    let found = crate::mysql::apply::stored(connection, log).await?;
    Ok(found.map_or(0, |(epoch, _)| owner(epoch)))
}

/// On the target: applies go on, for the last owner on either side.
pub(super) async fn open(
    connection: &mut MySqlConnection,
    log: u16,
    epoch: u64,
) -> Result<(), Fault> {
    sqlx::query("UPDATE progress SET epoch = GREATEST(epoch & ~?, ?) WHERE log = ?")
        .bind(PAUSED)
        .bind(epoch)
        .bind(log)
        .execute(connection)
        .await?;
    Ok(())
}
