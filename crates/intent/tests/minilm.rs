//! A real pretrained BERT, all-MiniLM-L6-v2, gives the sentence embeddings its own runtime gives.
//!
//! The model is not part of the repository: `bench/onnxruntime/compare.py` says how to get it and what is expected of it. Then
//! `INTENT_MINILM=OUT cargo test -p frontdesk-intent --test minilm -- --ignored`.

use std::{env, fs, path::PathBuf};

use frontdesk_intent::model::Classifier;

/// Cosine with the embedding of the model's own runtime.
const COSINE_MIN: f32 = 0.999;

#[derive(serde::Deserialize)]
struct Expected {
    text: String,
    vector: Vec<f32>,
}

fn directory() -> PathBuf {
    PathBuf::from(
        env::var("INTENT_MINILM").expect("INTENT_MINILM names the directory of compare.py"),
    )
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
#[ignore = "needs the pretrained model: bench/onnxruntime/compare.py"]
fn embeddings_agree_with_those_of_its_own_runtime() {
    let model = Classifier::open(&directory().join("model")).expect("a model of Hugging Face");
    let lines = fs::read_to_string(directory().join("expected.jsonl")).expect("what is expected");
    let mut least = f32::MAX;
    for line in lines.lines() {
        let expected: Expected = serde_json::from_str(line).expect("a line of compare.py");
        let ours = model.embed(&expected.text).expect("an encoder");
        let cosine = cosine(&ours, &expected.vector);
        assert!(cosine >= COSINE_MIN, "{}: {cosine}", expected.text);
        least = least.min(cosine);
    }
    assert!(least < f32::MAX, "there is nothing expected");
}

#[test]
#[ignore = "needs the pretrained model: bench/onnxruntime/compare.py"]
fn sentences_of_one_meaning_are_nearer_than_others() {
    let model = Classifier::open(&directory().join("model")).expect("a model of Hugging Face");
    let embed = |text: &str| model.embed(text).expect("an encoder");
    let refund = embed("How do I get my money back?");
    let near = cosine(&refund, &embed("I would like a refund, please."));
    let far = cosine(&refund, &embed("The weather is lovely in Lisbon today."));
    assert!(near > 0.5 && far < 0.2, "{near} {far}");
}
