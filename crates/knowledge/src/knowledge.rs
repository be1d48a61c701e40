//! The index of one account, and the decision it comes to.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::Serialize;

use crate::{
    article::{ACCOUNT_BYTES_MAX, ARTICLES_MAX, Article, Error, language_of},
    judge::{self, Parts},
    shelf::{Shelf, ShelfBuilder},
    text,
    weights::{ANSWER_FROM, OFFER_FROM},
};

/// Says what a text means as a vector; None where it cannot. Called once for each text at the build and once for each
/// question.
pub type Embed = Arc<dyn Fn(&str) -> Option<Vec<f32>> + Send + Sync>;

/// Articles offered where no one is sure enough.
pub const OFFERED_MAX: usize = 3;
/// Languages of one account that have a shelf of their own; the others, with the fewest articles, share one.
const SHELVES_MAX: usize = 30;
/// Articles one search may find.
pub const FOUND_MAX: usize = 20;

/// How an index is built.
#[derive(Clone)]
pub struct Options {
    /// A sentence model, whose opinion counts beside the words.
    pub embed: Option<Embed>,
    /// The score from which an article is the answer.
    pub answer_from: f32,
    /// The score from which articles are offered to choose from.
    pub offer_from: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { embed: None, answer_from: ANSWER_FROM, offer_from: OFFER_FROM }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("embed", &self.embed.is_some())
            .field("answer_from", &self.answer_from)
            .field("offer_from", &self.offer_from)
            .finish()
    }
}

/// The published articles of one account, ready to be asked. Cheap to clone and to share between threads; it never
/// changes: build another one when an article changed.
#[derive(Clone)]
pub struct Knowledge {
    inner: Arc<Inner>,
    answer_from: f32,
    offer_from: f32,
}

struct Inner {
    articles: Vec<Listed>,
    shelves: Vec<Shelf>,
    embed: Option<Embed>,
}

/// What an article is found as.
struct Listed {
    id: Box<str>,
    slug: Box<str>,
    langs: Vec<String>,
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Knowledge").field("articles", &self.len()).finish_non_exhaustive()
    }
}

/// An article that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The article's id.
    pub article: String,
    /// Its slug.
    pub slug: String,
    /// Its title in the language below.
    pub title: String,
    /// The language of the text that was found.
    pub lang: String,
    /// How likely it answers the question, 0 to 1.
    pub score: f32,
    /// The part of the text that says most of it: plain text.
    pub passage: String,
    /// The question's words it has, as they were written.
    pub words: Vec<String>,
    /// What the score is made of.
    pub parts: Parts,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The article that answers it.
    pub found: Found,
    /// What else was found that may be offered.
    pub also: Vec<Found>,
}

/// What is to be done with a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "found")]
pub enum Outcome {
    /// One article is sure enough.
    Answer(Answer),
    /// Some may be meant: ask back which, the likeliest first.
    Between(Vec<Found>),
    /// No article answers it.
    Nothing,
}

impl Knowledge {
    /// The same articles, of which one is the answer from another score on.
    #[must_use]
    pub fn answering_from(&self, score: f32) -> Self {
        let offer_from = self.offer_from.min(score);
        Self { inner: Arc::clone(&self.inner), answer_from: score, offer_from }
    }

