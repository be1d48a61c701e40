//! `frontdesk intent`: train, judge and try what visitors' messages are sorted by. What it asks of a running server is
//! in [`past`].

mod past;

use std::{fs, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use frontdesk_intent::{
    Classifier, Context, Decision, Example, Label, RouterConfig, RouterOptions, SHIPPED,
    SmartRouter, Why,
    eval::{self, Judged, Report},
    read_examples,
    train::{self, TrainOptions},
};

use crate::{
    cli::{IntentCommand, IntentTrain, SortedBy},
    commands::say,
    node::intents::opened,
    progress::Progress,
};

pub(crate) fn run(command: IntentCommand) -> anyhow::Result<ExitCode> {
    match command {
        IntentCommand::Config => say(SHIPPED.trim_end()),
        IntentCommand::Check { file } => {
            rules(Some(&file))?;
            say("the file is fine");
        }
        IntentCommand::Try { text, by } => try_text(&text, &by)?,
        IntentCommand::Train(options) => train_model(&options)?,
        IntentCommand::Eval { data, by, json, plot } => {
            let thresholds = rules(by.router_file.as_deref())?.all().thresholds;
            let judged = judge(&data, &by)?;
            if let Some(plot) = plot {
                fs::write(&plot, eval::reliability_svg(&judged))
                    .with_context(|| format!("cannot write {}", plot.display()))?;
            }
            let report = eval::report(&judged, &thresholds);
            if json { say(&serde_json::to_string(&report)?) } else { show(&report) }
        }
        IntentCommand::Calibrate { data, by, precision, json } => {
            anyhow::ensure!(
                precision > 0.0 && precision < 1.0,
                "--precision is a share between 0 and 1, for example 0.95"
            );
            let judged = judge(&data, &by)?;
            let proposal = eval::calibrate(&judged, precision);
            let report = eval::report(&judged, &proposal.thresholds);
            if json {
                let both = serde_json::json!({"proposal": proposal, "at_thresholds": report.at_thresholds});
                say(&both.to_string());
            } else {
                let eval::Thresholds { complaint, consult, sales } = proposal.thresholds;
                say(&format!(
                    "threshold: {{ complaint: {complaint:.2}, consult: {consult:.2}, sales: {sales:.2} }}"
                ));
                if !proposal.reached {
                    say("not every label reaches that precision on these texts");
                }
                show_decisions(&report);
            }
        }
        IntentCommand::Replay { past: of, by, json } => {
            let config = rules(by.router_file.as_deref())?;
            past::replay(&of, config, model(by.model_dir.as_deref())?, json)?;
        }
        IntentCommand::Corrections { past: of, out } => past::corrections(&of, &out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn rules(file: Option<&Path>) -> anyhow::Result<RouterConfig> {
    let Some(file) = file else { return Ok(RouterConfig::default()) };
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    RouterConfig::parse(&text).with_context(|| format!("{}", file.display()))
}

fn model(dir: Option<&Path>) -> anyhow::Result<Classifier> {
    match dir {
        None => Classifier::shipped().context("the model that is shipped is broken"),
        Some(dir) => opened(dir).with_context(|| format!("cannot use the model {}", dir.display())),
    }
}

/// Lets the model read every text, one at a time, as it would come.
fn judge(data: &Path, by: &SortedBy) -> anyhow::Result<Vec<Judged>> {
    let model = model(by.model_dir.as_deref())?;
    let examples: Vec<Example> = read_examples(data)?;
    anyhow::ensure!(!examples.is_empty(), "{} holds no texts", data.display());
    let bar = Progress::on_terminal().begin("reading", examples.len() as u64);
    let mut done = 0;
    let read = |text: &str| {
        done += 1;
        bar.set(done);
        model.classify(text)
    };
    Ok(eval::judge(read, &examples))
}

fn try_text(text: &str, by: &SortedBy) -> anyhow::Result<()> {
    let config = rules(by.router_file.as_deref())?;
    let model = Arc::new(model(by.model_dir.as_deref())?);
    let router = SmartRouter::start(config, Some(model), RouterOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let decision: Decision = runtime.block_on(router.try_out(text, Context::default()));
    say(&format!("intent      {}", decision.intent.as_deref().unwrap_or("none")));
    say(&format!("decided by  {}", decision.source.as_str()));
    say(&format!("confidence  {:.2}", decision.confidence));
    match &decision.why {
        Why::Words(words) => say(&format!("words       {words}")),
        Why::Scores(scores) => {
            for (label, score) in Label::ALL.into_iter().zip(scores) {
                say(&format!("  {:<10}{score:.2}", label.as_str()));
            }
        }
        Why::Empty => say("there is nothing to read"),
        Why::Trouble(trouble) => say(&format!("the model is {}", trouble.as_str())),
    }
    say(&format!("took        {} us", decision.took.as_micros()));
    Ok(())
}

fn train_model(train: &IntentTrain) -> anyhow::Result<()> {
    let mut options = TrainOptions::new(&train.data, &train.out);
    options.base.clone_from(&train.base);
    options.seed = train.seed;
    let recipe = &mut options.recipe;
    recipe.pretrain_epochs = train.pretrain_epochs.unwrap_or(recipe.pretrain_epochs);
    recipe.epochs = train.epochs.unwrap_or(recipe.epochs);
    recipe.teachers = train.teachers.unwrap_or(recipe.teachers);
    let progress = Progress::on_terminal();
    let bar = progress.begin("training", 0);
    let trained = train::train(&options, &mut |step| {
        bar.set_total(step.of as u64);
        bar.set(step.step as u64);
        bar.say(&format!("{} loss {:.3}", step.stage.as_str(), step.loss));
    })
    .context("the training failed")?;
    drop(bar);
    if train.json {
        say(&serde_json::to_string(&trained)?);
        return Ok(());
    }
    say(&format!(
        "{} texts, {} words, in {}",
        trained.texts,
        trained.vocabulary,
        trained.directory.display()
    ));
    say("on the texts that were held back:");
    show(&trained.held_back);
    say(&format!("n-grams alone: macro-F1 {:.3}", trained.ngrams_alone.macro_f1));
    Ok(())
}

fn show(report: &Report) {
    say(&format!("texts              {}", report.texts));
    say(&format!("accuracy           {:.3}", report.accuracy));
    say(&format!("macro-F1           {:.3}", report.macro_f1));
    for (language, figures) in &report.per_language {
        say(&format!("  {language:<17}{:.3} ({} texts)", figures.macro_f1, figures.texts));
    }
    say("label              precision  recall  F1");
    for (label, of) in &report.per_class {
        say(&format!("  {label:<17}{:.3}      {:.3}   {:.3}", of.precision, of.recall, of.f1));
    }
    say(&format!("calibration error  {:.3}", report.calibration_error));
    say(&format!(
        "time               p50 {:.0} us, p99 {:.0} us",
        report.took_us.p50, report.took_us.p99
    ));
    show_decisions(report);
}

fn show_decisions(report: &Report) {
    let at = &report.at_thresholds;
    say("at the thresholds:");
    say(&format!("  precision        {:.3}", at.precision));
    for (label, precision) in &at.per_class_precision {
        say(&format!("    {label:<15}{precision:.3}"));
    }
    say(&format!("  coverage         {:.3}", at.coverage));
    say(&format!("  other decided    {:.3}", at.other_false));
}
