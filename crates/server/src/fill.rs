//! `frontdesk fill`: gives an installation a past, so that benchmarks can tell what it costs.
//!
//! What was said (`past`) goes through the log, the fold and the history as if it came by the loops, only
//! faster; lists are brought up as a start does it. One team of its own has all of it, so that a run on
//! top is not given what waits there. The server must not run.

mod past;

use std::{process::ExitCode, sync::Arc, time::Instant};

use anyhow::Context as _;
use frontdesk_catalog::{
    Builtin, Catalog, Granter, NewInbox, NewUser, Password, RoutingMode, Texts,
    settings::{self, Place},
};
use frontdesk_core::{
    chat::{Actor, ActorKind},
    fold::Verdict,
    partition_of,
    secret::Secret128,
};
use frontdesk_dispatcher::{Dispatcher, DispatcherOptions, projections::Projections};
use serde_json::json;

use self::past::{Past, People, Shape, Written};
use crate::{
    cli,
    commands::say,
    config::Config,
    data_dir::{DataDir, Missing},
    node::{self, now_ms},
    progress::{Bar, Progress},
};

/// Who answered; their e-mail addresses begin with `past-`.
const AGENTS: usize = 20;
/// Open sessions of the past stay as they are for so long, s.
const IDLE_CLOSE_S: u64 = 30 * 24 * 60 * 60;
/// Records that are made before they go to the logs together.
const APPENDED_AT_ONCE: usize = 100_000;

/// Fills the installation and says what it holds.
pub(crate) fn run(config: &Config, options: &cli::Fill) -> anyhow::Result<ExitCode> {
    let &cli::Fill { messages, conversations, log_only, .. } = options;
    if conversations == 0 || messages < conversations {
        anyhow::bail!("give at least one conversation, and a message for each");
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let shape = Shape { messages, conversations };
    let data_dir = DataDir::open(&config.server.data_dir, Missing::Refuse)?;
    let began = Instant::now();
    let written = runtime.block_on(async {
        let catalog =
            Catalog::open(&data_dir.catalog()).await.context("cannot open the catalog")?;
        let people = add_people(&catalog).await?;
        catalog.database().close().await;
        let progress = Progress::on_terminal();
        let past = Past::new(people, shape, now_ms());
        let bar = progress.begin("filling", messages);
        if log_only {
            return append(config, &data_dir, past, &bar);
        }
        let written = fold(config, &data_dir, past, &bar).await?;
        drop(bar);
        bring_up_lists(config, &data_dir, &progress).await?;
        Ok(written)
    })?;
    let object = json!({
        "messages": written.messages, "conversations": written.conversations,
        "seconds": began.elapsed().as_secs_f64(),
    });
    say(&object.to_string());
    Ok(ExitCode::SUCCESS)
}

/// A team, its inbox and its agents, none of whom ever signs in; what is open stays open.
async fn add_people(catalog: &Catalog) -> anyhow::Result<People> {
    let accounts = catalog.accounts().await?;
    let account = accounts.first().context("there is no account; run `frontdesk init` first")?.id;
    let role = catalog.builtin_role(account, Builtin::Agent).await?.id;
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        let user = NewUser {
            email: format!("past-{number}@bench.example"),
            display_name: format!("Past {number}"),
            language: "en".to_owned(),
            role,
            capacity: None,
            skills: Vec::new(),
            teams: Vec::new(),
        };
        let password = Password::new(Secret128::random().reveal());
        let member = catalog
            .create_user(account, &user, &password, Granter::operator())
            .await
            .context("cannot add an agent; an installation is filled once")?;
        agents.push(member.user);
    }
    let ids: Vec<_> = agents.iter().map(|user| user.id).collect();
    let team = catalog
        .create_team(account, &Texts::one("en", "Past"), &ids)
        .await
        .context("cannot add a team")?;
    let inbox = NewInbox {
        name: "Past".to_owned(),
        default_team: Some(team.id),
        routing: RoutingMode::Manual,
        ..NewInbox::default()
    };
    let inbox = catalog.create_inbox(account, &inbox).await.context("cannot add an inbox")?;
    let idle_close = settings::IDLE_CLOSE.spec().name;
    catalog
        .set_setting(account, Place::Account, idle_close, &IDLE_CLOSE_S.into())
        .await
        .with_context(|| format!("cannot set {idle_close}"))?;
    let actor = |user: frontdesk_catalog::User| Actor {
        kind: ActorKind::Agent.into(),
        id: user.id.to_string(),
        name: user.display_name,
    };
    let agents = agents.into_iter().map(actor).collect();
    Ok(People { account, inbox: inbox.id, team: team.id, agents })
}

/// Appends all of it to the logs and leaves it there.
fn append(
    config: &Config,
    data_dir: &DataDir,
    mut past: Past,
    bar: &Bar,
) -> anyhow::Result<Written> {
    let mut block = Vec::new();
    while past.next_turn(&mut block) {
        if block.len() >= APPENDED_AT_ONCE {
            node::append(config, data_dir, &block)?;
            bar.set(past.written().messages);
            block.clear();
        }
    }
    node::append(config, data_dir, &block)?;
    Ok(past.written())
}

/// Gives all of it to dispatchers, turn by turn. People write seconds apart, so each turn is a batch of
/// the history.
async fn fold(
    config: &Config,
    data_dir: &DataDir,
    mut past: Past,
    bar: &Bar,
) -> anyhow::Result<Written> {
    let projections = Projections::open(&data_dir.projections()).await?;
    let options = DispatcherOptions {
        partitions: data_dir.installation.partitions,
        flush_bytes: 1,
        ..DispatcherOptions::default()
    };
    let loops = node::loop_count(config);
    let progress = Progress::on_terminal();
    let node::Recovered { history, logs, .. } =
        node::recover(data_dir, config, &projections, options, loops, &progress).await?;
    projections.database().close().await;
    let mut dispatchers = Vec::new();
    for (number, log) in (0..).zip(logs) {
        dispatchers.push(Dispatcher::new(number, log, Arc::clone(&history), options)?);
    }
    let mut turn = Vec::new();
    let mut results = Vec::new();
    while past.next_turn(&mut turn) {
        let now_ms = past.now_ms();
        for (conversation, proposal) in turn.drain(..) {
            let owner = partition_of(&conversation, options.partitions) % loops;
            dispatchers[usize::from(owner)].stage(0, conversation, proposal);
        }
        for dispatcher in &mut dispatchers {
            dispatcher.commit(now_ms, &mut results);
            dispatcher.keep_up()?;
            dispatcher.tend(now_ms, u64::MAX - 1);
        }
        for committed in results.drain(..) {
            if let Verdict::Refused(refused) = committed.result?.verdict {
                anyhow::bail!("the past does not fold: {refused:?}");
            }
        }
        bar.set(past.written().messages);
    }
    for dispatcher in dispatchers {
        dispatcher.finish()?;
    }
    Ok(past.written())
}

/// Lists and their offsets, so that the first start finds nothing to do.
async fn bring_up_lists(
    config: &Config,
    data_dir: &DataDir,
    progress: &Progress,
) -> anyhow::Result<()> {
    let projections = Projections::open(&data_dir.projections()).await?;
    let options = DispatcherOptions {
        partitions: data_dir.installation.partitions,
        ..DispatcherOptions::default()
    };
    let loops = node::loop_count(config);
    node::recover(data_dir, config, &projections, options, loops, progress).await?;
    projections.database().close().await;
    Ok(())
}
