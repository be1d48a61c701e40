//! An article of a help centre in its languages, and the limits it is held to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bytes of Markdown of one article in one language; the longest page of a manual is a fifth of it.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Characters of a title.
pub const TITLE_CHARACTERS_MAX: usize = 200;
/// Characters of a summary.
pub const SUMMARY_CHARACTERS_MAX: usize = 500;
/// Other ways to ask, of one article in one language.
pub const QUESTIONS_MAX: usize = 50;
/// Characters of one of them.
pub const QUESTION_CHARACTERS_MAX: usize = 300;
/// Characters of a slug.
pub const SLUG_CHARACTERS_MAX: usize = 100;
/// Characters of a category.
pub const CATEGORY_CHARACTERS_MAX: usize = 60;
/// Languages of one article.
pub const LANGUAGES_MAX: usize = 20;
/// Articles of one account.
pub const ARTICLES_MAX: usize = 20_000;
/// Bytes of the texts of one account together: what is indexed is held in memory.
pub const ACCOUNT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Article {
    /// Its id.
    pub id: String,
    /// Its name in addresses: small letters, digits and `-`.
    pub slug: String,
    /// What it is listed under; may be empty.
    pub category: String,
    /// Its texts by language (`en`, `zh-CN`).
    pub texts: BTreeMap<String, ArticleText>,
    /// Whether visitors may see it; only such articles are indexed.
    pub published: bool,
}

/// An article in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArticleText {
    /// Its title, best a question or what a visitor wants to do.
    pub title: String,
    /// One sentence on what it says; may be empty.
    #[serde(default)]
    pub summary: String,
    /// Markdown.
    pub body: String,
    /// Other ways to ask for it; may be empty.
    #[serde(default)]
    pub questions: Vec<String>,
    /// What the article's category is called in this language; empty where it is called the same.
    #[serde(default)]
    pub category: String,
}

/// What is wrong with an article, or with all articles of an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slug that cannot stand in an address.
    #[error("the slug \"{slug}\" is not made of small letters, digits and single hyphens")]
    Slug {
        /// The beginning of the slug.
        slug: String,
    },
    /// A category that is too long.
    #[error("the category has {characters} characters, at most {CATEGORY_CHARACTERS_MAX}")]
    Category {
        /// Its length.
        characters: usize,
    },
    /// An article without any text.
    #[error("the article \"{slug}\" has no text in any language")]
    NoText {
        /// The article.
        slug: String,
    },
    /// Too many languages.
    #[error("the article \"{slug}\" has {languages} languages, at most {LANGUAGES_MAX}")]
    Languages {
        /// The article.
        slug: String,
        /// How many.
        languages: usize,
    },
    /// A tag that names no language.
    #[error("\"{lang}\" is not the tag of a language, like en or zh-CN")]
    Language {
        /// The beginning of the tag.
        lang: String,
    },
    /// No title in a language.
    #[error("the article \"{slug}\" has no title in {lang}")]
    NoTitle {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
    },
    /// A title that is too long.
    #[error(
        "the title of \"{slug}\" in {lang} has {characters} characters, at most {TITLE_CHARACTERS_MAX}"
    )]
    Title {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
        /// The title's length.
        characters: usize,
    },
    /// A summary that is too long.
    #[error(
        "the summary of \"{slug}\" in {lang} has {characters} characters, at most {SUMMARY_CHARACTERS_MAX}"
    )]
    Summary {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
        /// The summary's length.
        characters: usize,
    },
    /// A body that is too long.
    #[error("the text of \"{slug}\" in {lang} has {bytes} bytes, at most {BODY_BYTES_MAX}")]
    Body {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
        /// The body's length.
        bytes: usize,
    },
    /// Too many other ways to ask.
    #[error(
        "the article \"{slug}\" in {lang} has {questions} other questions, at most {QUESTIONS_MAX}"
    )]
    Questions {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
        /// How many.
        questions: usize,
    },
    /// One of them is empty or too long.
    #[error(
        "another question of \"{slug}\" in {lang} has {characters} characters, 1 to {QUESTION_CHARACTERS_MAX}"
    )]
    Question {
        /// The article.
        slug: String,
        /// The language.
        lang: String,
        /// Its length.
        characters: usize,
    },
    /// More articles than an account may have.
    #[error("{articles} articles, at most {ARTICLES_MAX}")]
    TooMany {
        /// How many.
        articles: usize,
    },
    /// More text than an account may have.
    #[error("the articles have {bytes} bytes together, at most {ACCOUNT_BYTES_MAX}")]
    TooMuchText {
        /// How much.
        bytes: usize,
    },
    /// The engine refused; a bug or no memory.
    #[error("the index of the articles could not be built: {reason}")]
    Index {
        /// What the engine says.
        reason: String,
    },
}

