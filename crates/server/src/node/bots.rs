//! The bot of this server: answers what visitors write in inboxes where it is switched on, or suggests answers to the
//! agents.
//!
//! ```text
//! loops --BotTold--> [this task: by conversation] --> session tasks --frames, as any bot--> loops
//!                         '-- partitions taken --> taken --who waits there--> this task
//! ```
//! Of several nodes each does this for the conversations it has. One that takes a partition hears its sessions again
//! from the history, and what it knew of them before is void ([`Strand`]). What two of them say about one message, since
//! a partition moves while the bot thinks, has the same ids, and is there once.
//!
//! [`setup`] is what accounts say about it, [`session`] what it does in one conversation, [`model`] how it
//! asks a language model, [`summary`] what a session was about, [`deeds`] how its acts look on the wire, [`room`] how accounts share it.
//! What it decides is the crate `frontdesk-bot`, which is pure.
//!
//! [`Strand`]: frontdesk_gateway::chat::port::Strand
//!
//! Everything here may be lost: a session the bot does not take, or does not answer in time, is given to people by the
//! desk. Nothing that a visitor writes waits for it.

mod again;
pub(crate) mod deeds;
mod model;
mod replay;
mod room;
mod session;
pub(crate) mod setup;
mod summary;
mod taken;
mod voice;

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_api::knowledge::KnowledgeBases;
use frontdesk_core::id::ConversationId;
use frontdesk_gateway::chat::port::{BotNews, BotTold, Strand};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::setup::Bots;
use self::{
    room::{Place, Room, Size},
    session::Session,
};
use super::{desk::DeskView, engine::NodeEngine, models::Models};

/// Of so many conversations that have a task what an account may have: behind a tenth of its own it leaves the last fifth
/// to others. What happens in more is not looked at, and people get those sessions.
const fn sessions(places_max: usize) -> Size {
    Size { places_max, large: places_max / 10, kept_free: places_max / 5 }
}

/// What may wait in one of them: a visitor writes faster than this only to see what happens.
const NEWS_MAX: usize = 32;
/// Messages that are thought about at a time, on threads of their own: a search in thousands of articles takes
/// milliseconds of a core, and others have work to do, too.
const THOUGHTS_MAX: usize = 2;
/// Summaries that are written or wait for it; of more sessions there are none. An account alone may have 48: behind 8 of
/// its own it leaves the last 16 to others.
const SUMMARIES: Size = Size { places_max: 64, large: 8, kept_free: 16 };
/// Conversations that were found waiting in partitions that were taken, on their way to their tasks.
const WAITING_MAX: usize = 64;
/// How often tasks that have ended are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// What sessions are served with, shared by all of them.
pub(super) struct BotParts {
    pub(super) bots: Arc<Bots>,
    pub(super) engine: Arc<NodeEngine>,
    pub(super) view: Arc<DeskView>,
    pub(super) knowledge: KnowledgeBases,
    pub(super) models: Arc<Models>,
    /// Conversations of all accounts that are served at a time.
    pub(super) conversations_max: usize,
}

/// The parts, and what all sessions share beside them.
pub(super) struct Shared {
    parts: BotParts,
    thoughts: Arc<Semaphore>,
    summaries: Arc<Room>,
}

