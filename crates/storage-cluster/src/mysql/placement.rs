//! Which partition lies on which shard: said once, at creation, in the first shard.

use std::collections::BTreeSet;

use frontdesk_mysql::rollback;
use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::error::MySqlOpenError;
use super::open::OpeningShard;
use super::rows::Statement;

const NEW_SHARDS: Statement =
    Statement { head: "INSERT INTO shards (shard, identity) VALUES", row: "(?, ?)", tail: "" };
const NEW_PLACEMENTS: Statement =
    Statement { head: "INSERT INTO placements (log, shard) VALUES", row: "(?, ?)", tail: "" };
const NEW_PROGRESS: Statement = Statement {
    head: "INSERT INTO progress (log, epoch, applied) VALUES",
    row: "(?, 0, 0)",
    tail: "ON DUPLICATE KEY UPDATE log = progress.log",
};

/// Reads where the partitions lie; says so, if these databases are new. Whoever calls it holds the lock of
/// the first one.
pub(super) async fn place(
    databases: &mut [OpeningShard],
    partitions: u16,
) -> Result<Vec<u16>, MySqlOpenError> {
    let mut in_use = Vec::new();
    for database in &mut *databases {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM progress")
            .fetch_one(&mut database.database.connection)
            .await
            .map_err(|source| database.database.failed("look for partitions", source))?;
        in_use.push(count > 0);
    }
    let first = &mut databases[0].database.connection;
    let known = known_shards(first).await;
    let known = known.map_err(|source| databases[0].database.failed("read the shards", source))?;
    if known.len() > databases.len() {
        return Err(MySqlOpenError::MissingShards { known: known.len(), named: databases.len() });
    }
    for (place, database) in databases.iter().enumerate() {
        let is_right = match known.get(place) {
            Some(identity) => identity[..] == database.identity,
            // A new one; if it holds partitions, then those of another list of shards.
            None => !in_use[place] || known.iter().any(|id| id[..] == database.identity),
        };
        if !is_right {
            let shard = database.found().address.clone();
            return Err(MySqlOpenError::WrongShard { shard, number: place + 1 });
        }
    }
    let added: Vec<_> = (0_u16..)
        .zip(databases.iter().map(|database| database.identity))
        .skip(known.len())
        .collect();
    let first = &mut databases[0].database.connection;
    if !added.is_empty() {
        let new = if known.is_empty() { partitions } else { 0 };
        let created = create(first, &added, new).await;
        created.map_err(|source| databases[0].database.failed("place the partitions", source))?;
    }
    let placements = placements(&mut databases[0].database.connection).await;
    let placements =
        placements.map_err(|source| databases[0].database.failed("read the placements", source))?;
    if placements.len() != usize::from(partitions) {
        return Err(MySqlOpenError::Partitions { created: placements.len(), asked: partitions });
    }
    for (place, database) in (0_u16..).zip(databases) {
        let here: Vec<u16> =
            (0..partitions).filter(|log| placements[usize::from(*log)] == place).collect();
        let begun = begin(&mut database.database.connection, &here).await;
        begun.map_err(|source| database.database.failed("begin the partitions", source))?;
    }
    Ok(placements)
}

async fn known_shards(connection: &mut MySqlConnection) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("SELECT identity FROM shards ORDER BY shard").fetch_all(connection).await
}

pub(super) async fn placements(connection: &mut MySqlConnection) -> Result<Vec<u16>, sqlx::Error> {
    sqlx::query_scalar("SELECT shard FROM placements ORDER BY log").fetch_all(connection).await
}

/// Writes new shards, and in the same transaction where the partitions lie: as many on each.
async fn create(
    connection: &mut MySqlConnection,
    shards: &[(u16, [u8; 16])],
    partitions: u16,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
    let created = async {
        NEW_SHARDS
            .run(
                connection,
                shards,
                usize::MAX,
                |_| 0,
                |query, (shard, identity)| query.bind(*shard).bind(&identity[..]),
            )
            .await?;
        let count = shards.len() as u16;
        let placements: Vec<_> = (0..partitions).map(|log| (log, log % count)).collect();
        NEW_PLACEMENTS
            .run(
                connection,
                &placements,
                usize::MAX,
                |_| 0,
                |query, (log, shard)| query.bind(*log).bind(*shard),
            )
            .await?;
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await?;
        Ok(())
    };
    let created = created.await;
    if created.is_err() {
        rollback(connection).await?;
    }
    created
}

/// Gives every partition that lies here its row of progress.
async fn begin(connection: &mut MySqlConnection, logs: &[u16]) -> Result<(), sqlx::Error> {
    let begun = sqlx::query("SELECT log FROM progress").fetch_all(&mut *connection).await?;
    let begun: BTreeSet<u16> =
        begun.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    let missing: Vec<_> = logs.iter().filter(|log| !begun.contains(*log)).collect();
    NEW_PROGRESS.run(connection, &missing, usize::MAX, |_| 0, |query, log| query.bind(**log)).await
}
