//! Opening the shards: their tables, which database is which, and where the partitions lie.

use std::time::Duration;

use frontdesk_core::{id::ConversationId, partition_of};
use frontdesk_mysql::{Found, OpenError, Opening, within};

use super::MySqlOptions;
use super::error::MySqlOpenError;
use super::placement::place;

/// How long it may take to place the partitions.
const PLACE_TIMEOUT: Duration = Duration::from_mins(1);
/// Which steps of the schema were made.
const MIGRATIONS_TABLE: &str = "history_migrations";
/// In the order of their versions, from 1. One that was released stays as it is.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "history", include_str!("../../migrations/mysql/0001_history.sql")),
    (2, "changed", include_str!("../../migrations/mysql/0002_changed.sql")),
    (3, "moves", include_str!("../../migrations/mysql/0003_moves.sql")),
];

/// A shard that is being opened.
pub(super) struct OpeningShard {
    pub(super) database: Opening,
    /// A random id that the database keeps.
    pub(super) identity: [u8; 16],
}

impl OpeningShard {
    /// Creates the tables or brings them up to date, and reads the database's identity.
    async fn migrated(mut database: Opening) -> Result<Self, OpenError> {
        database.migrate(MIGRATIONS_TABLE, STEPS).await?;
        let identity = identify(&mut database).await;
        let identity = identity.map_err(|source| database.failed("read its identity", source))?;
        Ok(Self { database, identity })
    }

    /// Whether this version finds what lies here. A look at one conversation tells.
    async fn check_hash(&mut self, partitions: u16) -> Result<(), MySqlOpenError> {
        let one: Option<(Vec<u8>, u16)> =
            sqlx::query_as("SELECT id, log FROM conversations LIMIT 1")
                .fetch_optional(&mut self.database.connection)
                .await
                .map_err(|source| self.database.failed("look at a conversation", source))?;
        let Some((id, found)) = one else { return Ok(()) };
        let Ok(id) = id.try_into() else { return Ok(()) };
        let conversation = ConversationId::from_bytes(id);
        let expected = partition_of(&conversation, partitions);
        if found == expected {
            return Ok(());
        }
        let shard = self.found().address.clone();
        Err(MySqlOpenError::Misplaced { shard, conversation, found, expected })
    }

    pub(super) fn found(&self) -> &Found {
        &self.database.found
    }
}

async fn identify(database: &mut Opening) -> Result<[u8; 16], sqlx::Error> {
    sqlx::query(
        "INSERT INTO identity (one, id) SELECT 1, UNHEX(REPLACE(UUID(), '-', '')) \
         FROM (SELECT 1 AS one) AS row_to_be WHERE NOT EXISTS (SELECT 1 FROM identity)",
    )
    .execute(&mut database.connection)
    .await?;
    let id: Vec<u8> =
        sqlx::query_scalar("SELECT id FROM identity").fetch_one(&mut database.connection).await?;
    id.try_into().map_err(|_| sqlx::Error::Decode("an identity has 16 bytes".into()))
}

/// Opens all databases; tells on which of them each partition lies.
pub(super) async fn open_all(
    options: &MySqlOptions,
) -> Result<(Vec<OpeningShard>, Vec<u16>), MySqlOpenError> {
    let mut databases = Vec::new();
    for (place, url) in options.urls.iter().enumerate() {
        databases.push(Opening::connect(place + 1, url, options.timeout).await?);
    }
    let Some(first) = databases.first_mut() else { return Err(MySqlOpenError::NoShard) };
    // The lock on the first database holds for all of them.
    first.lock().await?;
    let mut shards = Vec::new();
    for database in databases {
        shards.push(OpeningShard::migrated(database).await?);
    }
    let placed = place(&mut shards, options.partitions);
    let placements = within(PLACE_TIMEOUT, "one of the databases", placed).await?;
    for shard in &mut shards {
        shard.check_hash(options.partitions).await?;
    }
    Ok((shards, placements))
}
