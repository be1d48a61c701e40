//! What the index finds, what it decides, how long it takes.

#![expect(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

mod answers;
mod figures;
mod speed;

use std::collections::BTreeMap;

use frontdesk_knowledge::{Article, ArticleText};

/// An article with one text in each language given.
fn article(slug: &str, texts: &[(&str, &str, &str)]) -> Article {
    let texts = texts.iter().map(|(lang, title, body)| {
        let text = ArticleText {
            title: (*title).to_owned(),
            body: (*body).to_owned(),
            ..ArticleText::default()
        };
        ((*lang).to_owned(), text)
    });
    Article {
        id: format!("id-{slug}"),
        slug: slug.to_owned(),
        texts: texts.collect::<BTreeMap<String, ArticleText>>(),
        published: true,
        ..Article::default()
    }
}
