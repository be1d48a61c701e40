//! The texts of one language, or of several rare ones: an index in memory that proposes, and what the proposals are
//! judged by.
//!
//! The engine (tantivy) ranks by BM25 over title, other questions, summary and body. It gets our words, already cut
//! and joined by spaces, and keeps no text itself. One segment, built on the caller's thread: a document's number is
//! the text's place in the list.

use std::{collections::HashMap, sync::Arc};

use tantivy::{
    Index, Searcher, TantivyDocument, Term,
    collector::TopDocs,
    directory::RamDirectory,
    query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{TokenizerManager, WhitespaceTokenizer},
};

use crate::{
    Embed,
    article::{ArticleText, Error},
    markdown,
    text::{self, Item, common, concepts},
};

/// Memory the engine sets aside at once when it begins to build: as much as the texts may need, so that a shelf of a few
/// articles costs little. With more words its tables grow.
const BUILD_BYTES_MIN: usize = 1024 * 1024;
const BUILD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Texts the engine proposes for a question.
const PROPOSED_MAX: usize = 24;
/// Words of a question the engine looks for, the rarest first.
const LOOKED_FOR_MAX: usize = 24;
/// What a match counts for in title, other questions, summary and body.
const FIELD_BOOSTS: [f32; 4] = [3.0, 3.0, 1.5, 1.0];
/// What a word of a general concept counts for beside one of a particular one.
const GENERAL_WEIGHT: f32 = 0.6;
/// What a concept counts for beside the word itself.
const CONCEPT_BOOST: f32 = 0.7;

/// Words of a text as numbers of the shelf's vocabulary, sorted.
type Words = Box<[u32]>;

/// A text as it is judged.
pub(crate) struct Text {
    /// Its article's place in the list of the account.
    pub(crate) article: usize,
    pub(crate) lang: Arc<str>,
    pub(crate) title: Box<str>,
    pub(crate) title_words: Words,
    /// Of each other question.
    pub(crate) questions: Box<[Words]>,
    pub(crate) summary_words: Words,
    pub(crate) passages: Box<[Passage]>,
    /// Of what is behind the passages.
    pub(crate) rest_words: Words,
    /// Its meaning, where something can say it.
    pub(crate) vector: Option<Box<[f32]>>,
}

/// A part of a text that can be shown.
pub(crate) struct Passage {
    pub(crate) text: Box<str>,
    pub(crate) words: Words,
}

/// All texts of one language, or of several rare ones.
pub(crate) struct Shelf {
    pub(crate) texts: Vec<Text>,
    searcher: Searcher,
    fields: [Field; 4],
    vocabulary: HashMap<Box<str>, u32>,
    /// In how many texts each word is.
    seen_in: Vec<u32>,
    /// In how many titles, other questions and summaries.
    seen_in_heads: Vec<u32>,
}

/// A word of a question, as this shelf knows it.
pub(crate) struct Asked {
    pub(crate) written: String,
    /// The word itself, if any text has it.
    pub(crate) word: Option<u32>,
    pub(crate) concepts: Vec<u32>,
    pub(crate) parts: Vec<u32>,
    /// How much it tells texts apart.
    pub(crate) weight: f32,
    /// How much it tells what texts are about: the same over titles, other questions and summaries.
    pub(crate) head_weight: f32,
}

impl Asked {
    /// Whether no text of the shelf has it in any form.
    pub(crate) fn is_unknown(&self) -> bool {
        self.word.is_none() && self.concepts.is_empty() && self.parts.is_empty()
    }
}

/// Collects the texts of a shelf.
pub(crate) struct ShelfBuilder {
    texts: Vec<Text>,
    fields: [Field; 4],
    writer: tantivy::SingleSegmentIndexWriter,
    vocabulary: HashMap<Box<str>, u32>,
    seen_in: Vec<u32>,
    seen_in_heads: Vec<u32>,
}

