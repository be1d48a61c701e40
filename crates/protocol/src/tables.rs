//! The tables of `docs/protocol.md` as Markdown: limits, error codes, close codes, system texts.
//! `cargo xtask docs` writes them into the document, a test compares them.

use std::fmt::Write as _;

use frontdesk_core::limits;

use crate::{close, codes, texts};

/// Returns the name and the text of every table that `docs/protocol.md` holds between the lines
/// `<!-- table: NAME -->` and `<!-- end of table -->`.
pub fn document_tables() -> [(&'static str, String); 4] {
    [
        ("limits", limits_table()),
        ("errors", errors_table()),
        ("close codes", close_table()),
        ("system texts", texts_table()),
    ]
}

fn limits_table() -> String {
    let mut table = head(&["Name", "Default", "Unit", "Why"]);
    for limit in limits::TABLE {
        let name = format!("`{}`", limit.name.to_ascii_lowercase());
        row(&mut table, &[&name, &limit.value.to_string(), limit.unit.name(), limit.reason]);
    }
    table
}

fn errors_table() -> String {
    let mut table = head(&["Code", "HTTP", "Try again", "What happened", "What a client does"]);
    for line in codes::ALL {
        let code = format!("`{}`", line.code);
        row(
            &mut table,
            &[&code, &line.status.to_string(), line.retry.name(), line.text, line.client],
        );
    }
    table
}

fn close_table() -> String {
    let mut table = head(&["Code", "Reason", "The client", "When"]);
    for line in close::ALL {
        let reason = format!("`{}`", line.reason);
        row(&mut table, &[&line.code.to_string(), &reason, line.action().name(), line.text]);
    }
    table
}

fn texts_table() -> String {
    let mut table = head(&["Key", "Parameters", "Seen by", "English"]);
    for line in texts::ALL {
        let key = format!("`{}`", line.key);
        let params: Vec<String> = line.params.iter().map(|name| format!("`{name}`")).collect();
        let reader = if line.everyone { "everyone" } else { "team" };
        row(&mut table, &[&key, &params.join(", "), reader, line.text]);
    }
    table
}

fn head(names: &[&str]) -> String {
    let mut table = String::new();
    row(&mut table, names);
    writeln!(table, "|{}", "---|".repeat(names.len())).expect("a String grows");
    table
}

fn row(table: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(table, "| {} |", cells.join(" | ")).expect("a String grows");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_table_is_one_row() {
        let rows = [limits::TABLE.len(), codes::ALL.len(), close::ALL.len(), texts::ALL.len()];
        for ((name, table), rows) in document_tables().into_iter().zip(rows) {
            assert_eq!(table.lines().count(), rows + 2, "{name}");
        }
    }
}
