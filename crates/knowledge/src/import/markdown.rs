//! A Markdown file with a front matter, as static site generators keep them.
//!
//! ```text
//! ---
//! slug: refund-time
//! title: "When will I get my refund?"
//! category: returns
//! summary: "How long a refund takes."
//! lang: en
//! questions:
//!   - "where is my money"
//! ---
//!
//! For returns, we check ...
//! ```
//!
//! Everything in it may be missing: the title is then the first heading, the slug and the language come from the file's
//! name (`en/refund-time.md`, `refund-time.zh-CN.md`).

use super::{Draft, Problem, language, language_by_letters, slug_or};
use crate::article::{ArticleText, BODY_BYTES_MAX, TITLE_CHARACTERS_MAX};

/// Bytes of a front matter.
const FRONT_BYTES_MAX: usize = 64 * 1024;

/// Reads a file. `name` is its name with the directories above it.
pub fn markdown(name: &str, text: &str) -> Result<Draft, Problem> {
    if text.len() > BODY_BYTES_MAX + FRONT_BYTES_MAX {
        let reason = format!("the file has {} bytes, at most {BODY_BYTES_MAX}", text.len());
        let problem = Problem::new(0, "article_body_too_long", reason);
        return Err(problem.with("limit", &(BODY_BYTES_MAX >> 10)));
    }
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (front, body) = match split(&text)? {
        Some((front, body)) => (read(front)?, body),
        None => (Front::default(), text.as_str()),
    };
    let (stem, lang_of_name) = of_name(name);
    let (title, body) = match front.title {
        Some(title) => (title, body.trim()),
        None => first_heading(body).unwrap_or((stem.replace('-', " "), body.trim())),
    };
    let lang = match front.lang {
        Some((line, written)) => language(&written).ok_or_else(|| {
            let written: String = written.chars().take(40).collect();
            Problem::new(line, "article_language", format!("\"{written}\" is no language"))
                .with("lang", &written)
        })?,
        None => lang_of_name.unwrap_or_else(|| language_by_letters(&title)),
    };
    let draft = Draft {
        slug: slug_or(front.slug.as_deref().unwrap_or_default(), &stem),
        category: front.category.unwrap_or_default(),
        lang,
        text: ArticleText {
            title: title.chars().take(TITLE_CHARACTERS_MAX + 1).collect(),
            summary: front.summary.unwrap_or_default(),
            body: body.to_owned(),
            questions: front.questions,
            category: String::new(),
        },
    };
    draft.check().map_err(|error| Problem::of(0, &error))?;
    Ok(draft)
}

#[derive(Default)]
struct Front {
    slug: Option<String>,
    title: Option<String>,
    category: Option<String>,
    summary: Option<String>,
    lang: Option<(u64, String)>,
    questions: Vec<String>,
}

/// The front matter and the rest; None without one.
fn split(text: &str) -> Result<Option<(&str, &str)>, Problem> {
    let Some(rest) = text.strip_prefix("---\n") else { return Ok(None) };
    if let Some(body) = rest.strip_prefix("---\n") {
        return Ok(Some(("", body)));
    }
    let end = rest
        .find("\n---\n")
        .map(|at| (at, at + "\n---\n".len()))
        .or_else(|| rest.strip_suffix("\n---").map(|front| (front.len(), rest.len())));
    match end {
        Some((end, _)) if end > FRONT_BYTES_MAX => {
            Err(Problem::new(1, "front_matter_too_long", "the front matter is longer than 64 KiB"))
        }
        Some((end, body)) => Ok(Some((&rest[..end], &rest[body..]))),
        None => {
            let reason = "the front matter that begins here does not end";
            Err(Problem::new(1, "front_matter_open", reason))
        }
    }
}

/// The few forms of YAML such files use: `key: value`, quoted values, and a list of questions.
fn read(front: &str) -> Result<Front, Problem> {
    let mut read = Front::default();
    let mut in_questions = false;
    for (at, line) in front.lines().enumerate() {
        // The first line of the file is the one that opens the front matter.
        let number = at as u64 + 2;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(item) = trimmed.strip_prefix("- ").filter(|_| in_questions) {
            read.questions.push(value(item, number)?);
            continue;
        }
        if line.starts_with([' ', '\t', '-']) {
            // A part of something else's value, which is not read.
            continue;
        }
        let Some((key, written)) = trimmed.split_once(':') else {
            let reason = "a line of the front matter is \"key: value\"";
            return Err(Problem::new(number, "front_matter_line", reason));
        };
        in_questions = false;
        let given = value(written, number)?;
        match key.trim() {
            "slug" => read.slug = Some(given),
            "title" => read.title = Some(given).filter(|title| !title.is_empty()),
            "category" => read.category = Some(given),
            "summary" | "description" => read.summary = Some(given),
            "lang" | "language" => read.lang = Some((number, given)),
            "questions" => in_questions = true,
            // Other programs' keys are theirs.
            _ => {}
        }
    }
    Ok(read)
}

