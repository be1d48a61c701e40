//! Texts with known labels: lines of JSON in one file or in the files of a directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::Label;

/// A text with its label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Example {
    /// What was written.
    pub text: String,
    /// What it asks.
    pub label: Label,
    /// Language by the name the line gives it; a report has figures for each.
    #[serde(default = "unknown")]
    pub lang: String,
    /// Industry, where the line names one.
    #[serde(default)]
    pub industry: String,
    /// Name of the file without its ending: texts of one batch were written together.
    #[serde(skip)]
    pub batch: String,
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// Examples could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or directory cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line is no example.
    #[error("{} line {line}: not an object with text and label", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// There is nothing to read.
    #[error("no lines in {}", path.display())]
    Empty {
        /// The file or directory.
        path: PathBuf,
    },
}

/// Reads a file of lines, or every `.jsonl` file of a directory in the order of their names.
pub fn read_examples(path: &Path) -> Result<Vec<Example>, ReadError> {
    let cannot = |source| ReadError::Io { path: path.to_owned(), source };
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            if file.extension().is_some_and(|ending| ending == "jsonl") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut examples = Vec::new();
    for file in files {
        read_file(&file, &mut examples)?;
    }
    if examples.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(examples)
}

fn read_file(path: &Path, examples: &mut Vec<Example>) -> Result<(), ReadError> {
    let lines = fs::read_to_string(path)
        .map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    let batch = path.file_stem().unwrap_or_default().to_string_lossy();
    for (at, line) in lines.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut example: Example = serde_json::from_str(line)
            .map_err(|source| ReadError::Line { path: path.to_owned(), line: at + 1, source })?;
        example.batch = batch.clone().into_owned();
        examples.push(example);
    }
    Ok(())
}

#[cfg(test)]
impl Example {
    /// One that a test says nothing else of.
    pub(crate) fn of(text: &str, label: Label) -> Self {
        Self {
            text: text.to_owned(),
            label,
            lang: "zh".to_owned(),
            industry: String::new(),
            batch: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_directory_are_batches() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let line = r#"{"text":"hi","label":"other","lang":"en","set":"g1"}"#;
        fs::write(directory.path().join("b.jsonl"), format!("{line}\n\n{line}\n"))
            .expect("written");
        fs::write(directory.path().join("a.jsonl"), r#"{"text":"贵","label":"complaint"}"#)
            .expect("written");
        fs::write(directory.path().join("README.md"), "no lines").expect("written");
        let examples = read_examples(directory.path()).expect("examples");
        let batches: Vec<&str> = examples.iter().map(|one| one.batch.as_str()).collect();
        assert_eq!(batches, ["a", "b", "b"]);
        assert_eq!(examples[0].lang, "unknown");
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("x.jsonl");
        fs::write(
            &file,
            "{\"text\":\"a\",\"label\":\"other\"}\n{\"text\":\"b\",\"label\":\"spam\"}\n",
        )
        .expect("written");
        let error = read_examples(&file).expect_err("spam is no label");
        assert!(error.to_string().ends_with("x.jsonl line 2: not an object with text and label"));
        assert!(matches!(read_examples(&directory.path().join("none")), Err(ReadError::Io { .. })));
        fs::write(&file, "\n").expect("written");
        assert!(matches!(read_examples(&file), Err(ReadError::Empty { .. })));
    }
}
