//! Opening the databases: what is wrong with one is found before anything is written, and said in words.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{ConnectOptions, SqlSafeStr};
use tokio::time::timeout;

use super::MySqlOptions;
use super::error::{MySqlOpenError, number, numbers};
use super::placement::place;
use super::shard::{Found, prepare};

/// Less could not take the largest message with what surrounds it, or would make a statement of every row.
const PACKET_BYTES_MIN: u64 = 4 << 20;
/// How long another node may take to open the same databases.
const LOCK_SECONDS: u32 = 60;
/// How long it may take to change tables that are large.
const MIGRATE_TIMEOUT: Duration = Duration::from_mins(30);
/// How long it may take to place the partitions.
const PLACE_TIMEOUT: Duration = Duration::from_mins(1);
/// Not the migrator's default name: other parts of the product may keep tables in the same database.
const MIGRATIONS_TABLE: &str = "history_migrations";
/// In the order of their versions, from 1. One that was released stays as it is.
const MIGRATIONS: [(&str, &str); 3] = [
    ("history", include_str!("../../migrations/mysql/0001_history.sql")),
    ("changed", include_str!("../../migrations/mysql/0002_changed.sql")),
    ("moves", include_str!("../../migrations/mysql/0003_moves.sql")),
];

/// A database that is being opened.
pub(super) struct Opening {
    pub(super) connection: MySqlConnection,
    pub(super) found: Found,
    /// What an operator should know.
    pub(super) warnings: Vec<String>,
}

impl Opening {
    /// Connects and looks at the settings. Changes nothing.
    async fn connect(
        place: usize,
        url: &str,
        answer_timeout: Duration,
    ) -> Result<Self, MySqlOpenError> {
        let parsed = match url.split_once("://") {
            Some(("mysql" | "mariadb", _)) => MySqlConnectOptions::from_str(url),
            _ => Err(sqlx::Error::Configuration("it does not begin with mysql://".into())),
        };
        let options = parsed
            .map_err(|source| MySqlOpenError::Url { number: place + 1, source })?
            // The server's mode is looked at rather than changed.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        let database = options.get_database().unwrap_or_default();
        let shard = format!("mysql://{}:{}/{database}", options.get_host(), options.get_port());
        if database.is_empty() {
            return Err(MySqlOpenError::NoDatabase { shard });
        }
        let address = shard.clone();
        let connected = async {
            let connected = options.connect().await;
            let mut connection =
                connected.map_err(|source| connect_error(shard.clone(), source))?;
            let prepared = prepare(&mut connection).await;
            prepared.map_err(|source| connect_error(shard.clone(), source))?;
            let found = Found { options, address: shard, identity: [0; 16], packet_bytes_max: 0 };
            let mut opening = Self { connection, found, warnings: Vec::new() };
            opening.check_settings().await?;
            Ok(opening)
        };
        within(answer_timeout, &address, connected).await
    }