fn value(written: &str, line: u64) -> Result<String, Problem> {
    let written = written.trim();
    let mut characters = written.chars();
    match characters.next() {
        Some('"') => {
            let mut value = String::new();
            while let Some(character) = characters.next() {
                match character {
                    '"' => return Ok(value.trim().to_owned()),
                    '\\' => match characters.next() {
                        Some('n') => value.push('\n'),
                        Some('t') => value.push('\t'),
                        Some(other) => value.push(other),
                        None => break,
                    },
                    other => value.push(other),
                }
            }
            Err(Problem::new(line, "front_matter_quote", "a quote that begins here does not end"))
        }
        Some('\'') => match written[1..].rfind('\'') {
            Some(end) => Ok(written[1..=end].replace("''", "'").trim().to_owned()),
            None => Err(Problem::new(
                line,
                "front_matter_quote",
                "a quote that begins here does not end",
            )),
        },
        _ => Ok(written.split(" #").next().unwrap_or_default().trim().to_owned()),
    }
}

/// "docs/en/refund-time.md" is "refund-time" in English, "refund-time.zh-CN.md" the same in Chinese.
fn of_name(name: &str) -> (String, Option<String>) {
    let name = name.replace('\\', "/");
    let (above, file) = name.rsplit_once('/').unwrap_or(("", &name));
    let stem = file
        .strip_suffix(".md")
        .or_else(|| file.strip_suffix(".markdown"))
        .or_else(|| file.strip_suffix(".txt"))
        .unwrap_or(file);
    if let Some((stem, lang)) = stem.rsplit_once('.')
        && let Some(lang) = language(lang)
    {
        return (stem.to_owned(), Some(lang));
    }
    let lang = above.rsplit('/').next().filter(|part| is_known(part)).and_then(language);
    (stem.to_owned(), lang)
}

/// Directories are called "faq" and "doc", which look like languages.
fn is_known(part: &str) -> bool {
    let first = part.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        first.as_str(),
        "en" | "zh"
            | "de"
            | "fr"
            | "es"
            | "it"
            | "pt"
            | "nl"
            | "ja"
            | "ko"
            | "ru"
            | "pl"
            | "tr"
            | "ar"
            | "vi"
            | "th"
            | "id"
    )
}

/// The first heading of the highest kind, and the text without it.
fn first_heading(body: &str) -> Option<(String, &str)> {
    let body = body.trim_start();
    let line = body.lines().next()?;
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    (!title.is_empty()).then(|| (title.to_owned(), body[line.len()..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_front_matter_is_read() {
        let text = "\u{feff}---\r\nslug: refund-time\r\ntitle: \"When will I get my \\\"money\\\"?\"\r\ncategory: returns # here\r\nsummary: 'It''s quick'\r\nlang: zh_TW\r\nquestions:\r\n  - \"where is it\"\r\n  - how long\r\ntags:\r\n  - x\r\n---\r\n\r\nBody.\r\n";
        let draft = markdown("anything.md", text).unwrap();
        assert_eq!(draft.slug, "refund-time");
        assert_eq!(draft.category, "returns");
        assert_eq!(draft.lang, "zh-CN");
        assert_eq!(draft.text.title, "When will I get my \"money\"?");
        assert_eq!(draft.text.summary, "It's quick");
        assert_eq!(draft.text.questions, ["where is it", "how long"]);
        assert_eq!(draft.text.body, "Body.");
    }

    #[test]
    fn a_bare_file_takes_title_slug_and_language_from_what_is_there() {
        let draft = markdown("help/en/Refund Time.md", "# Refunds\n\nSoon.").unwrap();
        assert_eq!(
            (draft.slug.as_str(), draft.lang.as_str(), draft.text.title.as_str()),
            ("refund-time", "en", "Refunds")
        );
        assert_eq!(draft.text.body, "Soon.");
        let draft = markdown("refund-time.zh-CN.md", "退款很快。").unwrap();
        assert_eq!((draft.slug.as_str(), draft.lang.as_str()), ("refund-time", "zh-CN"));
        assert_eq!(draft.text.title, "refund time");
        // A directory that only looks like a language is none; the letters decide.
        let draft = markdown("faq/x.md", "# 退款多久到账？\n\n很快。").unwrap();
        assert_eq!(draft.lang, "zh-CN");
    }

    #[test]
    fn bad_files_are_refused_with_the_line() {
        let refused = |text: &str| {
            let problem = markdown("x.md", text).unwrap_err();
            (problem.line, problem.code)
        };
        assert_eq!(refused("---\ntitle: x\n"), (1, "front_matter_open"));
        assert_eq!(refused("---\nslug: x\nno colon\n---\n"), (3, "front_matter_line"));
        assert_eq!(refused("---\ntitle: \"open\n---\nx"), (2, "front_matter_quote"));
        assert_eq!(refused("---\ntitle: 'open\n---\nx"), (2, "front_matter_quote"));
        assert_eq!(refused("---\ntitle: x\nlang: klingon!\n---\nx"), (3, "article_language"));
        assert_eq!(refused(&"x".repeat(5 * 1024 * 1024)), (0, "article_body_too_long"));
        assert_eq!(
            refused(&format!("---\ntitle: {}\n---\nx", "y".repeat(201))),
            (0, "article_title_too_long")
        );
        assert_eq!(
            refused(&format!("---\nx: {}\n---\nx", "y".repeat(70_000))),
            (1, "front_matter_too_long")
        );
    }

    #[test]
    fn nothing_and_marks_alone_do_not_panic() {
        for text in
            ["", "---", "---\n---", "---\n---\n", "#", "'", "---\ntitle: '\n---\n", "\u{feff}"]
        {
            for name in ["x.md", ""] {
                if let Ok(draft) = markdown(name, text) {
                    draft.check().unwrap();
                }
            }
        }
    }
}
