//! What a start does before any socket opens: history and projections are brought up to the logs.
//!
//! Every log directory is opened and checked, whatever the number of loops now; what a log holds
//! beyond the history is folded again. Rows of conversations touched after the projections' offset
//! are written anew. A start after a clean stop finds nothing to do.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

use anyhow::Context as _;
use frontdesk_core::{
    fold::Conversation,
    id::{AccountId, ConversationId},
};
use frontdesk_dispatcher::{DispatcherOptions, Summary, projections::Projections};
use frontdesk_storage::MessageLog;
use frontdesk_storage_embedded::{
    Durability as LogDurability, EmbeddedHistory, HistoryOptions, LogOptions, SegmentLog,
    check_continuity,
};

use super::SharedHistory;
use crate::{
    config::{Config, Durability, Embedded},
    data_dir::DataDir,
    progress::Progress,
};

/// Rows written in one transaction.
const ROWS_MAX: usize = 2_000;

/// Storage that holds everything, with nothing left to replay.
pub(crate) struct Recovered {
    pub(crate) history: SharedHistory,
    /// One per loop, by index.
    pub(crate) logs: Vec<Box<dyn MessageLog>>,
    /// Conversations with an open session.
    pub(crate) open: Vec<Summary>,
    /// Files of messages that were taken back or erased shortly before the process ended.
    pub(crate) files: Vec<(AccountId, Vec<String>)>,
}

/// Opens the embedded storage and brings it up.
pub(crate) async fn recover(
    data_dir: &DataDir,
    config: &Config,
    projections: &Projections,
    options: DispatcherOptions,
    loops: u16,
    progress: &Progress,
) -> anyhow::Result<Recovered> {
    let embedded = config.storage.embedded()?;
    let history_options = HistoryOptions {
        engine: embedded.engine,
        cache_bytes: embedded.history_cache_bytes,
        ..HistoryOptions::default()
    };
    let history: SharedHistory = Arc::new(
        EmbeddedHistory::open(&data_dir.history(), history_options)
            .context("cannot open the history")?,
    );
    let log_options = log_options(embedded);
    let mut numbers = data_dir.logs()?;
    numbers.extend((0..loops).filter(|number| !numbers.contains(number)).collect::<Vec<_>>());
    let mut logs = Vec::new();
    let mut touched = HashSet::new();
    let mut reached = Vec::new();
    let mut files = Vec::new();
    for number in numbers {
        let mut log = SegmentLog::open(&data_dir.log(number), log_options)
            .with_context(|| format!("cannot open message log {number}"))?;
        if log_options.durability == LogDurability::Async {
            let applied = history.applied(number).context("cannot ask the history")?;
            if applied >= log.next_offset() {
                log.skip_to(applied + 1).context("cannot go on behind a lost tail")?;
            }
        }
        check_continuity(&*history, &log, number)
            .with_context(|| format!("message log {number} and history do not meet"))?;
        let applied = projections.applied(number).await.context("cannot ask the projections")?;
        // A projections file that is new or behind the log's first record is rebuilt below.
        let behind = applied + 1 < log.first_offset();
        let from = if behind { log.first_offset() - 1 } else { applied };
        let total = log.next_offset();
        let (log, recovered) =
            recover_one(number, Box::new(log), &history, options, from, progress, total).await?;
        if behind {
            recovered_all(&history, &mut touched)?;
        }
        touched.extend(recovered.touched);
        files.extend(recovered.files);
        reached.push((number, recovered.offset));
        if number < loops {
            logs.push((number, log));
        }
    }
    logs.sort_by_key(|(number, _)| *number);
    write_rows(&history, projections, touched, &reached, progress).await?;
    let open = open_conversations(&history, projections).await?;
    Ok(Recovered { history, logs: logs.into_iter().map(|(_, log)| log).collect(), open, files })
}

/// How logs are opened, as the configuration says.
pub(super) fn log_options(embedded: &Embedded) -> LogOptions {
    LogOptions {
        segment_bytes: embedded.segment_bytes,
        durability: match embedded.durability {
            Durability::Sync => LogDurability::Sync,
            Durability::Async => LogDurability::Async,
        },
        reserve: embedded.reserve(),
    }
}

async fn recover_one(
    number: u16,
    log: Box<dyn MessageLog>,
    history: &SharedHistory,
    options: DispatcherOptions,
    projected: u64,
    progress: &Progress,
    total: u64,
) -> anyhow::Result<(Box<dyn MessageLog>, frontdesk_dispatcher::Recovered)> {
    let history = Arc::clone(history);
    let bar = progress.begin("replaying the message log", total);
    tokio::task::spawn_blocking(move || {
        frontdesk_dispatcher::recover(number, log, &history, options, projected, &mut |done| {
            bar.set(done);
        })
    })
    .await
    .context("the replay panicked")?
    .with_context(|| format!("cannot replay message log {number}"))
}

/// The projections know too little: every conversation's row is written anew.
fn recovered_all(
    history: &SharedHistory,
    touched: &mut HashSet<ConversationId>,
) -> anyhow::Result<()> {
    history
        .conversations(&mut |conversation, _| {
            touched.insert(conversation);
            ControlFlow::Continue(())
        })
        .context("cannot list the conversations")
}

async fn write_rows(
    history: &SharedHistory,
    projections: &Projections,
    touched: HashSet<ConversationId>,
    reached: &[(u16, u64)],
    progress: &Progress,
) -> anyhow::Result<()> {
    let bar = progress.begin("bringing lists up to date", touched.len() as u64);
    let touched: Vec<ConversationId> = touched.into_iter().collect();
    for (done, part) in touched.chunks(ROWS_MAX).enumerate() {
        let mut summaries = Vec::with_capacity(part.len());
        for conversation in part {
            summaries.extend(summary(history, *conversation)?);
        }
        projections.write(&summaries, &[]).await.context("cannot write lists")?;
        bar.set(((done + 1) * ROWS_MAX) as u64);
    }
    projections.write(&[], reached).await.context("cannot write the projections' offsets")
}

/// The stored state of a conversation as lists see it.
fn summary(
    history: &SharedHistory,
    conversation: ConversationId,
) -> anyhow::Result<Option<Summary>> {
    let Some(state) = history.state(&conversation).context("cannot read a conversation")? else {
        return Ok(None);
    };
    let state = Conversation::decode(&state).context("a stored conversation does not decode")?;
    Ok(Some(Summary::of(conversation, &state, 0, 0)))
}

async fn open_conversations(
    history: &SharedHistory,
    projections: &Projections,
) -> anyhow::Result<Vec<Summary>> {
    let mut ids = Vec::new();
    projections
        .live_conversations(&mut |row| ids.push(row.conversation))
        .await
        .context("cannot list the live conversations")?;
    let mut open = Vec::with_capacity(ids.len());
    for conversation in ids {
        open.extend(summary(history, conversation)?);
    }
    Ok(open)
}
