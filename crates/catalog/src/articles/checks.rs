//! What an article may consist of.

use super::{ArticleText, ArticleTexts, NewArticle};
use crate::{
    error::Error,
    text::{LANGUAGES_MAX, language_tag, line},
};

/// Bytes of the body in one language.
pub const BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of all texts of one article.
pub const ARTICLE_BYTES_MAX: usize = 1 << 20;
const SLUG_BYTES_MAX: usize = 100;
const CATEGORY_CHARS_MAX: usize = 60;
const TITLE_CHARS_MAX: usize = 200;
const SUMMARY_CHARS_MAX: usize = 500;
const QUESTIONS_MAX: usize = 50;
const QUESTION_CHARS_MAX: usize = 300;

/// Trims and checks everything an article consists of.
pub(super) fn checked(new: &NewArticle) -> Result<NewArticle, Error> {
    Ok(NewArticle {
        slug: slug(&new.slug)?,
        category: line("category", &new.category, CATEGORY_CHARS_MAX)?,
        state: new.state,
        texts: texts(&new.texts)?,
    })
}

/// A slug stands in an address as it is: small letters, digits and single hyphens.
pub(super) fn slug(slug: &str) -> Result<String, Error> {
    let slug = slug.trim().to_lowercase();
    let invalid = |reason| Err(Error::invalid("slug", reason));
    if slug.is_empty() {
        return invalid("empty");
    }
    if slug.len() > SLUG_BYTES_MAX {
        return invalid("too_long");
    }
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if slug.split('-').all(word) { Ok(slug) } else { invalid("characters") }
}

/// Checks texts; one language at least must have one.
pub(super) fn texts(texts: &ArticleTexts) -> Result<ArticleTexts, Error> {
    if texts.is_empty() {
        return Err(Error::invalid("texts", "empty"));
    }
    if texts.len() > LANGUAGES_MAX {
        return Err(Error::invalid("texts", "too_many"));
    }
    let mut checked = ArticleTexts::new();
    for (language, one) in texts {
        language_tag("texts", language)?;
        checked.insert(language.clone(), text(&format!("texts.{language}"), one)?);
    }
    if checked.values().map(bytes_of).sum::<usize>() > ARTICLE_BYTES_MAX {
        return Err(Error::invalid("texts", "too_long"));
    }
    Ok(checked)
}

fn text(field: &str, text: &ArticleText) -> Result<ArticleText, Error> {
    let title = line(&format!("{field}.title"), &text.title, TITLE_CHARS_MAX)?;
    if title.is_empty() {
        return Err(Error::invalid(format!("{field}.title"), "empty"));
    }
    if text.body.len() > BODY_BYTES_MAX {
        return Err(Error::invalid(format!("{field}.body"), "too_long"));
    }
    // They mean nothing in Markdown, and come with what was copied from elsewhere.
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let body: String = text.body.replace("\r\n", "\n").chars().filter(is_kept).collect();
    let mut questions = Vec::new();
    for question in &text.questions {
        let question = line(&format!("{field}.questions"), question, QUESTION_CHARS_MAX)?;
        if !question.is_empty() && !questions.contains(&question) {
            questions.push(question);
        }
    }
    if questions.len() > QUESTIONS_MAX {
        return Err(Error::invalid(format!("{field}.questions"), "too_many"));
    }
    Ok(ArticleText {
        title,
        summary: line(&format!("{field}.summary"), &text.summary, SUMMARY_CHARS_MAX)?,
        body: body.trim_end().to_owned(),
        questions,
        category: line(&format!("{field}.category"), &text.category, CATEGORY_CHARS_MAX)?,
    })
}

pub(super) fn bytes_of(text: &ArticleText) -> usize {
    let questions: usize = text.questions.iter().map(String::len).sum();
    text.title.len() + text.summary.len() + text.body.len() + text.category.len() + questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_an_address_is_no_slug() {
        for (bad, reason) in [
            ("", "empty"),
            ("a/b", "characters"),
            ("..", "characters"),
            ("a--b", "characters"),
            ("a-", "characters"),
            ("退款", "characters"),
            ("a b", "characters"),
            ("<script>", "characters"),
            (&"x".repeat(101), "too_long"),
        ] {
            let refused = slug(bad);
            assert!(
                matches!(refused, Err(Error::Invalid { reason: r, .. }) if r == reason),
                "{bad}: {refused:?}"
            );
        }
        assert_eq!(slug(" Pay-by-2-cards ").expect("it may stand there"), "pay-by-2-cards");
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let one = |text: ArticleText| texts(&ArticleTexts::from([("en".to_owned(), text)]));
        let good = ArticleText {
            title: " Pay ".to_owned(),
            body: "a\r\nb\u{0}\n\n".to_owned(),
            questions: vec![" how? ".to_owned(), String::new(), "how?".to_owned()],
            ..ArticleText::default()
        };
        let checked = &one(good.clone()).expect("it is fine")["en"];
        assert_eq!((checked.title.as_str(), checked.body.as_str()), ("Pay", "a\nb"));
        assert_eq!(checked.questions, ["how?"]);
        let long = "x".repeat(BODY_BYTES_MAX + 1);
        for (bad, field, reason) in [
            (ArticleText::default(), "texts.en.title", "empty"),
            (ArticleText { body: long, ..good.clone() }, "texts.en.body", "too_long"),
            (
                ArticleText { summary: "x".repeat(501), ..good.clone() },
                "texts.en.summary",
                "too_long",
            ),
            (
                ArticleText { category: "x".repeat(61), ..good.clone() },
                "texts.en.category",
                "too_long",
            ),
            (
                ArticleText { questions: (0..51).map(|n| n.to_string()).collect(), ..good.clone() },
                "texts.en.questions",
                "too_many",
            ),
        ] {
            let refused = one(bad);
            assert!(
                matches!(&refused, Err(Error::Invalid { field: f, reason: r }) if f == field && *r == reason),
                "{refused:?}"
            );
        }
        assert!(texts(&ArticleTexts::new()).is_err());
        assert!(texts(&ArticleTexts::from([("english!".to_owned(), good)])).is_err());
    }

    #[test]
    fn all_languages_together_are_bounded() {
        let text = ArticleText {
            title: "t".to_owned(),
            body: "x".repeat(BODY_BYTES_MAX),
            ..ArticleText::default()
        };
        let of = |count: u8| -> ArticleTexts {
            (b'a'..b'a' + count).map(|c| (format!("x{}", char::from(c)), text.clone())).collect()
        };
        assert!(texts(&of(3)).is_ok());
        assert!(texts(&of(4)).is_err(), "the titles come on top");
    }
}
