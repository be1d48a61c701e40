//! `cargo xtask check`: errors fail, notes are a prompt to look.

mod dependencies;
mod front;
mod intent;
mod licence;
mod lockfiles;
mod tidy;

use crate::{docs, tree};

/// What the checks found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    errors: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    fn error(&mut self, text: impl Into<String>) {
        self.errors.push(text.into());
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Runs all checks and prints what they found; true where there is no error.
pub(crate) fn run() -> Result<bool, String> {
    let root = tree::root();
    let files = tree::files(&root)?;
    let mut report = Report::default();
    tidy::check(&root, &files, &mut report);
    lockfiles::check(&files, &mut report);
    front::check(&root, &files, &mut report);
    intent::check(&files, &mut report);
    dependencies::check(&root, &mut report)?;
    for (path, text) in docs::expected(&root)? {
        if tree::read(&root, path)? != text {
            report.error(format!("{path}: out of date; run `cargo xtask docs`"));
        }
    }
    for note in &report.notes {
        println!("note: {note}");
    }
    for error in &report.errors {
        println!("error: {error}");
    }
    println!(
        "xtask check: {} files, {} errors, {} notes",
        files.len(),
        report.errors.len(),
        report.notes.len()
    );
    Ok(report.errors.is_empty())
}
