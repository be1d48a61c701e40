//! Judges a model directory by lines it was not trained on, whole and by its parts.
//!
//! `judge DIRECTORY LINES..` prints the report of each as JSON. The n-grams alone are the logistic regression the whole
//! model has to beat. A part keeps the temperature fitted for the whole: only its labels are compared, not how sure it is.

use std::{env, path::Path};

use anyhow::{Context, Result};
use frontdesk_intent::{
    Example,
    eval::{Thresholds, evaluate},
    model::Classifier,
    read_examples,
};

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let directory = arguments.next().context("the directory of the model is missing")?;
    let mut examples: Vec<Example> = Vec::new();
    for lines in arguments {
        examples.extend(read_examples(Path::new(&lines))?);
    }
    let open = || Classifier::open(Path::new(&directory));
    for (name, model) in [
        ("whole", open()?),
        ("n-grams alone", open()?.parts(false, true)),
        ("encoder alone", open()?.parts(true, false)),
    ] {
        let report = evaluate(|text| model.classify(text), &examples, &Thresholds::default());
        println!("{name}: {}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}
