//! The front pages say the same in both languages, and every picture kept for a document is shown.

use std::{collections::BTreeSet, fs, path::Path};

use super::Report;
use crate::tree::SourceFile;

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";
/// Where pictures of documents lie.
const PICTURES: [&str; 2] = ["docs/images", "docs/screenshots"];

pub(super) fn check(root: &Path, files: &[SourceFile], report: &mut Report) {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| &*file.text);
    match (text(ENGLISH), text(CHINESE)) {
        (Some(english), Some(chinese)) => same(english, chinese, report),
        _ => report.error(format!("{ENGLISH} and {CHINESE} are not both there")),
    }
    let documents: Vec<&str> = files
        .iter()
        .filter(|file| Path::new(&file.path).extension().is_some_and(|kind| kind == "md"))
        .map(|file| &*file.text)
        .collect();
    for folder in PICTURES {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let shown = documents.iter().any(|text| text.contains(&name));
            if !shown && Path::new(&name).extension().is_some_and(|kind| kind != "md") {
                report.error(format!("{folder}/{name}: no document shows it"));
            }
        }
    }
}

/// Words differ; commands, headings and what is linked do not.
fn same(english: &str, chinese: &str, report: &mut Report) {
    let mut differ = |what: &str, differs: bool| {
        if differs {
            report.error(format!("{CHINESE}: other {what} than {ENGLISH}"));
        }
    };
    differ("commands", commands(english) != commands(chinese));
    differ("headings", headings(english) != headings(chinese));
    differ("links", links(english) != links(chinese));
}

/// What stands in code blocks.
fn commands(text: &str) -> Vec<&str> {
    text.split("```").skip(1).step_by(2).collect()
}

/// The levels of the headings, in their order.
fn headings(text: &str) -> Vec<usize> {
    let outside: String = text.split("```").step_by(2).collect();
    outside
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.chars().take_while(|&c| c == '#').count())
        .collect()
}

/// What is linked, but for the other page and the picture, of which each language has its own.
fn links(text: &str) -> BTreeSet<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|part| part.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.starts_with("README") && !target.starts_with("docs/images/"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# A\n[b](docs/b.md)\n```sh\nmake run # x\n```\n## C\n![p](docs/images/en.webp)";

    fn errors(chinese: &str) -> Vec<String> {
        let mut report = Report::default();
        same(PAGE, chinese, &mut report);
        report.errors
    }

    #[test]
    fn pages_that_differ_in_words_and_pictures_alone_are_the_same() {
        let chinese = PAGE.replace("# A", "# 甲").replace("en.webp", "zh-CN.webp");
        assert!(errors(&chinese).is_empty(), "{:?}", errors(&chinese));
    }

    #[test]
    fn another_command_heading_or_link_is_told() {
        for (from, to, what) in [
            ("make run", "make test", "commands"),
            ("## C", "### C", "headings"),
            ("docs/b.md", "docs/c.md", "links"),
        ] {
            let found = errors(&PAGE.replace(from, to));
            assert_eq!(found.len(), 1, "{from}: {found:?}");
            assert!(found[0].contains(what), "{from}: {found:?}");
        }
    }
}
