//! Chores of the repository: `cargo xtask check` looks at what compilers do not (files, documents,
//! dependencies), `cargo xtask docs` writes the generated parts of the documents.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the command line")]

mod benchmarks;
mod check;
mod docs;
mod plot;
mod size;
mod tree;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask check | docs";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let done = match (words.next().as_deref(), words.next()) {
        (Some("check"), None) => check::run(),
        (Some("docs"), None) => docs::write(),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
