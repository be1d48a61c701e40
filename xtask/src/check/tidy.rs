//! Habits of the house that no compiler knows: what a file begins with, what a log line holds, what
//! a document points at.

use std::path::Path;

use super::Report;
use crate::tree::SourceFile;

/// Longer files are worth a look.
const LINES_MAX: usize = 800;
/// Directories of one machine; in pieces, so that this file does not name them either.
const WORKPLACES: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp", "/fd"), concat!("/ho", "me/")];
/// Where the paths begin that documents name.
const FOLDERS: [&str; 10] = [
    "crates/",
    "docs/",
    "web/",
    "proto/",
    "config/",
    "examples/",
    "tests/",
    "scripts/",
    "xtask/",
    ".cargo/",
];
const LOG_MACROS: [&str; 5] =
    ["tracing::error!", "tracing::warn!", "tracing::info!", "tracing::debug!", "tracing::trace!"];

pub(super) fn check(root: &Path, files: &[SourceFile], report: &mut Report) {
    for file in files {
        let path = &file.path;
        for place in WORKPLACES {
            if let Some(line) = line_of(&file.text, place) {
                report.error(format!("{path}:{line}: names a directory of one machine, {place}"));
            }
        }
        let kind = path.rsplit('.').next().unwrap_or_default();
        if kind == "rs" {
            rust(file, report);
        }
        if kind == "md" {
            for target in targets(&file.text) {
                let near = Path::new(path).parent().unwrap_or(Path::new("")).join(&target);
                if !root.join(near).exists() && !root.join(&target).exists() {
                    report.error(format!("{path}: points at {target}, which is not there"));
                }
            }
        }
        let hand_written = ["rs", "ts", "tsx", "mjs", "py", "go", "css"].contains(&kind);
        let lines = file.text.lines().count();
        if hand_written && lines > LINES_MAX && !path.contains("/gen/") {
            report.note(format!("{path}: {lines} lines; does it do one thing?"));
        }
    }
}

fn rust(file: &SourceFile, report: &mut Report) {
    let path = &file.path;
    if !file.text.trim_start().starts_with("//!") {
        report.error(format!("{path}: does not begin with `//!`: what for, where in the flow"));
    }
    for name in LOG_MACROS {
        for (at, _) in file.text.match_indices(name) {
            let call = &file.text[at..];
            let call = &call[..call.find(");").unwrap_or(call.len())];
            if call.chars().any(is_emoji) {
                let line = file.text[..at].lines().count();
                report.error(format!("{path}:{line}: an emoji in a log line"));
            }
        }
    }
}

fn line_of(text: &str, part: &str) -> Option<usize> {
    text.lines().position(|line| line.contains(part)).map(|index| index + 1)
}

const fn is_emoji(c: char) -> bool {
    matches!(c as u32, 0x2600..=0x27bf | 0x2b50..=0x2b55 | 0xfe0f | 0x1f000..=0x1faff)
}

/// What a document points at: links within the repository, and paths in code spans.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in text.split("](").skip(1) {
        let Some((target, _)) = part.split_once(')') else { continue };
        let target = target.split('#').next().unwrap_or_default();
        if !target.is_empty() && !target.contains(':') && !target.contains(char::is_whitespace) {
            found.push(target.to_owned());
        }
    }
    for span in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
        let plain =
            span.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
        // What a build makes is not in the repository.
        let built = span.contains("/dist") || span.contains("node_modules");
        if plain && !built && FOLDERS.iter().any(|folder| span.starts_with(folder)) {
            found.push(span.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_point_at_links_and_paths_in_code_spans() {
        let text = "See [a](docs/a.md#top), [b](https://b.example), `crates/core` and `cargo run`.";
        assert_eq!(targets(text), ["docs/a.md", "crates/core"]);
    }

    #[test]
    fn an_emoji_in_a_log_line_is_found_and_one_elsewhere_is_not() {
        let file = |text: &str| SourceFile { path: "a.rs".to_owned(), text: text.to_owned() };
        let mut report = Report::default();
        rust(
            &file("//! a\nfn f() { tracing::info!(\"hello\"); let a = \"\u{1f44b}\"; }"),
            &mut report,
        );
        assert!(report.errors.is_empty(), "{report:?}");
        rust(&file("//! a\nfn f() { tracing::info!(\"hello \u{1f44b}\"); }"), &mut report);
        assert_eq!(report.errors.len(), 1, "{report:?}");
    }
}