/// Gives each conversation what happened in it, until told to stop.
pub(super) async fn run(
    parts: BotParts,
    mut inputs: mpsc::Receiver<BotTold>,
    stop: CancellationToken,
) {
    let shared = Arc::new(Shared {
        parts,
        thoughts: Arc::new(Semaphore::new(THOUGHTS_MAX)),
        summaries: Room::new(SUMMARIES),
    });
    let tracker = TaskTracker::new();
    // Ends with the loops as well as by the order to stop.
    let ended = stop.child_token();
    tracker.spawn(read_again(Arc::clone(&shared.parts.bots), ended.clone()));
    let loops = &shared.parts.engine.loops;
    let (partitions, is_alone) = (loops.owners().partitions(), loops.is_alone());
    let (taken_in, taken_out) = mpsc::channel(usize::from(partitions).max(1));
    let (waiting_in, mut waiting) = mpsc::channel(WAITING_MAX);
    let looking = taken::run(Arc::clone(&shared), taken_out, waiting_in);
    let no_more = ended.clone();
    tracker.spawn(async move {
        tokio::select! {
            () = no_more.cancelled() => {}
            () = looking => {}
        }
    });
    let took = |partition: (u16, Strand)| {
        if taken_in.try_send(partition).is_err() {
            tracing::debug!(partition = partition.0, "too many partitions come at once");
        }
    };
    if is_alone {
        // All of them, for good: a process before this one may have ended over an answer.
        (0..partitions).for_each(|partition| took((partition, Strand::default())));
    }
    let room = Room::new(sessions(shared.parts.conversations_max));
    let mut sessions =
        Sessions { shared: Arc::clone(&shared), tasks: HashMap::new(), room, tracker, stop };
    let mut sweep = interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = sessions.stop.cancelled() => break,
            told = inputs.recv() => match told {
                Some(BotTold { taken, news }) => {
                    taken.into_iter().for_each(took);
                    for one in news {
                        sessions.hand_on(Box::new(one));
                    }
                }
                None => break,
            },
            Some(reminder) = waiting.recv() => sessions.hand_on(reminder),
            _ = sweep.tick() => {
                sessions.sweep();
                shared.parts.bots.forget_unused();
            }
        }
    }
    let Sessions { tasks, tracker, .. } = sessions;
    drop(tasks);
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

/// The conversations that have a task.
struct Sessions {
    shared: Arc<Shared>,
    tasks: HashMap<ConversationId, Task>,
    room: Arc<Room>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// The way to one of them.
struct Task {
    inputs: mpsc::Sender<Box<BotNews>>,
    /// How often there was no room in it.
    lost: u64,
}

impl Sessions {
    /// Forgets tasks that have ended, and ends those of conversations that another node has by now.
    fn sweep(&mut self) {
        let engine = &self.shared.parts.engine;
        self.tasks.retain(|conversation, task| {
            !task.inputs.is_closed() && voice::is_here(engine, *conversation)
        });
    }

    /// Gives news to the task of its conversation; begins one if there is something to do.
    fn hand_on(&mut self, mut news: Box<BotNews>) {
        let conversation = news.conversation;
        self.sum_up(&news);
        if let Some(task) = self.tasks.get_mut(&conversation) {
            news.strand.lost += task.lost;
            match task.inputs.try_send(news) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::debug!(conversation.id = %conversation, "the bot is behind in a conversation");
                    // With the next news all of it is heard again.
                    task.lost += 1;
                    return;
                }
                // It had nothing to do for a while, and is begun anew.
                Err(mpsc::error::TrySendError::Closed(unread)) => news = unread,
            }
        }
        let id = setup::id_of(news.account);
        let is_own = news.session.owner.as_ref().is_some_and(|owner| owner.id == id);
        let is_call = !news.said.is_empty() || session::is_reminder(&news);
        if !is_call && !is_own && !session::left_bot(&news.events, &id) {
            // Nothing was begun here, so nothing ends.
            return;
        }
        let Some(place) = self.room.take(news.account) else {
            tracing::debug!(account.id = %news.account, "the bot has as many conversations as it may");
            return;
        };
        let (inputs, outputs) = mpsc::channel(NEWS_MAX);
        let session = Session::new(Arc::clone(&self.shared), &news);
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            let _place: Place = place;
            tokio::select! {
                () = stop.cancelled() => {}
                () = session.run(outputs) => {}
            }
        });
        if inputs.try_send(news).is_ok() {
            self.tasks.insert(conversation, Task { inputs, lost: 0 });
        }
    }

    /// Has a session summed up if this is the time for it.
    fn sum_up(&self, news: &BotNews) {
        if !summary::is_due(news) || !self.shared.parts.bots.sums_up(news.account) {
            return;
        }
        let due = summary::Due::of(news);
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        self.tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = due.write(shared) => {}
            }
        });
    }
}
