//! Text to token ids: WordPiece, cut to what an encoder reads.

use std::collections::HashMap;

use serde_json::json;
use tokenizers::Tokenizer;

/// Tokens of a text the classifier reads from its beginning, and from its end; the markers count.
pub const HEAD_TOKENS_MAX: usize = 40;
/// See [`HEAD_TOKENS_MAX`].
pub const TAIL_TOKENS_MAX: usize = 24;

/// A vocabulary, and the ids of the markers.
pub(crate) struct Tokens {
    tokenizer: Tokenizer,
    pub(crate) size: usize,
    cls: u32,
    sep: u32,
}

impl Tokens {
    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        Self::new(tokenizer)
    }

    /// Reads a `vocab.txt`, one entry a line, with the rules of BERT for lower-case text.
    pub(crate) fn from_lines(lines: &str) -> Result<Self, String> {
        let vocabulary: HashMap<&str, usize> =
            lines.lines().enumerate().map(|(id, line)| (line, id)).collect();
        let described = json!({
            "version": "1.0",
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": true,
                "handle_chinese_chars": true,
                "strip_accents": null,
                "lowercase": true,
            },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": vocabulary,
            },
        });
        Self::from_json(described.to_string().as_bytes())
    }

    fn new(tokenizer: Tokenizer) -> Result<Self, String> {
        let id = |name: &str| {
            tokenizer.token_to_id(name).ok_or_else(|| format!("the vocabulary has no {name}"))
        };
        Ok(Self {
            // Ids may have gaps: what counts is the highest.
            size: tokenizer.get_vocab(true).into_values().max().map_or(0, |most| most as usize + 1),
            cls: id("[CLS]")?,
            sep: id("[SEP]")?,
            tokenizer,
        })
    }

    /// Id of an entry.
    pub(crate) fn id(&self, entry: &str) -> Option<u32> {
        self.tokenizer.token_to_id(entry)
    }

    /// Ids for the classifier: the beginning and the end of a text, between the markers.
    pub(crate) fn ids(&self, text: &str) -> Vec<u32> {
        self.marked(text, HEAD_TOKENS_MAX - 1, TAIL_TOKENS_MAX - 1)
    }

    /// Ids for a sentence embedding: the first tokens, markers included.
    pub(crate) fn first_ids(&self, text: &str, most: usize) -> Vec<u32> {
        self.marked(text, most.saturating_sub(2), 0)
    }

    fn marked(&self, text: &str, head: usize, tail: usize) -> Vec<u32> {
        // What cannot be encoded is read as nothing: WordPiece has an entry for what it does not know.
        let encoding = self.tokenizer.encode_fast(text, false);
        let ids: &[u32] = encoding.as_ref().map_or(&[], tokenizers::Encoding::get_ids);
        let mut marked = Vec::with_capacity(ids.len().min(head + tail) + 2);
        marked.push(self.cls);
        if ids.len() <= head + tail {
            marked.extend_from_slice(ids);
        } else {
            marked.extend_from_slice(&ids[..head]);
            marked.extend_from_slice(&ids[ids.len() - tail..]);
        }
        marked.push(self.sep);
        marked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_into_pieces_and_ideographs_stand_alone() {
        let tokens =
            Tokens::from_lines("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nre\n##fund\n退\n款\n!")
                .expect("tokens");
        assert_eq!(tokens.size, 10);
        assert_eq!(tokens.ids("refund退款!x"), [2, 5, 6, 7, 8, 9, 1, 3]);
        assert_eq!(tokens.ids(""), [2, 3]);
    }

    #[test]
    fn a_long_text_keeps_head_and_tail() {
        let tokens =
            Tokens::from_lines("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb").expect("tokens");
        let ids = tokens.ids(&format!("{}{}", "a ".repeat(100), "b ".repeat(30)));
        assert_eq!(ids.len(), HEAD_TOKENS_MAX + TAIL_TOKENS_MAX);
        assert_eq!(ids.iter().filter(|id| **id == 6).count(), TAIL_TOKENS_MAX - 1);
    }

    #[test]
    fn a_vocabulary_without_markers_is_refused() {
        assert_eq!(
            Tokens::from_lines("a\nb").err().as_deref(),
            Some("the vocabulary has no [CLS]")
        );
    }
}
