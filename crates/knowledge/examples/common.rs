//! Counts in how many texts each word is: `common datasets/intent/train/*.jsonl > crates/knowledge/words/common.txt`.

use std::{
    collections::{BTreeSet, HashMap},
    env, fs,
};

use anyhow::Result;

/// Words in fewer texts say nothing of what is common.
const SEEN_MIN: usize = 6;

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for file in env::args().skip(1) {
        for line in fs::read_to_string(&file)?.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let text = line["text"].as_str().unwrap_or_default();
            let words: BTreeSet<String> = frontdesk_knowledge::terms(text).into_iter().collect();
            for word in words.into_iter().filter(|word| !word.contains(' ')) {
                *seen.entry(word).or_default() += 1;
            }
        }
    }
    let mut seen: Vec<(String, usize)> =
        seen.into_iter().filter(|(_, seen)| *seen >= SEEN_MIN).collect();
    seen.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    for (word, seen) in seen {
        println!("{word} {seen}");
    }
    Ok(())
}
