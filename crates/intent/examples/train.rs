//! Trains and judges models while a recipe is looked for.
//!
//! `train OUT KEY=VALUE..` trains on `datasets/intent/train`. With `without=ij` the batches i and j are left out, with
//! `without=six` six industries, and the model is judged by them; the other keys are those of the recipe.

use std::{env, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use frontdesk_intent::{
    Example,
    eval::{Report, Thresholds, evaluate},
    model::Classifier,
    read_examples,
    train::{TrainOptions, train_examples},
};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let out = arguments.next().context("the directory of the model is missing")?;
    let mut options = TrainOptions::new(Path::new("datasets/intent/train"), Path::new(&out));
    let mut without = String::new();
    for argument in arguments {
        let (key, value) = argument.split_once('=').context("KEY=VALUE is expected")?;
        if key == "without" {
            value.clone_into(&mut without);
        } else {
            set(&mut options, key, value)?;
        }
    }
    let examples = read_examples(&options.data)?;
    let mut industries: Vec<&str> = examples.iter().map(|one| one.industry.as_str()).collect();
    industries.sort_unstable();
    industries.dedup();
    let six: Vec<&str> = industries.into_iter().step_by(7).take(6).collect();
    let is_left_out = |example: &Example| {
        if without == "six" {
            six.contains(&example.industry.as_str())
        } else {
            without.contains(&example.batch)
        }
    };
    let (left_out, learned): (Vec<&Example>, Vec<&Example>) =
        examples.iter().partition(|example| is_left_out(example));
    let began = Instant::now();
    let mut last = None;
    let trained = train_examples(&learned, &options, &mut |progress| {
        let passed = began.elapsed().as_secs() / 15;
        if last.replace(passed) != Some(passed) {
            eprintln!("{progress:?}");
        }
    })?;
    println!("took {:?}, {:?}", began.elapsed(), trained.calibration);
    show("held back", &trained.held_back);
    show("held back, n-grams alone", &trained.ngrams_alone);
    if !left_out.is_empty() {
        let left_out: Vec<Example> = left_out.into_iter().cloned().collect();
        let classifier = Classifier::open(Path::new(&out))?;
        let classify = |text: &str| classifier.classify(text);
        show("left out", &evaluate(classify, &left_out, &Thresholds::default()));
        let alone = classifier.parts(false, true);
        show(
            "left out, n-grams alone",
            &evaluate(|text| alone.classify(text), &left_out, &Thresholds::default()),
        );
        let alone = alone.parts(true, false);
        show(
            "left out, encoder alone",
            &evaluate(|text| alone.classify(text), &left_out, &Thresholds::default()),
        );
    }
    Ok(())
}

fn set(options: &mut TrainOptions, key: &str, value: &str) -> Result<()> {
    let recipe = &mut options.recipe;
    match key {
        "seed" => options.seed = value.parse()?,
        "base" => options.base = Some(value.into()),
        "layers" => recipe.layers = value.parse()?,
        "width" => recipe.width = value.parse()?,
        "inner" => recipe.inner = value.parse()?,
        "heads" => recipe.heads = value.parse()?,
        "vocabulary" => recipe.vocabulary = value.parse()?,
        "pretrain_epochs" => recipe.pretrain_epochs = value.parse()?,
        "pretrain_rate" => recipe.pretrain_rate = value.parse()?,
        "epochs" => recipe.epochs = value.parse()?,
        "rate" => recipe.rate = value.parse()?,
        "decay" => recipe.decay = value.parse()?,
        "dropout" => recipe.dropout = value.parse()?,
        "word_dropout" => recipe.word_dropout = value.parse()?,
        "smoothing" => recipe.smoothing = value.parse()?,
        "variants" => recipe.variants = value.parse()?,
        "texts_per_batch" => recipe.texts_per_batch = value.parse()?,
        "averaging" => recipe.averaging = value.parse()?,
        "teachers" => recipe.teachers = value.parse()?,
        "held_back" => recipe.held_back = value.parse()?,
        _ => bail!("no such key: {key}"),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn show(name: &str, report: &Report) {
    let languages: Vec<String> = report
        .per_language
        .iter()
        .map(|(lang, figures)| format!("{lang} {:.3}", figures.macro_f1))
        .collect();
    let at = &report.at_thresholds;
    println!(
        "{name}: {} texts, macro-F1 {:.4} ({}), precision {:.3} {:.3?}, coverage {:.3}, other_false {:.3}, calibration error {:.3}, p50 {:.0} us p99 {:.0} us",
        report.texts,
        report.macro_f1,
        languages.join(", "),
        at.precision,
        at.per_class_precision.values().collect::<Vec<_>>(),
        at.coverage,
        at.other_false,
        report.calibration_error,
        report.took_us.p50,
        report.took_us.p99,
    );
}
