//! How many questions are answered: the figures docs/knowledge.md promises, held.

use std::fs;

use frontdesk_knowledge::{Knowledge, Options, demo, eval};

fn report(file: &str) -> eval::Report {
    let path = format!("{}/../../datasets/knowledge/{file}", env!("CARGO_MANIFEST_DIR"));
    let questions = eval::read_questions(&fs::read_to_string(path).unwrap()).unwrap();
    let knowledge = Knowledge::build(&demo::articles(), Options::default()).unwrap();
    eval::evaluate(&knowledge, &questions)
}

#[test]
fn questions_the_weights_never_saw_are_answered() {
    let report = report("questions.jsonl");
    assert_eq!((report.questions, report.answerable), (200, 140));
    assert!(report.recall_at_3 >= 0.90, "{report:?}");
    assert!(report.unanswerable_answered <= 0.05, "{report:?}");
}

#[test]
fn questions_the_weights_were_fitted_on_are_answered() {
    let report = report("dev.jsonl");
    assert!(report.recall_at_3 >= 0.95, "{report:?}");
    assert!(report.unanswerable_answered <= 0.05, "{report:?}");
}

#[test]
fn a_file_of_questions_says_which_line_is_none() {
    let error = eval::read_questions("{\"question\":\"a\",\"lang\":\"en\",\"article\":null}\nx\n");
    assert_eq!(
        error.unwrap_err().to_string(),
        "line 2 is not {\"question\", \"lang\", \"article\"}"
    );
    assert!(eval::read_questions("\n").is_err());
}
