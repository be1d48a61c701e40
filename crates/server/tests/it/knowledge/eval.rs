//! `frontdesk kb eval` over the real binary: the figures people choose thresholds and models by.

use frontdesk_testkit::run_to_end;
use serde_json::Value;

use crate::FRONTDESK;

/// Questions that were written apart from the demo's articles.
const QUESTIONS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/knowledge/questions.jsonl");
const MODEL_DIR: &str = "FRONTDESK__KNOWLEDGE__SENTENCE_MODEL_DIR";

/// What it prints.
async fn figures(env: &[(&str, &str)]) -> Value {
    let output = run_to_end(FRONTDESK, &["kb", "eval", "--data", QUESTIONS, "--json"], env).await;
    assert!(output.status.success(), "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("kb eval prints JSON")
}

#[tokio::test]
async fn the_demo_finds_nine_of_ten_and_answers_few_that_it_cannot() {
    let figures = figures(&[]).await;
    assert_eq!((&figures["questions"], &figures["answerable"]), (&200.into(), &140.into()));
    let share = |name: &str| figures[name].as_f64().expect("a share");
    assert!(share("recall_at_3") >= 0.90, "{figures}");
    assert!(share("recall_at_1") <= share("recall_at_3"), "{figures}");
    assert!(share("unanswerable_answered") <= 0.05, "{figures}");
    assert!(figures["took_us"].as_u64().is_some_and(|took| took > 0), "{figures}");
}

#[tokio::test]
async fn a_sentence_model_that_is_configured_has_its_say() {
    // The encoder of the intents is no sentence model, but it is a BERT, and it is there.
    let encoder = concat!(env!("CARGO_MANIFEST_DIR"), "/../intent/model");
    assert_ne!(
        figures(&[(MODEL_DIR, encoder)]).await["recall_at_1"],
        figures(&[]).await["recall_at_1"]
    );
    let eval = ["kb", "eval", "--data", QUESTIONS];
    let output = run_to_end(FRONTDESK, &eval, &[(MODEL_DIR, "/nowhere")]).await;
    assert!(!output.status.success());
    assert!(output.stderr.contains("knowledge.sentence_model_dir"), "{}", output.stderr);
}
