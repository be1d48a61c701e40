//! Many rows by few statements.
//!
//! A statement takes a power of two of rows, so that each connection keeps about ten prepared statements for
//! a table, whatever the sizes of batches are, and no more bytes than one packet of the server may have.

use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, MySql};

/// The rows of one statement; more gain nothing.
const ROWS_MAX: usize = 256;
/// The bytes of one statement, if the server takes that many; more gain nothing.
const STATEMENT_BYTES_MAX: usize = 1 << 20;
/// What a row takes beside its values, at most.
const ROW_OVERHEAD_BYTES: usize = 96;

/// A statement that takes values.
pub(super) type Values<'q> = Query<'q, MySql, MySqlArguments>;

/// A statement without its rows.
pub(super) struct Statement {
    /// What stands before them.
    pub(super) head: &'static str,
    /// The values of one row.
    pub(super) row: &'static str,
    /// What stands behind them.
    pub(super) tail: &'static str,
}

/// New entries.
pub(super) const ENTRIES: Statement = Statement {
    head: "INSERT INTO entries (conversation, seq, sender, client_msg_id, content_hash, entry) VALUES",
    row: "(?, ?, ?, ?, ?, ?)",
    tail: "",
};
/// New events.
pub(super) const EVENTS: Statement = Statement {
    head: "INSERT INTO events (conversation, number, event) VALUES",
    row: "(?, ?, ?)",
    tail: "",
};

impl Statement {
    /// Carries it out for all rows. `bytes` weighs one, `bind` gives its values.
    pub(super) async fn run<R>(
        &self,
        connection: &mut MySqlConnection,
        rows: &[R],
        packet_bytes_max: usize,
        bytes: impl Fn(&R) -> usize,
        bind: impl for<'q> Fn(Values<'q>, &R) -> Values<'q>,
    ) -> Result<(), sqlx::Error> {
        let bytes_max = STATEMENT_BYTES_MAX.min(packet_bytes_max / 2);
        let mut rest = rows;
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(chunk(rest, bytes_max, &bytes));
            rest = behind;
            let values = vec![self.row; chunk.len()].join(",");
            let text = format!("{} {values} {}", self.head, self.tail);
            let query = sqlx::query(AssertSqlSafe(text));
            chunk.iter().fold(query, &bind).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// How many of some rows the next statement takes, if they are small.
pub(super) fn rows_of_power(rows: usize) -> usize {
    1 << rows.min(ROWS_MAX).ilog2()
}

/// How many rows the next statement takes.
fn chunk<R>(rows: &[R], bytes_max: usize, bytes: &impl Fn(&R) -> usize) -> usize {
    let mut fit = 0_usize;
    let mut total = 0;
    for row in rows.iter().take(ROWS_MAX) {
        total += bytes(row) + ROW_OVERHEAD_BYTES;
        if total > bytes_max && fit > 0 {
            break;
        }
        fit += 1;
    }
    rows_of_power(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_a_power_of_two_of_rows_that_fit() {
        let weigh = |row: &usize| *row;
        let cases: [(&[usize], usize); 7] = [
            (&[1], 1),
            (&[1; 3], 2),
            (&[1; 300], 256),
            (&[1000; 9], 8),
            (&[20_000; 3], 1),
            (&[7_000; 9], 4),
            (&[50_000, 1, 1], 1),
        ];
        for (rows, expected) in cases {
            assert_eq!(chunk(rows, 30_000, &weigh), expected, "{} rows", rows.len());
        }
    }
}
