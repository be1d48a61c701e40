//! A statement with its values, run on whichever engine the catalog lies on. What callers write is the SQL both
//! understand; where they do not, [`Dialects`] holds one text for each, side by side.

use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Row as _, Sqlite, Type};

use crate::store::On;

/// The text of a statement for each engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialects {
    /// SQLite.
    pub(crate) sqlite: &'static str,
    /// MySQL and MariaDB.
    pub(crate) mysql: &'static str,
}

impl From<&'static str> for Dialects {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, mysql: both }
    }
}

/// A value of a statement; None is NULL.
#[derive(Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($from:ty => $value:ident => $variant:ident($($to:tt)+)),+ $(,)?) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant($($to)+)
            }
        })+
    };
}
values! {
    i64 => value => Int(Some(value)),
    Option<i64> => value => Int(value),
    String => value => Text(Some(value)),
    &String => value => Text(Some(value.clone())),
    &str => value => Text(Some(value.to_owned())),
    Option<String> => value => Text(value),
    Vec<u8> => value => Bytes(Some(value)),
    Option<Vec<u8>> => value => Bytes(value),
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) text: Dialects,
    pub(crate) values: Vec<Value>,
}

/// A statement whose rows are taken as they are.
pub(crate) fn query(text: impl Into<Dialects>) -> Query {
    Query { text: text.into(), values: Vec::new() }
}

/// A statement whose first column is asked for.
pub(crate) fn scalar<T: Column>(text: impl Into<Dialects>) -> Scalar<T> {
    Scalar { query: query(text), column: std::marker::PhantomData }
}

impl Query {
    /// The next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Changes rows; tells how many there were.
    pub(crate) async fn execute(self, on: impl Into<On<'_>>) -> Result<Done, sqlx::Error> {
        on.into().execute(self).await.map(Done)
    }

    /// All rows.
    pub(crate) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<Row>, sqlx::Error> {
        on.into().fetch_all(self).await
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(
        self,
        on: impl Into<On<'_>>,
    ) -> Result<Option<Row>, sqlx::Error> {
        on.into().fetch_optional(self).await
    }

    /// The first row, of a statement that always gives one.
    pub(crate) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// What came of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done(u64);

impl Done {
    /// Rows the change was about, whether or not they are now others than before.
    pub(crate) fn rows_affected(self) -> u64 {
        self.0
    }
}

/// A statement for its first column.
#[derive(Debug)]
pub(crate) struct Scalar<T> {
    query: Query,
    column: std::marker::PhantomData<fn() -> T>,
}

impl<T: Column> Scalar<T> {
    /// The next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// That of all rows.
    pub(crate) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<T>, sqlx::Error> {
        self.query.fetch_all(on).await?.iter().map(|row| T::get(row, 0)).collect()
    }

    /// That of the first row, if there is one.
    pub(crate) async fn fetch_optional(
        self,
        on: impl Into<On<'_>>,
    ) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(on).await?.as_ref().map(|row| T::get(row, 0)).transpose()
    }

    /// That of the first row, of a statement that always gives one.
    pub(crate) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<T, sqlx::Error> {
        T::get(&self.query.fetch_one(on).await?, 0)
    }
}

/// A row of either engine.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
}

/// What a column can hold.
pub(crate) trait Column: Sized {
    /// Reads it, by its name or place.
    fn get<I>(row: &Row, column: I) -> Result<Self, sqlx::Error>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow>;
}

macro_rules! columns {
    ($($type:ty),+) => {
        $(impl Column for $type {
            fn get<I>(row: &Row, column: I) -> Result<Self, sqlx::Error>
            where
                I: ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow>,
            {
                match row {
                    Row::Sqlite(row) => row.try_get(column),
                    Row::MySql(row) => row.try_get(column),
                }
            }
        })+
    };
}
columns!(i64, Option<i64>, Vec<u8>, Option<Vec<u8>>);

/// Texts lie in MySQL as bytes, which no collation compares and no character set changes.
fn text<'r, T, B, I>(
    row: &'r Row,
    column: I,
    of_bytes: impl FnOnce(B) -> Result<T, std::string::FromUtf8Error>,
) -> Result<T, sqlx::Error>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
    B: Decode<'r, sqlx::MySql> + Type<sqlx::MySql>,
    I: ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow>,
{
    match row {
        Row::Sqlite(row) => row.try_get(column),
        Row::MySql(row) => {
            of_bytes(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
        }
    }
}

impl Column for String {
    fn get<I>(row: &Row, column: I) -> Result<Self, sqlx::Error>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow>,
    {
        text(row, column, Self::from_utf8)
    }
}

impl Column for Option<String> {
    fn get<I>(row: &Row, column: I) -> Result<Self, sqlx::Error>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow>,
    {
        text(row, column, |bytes: Option<Vec<u8>>| bytes.map(String::from_utf8).transpose())
    }
}
