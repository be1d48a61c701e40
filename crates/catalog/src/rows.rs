//! Reading columns: every value a row gives is checked, so a damaged or newer row is an error that
//! names its column and never a default.

use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;
use crate::sql::{Column, Row};

fn stored<T>(column: &'static str, value: Result<T, sqlx::Error>) -> Result<T, Error> {
    value.map_err(|_| Error::Stored { what: column })
}

pub(crate) fn text(row: &Row, column: &'static str) -> Result<String, Error> {
    stored(column, Column::get(row, column))
}

pub(crate) fn int(row: &Row, column: &'static str) -> Result<i64, Error> {
    stored(column, Column::get(row, column))
}

pub(crate) fn maybe_int(row: &Row, column: &'static str) -> Result<Option<i64>, Error> {
    stored(column, Column::get(row, column))
}

pub(crate) fn flag(row: &Row, column: &'static str) -> Result<bool, Error> {
    Ok(int(row, column)? != 0)
}

pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<T, Error> {
    T::try_from(int(row, column)?).map_err(|_| Error::Stored { what: column })
}

pub(crate) fn bytes(row: &Row, column: &'static str) -> Result<Vec<u8>, Error> {
    stored(column, Column::get(row, column))
}

pub(crate) fn maybe_bytes(row: &Row, column: &'static str) -> Result<Option<Vec<u8>>, Error> {
    stored(column, Column::get(row, column))
}

/// An id, or any other type with a text form.
pub(crate) fn parsed<T: FromStr>(row: &Row, column: &'static str) -> Result<T, Error> {
    text(row, column)?.parse().map_err(|_| Error::Stored { what: column })
}

pub(crate) fn maybe_parsed<T: FromStr>(
    row: &Row,
    column: &'static str,
) -> Result<Option<T>, Error> {
    let text: Option<String> = stored(column, Column::get(row, column))?;
    text.map(|text| text.parse().map_err(|_| Error::Stored { what: column })).transpose()
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row, column: &'static str) -> Result<T, Error> {
    serde_json::from_str(&text(row, column)?).map_err(|_| Error::Stored { what: column })
}

/// The JSON text of a value made of maps with string keys, strings and numbers.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data with string keys always has a JSON form")
}