impl ShelfBuilder {
    /// For texts of so many bytes together.
    pub(crate) fn new(bytes: usize) -> Result<Self, Error> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("words")
            .set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let fields = ["title", "questions", "summary", "body"]
            .map(|name| schema.add_text_field(name, options.clone()));
        let tokenizers = TokenizerManager::new();
        tokenizers.register("words", WhitespaceTokenizer::default());
        let writer = Index::builder()
            .schema(schema.build())
            .tokenizers(tokenizers)
            .single_segment_index_writer(
                RamDirectory::create(),
                bytes.clamp(BUILD_BYTES_MIN, BUILD_BYTES_MAX),
            )
            .map_err(|error| refused(&error))?;
        Ok(Self {
            texts: Vec::new(),
            fields,
            writer,
            vocabulary: HashMap::new(),
            seen_in: Vec::new(),
            seen_in_heads: Vec::new(),
        })
    }

    /// Adds a text; the words of its slug count as those of its title.
    pub(crate) fn add(
        &mut self,
        article: usize,
        lang: &Arc<str>,
        slug: &str,
        text: &ArticleText,
        embed: Option<&Embed>,
    ) -> Result<(), Error> {
        let mut document = TantivyDocument::default();
        let title = text::items(&text.title);
        document.add_text(self.fields[0], joined(&title));
        let title_words = self.words(&title);
        let slug_items = text::items(&slug.replace('-', " "));
        let questions: Vec<Vec<Item>> =
            text.questions.iter().map(|question| text::items(question)).collect();
        for question in &questions {
            document.add_text(self.fields[1], joined(question));
        }
        let mut question_words: Vec<Words> =
            questions.iter().map(|question| self.words(question)).collect();
        if &**lang == "en" && !slug_items.is_empty() && !slug.starts_with("a-") {
            document.add_text(self.fields[1], joined(&slug_items));
            question_words.push(self.words(&slug_items));
        }
        let summary = text::items(&text.summary);
        document.add_text(self.fields[2], joined(&summary));
        let summary_words = self.words(&summary);
        let mut passages = Vec::new();
        let (cut, rest) = markdown::passages(&text.body);
        for passage in cut {
            let mut items = text::items(&passage.said);
            document.add_text(self.fields[3], joined(&items));
            // What is repeated above a passage is found with it, and counts once where words are counted.
            items.extend(text::items(&passage.above));
            let shown = passage.shown().into_boxed_str();
            passages.push(Passage { words: self.words(&items), text: shown });
        }
        let rest = text::items(&rest);
        document.add_text(self.fields[3], joined(&rest));
        let rest_words = self.words(&rest);
        self.writer.add_document(document).map_err(|error| refused(&error))?;
        let heads = [&title_words, &summary_words].into_iter().chain(&question_words);
        for word in together(heads.clone()) {
            self.seen_in_heads[word as usize] += 1;
        }
        let bodies = passages.iter().map(|passage| &passage.words).chain([&rest_words]);
        for word in together(heads.chain(bodies)) {
            self.seen_in[word as usize] += 1;
        }
        let vector = embed
            .and_then(|embed| embed(&format!("{}\n{}", text.title, text.summary)))
            .map(Vec::into_boxed_slice);
        self.texts.push(Text {
            article,
            lang: Arc::clone(lang),
            title: text.title.clone().into_boxed_str(),
            title_words,
            questions: question_words.into_boxed_slice(),
            summary_words,
            passages: passages.into_boxed_slice(),
            rest_words,
            vector,
        });
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Shelf, Error> {
        let index = self.writer.finalize().map_err(|error| refused(&error))?;
        let reader = index
            .reader_builder()
            .reload_policy(tantivy::ReloadPolicy::Manual)
            .try_into()
            .map_err(|error| refused(&error))?;
        Ok(Shelf {
            texts: self.texts,
            searcher: reader.searcher(),
            fields: self.fields,
            vocabulary: self.vocabulary,
            seen_in: self.seen_in,
            seen_in_heads: self.seen_in_heads,
        })
    }

    /// The numbers of the words, their concepts and parts, which are given on first sight.
    fn words(&mut self, items: &[Item]) -> Words {
        let mut words = Vec::with_capacity(items.len() * 2);
        each_term(items, |term| {
            let next = self.seen_in.len() as u32;
            let word = match self.vocabulary.get(term) {
                Some(word) => *word,
                None => {
                    self.vocabulary.insert(term.into(), next);
                    self.seen_in.push(0);
                    self.seen_in_heads.push(0);
                    next
                }
            };
            words.push(word);
        });
        words.sort_unstable();
        words.dedup();
        words.into_boxed_slice()
    }
}

impl Shelf {
    /// A question's words with what this shelf knows of them.
    pub(crate) fn asked(&self, items: &[Item]) -> Vec<Asked> {
        items.iter().map(|item| self.known(item)).collect()
    }

    fn known(&self, item: &Item) -> Asked {
        let number = |term: &str| self.vocabulary.get(term).copied();
        let word = number(&item.term);
        let concepts: Vec<u32> =
            item.concepts.iter().filter_map(|concept| number(&concepts::term(*concept))).collect();
        let parts: Vec<u32> = item.parts.iter().filter_map(|part| number(part)).collect();
        let weight = self.weight(item, word, &concepts, &parts, &self.seen_in);
        let head_weight = self.weight(item, word, &concepts, &parts, &self.seen_in_heads);
        Asked { written: item.written.clone(), word, concepts, parts, weight, head_weight }
    }

