//! A vocabulary learned from texts: characters, and pieces of words joined by how often they meet.

use std::collections::{BTreeMap, HashMap};

use frontdesk_script::is_ideograph;

/// Entries that are no text, at the places every vocabulary of ours has them.
pub(crate) const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Times a character has to occur; a rarer one is read as unknown, so that unknown ones are trained too.
const CHARACTER_MIN: usize = 2;
/// Times two pieces have to meet to become one.
const PAIR_MIN: usize = 3;

/// Learns at most `size` entries from normalised texts: the special ones, every character of some
/// frequency (of words also as a continuation, `##e`), then pieces of words in the order of their frequency.
pub(crate) fn learn<'a>(texts: impl Iterator<Item = &'a str>, size: usize) -> Vec<String> {
    let mut characters: BTreeMap<char, usize> = BTreeMap::new();
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        for character in text.chars().filter(|character| *character != ' ') {
            *characters.entry(character).or_default() += 1;
        }
        for word in text.split(|character: char| !is_word(character)) {
            if !word.is_empty() {
                *words.entry(word).or_default() += 1;
            }
        }
    }
    let mut entries: Vec<String> = SPECIAL.map(str::to_owned).to_vec();
    for (&character, _) in characters.iter().filter(|(_, count)| **count >= CHARACTER_MIN) {
        entries.push(character.to_string());
        if is_word(character) {
            entries.push(format!("##{character}"));
        }
    }
    let mut pieces = Pieces::new(&words);
    while entries.len() < size
        && let Some(joined) = pieces.join()
    {
        // Two pairs may give one piece, such as `a` `##bc` and `ab` `##c`.
        if !entries.contains(&joined) {
            entries.push(joined);
        }
    }
    entries.truncate(size);
    entries
}

/// Whether a character is part of a word of letters and not a word of its own.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() && !is_ideograph(character)
}

/// Words in the pieces they are made of so far.
struct Pieces {
    names: Vec<String>,
    words: Vec<(Vec<u32>, usize)>,
    /// How often two pieces are neighbours, and in which words they are or were.
    pairs: HashMap<(u32, u32), (usize, Vec<u32>)>,
}

impl Pieces {
    fn new(words: &BTreeMap<&str, usize>) -> Self {
        let mut ids: HashMap<String, u32> = HashMap::new();
        let mut pieces = Self { names: Vec::new(), words: Vec::new(), pairs: HashMap::new() };
        for (word, &count) in words {
            let mut made_of = Vec::new();
            for (at, character) in word.chars().enumerate() {
                let name = if at == 0 { character.to_string() } else { format!("##{character}") };
                made_of.push(*ids.entry(name).or_insert_with_key(|name| {
                    pieces.names.push(name.clone());
                    pieces.names.len() as u32 - 1
                }));
            }
            pieces.words.push((made_of, count));
        }
        for word in 0..pieces.words.len() {
            pieces.count(word, true);
        }
        pieces
    }

    /// Adds the pairs of a word to the count, or takes them away.
    fn count(&mut self, word: usize, add: bool) {
        let (pieces, count) = &self.words[word];
        for pair in pieces.windows(2) {
            let entry = self.pairs.entry((pair[0], pair[1])).or_default();
            if add {
                entry.0 += count;
                entry.1.push(word as u32);
            } else {
                entry.0 -= count;
            }
        }
    }

    /// Joins the two pieces that meet most often, of several the first, and names what they become.
    fn join(&mut self) -> Option<String> {
        let (&(left, right), _) = self
            .pairs
            .iter()
            .filter(|(_, (count, _))| *count >= PAIR_MIN)
            .max_by(|a, b| a.1.0.cmp(&b.1.0).then_with(|| b.0.cmp(a.0)))?;
        let name = format!(
            "{}{}",
            self.names[left as usize],
            self.names[right as usize].trim_start_matches("##")
        );
        let joined = self.names.len() as u32;
        self.names.push(name.clone());
        let (_, mut words) = self.pairs.get(&(left, right)).cloned().unwrap_or_default();
        words.sort_unstable();
        words.dedup();
        for word in words {
            let word = word as usize;
            self.count(word, false);
            let pieces = &mut self.words[word].0;
            let mut at = 0;
            while at + 1 < pieces.len() {
                if pieces[at] == left && pieces[at + 1] == right {
                    pieces[at] = joined;
                    pieces.remove(at + 1);
                }
                at += 1;
            }
            self.count(word, true);
        }
        self.pairs.remove(&(left, right));
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_become_one_piece() {
        let texts = ["refund refund refund 退款", "refund 退货 qx", "the the the"];
        let entries = learn(texts.into_iter(), 100);
        for expected in ["[PAD]", "退", "refund", "the", "##e"] {
            assert!(entries.iter().any(|entry| entry == expected), "{expected}");
        }
        // Seen once only.
        assert!(!entries.iter().any(|entry| entry == "货" || entry == "q"));
        assert_eq!(learn(texts.into_iter(), 8).len(), 8);
    }
}