    /// Indexes the published ones of an account's articles. Takes seconds for thousands: call it off the async threads.
    pub fn build(articles: &[Article], options: Options) -> Result<Self, Error> {
        if articles.len() > ARTICLES_MAX {
            return Err(Error::TooMany { articles: articles.len() });
        }
        let bytes = articles.iter().map(Article::bytes).sum();
        if bytes > ACCOUNT_BYTES_MAX {
            return Err(Error::TooMuchText { bytes });
        }
        let mut listed = Vec::new();
        let places = places(articles)?;
        let mut shelves = Vec::new();
        for bytes in bytes_of_shelves(&places) {
            shelves.push(ShelfBuilder::new(bytes)?);
        }
        for article in articles.iter().filter(|article| article.published) {
            let mut langs = Vec::new();
            for (tag, text) in &article.texts {
                let lang = language_of(tag);
                // zh-CN before zh-TW: one text for each language is found.
                if langs.contains(&lang) {
                    continue;
                }
                if let Some(place) = places.get(&lang) {
                    let (tag, embed) = (&place.lang, options.embed.as_ref());
                    shelves[place.shelf].add(listed.len(), tag, &article.slug, text, embed)?;
                }
                langs.push(lang);
            }
            listed.push(Listed {
                id: article.id.as_str().into(),
                slug: article.slug.as_str().into(),
                langs,
            });
        }
        let shelves: Result<Vec<Shelf>, Error> =
            shelves.into_iter().map(ShelfBuilder::finish).collect();
        let Options { embed, answer_from, offer_from } = options;
        let inner = Arc::new(Inner { articles: listed, shelves: shelves?, embed });
        Ok(Self { inner, answer_from, offer_from })
    }

    /// How many articles can be found.
    pub fn len(&self) -> usize {
        self.inner.articles.len()
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.inner.articles.is_empty()
    }

    /// The articles nearest to a question, best first, at most `limit` and [`FOUND_MAX`].
    ///
    /// `lang` is the language the asker reads. A question written in the other script is taken for one in that
    /// language. An article is found in another language only where it has no text in this one.
    pub fn find(&self, question: &str, lang: &str, limit: usize) -> Vec<Found> {
        let lang = language_for(question, lang);
        let items = text::question_items(question);
        let vector = self.inner.embed.as_ref().and_then(|embed| {
            let end = question.char_indices().nth(text::QUESTION_READ_MAX);
            embed(&question[..end.map_or(question.len(), |(at, _)| at)])
        });
        let mut found = Vec::new();
        for shelf in &self.inner.shelves {
            self.search(shelf, &lang, &items, vector.as_deref(), &mut found);
        }
        found.sort_by(|one, other| other.rank.total_cmp(&one.rank));
        let best = found.first().map_or(0.0, |found| found.rank);
        let second = found.get(1).map_or(0.0, |found| found.rank.max(0.0));
        let limit = limit.min(FOUND_MAX);
        found.truncate(limit);
        let mut before = 1.0_f32;
        found
            .into_iter()
            .enumerate()
            .map(|(place, candidate)| {
                let mut parts = candidate.judged.parts;
                parts.margin = if place == 0 { best - second } else { candidate.rank - best };
                // A text that is ranked lower is not surer.
                before = before.min(parts.certain());
                self.shown(&candidate, parts, before)
            })
            .collect()
    }

    /// What is to be done with a question.
    pub fn answer(&self, question: &str, lang: &str) -> Outcome {
        let mut found = self.find(question, lang, OFFERED_MAX + 1).into_iter();
        let Some(first) = found.next() else { return Outcome::Nothing };
        let Self { answer_from, offer_from, .. } = *self;
        if first.score >= answer_from && !first.parts.is_coincidence() {
            let also = found.filter(|found| found.score >= offer_from).take(OFFERED_MAX).collect();
            return Outcome::Answer(Answer { found: first, also });
        }
        if first.score < offer_from {
            return Outcome::Nothing;
        }
        // Where the first may be meant, the next ones may be as well, if they are not far behind.
        let least = first.score * OFFER_SHARE;
        let others = found.filter(|found| found.score >= least).take(OFFERED_MAX - 1);
        Outcome::Between(std::iter::once(first.clone()).chain(others).collect())
    }

