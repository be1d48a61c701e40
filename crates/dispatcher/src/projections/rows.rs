//! Reading columns and writing numbers, checked.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row, sqlite::SqliteRow};

use super::ProjectionError;

fn stored<T>(column: &'static str, value: Result<T, sqlx::Error>) -> Result<T, ProjectionError> {
    value.map_err(|_| ProjectionError::Stored { what: column })
}

pub(super) fn text(row: &SqliteRow, column: &'static str) -> Result<String, ProjectionError> {
    stored(column, row.try_get(column))
}

pub(super) fn int(row: &SqliteRow, column: &'static str) -> Result<i64, ProjectionError> {
    stored(column, row.try_get(column))
}

pub(super) fn count(row: &SqliteRow, column: &'static str) -> Result<u64, ProjectionError> {
    u64::try_from(int(row, column)?).map_err(|_| ProjectionError::Stored { what: column })
}

pub(super) fn bytes(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>, ProjectionError> {
    stored(column, row.try_get(column))
}

pub(super) fn parsed<T: FromStr>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, ProjectionError> {
    text(row, column)?.parse().map_err(|_| ProjectionError::Stored { what: column })
}

pub(super) fn json<T: DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, ProjectionError> {
    serde_json::from_str(&text(row, column)?).map_err(|_| ProjectionError::Stored { what: column })
}

/// A protobuf message, or none.
pub(super) fn message<T: prost::Message + Default>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<T>, ProjectionError> {
    let bytes: Option<Vec<u8>> = stored(column, row.try_get(column))?;
    bytes
        .map(|bytes| {
            T::decode(bytes.as_slice()).map_err(|_| ProjectionError::Stored { what: column })
        })
        .transpose()
}

pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("maps of text to text or numbers always have a JSON form")
}

/// Seqs and offsets stay far below 2^63.
pub(super) fn stored_int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