    fn weight(
        &self,
        item: &Item,
        word: Option<u32>,
        concepts: &[u32],
        parts: &[u32],
        seen_in: &[u32],
    ) -> f32 {
        let rarity = |word: u32| self.rarity_of(seen_in.get(word as usize).copied().unwrap_or(0));
        let rarest = |words: &[u32]| words.iter().map(|word| rarity(*word)).reduce(f32::max);
        let is_general = item.concepts.iter().all(|concept| concepts::is_general(*concept));
        let general = if is_general { GENERAL_WEIGHT } else { 1.0 };
        match (word.map(rarity), rarest(concepts)) {
            (Some(word), Some(concept)) => f32::midpoint(word, concept) * general,
            (None, Some(concept)) => concept * general,
            (Some(word), None) => word * common::known_weight(&item.term),
            // A word nobody wrote into an article says something, the more the rarer it is elsewhere.
            (None, None) => rarest(parts)
                .unwrap_or_else(|| self.rarity_of(0) * common::unknown_weight(&item.term)),
        }
    }

    /// How much a word tells texts apart: the inverse document frequency of BM25.
    pub(crate) fn rarity(&self, word: u32) -> f32 {
        self.rarity_of(self.seen_in.get(word as usize).copied().unwrap_or_default())
    }

    /// The same over titles, other questions and summaries.
    pub(crate) fn head_rarity(&self, word: u32) -> f32 {
        self.rarity_of(self.seen_in_heads.get(word as usize).copied().unwrap_or_default())
    }

    /// The weight of a word that is in no text.
    pub(crate) fn rarest(&self) -> f32 {
        self.rarity_of(0)
    }

    fn rarity_of(&self, seen_in: u32) -> f32 {
        let (texts, seen_in) = (self.texts.len() as f32, seen_in as f32);
        (1.0 + (texts - seen_in + 0.5) / (seen_in + 0.5)).ln()
    }

    /// The texts the engine thinks of, best first, with its scores as shares of what a text with every word in its
    /// title would get.
    pub(crate) fn proposed(
        &self,
        asked: &[Asked],
        items: &[Item],
    ) -> Result<Vec<(usize, f32)>, Error> {
        let mut order: Vec<usize> = (0..asked.len()).collect();
        order.sort_by(|one, other| asked[*other].weight.total_cmp(&asked[*one].weight));
        order.truncate(LOOKED_FOR_MAX);
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let mut add = |term: &str, boost: f32| {
            if !self.vocabulary.contains_key(term) {
                return;
            }
            for (field, field_boost) in self.fields.iter().zip(FIELD_BOOSTS) {
                let query = TermQuery::new(
                    Term::from_field_text(*field, term),
                    IndexRecordOption::WithFreqs,
                );
                let query = BoostQuery::new(Box::new(query), boost * field_boost);
                clauses.push((Occur::Should, Box::new(query)));
            }
        };
        for at in &order {
            let item = &items[*at];
            add(&item.term, 1.0);
            for concept in &item.concepts {
                add(&concepts::term(*concept), CONCEPT_BOOST);
            }
            for part in &item.parts {
                add(part, CONCEPT_BOOST);
            }
        }
        if clauses.is_empty() {
            return Ok(Vec::new());
        }
        let query = BooleanQuery::new(clauses);
        let found = self
            .searcher
            .search(&query, &TopDocs::with_limit(PROPOSED_MAX).order_by_score())
            .map_err(|error| refused(&error))?;
        let full: f32 = asked.iter().map(|asked| asked.weight).sum::<f32>() * FULL_MATCH;
        let share = |score: f32| if full > 0.0 { (score / full).min(1.0) } else { 0.0 };
        Ok(found
            .into_iter()
            .map(|(score, address)| (address.doc_id as usize, share(score)))
            .filter(|(text, _)| *text < self.texts.len())
            .collect())
    }
}

/// What a word in the title of an average length adds to BM25 (k1 + 1 of tantivy, times the title's boost).
const FULL_MATCH: f32 = 2.2 * FIELD_BOOSTS[0];

fn together<'a>(words: impl Iterator<Item = &'a Words>) -> Vec<u32> {
    let mut all: Vec<u32> = words.flat_map(|words| words.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn joined(items: &[Item]) -> String {
    let mut text = String::new();
    each_term(items, |term| {
        text.push_str(term);
        text.push(' ');
    });
    text
}

fn each_term(items: &[Item], mut take: impl FnMut(&str)) {
    for item in items {
        take(&item.term);
        for concept in &item.concepts {
            take(&concepts::term(*concept));
        }
        for part in &item.parts {
            take(part);
        }
    }
}

fn refused(error: &tantivy::TantivyError) -> Error {
    Error::Index { reason: error.to_string() }
}
