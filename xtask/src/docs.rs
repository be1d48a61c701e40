//! The generated parts of the documents: `docs/events.md` as a whole, and the tables in
//! `docs/protocol.md` between `<!-- table: NAME -->` and `<!-- end of table -->`; and, where there is a
//! result of `make bench`, the figures and plots of `docs/benchmarks.md`; where there is one of
//! `frontdesk bench size`, its tables of a full store.

use std::{fs, path::Path};

use frontdesk_protocol::{document_tables, events_markdown};

use crate::{benchmarks, size, tree};

const PROTOCOL: &str = "docs/protocol.md";
const EVENTS: &str = "docs/events.md";
const END: &str = "<!-- end of table -->";

/// Writes every generated part.
pub(crate) fn write() -> Result<bool, String> {
    let root = tree::root();
    for (path, text) in expected(&root)? {
        fs::write(root.join(path), text)
            .map_err(|error| format!("cannot write {path}: {error}"))?;
        println!("wrote {path}");
    }
    Ok(true)
}

/// Every document with generated parts, as it should be.
pub(crate) fn expected(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let mut protocol = tree::read(root, PROTOCOL)?;
    for (name, table) in document_tables() {
        protocol = replace(&protocol, name, &table)
            .ok_or_else(|| format!("{PROTOCOL} has no place for the table \"{name}\""))?;
    }
    let mut all = vec![(PROTOCOL, protocol), (EVENTS, events_markdown().to_owned())];
    if root.join(benchmarks::RESULT).exists() {
        let mut document = tree::read(root, benchmarks::DOCUMENT)?;
        if root.join(size::RESULT).exists() {
            let tables = size::tables(&tree::read(root, size::RESULT)?)?;
            document = replace(&document, size::TABLE, &tables).ok_or_else(|| {
                format!("{} has no place for the table \"{}\"", benchmarks::DOCUMENT, size::TABLE)
            })?;
        }
        let result = tree::read(root, benchmarks::RESULT)?;
        let reference = if root.join(benchmarks::REFERENCE).exists() {
            Some(tree::read(root, benchmarks::REFERENCE)?)
        } else {
            None
        };
        all.extend(benchmarks::written(&document, &result, reference.as_deref())?);
    }
    Ok(all)
}

fn replace(document: &str, name: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- table: {name} -->\n");
    let from = document.find(&begin)? + begin.len();
    let to = from + document[from..].find(END)?;
    Some(format!("{}\n{table}\n{}", &document[..from], &document[to..]))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn a_table_is_put_between_its_markers_and_nowhere_else() {
        let document = "a\n<!-- table: x -->\nold\n<!-- end of table -->\nb\n";
        let once = replace(document, "x", "| t |\n").expect("the markers are there");
        assert_eq!(once, "a\n<!-- table: x -->\n\n| t |\n\n<!-- end of table -->\nb\n");
        assert_eq!(replace(&once, "x", "| t |\n").as_deref(), Some(once.as_str()));
        assert_eq!(replace(document, "y", ""), None);
    }
}