impl Error {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Slug { .. } => "article_slug",
            Self::Category { .. } => "article_category",
            Self::NoText { .. } => "article_no_text",
            Self::Languages { .. } => "article_languages",
            Self::Language { .. } => "article_language",
            Self::NoTitle { .. } => "article_no_title",
            Self::Title { .. } => "article_title_too_long",
            Self::Summary { .. } => "article_summary_too_long",
            Self::Body { .. } => "article_body_too_long",
            Self::Questions { .. } => "article_too_many_questions",
            Self::Question { .. } => "article_question",
            Self::TooMany { .. } => "articles_too_many",
            Self::TooMuchText { .. } => "articles_too_much_text",
            Self::Index { .. } => "articles_index",
        }
    }

    /// What the words for it name, to be said in another language: the article, the language, the limit.
    pub fn params(&self) -> Vec<(&'static str, String)> {
        let limit = match self {
            Self::Category { .. } => Some(CATEGORY_CHARACTERS_MAX),
            Self::Languages { .. } => Some(LANGUAGES_MAX),
            Self::Title { .. } => Some(TITLE_CHARACTERS_MAX),
            Self::Summary { .. } => Some(SUMMARY_CHARACTERS_MAX),
            Self::Body { .. } => Some(BODY_BYTES_MAX >> 10),
            Self::Questions { .. } => Some(QUESTIONS_MAX),
            Self::Question { .. } => Some(QUESTION_CHARACTERS_MAX),
            Self::TooMany { .. } => Some(ARTICLES_MAX),
            _ => None,
        };
        let slug = match self {
            Self::Slug { slug }
            | Self::NoText { slug }
            | Self::Languages { slug, .. }
            | Self::NoTitle { slug, .. }
            | Self::Title { slug, .. }
            | Self::Summary { slug, .. }
            | Self::Body { slug, .. }
            | Self::Questions { slug, .. }
            | Self::Question { slug, .. } => Some(slug),
            _ => None,
        };
        let lang = match self {
            Self::Language { lang }
            | Self::NoTitle { lang, .. }
            | Self::Title { lang, .. }
            | Self::Summary { lang, .. }
            | Self::Body { lang, .. }
            | Self::Questions { lang, .. }
            | Self::Question { lang, .. } => Some(lang),
            _ => None,
        };
        let slug = slug.map(|slug| ("slug", slug.clone()));
        let lang = lang.map(|lang| ("lang", lang.clone()));
        let limit = limit.map(|limit| ("limit", limit.to_string()));
        [slug, lang, limit].into_iter().flatten().collect()
    }
}

impl Article {
    /// Checks everything but the id, and says the first thing that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        let slug = || clip(&self.slug);
        if !is_slug(&self.slug) {
            return Err(Error::Slug { slug: slug() });
        }
        let characters = self.category.chars().count();
        if characters > CATEGORY_CHARACTERS_MAX {
            return Err(Error::Category { characters });
        }
        if self.texts.is_empty() {
            return Err(Error::NoText { slug: slug() });
        }
        if self.texts.len() > LANGUAGES_MAX {
            return Err(Error::Languages { slug: slug(), languages: self.texts.len() });
        }
        for (lang, text) in &self.texts {
            if !is_language(lang) {
                return Err(Error::Language { lang: clip(lang) });
            }
            text.check(&self.slug, lang)?;
        }
        Ok(())
    }

    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        self.texts.values().map(ArticleText::bytes).sum()
    }
}

