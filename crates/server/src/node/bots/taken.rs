//! Partitions that this node has taken: whoever had them may have died over an answer. What their lists say of visitors
//! who wait for the bot is handed to it once more, and it goes on where the former owner ended.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_api::engine::EngineError;
use frontdesk_core::{
    chat::Session,
    id::{AccountId, ConversationId},
    partition_of,
};
use frontdesk_dispatcher::projections::{ConversationRow, ProjectionError};
use frontdesk_gateway::chat::port::{BotMode, BotNews, Strand};
use tokio::{sync::mpsc, time::sleep};

use super::{Shared, session, setup};
use crate::node::now_ms;

/// How long lists of this node may take to reach what the former owner stored.
const LISTS_WAIT: Duration = Duration::from_secs(15);
/// How often it is looked.
const LISTS_LOOK: Duration = Duration::from_millis(100);
/// What was said longer ago is taken for answered, unless its visitor waits for the bot that has the session.
pub(super) const RECENT_MS: i64 = 60_000;

/// Partitions and the strands that begin with them.
pub(super) type Taken = BTreeMap<u16, Strand>;

/// Looks into partitions as they are taken, until nobody tells of any more.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut taken: mpsc::Receiver<(u16, Strand)>,
    waiting: mpsc::Sender<Box<BotNews>>,
) {
    let mut found = Vec::new();
    loop {
        // Of many at once it takes one look.
        if taken.recv_many(&mut found, usize::MAX).await == 0 {
            return;
        }
        let partitions: Taken = found.drain(..).collect();
        reach(&shared, &partitions).await;
        if let Err(error) = look(&shared, &partitions, &waiting).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the bot does not know who waits for it");
        }
    }
}

/// Waits until lists have what the history of these partitions has: all of it was there when they were taken.
async fn reach(shared: &Shared, partitions: &Taken) {
    let engine = &shared.parts.engine;
    if engine.loops.is_alone() {
        // They were brought up to date at the start.
        return;
    }
    let until = Instant::now() + LISTS_WAIT;
    let mut behind: BTreeMap<u16, Option<u64>> =
        partitions.keys().map(|partition| (*partition, None)).collect();
    while !behind.is_empty() && Instant::now() < until {
        let history = Arc::clone(&engine.history);
        let asked = tokio::task::spawn_blocking(move || {
            for (partition, applied) in &mut behind {
                // One whose database is away is asked again.
                *applied = applied.or_else(|| history.applied(*partition).ok());
            }
            behind
        });
        let Ok(asked) = asked.await else { return };
        behind = asked;
        if let Ok(written) = engine.projections.applied_of_all().await {
            behind.retain(|partition, applied| {
                let written = written.get(partition).copied().unwrap_or_default();
                applied.is_none_or(|applied| written < applied)
            });
        }
        if !behind.is_empty() {
            sleep(LISTS_LOOK).await;
        }
    }
    if !behind.is_empty() {
        tracing::debug!(
            partitions = behind.len(),
            "lists are behind; people get what is not in them"
        );
    }
}

/// Hands on every conversation of these partitions in which somebody may wait for the bot.
async fn look(
    shared: &Shared,
    partitions: &Taken,
    waiting: &mpsc::Sender<Box<BotNews>>,
) -> Result<(), ProjectionError> {
    let engine = &shared.parts.engine;
    let total = engine.loops.owners().partitions();
    let mut found = Vec::new();
    let mut visit = |row: ConversationRow| {
        let strand = partitions.get(&partition_of(&row.conversation, total));
        let session = row.session.as_ref();
        if let (Some(strand), Some(session)) = (strand, session)
            && waits(shared, row.account, session)
        {
            found.push((row.conversation, *strand));
        }
    };
    engine.projections.live_conversations(&mut visit).await?;
    for (conversation, strand) in found {
        match news(shared, conversation, strand).await {
            Ok(Some(news)) => {
                if waiting.send(Box::new(news)).await.is_err() {
                    return Ok(());
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(conversation.id = %conversation, %error, "the bot does not go on");
            }
        }
    }
    Ok(())
}

/// Whether somebody may wait for the bot in this session, or may have heard half of an answer.
fn waits(shared: &Shared, account: AccountId, session: &Session) -> bool {
    if shared.parts.bots.inboxes().mode(&session.inbox) != Some(BotMode::Answers) {
        return false;
    }
    let id = setup::id_of(account);
    let is_recent = session.last_visitor_at_ms >= now_ms() - RECENT_MS;
    let has_it = session.owner.as_ref().is_some_and(|owner| owner.id == id);
    let stays = session.participants.iter().any(|other| other.id == id);
    (has_it && session.waiting_since_ms > 0)
        || (is_recent && (has_it || stays || session::is_new(session)))
}

/// The conversation as it is now, without anything that happened.
async fn news(
    shared: &Shared,
    conversation: ConversationId,
    strand: Strand,
) -> Result<Option<BotNews>, EngineError> {
    let (state, _) = shared.parts.engine.readable_state(conversation).await?;
    let (Some(account), Some(session)) = (state.account(), state.session()) else {
        return Ok(None);
    };
    if !waits(shared, account, session) {
        return Ok(None);
    }
    let (visitor, language) = state
        .origin()
        .map(|origin| (origin.visitor.clone(), origin.language.clone()))
        .unwrap_or_default();
    let (said, events) = (Vec::new(), Vec::new());
    let session = session.clone();
    Ok(Some(BotNews { account, conversation, visitor, language, session, said, events, strand }))
}