    async fn check_settings(&mut self) -> Result<(), MySqlOpenError> {
        let (packet_bytes_max, flush, mode): (u64, u64, String) = sqlx::query_as(
            "SELECT CAST(@@max_allowed_packet AS UNSIGNED), \
             CAST(@@innodb_flush_log_at_trx_commit AS UNSIGNED), CAST(@@sql_mode AS CHAR)",
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(|source| self.failed("read the settings", source))?;
        let wrong = |setting, value, advice| {
            Err(MySqlOpenError::Setting {
                shard: self.found.address.clone(),
                setting,
                value,
                advice,
            })
        };
        if !mode.split(',').any(|part| matches!(part, "STRICT_TRANS_TABLES" | "STRICT_ALL_TABLES"))
        {
            let advice =
                "add STRICT_TRANS_TABLES to it, else what does not fit is cut off unnoticed";
            return wrong("sql_mode", format!("'{mode}'"), advice);
        }
        if packet_bytes_max < PACKET_BYTES_MIN {
            let advice =
                "set it to 16M or more (4M at least), else large messages cannot be stored";
            return wrong("max_allowed_packet", packet_bytes_max.to_string(), advice);
        }
        self.found.packet_bytes_max = packet_bytes_max as usize;
        if flush != 1 {
            self.warnings.push(format!(
                "{} has innodb_flush_log_at_trx_commit = {flush}: a power loss there may take what was stored \
                 last; set it to 1",
                self.found.address
            ));
        }
        Ok(())
    }

    /// Keeps others from opening the same databases until this connection is closed.
    async fn lock(&mut self) -> Result<(), MySqlOpenError> {
        let locked: Option<i64> =
            sqlx::query_scalar("SELECT GET_LOCK(CONCAT('frontdesk.', LEFT(DATABASE(), 48)), ?)")
                .bind(LOCK_SECONDS)
                .fetch_one(&mut self.connection)
                .await
                .map_err(|source| self.failed("lock the schema", source))?;
        match locked {
            Some(1) => Ok(()),
            _ => Err(MySqlOpenError::Late { shard: self.found.address.clone() }),
        }
    }

    /// Creates the tables or brings them up to date, and reads the database's identity.
    async fn migrate(&mut self) -> Result<(), MySqlOpenError> {
        let shard = || self.found.address.clone();
        match migrator().run(&mut self.connection).await {
            Ok(()) => {}
            Err(MigrateError::VersionMissing(version)) => {
                return Err(MySqlOpenError::TooNew { shard: shard(), version });
            }
            Err(source) => return Err(MySqlOpenError::Migrate { shard: shard(), source }),
        }
        self.identify().await.map_err(|source| self.failed("read its identity", source))
    }

    async fn identify(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO identity (one, id) SELECT 1, UNHEX(REPLACE(UUID(), '-', '')) \
             FROM (SELECT 1 AS one) AS row_to_be WHERE NOT EXISTS (SELECT 1 FROM identity)",
        )
        .execute(&mut self.connection)
        .await?;
        let id: Vec<u8> =
            sqlx::query_scalar("SELECT id FROM identity").fetch_one(&mut self.connection).await?;
        self.found.identity =
            id.try_into().map_err(|_| sqlx::Error::Decode("an identity has 16 bytes".into()))?;
        Ok(())
    }

    pub(super) fn failed(&self, operation: &'static str, source: sqlx::Error) -> MySqlOpenError {
        MySqlOpenError::Statement { operation, shard: self.found.address.clone(), source }
    }
}

/// Waits for a step of opening.
async fn within<T>(
    limit: Duration,
    shard: &str,
    step: impl Future<Output = Result<T, MySqlOpenError>>,
) -> Result<T, MySqlOpenError> {
    let done = timeout(limit, step).await;
    done.unwrap_or_else(|_| Err(MySqlOpenError::Late { shard: shard.to_owned() }))
}

/// Opens all databases; tells on which of them each partition lies.
pub(super) async fn open_all(
    options: &MySqlOptions,
) -> Result<(Vec<Opening>, Vec<u16>), MySqlOpenError> {
    let mut databases = Vec::new();
    for (place, url) in options.urls.iter().enumerate() {
        databases.push(Opening::connect(place, url, options.timeout).await?);
    }
    let Some(first) = databases.first_mut() else { return Err(MySqlOpenError::NoShard) };
    let address = first.found.address.clone();
    let lock_timeout = Duration::from_secs(u64::from(LOCK_SECONDS)) + options.timeout;
    within(lock_timeout, &address, first.lock()).await?;
    for database in &mut databases {
        let address = database.found.address.clone();
        within(MIGRATE_TIMEOUT, &address, database.migrate()).await?;
    }
    let placed = place(&mut databases, options.partitions);
    let placements = within(PLACE_TIMEOUT, "one of the databases", placed).await?;
    Ok((databases, placements))
}

fn migrator() -> Migrator {
    let migration = |(version, (name, text)): (i64, (&'static str, &'static str))| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations((1..).zip(MIGRATIONS).map(migration).collect());
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    // The lock on the first database holds for all of them.
    migrator.set_locking(false);
    migrator
}

fn connect_error(shard: String, source: sqlx::Error) -> MySqlOpenError {
    match number(&source) {
        Some(numbers::ACCESS_DENIED | numbers::DATABASE_DENIED) => {
            MySqlOpenError::Refused { shard, source }
        }
        Some(numbers::UNKNOWN_DATABASE) => MySqlOpenError::UnknownDatabase { shard, source },
        Some(
            numbers::TOO_MANY_CONNECTIONS
            | numbers::TOO_MANY_USER_CONNECTIONS
            | numbers::USER_LIMIT_REACHED,
        ) => MySqlOpenError::Full { shard, source },
        _ if matches!(source, sqlx::Error::Configuration(_)) => {
            MySqlOpenError::Plugin { shard, source }
        }
        _ => MySqlOpenError::Connect { shard, source },
    }
}
