//! What a team knows: articles of a help centre, an index over them, and the decision whether one of them answers a
//! question.
//!
//! No sockets, no SQL: the server reads articles from the catalog, builds a [`Knowledge`] for each account and asks
//! it. `docs/knowledge.md` says how an answer is chosen and what it was measured to be worth.

mod article;
pub mod demo;
pub mod eval;
pub mod import;
mod judge;
mod knowledge;
pub mod markdown;
mod shelf;
mod text;
mod weights;

pub use article::{
    ACCOUNT_BYTES_MAX, ARTICLES_MAX, Article, ArticleText, BODY_BYTES_MAX, CATEGORY_CHARACTERS_MAX,
    Error, LANGUAGES_MAX, QUESTION_CHARACTERS_MAX, QUESTIONS_MAX, SLUG_CHARACTERS_MAX,
    SUMMARY_CHARACTERS_MAX, TITLE_CHARACTERS_MAX, is_language, is_slug, language_of, slug_of,
};
pub use judge::{FIGURES, Parts};
pub use knowledge::{Answer, Embed, FOUND_MAX, Found, Knowledge, OFFERED_MAX, Options, Outcome};
pub use text::terms;
