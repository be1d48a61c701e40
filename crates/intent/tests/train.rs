//! A training from lines to a model, small enough for a test.

use std::{fmt::Write as _, fs, path::Path};

use frontdesk_intent::{
    Label,
    model::Classifier,
    train::{LinearOptions, Progress, Recipe, TrainError, TrainOptions, Trained, train},
};

/// Texts a model tells apart after a few passes.
fn lines() -> String {
    let things =
        ["订单", "快递", "裙子", "耳机", "发票", "room", "phone", "ticket", "course", "battery"];
    let mut lines = String::new();
    for (at, thing) in things.iter().cycle().take(120).enumerate() {
        let (text, label) = match at / 30 {
            0 => (format!("太差劲了 {thing} terrible"), "complaint"),
            1 => (format!("怎么查 {thing} how do i"), "consult"),
            2 => (format!("多少钱 {thing} price"), "sales"),
            _ => (format!("谢谢 {thing} thanks"), "other"),
        };
        writeln!(lines, "{{\"text\":\"{text}\",\"label\":\"{label}\",\"lang\":\"mix\"}}")
            .expect("a string takes everything");
    }
    lines
}

fn options(directory: &Path, out: &str) -> TrainOptions {
    let data = directory.join("lines.jsonl");
    fs::write(&data, lines()).expect("written");
    TrainOptions {
        recipe: Recipe {
            layers: 1,
            width: 16,
            inner: 16,
            heads: 2,
            vocabulary: 200,
            pretrain_epochs: 1,
            epochs: 3,
            rate: 1e-2,
            texts_per_batch: 16,
            held_back: 5,
            ngrams: LinearOptions { bucket_bits: 12, ..LinearOptions::default() },
            ..Recipe::default()
        },
        ..TrainOptions::new(&data, &directory.join(out))
    }
}

fn run(options: &TrainOptions) -> (Trained, Vec<Progress>) {
    let mut told = Vec::new();
    let trained = train(options, &mut |progress| told.push(progress)).expect("a model");
    (trained, told)
}

#[test]
fn a_training_gives_a_model_and_tells_how_far_it_is() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = options(directory.path(), "model");
    let (trained, told) = run(&options);
    assert_eq!(told.first().map(|one| one.step), Some(1));
    assert!(told.windows(2).all(|pair| pair[1].step == pair[0].step + 1));
    assert!(told.last().is_some_and(|last| last.step == last.of));
    assert!(trained.held_back.macro_f1 > 0.9, "{:?}", trained.held_back);
    let model = Classifier::open(&options.out).expect("the model");
    assert_eq!(Label::likeliest(&model.classify("太差劲了")).0, Label::Complaint);
    assert!(options.out.join("loss.svg").exists());
    assert!(!options.out.join("checkpoint").exists());
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let weights = |out: &str, seed: u64| {
        let options = TrainOptions { seed, ..options(directory.path(), out) };
        run(&options);
        fs::read(options.out.join("model.safetensors")).expect("weights")
    };
    let first = weights("a", 1);
    assert!(first == weights("b", 1));
    assert!(first != weights("c", 2));
}

#[test]
fn an_interrupted_training_goes_on_to_the_same_model() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let whole = options(directory.path(), "whole");
    let (_, told) = run(&whole);
    let cut = options(directory.path(), "cut");
    // Interrupted in the third of four passes, by what a panic in the caller is to the training.
    let stop = told.len() * 5 / 8;
    let interrupted = std::panic::catch_unwind(|| {
        let mut steps = 0;
        train(&cut, &mut |_| {
            steps += 1;
            assert!(steps < stop, "interrupted");
        })
    });
    assert!(interrupted.is_err());
    let (_, rest) = run(&cut);
    assert!(rest.len() < told.len(), "{} of {} steps again", rest.len(), told.len());
    let weights =
        |options: &TrainOptions| fs::read(options.out.join("model.safetensors")).expect("weights");
    assert!(weights(&whole) == weights(&cut));
}

#[test]
fn several_networks_are_distilled_into_one_and_a_model_can_be_begun_with() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut first = options(directory.path(), "first");
    first.recipe.teachers = 2;
    let (trained, _) = run(&first);
    assert!(trained.held_back.macro_f1 > 0.9, "{:?}", trained.held_back);
    let mut second = options(directory.path(), "second");
    second.base = Some(first.out.clone());
    second.recipe.pretrain_epochs = 0;
    second.recipe.epochs = 1;
    let (trained, _) = run(&second);
    assert!(trained.held_back.macro_f1 > 0.9, "{:?}", trained.held_back);
}

#[test]
fn what_cannot_be_trained_on_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = options(directory.path(), "model");
    fs::write(&options.data, "{\"text\":\"hi\",\"label\":\"other\"}\n").expect("written");
    let refused = train(&options, &mut |_| {});
    assert!(matches!(refused, Err(TrainError::TooFew { texts: 1, .. })));
    fs::write(&options.data, "hello\n").expect("written");
    assert!(matches!(train(&options, &mut |_| {}), Err(TrainError::Read(_))));
}
