//! Opening a database: what is wrong with it is found before anything is written, and said in words.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{ConnectOptions, SqlSafeStr};
use tokio::time::timeout;

use super::error::{OpenError, number, numbers};
use super::pool::prepare;

/// Less could not take the largest message with what surrounds it, or would make a statement of every row.
const PACKET_BYTES_MIN: u64 = 4 << 20;
/// How long another node may take to open the same database.
const LOCK_SECONDS: u32 = 60;
/// How long it may take to change tables that are large.
const MIGRATE_TIMEOUT: Duration = Duration::from_mins(30);

/// What opening found out about a database.
#[derive(Debug, Clone)]
pub struct Found {
    /// How to connect again.
    pub options: MySqlConnectOptions,
    /// Host, port and database.
    pub address: String,
    /// What one packet may have.
    pub packet_bytes_max: usize,
}

/// A database that is being opened.
#[derive(Debug)]
pub struct Opening {
    /// The one connection so far.
    pub connection: MySqlConnection,
    /// What it is.
    pub found: Found,
    /// What an operator should know.
    pub warnings: Vec<String>,
    answer_timeout: Duration,
}

impl Opening {
    /// Connects and looks at the settings. Changes nothing. `number` is the place among the addresses that
    /// were configured, from 1.
    pub async fn connect(
        number: usize,
        url: &str,
        answer_timeout: Duration,
    ) -> Result<Self, OpenError> {
        let parsed = match url.split_once("://") {
            Some(("mysql" | "mariadb", _)) => MySqlConnectOptions::from_str(url),
            _ => Err(sqlx::Error::Configuration("it does not begin with mysql://".into())),
        };
        let options = parsed
            .map_err(|source| OpenError::Url { number, source })?
            // The server's mode is looked at rather than changed.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        let database = options.get_database().unwrap_or_default();
        let address = format!("mysql://{}:{}/{database}", options.get_host(), options.get_port());
        if database.is_empty() {
            return Err(OpenError::NoDatabase { address });
        }
        let connected = async {
            let connected = options.connect().await;
            let mut connection =
                connected.map_err(|source| connect_error(address.clone(), source))?;
            let prepared = prepare(&mut connection).await;
            prepared.map_err(|source| connect_error(address.clone(), source))?;
            let found = Found { options, address: address.clone(), packet_bytes_max: 0 };
            let mut opening = Self { connection, found, warnings: Vec::new(), answer_timeout };
            opening.check_settings().await?;
            Ok(opening)
        };
        within(answer_timeout, &address, connected).await
    }

    async fn check_settings(&mut self) -> Result<(), OpenError> {
        let (packet_bytes_max, flush, mode): (u64, u64, String) = sqlx::query_as(
            "SELECT CAST(@@max_allowed_packet AS UNSIGNED), \
             CAST(@@innodb_flush_log_at_trx_commit AS UNSIGNED), CAST(@@sql_mode AS CHAR)",
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(|source| self.failed("read the settings", source))?;
        let wrong = |setting, value, advice| {
            Err(OpenError::Setting { address: self.found.address.clone(), setting, value, advice })
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

    /// Keeps others from opening the same database until this connection is closed.
    pub async fn lock(&mut self) -> Result<(), OpenError> {
        let limit = Duration::from_secs(u64::from(LOCK_SECONDS)) + self.answer_timeout;
        let address = self.found.address.clone();
        let locked = async {
            let locked: Option<i64> = sqlx::query_scalar(
                "SELECT GET_LOCK(CONCAT('frontdesk.', LEFT(DATABASE(), 48)), ?)",
            )
            .bind(LOCK_SECONDS)
            .fetch_one(&mut self.connection)
            .await
            .map_err(|source| self.failed("lock the schema", source))?;
            match locked {
                Some(1) => Ok(()),
                _ => Err(OpenError::Late { address: self.found.address.clone() }),
            }
        };
        within(limit, &address, locked).await
    }

    /// Creates tables or brings them up to date, by steps of a number, a name and their SQL. Which of them
    /// were made is kept in a table of that name. Whoever calls it holds the lock.
    pub async fn migrate(
        &mut self,
        table: &'static str,
        steps: &[(i64, &'static str, &'static str)],
    ) -> Result<(), OpenError> {
        let address = self.found.address.clone();
        let migrated = async {
            match migrator(table, steps).run(&mut self.connection).await {
                Ok(()) => Ok(()),
                Err(MigrateError::VersionMissing(version)) => {
                    Err(OpenError::TooNew { address: address.clone(), version })
                }
                Err(source) => Err(OpenError::Migrate { address: address.clone(), source }),
            }
        };
        within(MIGRATE_TIMEOUT, &address, migrated).await
    }

    /// The error of a statement.
    pub fn failed(&self, operation: &'static str, source: sqlx::Error) -> OpenError {
        OpenError::Statement { operation, address: self.found.address.clone(), source }
    }
}

/// Waits for a step of opening.
pub async fn within<T, E: From<OpenError>>(
    limit: Duration,
    address: &str,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let done = timeout(limit, step).await;
    done.unwrap_or_else(|_| Err(OpenError::Late { address: address.to_owned() }.into()))
}

fn migrator(table: &'static str, steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let steps = steps
        .iter()
        .map(|(version, name, sql)| {
            let sql = sql.into_sql_str();
            Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(steps);
    // Not the migrator's default name: several parts of the product keep tables in the same database.
    migrator.dangerous_set_table_name(table);
    // Whoever opens several databases holds the lock of the first.
    migrator.set_locking(false);
    migrator
}

fn connect_error(address: String, source: sqlx::Error) -> OpenError {
    match number(&source) {
        Some(numbers::ACCESS_DENIED | numbers::DATABASE_DENIED) => {
            OpenError::Refused { address, source }
        }
        Some(numbers::UNKNOWN_DATABASE) => OpenError::UnknownDatabase { address, source },
        _ if super::error::is_full(&source) => OpenError::Full { address, source },
        _ if matches!(source, sqlx::Error::Configuration(_)) => {
            OpenError::Plugin { address, source }
        }
        _ => OpenError::Connect { address, source },
    }
}
