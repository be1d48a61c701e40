//! The bot of this server: answers what visitors write in inboxes where it is switched on, or suggests answers to the
//! agents.
//!
//! ```text
//! loops --BotNews--> [this task: by conversation] --> session tasks --frames, as any bot--> loops
//! ```
//! [`setup`] is what accounts say about it, [`session`] what it does in one conversation, [`model`] how it
//! asks a language model, [`summary`] what a session was about, [`deeds`] how its acts look on the wire. What it decides is the crate `frontdesk-bot`, which is pure.
//!
//! Everything here may be lost: a session the bot does not take, or does not answer in time, is given to people by the
//! desk. Nothing that a visitor writes waits for it.

mod again;
pub(crate) mod deeds;
mod model;
mod replay;
mod session;
pub(crate) mod setup;
mod summary;
mod voice;

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_api::knowledge::KnowledgeBases;
use frontdesk_core::id::ConversationId;
use frontdesk_gateway::chat::port::BotNews;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::session::Session;
pub(crate) use self::setup::Bots;
use super::{desk::DeskView, engine::NodeEngine, models::Models};

/// Conversations that have a task; what happens in more is not looked at, and people get those sessions.
const SESSIONS_MAX: usize = 5_000;
/// What may wait in one of them: a visitor writes faster than this only to see what happens.
const NEWS_MAX: usize = 32;
/// Messages that are thought about at a time, on threads of their own: a search in thousands of articles takes
/// milliseconds of a core, and others have work to do, too.
const THOUGHTS_MAX: usize = 2;
/// Summaries that are written or wait for it; of more sessions there are none.
const SUMMARIES_MAX: usize = 64;
/// How often tasks that have ended are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// What sessions are served with, shared by all of them.
pub(super) struct BotParts {
    pub(super) bots: Arc<Bots>,
    pub(super) engine: Arc<NodeEngine>,
    pub(super) view: Arc<DeskView>,
    pub(super) knowledge: KnowledgeBases,
    pub(super) models: Arc<Models>,
}

/// The parts, and what all sessions share beside them.
pub(super) struct Shared {
    parts: BotParts,
    thoughts: Arc<Semaphore>,
    summaries: Semaphore,
}

/// Gives each conversation what happened in it, until told to stop.
pub(super) async fn run(
    parts: BotParts,
    mut inputs: mpsc::Receiver<Vec<BotNews>>,
    stop: CancellationToken,
) {
    let shared = Arc::new(Shared {
        parts,
        thoughts: Arc::new(Semaphore::new(THOUGHTS_MAX)),
        summaries: Semaphore::new(SUMMARIES_MAX),
    });
    let mut sessions: HashMap<ConversationId, mpsc::Sender<Box<BotNews>>> = HashMap::new();
    let tracker = TaskTracker::new();
    // Ends with the loops as well as by the order to stop.
    let ended = stop.child_token();
    tracker.spawn(read_again(Arc::clone(&shared.parts.bots), ended.clone()));
    let mut sweep = interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            news = inputs.recv() => match news {
                Some(news) => {
                    for one in news {
                        hand_on(&shared, &mut sessions, &tracker, &stop, Box::new(one));
                    }
                }
                None => break,
            },
            _ = sweep.tick() => sessions.retain(|_, task| !task.is_closed()),
        }
    }
    drop(sessions);
    ended.cancel();
    tracker.close();
    tracker.wait().await;
}

/// Reads again what accounts say that could not be read, until told to stop.
async fn read_again(bots: Arc<Bots>, stop: CancellationToken) {
    let mut tick = interval(SWEEP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = bots.read_again() => {}
        }
    }
}

fn hand_on(
    shared: &Arc<Shared>,
    sessions: &mut HashMap<ConversationId, mpsc::Sender<Box<BotNews>>>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
    news: Box<BotNews>,
) {
    let conversation = news.conversation;
    if summary::is_due(&news) && shared.parts.bots.sums_up(news.account) {
        let due = summary::Due::of(&news);
        let (shared, stop) = (Arc::clone(shared), stop.clone());
        tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = due.write(shared) => {}
            }
        });
    }
    let news = match sessions.get(&conversation).map(|task| task.try_send(news.clone())) {
        Some(Ok(())) => return,
        Some(Err(mpsc::error::TrySendError::Full(_))) => {
            tracing::debug!(conversation.id = %conversation, "the bot is behind in a conversation");
            // With the next news all of it is heard again.
            sessions.remove(&conversation);
            return;
        }
        // It had nothing to do for a while, and is begun anew.
        Some(Err(mpsc::error::TrySendError::Closed(news))) => news,
        None => news,
    };
    let id = setup::id_of(news.account);
    let is_own = news.session.owner.as_ref().is_some_and(|owner| owner.id == id);
    if news.said.is_empty() && !is_own && !session::left_bot(&news.events, &id) {
        // Nothing was begun here, so nothing ends.
        return;
    }
    if sessions.len() >= SESSIONS_MAX && !sessions.contains_key(&conversation) {
        sessions.retain(|_, task| !task.is_closed());
        if sessions.len() >= SESSIONS_MAX {
            tracing::debug!("the bot has as many conversations as it may");
            return;
        }
    }
    let (task, inputs) = mpsc::channel(NEWS_MAX);
    let session = Session::new(Arc::clone(shared), &news);
    let stop = stop.clone();
    tracker.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = session.run(inputs) => {}
        }
    });
    if task.try_send(news).is_ok() {
        sessions.insert(conversation, task);
    }
}
