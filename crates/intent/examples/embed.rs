//! Sentence embeddings by a BERT directory, and how long each took: the side of Frontdesk where it is compared with
//! another runtime on the same weights (`bench/onnxruntime`).
//!
//! `embed DIRECTORY ROUNDS < SENTENCES` prints a line of JSON for each sentence: its text, its vector, and the median of
//! the rounds in microseconds.

use std::{
    env,
    hint::black_box,
    io::{self, BufRead as _},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result};
use frontdesk_intent::model::Classifier;

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let directory = arguments.next().context("the directory of the model is missing")?;
    let rounds: usize = arguments.next().context("the rounds are missing")?.parse()?;
    let model = Classifier::open(Path::new(&directory))?;
    for text in io::stdin().lock().lines() {
        let text = text?;
        let mut took = Vec::with_capacity(rounds);
        let mut vector = None;
        for _ in 0..rounds.max(1) {
            let began = Instant::now();
            vector = black_box(model.embed(black_box(&text)));
            took.push(began.elapsed());
        }
        took.sort_unstable();
        let took_us = took[took.len() / 2].as_nanos() as f64 / 1_000.0;
        let vector = vector.context("the model has no encoder")?;
        let line = serde_json::json!({"text": text, "took_us": took_us, "vector": vector});
        println!("{line}");
    }
    Ok(())
}
