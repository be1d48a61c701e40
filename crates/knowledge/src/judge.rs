//! How sure it is that a text answers a question: a few figures of the pair, and two lines through them.
//!
//! The first line ranks the texts that were proposed. The second, a logistic one, says how likely the text is the
//! answer; it also sees how far the text is from the next one, and what share of the question no article knows.
//! Both are fitted on `datasets/knowledge/dev.jsonl` by `examples/fit.rs`.

use serde::Serialize;

use crate::{
    shelf::{Asked, Shelf, Text},
    weights::{CERTAIN, CERTAIN_BIAS, COSINE_RANK, RANK},
};

/// Number of figures of a pair.
pub const FIGURES: usize = 9;
/// What a concept counts for where the word itself is not in the text.
const CONCEPT_CREDIT: f32 = 0.75;
/// What the rarest word of fifty texts weighs: the evidence of as many words is the same in a base of any size.
const EVIDENCE_SCALE: f32 = 4.6;
/// Title and question share all their words from here on.
const SAME_WORDS: f32 = 0.98;
/// The least score of a text that is asked for in the words of its title or of another question.
const SAME_WORDS_SCORE: f32 = 0.97;
/// The share of a question that a text may lack, though other articles speak of it, where it has but one of the words.
const LACKS_MAX: f32 = 0.2;
/// What the words of a phrase count for where the phrase is not in the text.
const PARTS_CREDIT: f32 = 0.5;

/// The figures of one question and one text, each from 0 to about 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Parts {
    /// BM25 as a share of what a full match would get.
    pub bm25: f32,
    /// Share of the question's words, by weight, that the whole text has.
    pub coverage: f32,
    /// Share that the title or the best of the other questions has.
    pub title: f32,
    /// Share that the summary has.
    pub summary: f32,
    /// Share that the best passage has.
    pub passage: f32,
    /// Share of the title's (or the other question's) words that the question has.
    pub asked: f32,
    /// How much was matched at all; many rare words are more than one.
    pub evidence: f32,
    /// Share of the question that no article knows.
    pub unknown: f32,
    /// The weight of the second word or phrase of the question that title, other questions or summary have, as a share of
    /// the rarest word's; one word in common is a coincidence sooner than two.
    pub second: f32,
    /// How far the text is ahead of the next one, or behind the first.
    pub margin: f32,
    /// Share of the question that other articles know and this text has nothing of.
    pub lacks: f32,
    /// Nearness in meaning, where a sentence model is configured.
    pub cosine: Option<f32>,
}

impl Parts {
    /// The figures that are fitted, without margin and cosine.
    pub fn figures(&self) -> [f32; FIGURES] {
        [
            self.bm25,
            self.coverage,
            self.title,
            self.summary,
            self.passage,
            self.asked,
            self.evidence,
            self.unknown,
            self.second,
        ]
    }

    /// Whether what is asked is said elsewhere: what the text is about shares one word with the question, and other
    /// articles know more of the rest. A text that is about the thing is not the answer to whatever is asked of it: "how
    /// do I return a gaiwan" is not answered by what a gaiwan is. It is a rule beside the fitted line because the rarest
    /// word of a short question carries that line alone.
    pub(crate) fn is_coincidence(&self) -> bool {
        self.second == 0.0 && self.lacks > LACKS_MAX
    }

    /// The text's place among others; only differences mean something.
    pub(crate) fn rank(&self) -> f32 {
        let cosine = self.cosine.map_or(0.0, |cosine| COSINE_RANK * cosine);
        dot(&self.figures(), &RANK) + cosine
    }

    /// How likely the text is the answer. Nearness in meaning is in it by the margin alone: what is about the same
    /// thing need not answer the question, and as a figure of its own it had twice as many questions without an answer
    /// answered.
    pub(crate) fn certain(&self) -> f32 {
        let figures = self.figures();
        let [fitted @ .., margin] = &CERTAIN;
        let line = dot(&figures, fitted) + margin * self.margin + CERTAIN_BIAS;
        let score = 1.0 / (1.0 + (-line).exp());
        let same = self.title >= SAME_WORDS && self.asked >= SAME_WORDS && self.margin > 0.0;
        if same { score.max(SAME_WORDS_SCORE) } else { score }
    }
}

fn dot(figures: &[f32; FIGURES], weights: &[f32; FIGURES]) -> f32 {
    figures.iter().zip(weights).map(|(figure, weight)| figure * weight).sum()
}

/// What a text has of a question.
pub(crate) struct Judged {
    pub(crate) parts: Parts,
    /// The best passage's place.
    pub(crate) passage: usize,
    /// The question's words it has, as they were written.
    pub(crate) words: Vec<String>,
}

