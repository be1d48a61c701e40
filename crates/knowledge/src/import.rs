//! Articles from elsewhere: Markdown files, a table of questions and answers, and a site that is crawled.
//!
//! Everything here is pure and bounded: it is given bytes that somebody else wrote, and gives drafts and problems.

pub mod csv;
pub mod markdown;
pub mod page;
pub mod sitemap;

pub use self::{csv::csv, markdown::markdown, page::page, sitemap::sitemap};

use serde::Serialize;

use crate::article::{Article, ArticleText, Error, is_language, is_slug, language_of, slug_of};

/// An article in one language, as a file has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Draft {
    /// Its name in addresses.
    pub slug: String,
    /// What it is listed under; may be empty.
    pub category: String,
    /// The language of its text.
    pub lang: String,
    /// The text.
    pub text: ArticleText,
}

impl Draft {
    /// Checks it as the article it will be.
    fn check(&self) -> Result<(), Error> {
        Article {
            slug: self.slug.clone(),
            category: self.category.clone(),
            texts: [(self.lang.clone(), self.text.clone())].into(),
            ..Article::default()
        }
        .check()
    }
}

/// Why something was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Problem {
    /// Where it is, from 1; 0 where it is the whole file.
    pub line: u64,
    /// A stable name for programs.
    pub code: &'static str,
    /// What the words for it name: a limit, a language, a column.
    pub params: Vec<(&'static str, String)>,
    /// The same for people.
    pub reason: String,
}

impl Problem {
    fn new(line: u64, code: &'static str, reason: impl Into<String>) -> Self {
        Self { line, code, params: Vec::new(), reason: reason.into() }
    }

    fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    fn of(line: u64, error: &Error) -> Self {
        let (code, params) = (error.code(), error.params());
        Self { line, code, params, reason: error.to_string() }
    }
}

/// Drafts as articles, those of one slug together; the last text in a language stays. Ids are empty.
///
/// The category of the first is the article's; what others call it is its name in their language.
pub fn merged(drafts: Vec<Draft>, published: bool) -> Vec<Article> {
    let mut articles: Vec<Article> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for draft in drafts {
        let place = *places.entry(draft.slug.clone()).or_insert_with(|| {
            articles.push(Article { slug: draft.slug, published, ..Article::default() });
            articles.len() - 1
        });
        let article = &mut articles[place];
        let mut text = draft.text;
        if article.category.is_empty() {
            article.category = draft.category;
        } else if draft.category != article.category {
            text.category = draft.category;
        }
        article.texts.insert(draft.lang, text);
    }
    articles
}

/// A slug somebody wrote, or one of the name it would have otherwise.
fn slug_or(written: &str, name: &str) -> String {
    match written.trim() {
        slug if is_slug(slug) => slug.to_owned(),
        "" => slug_of(name),
        other => slug_of(other),
    }
}

/// A language somebody wrote; None where it is none.
fn language(written: &str) -> Option<String> {
    let written = written.trim().replace('_', "-");
    let (first, rest) = written.split_once('-').unwrap_or((&written, ""));
    let first = first.to_ascii_lowercase();
    let tag = if rest.is_empty() { first } else { format!("{first}-{rest}") };
    is_language(&tag).then(|| language_of(&tag))
}

/// A language by the letters of a text.
fn language_by_letters(text: &str) -> String {
    if crate::text::is_chinese(text) == Some(true) { "zh-CN" } else { "en" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_languages_category_is_its_name_in_that_language() {
        let draft = |slug: &str, lang: &str, category: &str| Draft {
            slug: slug.to_owned(),
            category: category.to_owned(),
            lang: lang.to_owned(),
            text: ArticleText { title: slug.to_owned(), ..ArticleText::default() },
        };
        let articles = merged(
            vec![
                draft("refunds", "en", "Returns"),
                draft("refunds", "zh-CN", "退换"),
                draft("refunds", "de", "Returns"),
                draft("refunds", "fr", ""),
                draft("jobs", "en", ""),
                draft("jobs", "zh-CN", "店铺"),
            ],
            true,
        );
        let named = |article: &Article, lang: &str| article.texts[lang].category.clone();
        assert_eq!(
            (articles[0].category.as_str(), articles[1].category.as_str()),
            ("Returns", "店铺")
        );
        assert_eq!(
            ["en", "zh-CN", "de", "fr"].map(|lang| named(&articles[0], lang)),
            ["", "退换", "", ""]
        );
        assert_eq!(named(&articles[1], "zh-CN"), "");
    }
}