    fn search<'a>(
        &'a self,
        shelf: &'a Shelf,
        lang: &str,
        items: &[text::Item],
        vector: Option<&[f32]>,
        found: &mut Vec<Candidate<'a>>,
    ) {
        let asked = shelf.asked(items);
        let mut proposed = match shelf.proposed(&asked, items) {
            Ok(proposed) => proposed,
            Err(error) => {
                tracing::error!(code = error.code(), %error, "a search of the articles failed");
                return;
            }
        };
        if let Some(vector) = vector {
            near_in_meaning(shelf, vector, &mut proposed);
        }
        for (place, bm25) in proposed {
            let text = &shelf.texts[place];
            let listed = &self.inner.articles[text.article];
            let readable = &*text.lang == lang
                // Of the other languages the first one that the article has.
                || (!listed.langs.iter().any(|of| of == lang)
                    && listed.langs.first().is_some_and(|first| **first == *text.lang));
            if !readable {
                continue;
            }
            let mut judged = judge::judge(shelf, text, &asked, bm25);
            judged.parts.cosine = match (vector, &text.vector) {
                (Some(question), Some(text)) => Some(judge::cosine(question, text)),
                _ => None,
            };
            let rank = judged.parts.rank();
            found.push(Candidate { shelf, place, judged, rank });
        }
    }

    fn shown(&self, candidate: &Candidate<'_>, parts: Parts, score: f32) -> Found {
        let text = &candidate.shelf.texts[candidate.place];
        let listed = &self.inner.articles[text.article];
        let passage = text.passages.get(candidate.judged.passage);
        Found {
            article: listed.id.to_string(),
            slug: listed.slug.to_string(),
            title: text.title.to_string(),
            lang: text.lang.to_string(),
            score,
            passage: passage.map(|passage| passage.text.to_string()).unwrap_or_default(),
            words: candidate.judged.words.clone(),
            parts,
        }
    }
}

/// The share of the first one's score from which another one is offered beside it.
const OFFER_SHARE: f32 = 0.4;
/// Texts that are proposed for their meaning.
const NEAR_MAX: usize = 8;

struct Candidate<'a> {
    shelf: &'a Shelf,
    place: usize,
    judged: judge::Judged,
    rank: f32,
}

/// Where the texts of a language are.
struct Place {
    lang: Arc<str>,
    shelf: usize,
    articles: usize,
    bytes: usize,
}

/// The shelf of each language there is a published text in, after the articles were checked.
fn places(articles: &[Article]) -> Result<BTreeMap<String, Place>, Error> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    for article in articles.iter().filter(|article| article.published) {
        article.check()?;
        for (tag, text) in &article.texts {
            let lang = language_of(tag);
            let place = places.entry(lang).or_insert_with_key(|lang| Place {
                lang: lang.as_str().into(),
                shelf: 0,
                articles: 0,
                bytes: 0,
            });
            place.articles += 1;
            place.bytes += text.bytes();
        }
    }
    let mut order: Vec<&mut Place> = places.values_mut().collect();
    order.sort_by_key(|place| std::cmp::Reverse(place.articles));
    for (at, place) in order.into_iter().enumerate() {
        place.shelf = at.min(SHELVES_MAX);
    }
    Ok(places)
}

/// How much text comes on each shelf.
fn bytes_of_shelves(places: &BTreeMap<String, Place>) -> Vec<usize> {
    let shelves = places.values().map(|place| place.shelf + 1).max().unwrap_or_default();
    let mut bytes = vec![0; shelves];
    for place in places.values() {
        bytes[place.shelf] += place.bytes;
    }
    bytes
}

/// The language to answer in.
fn language_for(question: &str, lang: &str) -> String {
    let lang = language_of(lang);
    match text::is_chinese(question) {
        Some(true) if lang != "zh-CN" => "zh-CN".to_owned(),
        Some(false) if lang == "zh-CN" => "en".to_owned(),
        _ => lang,
    }
}

/// Adds the texts that are nearest in meaning, which may share no word with the question.
fn near_in_meaning(shelf: &Shelf, vector: &[f32], proposed: &mut Vec<(usize, f32)>) {
    let mut near: Vec<(usize, f32)> = shelf
        .texts
        .iter()
        .enumerate()
        .filter_map(|(place, text)| {
            text.vector.as_ref().map(|of| (place, judge::cosine(vector, of)))
        })
        .collect();
    near.sort_by(|one, other| other.1.total_cmp(&one.1));
    for (place, _) in near.into_iter().take(NEAR_MAX) {
        if !proposed.iter().any(|(known, _)| *known == place) {
            proposed.push((place, 0.0));
        }
    }
}