/// Judges a text by the words of a question.
pub(crate) fn judge(shelf: &Shelf, text: &Text, asked: &[Asked], bm25: f32) -> Judged {
    let total: f32 = asked.iter().map(|asked| asked.weight).sum();
    let share = |matched: f32| if total > 0.0 { matched / total } else { 0.0 };
    let covered = |words: &[u32]| {
        share(asked.iter().map(|asked| asked.weight * credit(shelf, asked, words)).sum())
    };
    let head_total: f32 = asked.iter().map(|asked| asked.head_weight).sum();
    let head_covered = |words: &[u32]| {
        let matched: f32 =
            asked.iter().map(|asked| asked.head_weight * head_credit(shelf, asked, words)).sum();
        if head_total > 0.0 { matched / head_total } else { 0.0 }
    };
    let heads = || std::iter::once(&text.title_words).chain(&text.questions);
    // The head that says most like the question, read in both directions.
    let (title, back) = heads()
        .map(|words| (head_covered(words), matched_back(shelf, words, asked)))
        .max_by(|one, other| (one.0 + one.1).total_cmp(&(other.0 + other.1)))
        .unwrap_or_default();
    let of_passage = text.passages.iter().map(|passage| covered(&passage.words));
    let of_passage = of_passage.fold(0.0, f32::max);
    let mut matched = 0.0;
    let (mut unknown, mut lacks) = (0.0, 0.0);
    let mut words = Vec::new();
    for word in asked {
        let best = heads()
            .chain(std::iter::once(&text.summary_words))
            .chain(text.passages.iter().map(|passage| &passage.words))
            .chain(std::iter::once(&text.rest_words))
            .map(|words| credit(shelf, word, words))
            .fold(0.0, f32::max);
        matched += best * word.weight;
        if best > 0.0 {
            words.push(word.written.clone());
        } else if !word.is_unknown() {
            lacks += word.weight;
        }
        if word.is_unknown() {
            unknown += word.weight;
        }
    }
    let parts = Parts {
        bm25,
        coverage: share(matched),
        title,
        summary: head_covered(&text.summary_words),
        passage: of_passage,
        asked: back,
        evidence: (1.0 + EVIDENCE_SCALE * matched / shelf.rarest()).ln() / 3.0,
        unknown: share(unknown),
        second: second(shelf, text, asked),
        margin: 0.0,
        lacks: share(lacks),
        cosine: None,
    };
    Judged { parts, passage: shown(shelf, text, asked), words }
}

/// The place of the passage to show: the first one that says most of what the title does not say of the question. What
/// the title says all of the text is about, and a text that is asked for by its title is shown from its beginning.
fn shown(shelf: &Shelf, text: &Text, asked: &[Asked]) -> usize {
    let beyond: Vec<&Asked> =
        asked.iter().filter(|asked| credit(shelf, asked, &text.title_words) == 0.0).collect();
    let says = |words: &[u32]| -> f32 {
        beyond.iter().map(|asked| asked.weight * credit(shelf, asked, words)).sum()
    };
    let passages = text.passages.iter().map(|passage| says(&passage.words)).enumerate();
    passages.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best }).0
}

/// The weight of the second match in what a text is about. Words of one concept are one match.
fn second(shelf: &Shelf, text: &Text, asked: &[Asked]) -> f32 {
    let mut matches: Vec<(f32, &Asked)> = asked
        .iter()
        .map(|asked| {
            let best = std::iter::once(&text.title_words)
                .chain(&text.questions)
                .chain(std::iter::once(&text.summary_words))
                .map(|words| head_credit(shelf, asked, words))
                .fold(0.0, f32::max);
            (best * asked.head_weight, asked)
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    matches.sort_by(|one, other| other.0.total_cmp(&one.0));
    let Some((_, first)) = matches.first() else { return 0.0 };
    let is_other =
        |asked: &Asked| !asked.concepts.iter().any(|concept| first.concepts.contains(concept));
    let second = matches.iter().skip(1).find(|(_, asked)| is_other(asked));
    second.map_or(0.0, |(weight, _)| weight / shelf.rarest())
}

/// What of a question's word some words have: all of it, its meaning, or parts of a phrase.
fn credit(shelf: &Shelf, asked: &Asked, words: &[u32]) -> f32 {
    credit_by(asked, words, asked.weight, |word| shelf.rarity(word))
}

/// The same for words of titles and summaries.
fn head_credit(shelf: &Shelf, asked: &Asked, words: &[u32]) -> f32 {
    credit_by(asked, words, asked.head_weight, |word| shelf.head_rarity(word))
}

fn credit_by(asked: &Asked, words: &[u32], weight: f32, rarity: impl Fn(u32) -> f32) -> f32 {
    let has = |word: &u32| words.binary_search(word).is_ok();
    if asked.word.as_ref().is_some_and(has) {
        return 1.0;
    }
    let concept = asked
        .concepts
        .iter()
        .filter(|concept| has(concept))
        .map(|concept| CONCEPT_CREDIT * (rarity(*concept) / weight).min(1.0))
        .fold(0.0, f32::max);
    if asked.parts.is_empty() {
        return concept;
    }
    let parts = asked.parts.iter().filter(|part| has(part)).count() as f32;
    concept.max(PARTS_CREDIT * parts / asked.parts.len() as f32)
}

/// The share of a title's words, by weight, that a question has.
fn matched_back(shelf: &Shelf, words: &[u32], asked: &[Asked]) -> f32 {
    let (mut total, mut matched) = (0.0, 0.0);
    for word in words {
        let weight = shelf.head_rarity(*word);
        total += weight;
        let is = |asked: &Asked| {
            asked.word == Some(*word) || asked.concepts.contains(word) || asked.parts.contains(word)
        };
        if asked.iter().any(is) {
            matched += weight;
        }
    }
    if total > 0.0 { matched / total } else { 0.0 }
}

/// The cosine of two vectors; 0 where they are not of one kind.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return 0.0;
    }
    let product: f32 = one.iter().zip(other).map(|(one, other)| one * other).sum();
    let length = |vector: &[f32]| vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    let lengths = length(one) * length(other);
    if lengths > 0.0 && product.is_finite() { product / lengths } else { 0.0 }
}