impl ArticleText {
    fn check(&self, slug: &str, lang: &str) -> Result<(), Error> {
        let slug = || clip(slug);
        let lang = || lang.to_owned();
        // Bytes first: a text of megabytes is refused before its characters are counted.
        if self.body.len() > BODY_BYTES_MAX {
            return Err(Error::Body { slug: slug(), lang: lang(), bytes: self.body.len() });
        }
        if self.title.trim().is_empty() {
            return Err(Error::NoTitle { slug: slug(), lang: lang() });
        }
        let characters = self.title.chars().count();
        if characters > TITLE_CHARACTERS_MAX {
            return Err(Error::Title { slug: slug(), lang: lang(), characters });
        }
        let characters = self.summary.chars().count();
        if characters > SUMMARY_CHARACTERS_MAX {
            return Err(Error::Summary { slug: slug(), lang: lang(), characters });
        }
        let characters = self.category.chars().count();
        if characters > CATEGORY_CHARACTERS_MAX {
            return Err(Error::Category { characters });
        }
        if self.questions.len() > QUESTIONS_MAX {
            let questions = self.questions.len();
            return Err(Error::Questions { slug: slug(), lang: lang(), questions });
        }
        for question in &self.questions {
            let characters = question.chars().count();
            if characters > QUESTION_CHARACTERS_MAX || question.trim().is_empty() {
                return Err(Error::Question { slug: slug(), lang: lang(), characters });
            }
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        let questions: usize = self.questions.iter().map(String::len).sum();
        self.title.len() + self.summary.len() + self.body.len() + questions
    }
}

/// Whether a slug can stand in an address as it is.
pub fn is_slug(slug: &str) -> bool {
    !slug.is_empty()
        && slug.len() <= SLUG_CHARACTERS_MAX
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-')
        && !slug.contains("--")
}

/// A slug made of a title or a file's name; a title without Latin letters or digits gets one of its hash, the same
/// one each time, so that a second import finds the article of the first.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    let mut foreign = false;
    for character in name.chars().take(1_000).flat_map(char::to_lowercase) {
        if slug.len() >= SLUG_CHARACTERS_MAX {
            break;
        }
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else {
            foreign |= character.is_alphanumeric();
            if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() || foreign {
        // FNV-1a: stable between versions of the program, which the library's hasher is not.
        let hash = name.trim().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        return format!("a-{hash:016x}");
    }
    slug.to_owned()
}

/// Whether a text looks like the tag of a language: `en`, `zh-CN`, `pt-BR`.
pub fn is_language(lang: &str) -> bool {
    let mut parts = lang.split('-');
    let first = parts.next().unwrap_or_default();
    lang.len() <= 35
        && (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// The tag articles are kept under for a tag somebody sends: every Chinese is `zh-CN`, every English `en`, of the
/// others the first part alone.
pub fn language_of(tag: &str) -> String {
    let first = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match first.as_str() {
        "zh" | "cmn" | "yue" => "zh-CN".to_owned(),
        _ if is_language(&first) => first,
        _ => "en".to_owned(),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article() -> Article {
        let text = ArticleText {
            title: "Returns".into(),
            body: "Within 30 days.".into(),
            ..ArticleText::default()
        };
        Article {
            id: "1".into(),
            slug: "returns".into(),
            texts: BTreeMap::from([("en".into(), text)]),
            published: true,
            ..Article::default()
        }
    }

    fn code_of(change: impl FnOnce(&mut Article)) -> &'static str {
        let mut article = article();
        change(&mut article);
        article.check().map_or_else(|error| error.code(), |()| "")
    }

    fn text(article: &mut Article) -> &mut ArticleText {
        article.texts.get_mut("en").unwrap()
    }

    #[test]
    fn an_article_of_5_megabytes_is_refused() {
        let mut article = article();
        text(&mut article).body = "x".repeat(5 * 1024 * 1024);
        let error = article.check().unwrap_err();
        assert_eq!(error.code(), "article_body_too_long");
        assert!(error.to_string().contains("5242880"), "{error}");
    }

    #[test]
    fn every_limit_has_its_code() {
        assert_eq!(code_of(|_| {}), "");
        assert_eq!(code_of(|article| article.slug = "Not a slug".into()), "article_slug");
        assert_eq!(code_of(|article| article.slug = "../etc".into()), "article_slug");
        assert_eq!(code_of(|article| article.category = "x".repeat(61)), "article_category");
        assert_eq!(code_of(|article| article.texts.clear()), "article_no_text");
        assert_eq!(code_of(|article| text(article).title = " ".into()), "article_no_title");
        assert_eq!(code_of(|article| text(article).title = "题".repeat(200)), "");
        assert_eq!(
            code_of(|article| text(article).title = "题".repeat(201)),
            "article_title_too_long"
        );
        assert_eq!(
            code_of(|article| text(article).summary = "x".repeat(501)),
            "article_summary_too_long"
        );
        assert_eq!(code_of(|article| text(article).body = "x".repeat(BODY_BYTES_MAX)), "");
        assert_eq!(
            code_of(|article| text(article).questions = vec!["?".into(); 51]),
            "article_too_many_questions"
        );
        assert_eq!(
            code_of(|article| text(article).questions = vec![String::new()]),
            "article_question"
        );
        assert_eq!(
            code_of(|article| {
                let text = text(article).clone();
                article.texts.insert("en/../x".into(), text);
            }),
            "article_language"
        );
        assert_eq!(
            code_of(|article| {
                let text = text(article).clone();
                for number in 0..LANGUAGES_MAX {
                    article.texts.insert(format!("en-{number:02}"), text.clone());
                }
            }),
            "article_languages"
        );
    }

    #[test]
    fn a_slug_is_made_of_a_title_and_is_the_same_each_time() {
        assert_eq!(slug_of("How to send something back?"), "how-to-send-something-back");
        assert_eq!(slug_of("  --A  b--  "), "a-b");
        assert_eq!(slug_of("退款多久到账？"), slug_of("退款多久到账？"));
        assert_ne!(slug_of("退款多久到账？"), slug_of("多久能收到货？"));
        // Two titles that differ in their Chinese only stay two articles.
        assert_ne!(slug_of("VIP 积分"), slug_of("VIP 退款"));
        for name in ["退款", "", "x", "---", &"y".repeat(500)] {
            assert!(is_slug(&slug_of(name)), "{name}");
        }
    }

    #[test]
    fn tags_of_one_language_are_kept_as_one() {
        for (tag, kept) in [
            ("zh", "zh-CN"),
            ("zh-TW", "zh-CN"),
            ("zh_HK", "zh-CN"),
            ("en-GB", "en"),
            ("EN", "en"),
            ("fr-FR", "fr"),
            ("", "en"),
            ("<script>", "en"),
        ] {
            assert_eq!(language_of(tag), kept, "{tag}");
        }
    }
}
