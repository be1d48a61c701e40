//! `frontdesk kb`: how well the articles of a help centre answer questions.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context as _;
use frontdesk_api::knowledge::indexed;
use frontdesk_catalog::Catalog;
use frontdesk_core::id::AccountId;
use frontdesk_knowledge::{
    Article, Knowledge, demo,
    eval::{self, Report},
};

use crate::{
    cli::KbCommand,
    commands::say,
    config::{Config, Flags},
    data_dir::{DataDir, Missing},
    node,
};

/// Articles read from the catalog at a time.
const ARTICLES_READ: usize = 64;

pub(crate) fn run(command: KbCommand) -> anyhow::Result<ExitCode> {
    let KbCommand::Eval { data, place, account, json } = command;
    let text =
        fs::read_to_string(&data).with_context(|| format!("cannot read {}", data.display()))?;
    let questions =
        eval::read_questions(&text).with_context(|| format!("cannot use {}", data.display()))?;
    let flags =
        Flags { file: place.config.clone(), data_dir: place.data_dir.clone(), listen: None };
    let config = Config::load(&flags, std::env::vars())?;
    let articles = if place.data_dir.is_none() && place.config.is_none() {
        demo::articles()
    } else {
        articles_of(&config, account.as_deref())?
    };
    let options = node::knowledge_options(&config.knowledge)?;
    let knowledge =
        Knowledge::build(&articles, options).context("the articles cannot be indexed")?;
    let report = eval::evaluate(&knowledge, &questions);
    if json {
        say(&serde_json::to_string(&report)?);
    } else {
        show(&report, &data);
    }
    Ok(ExitCode::SUCCESS)
}

/// The published articles of an account of an installation that is not running.
fn articles_of(config: &Config, account: Option<&str>) -> anyhow::Result<Vec<Article>> {
    let data_dir = DataDir::open(&config.server.data_dir, Missing::Refuse)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let catalog =
                node::open_catalog(config, &data_dir).await.context("cannot open the catalog")?;
            let articles = published(&catalog, account).await;
            catalog.database().close().await;
            articles
        })
}

async fn published(catalog: &Catalog, account: Option<&str>) -> anyhow::Result<Vec<Article>> {
    let account: AccountId = if let Some(account) = account {
        account.parse().context("--account")?
    } else {
        let accounts = catalog.accounts().await?;
        match &accounts[..] {
            [only] => only.id,
            _ => anyhow::bail!("there are {} accounts; say which with --account", accounts.len()),
        }
    };
    let mut articles: Vec<Article> = Vec::new();
    let mut after = None;
    loop {
        let page = catalog.published_articles(account, after, ARTICLES_READ).await?;
        after = page.last().map(|article| article.id);
        let last = page.len() < ARTICLES_READ;
        articles.extend(page.into_iter().map(indexed));
        if last {
            return Ok(articles);
        }
    }
}

fn show(report: &Report, data: &Path) {
    let Report { questions, answerable, articles, .. } = report;
    let none = questions - answerable;
    say(&format!(
        "{questions} questions of {}, {none} of them without an answer, to {articles} articles",
        data.display()
    ));
    let percent = |share: f64| format!("{:5.1} %", share * 100.0);
    for (name, share) in [
        ("the right article is first", report.recall_at_1),
        ("the right article is among three", report.recall_at_3),
        ("answered with the right article", report.answered_right),
        ("answered with another one", report.answered_wrong),
        ("asked back, with the right one among them", report.offered_right),
        ("without an answer, and answered", report.unanswerable_answered),
    ] {
        say(&format!("  {name:<44}{}", percent(share)));
    }
    say(&format!(
        "  {:<44}{} us, one of a hundred over {} us",
        "a question takes", report.took_us, report.took_p99_us
    ));
}
