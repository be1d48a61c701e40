//! `frontdesk bot`: runs the tests inside a bot's flows, with the articles of the demo or of an installation.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use frontdesk_api::knowledge::KnowledgeBases;
use frontdesk_bot::{BotConfig, CaseResult, Flow, Mind, Problem, Severity, run_tests};
use frontdesk_core::id::AccountId;
use frontdesk_knowledge::{Knowledge, Options, demo};
use serde_json::json;

use crate::{
    cli::{BotCommand, Place},
    commands::say,
    config::{Config, Flags},
    data_dir::{DataDir, Missing},
    node,
};

pub(crate) fn run(command: BotCommand) -> anyhow::Result<ExitCode> {
    let BotCommand::Test { files, place, account, json } = command;
    let knowledge = if place.data_dir.is_none() && place.config.is_none() {
        Knowledge::build(&demo::articles(), Options::default())
            .context("the demo's articles cannot be indexed")?
    } else {
        knowledge_of(&place, account.as_deref())?
    };
    let tried: Vec<Tried> =
        files.into_iter().map(|file| try_file(file, &knowledge)).collect::<anyhow::Result<_>>()?;
    if json {
        say(&as_json(&tried).to_string());
    } else {
        tried.iter().for_each(show);
    }
    let all_passed = tried.iter().all(Tried::passed);
    if !json {
        let failed: usize = tried.iter().map(Tried::failed).sum();
        let tests: usize = tried.iter().map(|tried| tried.results.len()).sum();
        let refused = tried.iter().filter(|tried| tried.flow.is_none()).count();
        let passed = tests - failed;
        say(&format!("{passed} passed, {failed} failed, {refused} files refused"));
    }
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of one file.
struct Tried {
    file: PathBuf,
    /// Its name; none where the file is refused.
    flow: Option<String>,
    problems: Vec<Problem>,
    results: Vec<CaseResult>,
}

impl Tried {
    fn failed(&self) -> usize {
        self.results.iter().filter(|result| !result.passed()).count()
    }

    fn passed(&self) -> bool {
        self.flow.is_some() && self.failed() == 0
    }
}

/// Each flow is tried alone, so that what its tests say does not depend on the other files.
fn try_file(file: PathBuf, knowledge: &Knowledge) -> anyhow::Result<Tried> {
    let yaml =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let (flow, problems) = Flow::check(&yaml);
    let Some(flow) = flow else {
        return Ok(Tried { file, flow: None, problems, results: Vec::new() });
    };
    let mind = Mind::new(BotConfig::default(), Some(knowledge.clone()), vec![flow.clone()]);
    let results = run_tests(&mind, &flow);
    Ok(Tried { file, flow: Some(flow.name), problems, results })
}

/// The published articles of an account of an installation that is not running.
fn knowledge_of(place: &Place, account: Option<&str>) -> anyhow::Result<Knowledge> {
    let account: Option<AccountId> =
        account.map(|account| account.parse().context("--account")).transpose()?;
    let flags =
        Flags { file: place.config.clone(), data_dir: place.data_dir.clone(), listen: None };
    let config = Config::load(&flags, std::env::vars())?;
    let data_dir = DataDir::open(&config.server.data_dir, Missing::Refuse)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let catalog =
                node::open_catalog(&config, &data_dir).await.context("cannot open the catalog")?;
            let account = match account {
                Some(account) => account,
                None => match &catalog.accounts().await?[..] {
                    [only] => only.id,
                    all => {
                        anyhow::bail!("there are {} accounts; say which with --account", all.len())
                    }
                },
            };
            let bases = KnowledgeBases::new(catalog.clone(), Options::default());
            let base = bases.get_new(account).await.context("cannot index the articles");
            catalog.database().close().await;
            Ok(base?.knowledge.clone())
        })
}

fn as_json(tried: &[Tried]) -> serde_json::Value {
    let files: Vec<serde_json::Value> = tried
        .iter()
        .map(|tried| {
            let tests: Vec<serde_json::Value> = tried
                .results
                .iter()
                .map(|result| {
                    json!({
                        "name": result.name,
                        "line": result.line,
                        "language": result.language,
                        "passed": result.passed(),
                        "mismatches": result.mismatches,
                    })
                })
                .collect();
            json!({
                "file": tried.file.display().to_string(),
                "flow": tried.flow,
                "problems": tried.problems,
                "tests": tests,
            })
        })
        .collect();
    json!({ "ok": tried.iter().all(Tried::passed), "files": files })
}

fn show(tried: &Tried) {
    say(&tried.file.display().to_string());
    for problem in &tried.problems {
        let word = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        say(&format!("  {word}: {problem}"));
    }
    for result in &tried.results {
        show_result(&tried.file, result);
    }
    if tried.flow.is_some() && tried.results.is_empty() {
        say("  it has no tests");
    }
}

fn show_result(file: &Path, result: &CaseResult) {
    if result.passed() {
        return say(&format!("  ok      {} ({})", result.name, result.language));
    }
    say(&format!("  FAILED  {} ({})", result.name, result.language));
    for mismatch in &result.mismatches {
        say(&format!(
            "    {}:{}: {} after \"{}\"",
            file.display(),
            mismatch.line,
            mismatch.of,
            mismatch.after
        ));
        for (mark, text) in [('-', &mismatch.expected), ('+', &mismatch.got)] {
            // What is empty has a line too.
            let lines = if text.is_empty() { vec![""] } else { text.lines().collect() };
            for line in lines {
                say(format!("      {mark} {line}").trim_end());
            }
        }
    }
}
