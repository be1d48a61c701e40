//! Between loops and desks: what concerns an account goes to the node that has its desk.
//!
//! The owner of an account's partition has its desk. When that changes, the desk that comes reads the open
//! conversations from the lists, and the loops tell it what the lists do not have yet (`switch/opened.rs`).

mod opened;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use frontdesk_catalog::Catalog;
use frontdesk_core::{
    id::{AccountId, ConversationId},
    partition_of,
};
use frontdesk_dispatcher::{
    Summary,
    projections::{ConversationRow, Projections},
};
use frontdesk_gateway::{
    chat::{
        loops::Loops,
        place,
        port::{Answer, DeskInput},
    },
    peer::{Notice, State},
};
use tokio::{
    sync::{Mutex, Notify, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use self::opened::Opened;
use super::follower::{self, Follower};

/// Where the desks are.
pub(super) struct Desks {
    loops: Arc<Loops>,
    /// Of this node.
    desk: mpsc::Sender<DeskInput>,
    follower: Arc<Follower>,
    catalog: Catalog,
    projections: Arc<Projections>,
    /// Held while states are told: they keep their order towards a desk that is being opened.
    opened: Mutex<Opened>,
    /// Owners have changed.
    changed: Notify,
}

/// How often it is looked whether what could not be read can be.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Opens and closes desks as partitions come and go.
pub(super) async fn follow(desks: Arc<Desks>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = desks.changed.notified() => {}
            () = sleep(LOOK_EVERY) => {}
        }
        desks.follow_owners().await;
    }
}

/// Routes what the loops of this node tell.
pub(super) async fn run(
    desks: Arc<Desks>,
    mut inputs: mpsc::Receiver<DeskInput>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            input = inputs.recv() => match input {
                Some(input) => desks.route(input).await,
                None => return,
            },
        }
    }
}

impl Desks {
    pub(super) fn new(
        loops: Arc<Loops>,
        desk: mpsc::Sender<DeskInput>,
        follower: Arc<Follower>,
        catalog: Catalog,
        projections: Arc<Projections>,
    ) -> Arc<Self> {
        let opened = Mutex::new(Opened::new(loops.owners().partitions()));
        let changed = Notify::new();
        Arc::new(Self { loops, desk, follower, catalog, projections, opened, changed })
    }

    /// The node with the account's desk; `None` while there is none.
    fn node_of(&self, account: AccountId) -> Option<u8> {
        self.loops.desk_of(account).map(place::node_of)
    }

    fn is_here(&self, account: AccountId) -> bool {
        self.node_of(account) == Some(self.loops.node())
    }

    async fn route(&self, input: DeskInput) {
        let account = match &input {
            DeskInput::States(_) => None,
            DeskInput::VisitorPresence { account, .. }
            | DeskInput::Proposed { account, .. }
            | DeskInput::AgentLost { account, .. }
            | DeskInput::SetPresence { account, .. } => Some(*account),
            DeskInput::AgentConnected { principal, .. } => Some(principal.account),
            // Loops with a log for each partition tell states; the others are for the task itself.
            DeskInput::Summaries { .. }
            | DeskInput::VisitorElsewhere { .. }
            | DeskInput::NodeForgotten { .. }
            | DeskInput::Open { .. }
            | DeskInput::Close { .. } => None,
        };
        match input {
            DeskInput::States(states) => self.route_states(states).await,
            input if account.is_some_and(|account| self.is_here(account)) => self.tell(input).await,
            DeskInput::VisitorPresence { account, conversation, online } => {
                self.send(account, Notice::VisitorPresence { account, conversation, online });
            }
            DeskInput::Proposed { account, conversation, version, answer } => {
                let refused = match answer {
                    Answer::Refused(refusal) => Some(refusal),
                    Answer::Done(_) => None,
                };
                self.send(account, Notice::Proposed { account, conversation, version, refused });
            }
            // An agent's socket is where the desk is; if the desk has moved, the socket follows.
            _ => {}
        }
    }

    async fn route_states(&self, states: Vec<(AccountId, State)>) {
        let mut by_node: BTreeMap<u8, Vec<State>> = BTreeMap::new();
        for (account, state) in states {
            // Without a desk nobody has to know now: the desk that comes will be told.
            if let Some(node) = self.node_of(account) {
                by_node.entry(node).or_default().push(state);
            }
        }
        for (node, states) in by_node {
            if node == self.loops.node() {
                self.summaries(states).await;
            } else {
                self.loops.tell(node, Notice::States(states));
            }
        }
    }

    /// What another node said of its visitors is void.
    pub(super) async fn forget(&self, node: u8) {
        self.tell(DeskInput::NodeForgotten { node }).await;
    }

    /// What another node tells.
    pub(super) async fn take(&self, node: u8, notice: Notice) {
        match notice {
            Notice::States(states) => self.summaries(states).await,
            Notice::VisitorPresence { account, conversation, online } => {
                if self.is_here(account) {
                    let input = DeskInput::VisitorElsewhere { node, account, conversation, online };
                    self.tell(input).await;
                }
            }
            Notice::Proposed { account, conversation, version, refused } => {
                if self.is_here(account) {
                    let answer = refused.map_or(Answer::Done(None), Answer::Refused);
                    let input = DeskInput::Proposed { account, conversation, version, answer };
                    self.tell(input).await;
                }
            }
            // For whoever shows it; no desk needs it.
            Notice::Attended { .. } => {}
        }
    }

    async fn summaries(&self, states: Vec<State>) {
        let mut summaries = Vec::with_capacity(states.len());
        for State { conversation, state, log, offset } in states {
            match follower::summary(conversation, &state, log, offset) {
                Ok(summary) => summaries.push(summary),
                Err(error) => tracing::error!(error = format!("{error:#}"), "a state was dropped"),
            }
        }
        let mut opened = self.opened.lock().await;
        let summaries = opened.admit(summaries, |partition| self.has_desk(partition));
        self.tell_states(summaries).await;
    }

    async fn tell_states(&self, summaries: Vec<Summary>) {
        if !summaries.is_empty() {
            self.tell(DeskInput::Summaries { summaries, complete: None }).await;
        }
    }

    /// Whether the desks of a partition's accounts are here.
    fn has_desk(&self, partition: u16) -> bool {
        self.loops.owners().owner(partition).is_some_and(|owner| self.loops.is_local(owner))
    }

    async fn tell(&self, input: DeskInput) {
        if self.desk.send(input).await.is_err() {
            tracing::debug!("the desk task has ended");
        }
    }

    fn send(&self, account: AccountId, notice: Notice) {
        if let Some(node) = self.node_of(account) {
            self.loops.tell(node, notice);
        }
    }

    /// Says that owners have changed.
    pub(super) fn owners_changed(&self) {
        self.changed.notify_one();
    }

    /// Opens the desks that are here now and closes those that are not.
    pub(super) async fn follow_owners(&self) {
        let here: BTreeSet<u16> = (0..self.loops.owners().partitions())
            .filter(|partition| self.has_desk(*partition))
            .collect();
        let missing = {
            let mut opened = self.opened.lock().await;
            let gone = opened.keep(&here);
            if !gone.is_empty() {
                self.tell(DeskInput::Close { partitions: gone }).await;
            }
            opened.missing(&here)
        };
        // What fails is tried again at the next look.
        if !missing.is_empty()
            && let Err(error) = self.open(&missing).await
        {
            tracing::warn!(error = format!("{error:#}"), "cannot open desks; it is tried again");
        }
        if let Err(error) = self.read_behind().await {
            tracing::warn!(error = format!("{error:#}"), "desks lack some conversations");
        }
    }

    /// Opens the desks of these partitions with the conversations that can be read now; the others come later.
    async fn open(&self, partitions: &BTreeSet<u16>) -> anyhow::Result<()> {
        let reached = self.follower.catch_up().await?;
        let total = self.loops.owners().partitions();
        let is_new =
            |account: AccountId| partitions.contains(&place::account_partition(account, total));
        let mut open: BTreeMap<AccountId, Vec<Summary>> = BTreeMap::new();
        for account in self.catalog.accounts().await? {
            if is_new(account.id) {
                open.insert(account.id, Vec::new());
            }
        }
        let live = self.live(|account, _| is_new(account)).await?;
        let (read, unread) = read_all(live, total, |of| self.follower.stored(of)).await;
        for summary in read {
            if let Ok(account) = summary.origin.account.parse() {
                open.entry(account).or_default().push(summary);
            }
        }
        let behind: BTreeSet<u16> =
            (0..total).filter(|log| unread.contains(log) || !reached.contains(log)).collect();
        if !behind.is_empty() {
            tracing::warn!(logs = behind.len(), "desks open without conversations of some logs");
        }
        let mut opened = self.opened.lock().await;
        for (account, summaries) in open {
            self.tell(DeskInput::Open { account, summaries }).await;
        }
        self.tell_states(opened.open(partitions, &behind)).await;
        Ok(())
    }

    /// Tells open desks of conversations that could not be read before.
    async fn read_behind(&self) -> anyhow::Result<()> {
        let behind = self.opened.lock().await.behind();
        if behind.is_empty() {
            return Ok(());
        }
        let reached: BTreeSet<u16> =
            self.follower.catch_up().await?.intersection(&behind).copied().collect();
        if reached.is_empty() {
            return Ok(());
        }
        let total = self.loops.owners().partitions();
        let is_meant = |account, log| {
            reached.contains(&log) && self.has_desk(place::account_partition(account, total))
        };
        let live = self.live(is_meant).await?;
        let (read, unread) = read_all(live, total, |of| self.follower.stored(of)).await;
        let mut by_log: HashMap<u16, Vec<Summary>> = HashMap::new();
        for summary in read {
            by_log.entry(summary.log).or_default().push(summary);
        }
        let mut opened = self.opened.lock().await;
        for log in reached.difference(&unread) {
            let summaries = opened.caught_up(*log, by_log.remove(log).unwrap_or_default());
            self.tell_states(summaries).await;
        }
        Ok(())
    }

    /// Conversations that lists take for live, of some accounts and logs.
    async fn live(
        &self,
        is_meant: impl Fn(AccountId, u16) -> bool + Send + Sync,
    ) -> anyhow::Result<Vec<ConversationId>> {
        let total = self.loops.owners().partitions();
        let mut live = Vec::new();
        let mut visit = |row: ConversationRow| {
            if is_meant(row.account, partition_of(&row.conversation, total)) {
                live.push(row.conversation);
            }
        };
        self.projections.live_conversations(&mut visit).await?;
        Ok(live)
    }
}

/// Reads conversations, and says of which logs some could not be read: their shards are away, and the others must
/// not wait for it.
async fn read_all<R>(
    live: Vec<ConversationId>,
    total: u16,
    read: impl Fn(ConversationId) -> R,
) -> (Vec<Summary>, BTreeSet<u16>)
where
    R: Future<Output = anyhow::Result<Option<Summary>>>,
{
    let (mut found, mut unread) = (Vec::with_capacity(live.len()), BTreeSet::new());
    for conversation in live {
        let log = partition_of(&conversation, total);
        // Asked once: each question to a shard that is away may take long.
        if unread.contains(&log) {
            continue;
        }
        match read(conversation).await {
            Ok(summary) => found.extend(summary),
            Err(error) => {
                tracing::debug!(log, error = format!("{error:#}"), "a conversation is read later");
                unread.insert(log);
            }
        }
    }
    (found, unread)
}

#[cfg(test)]
mod tests {
    use frontdesk_core::fold::Conversation;

    use super::*;

    #[tokio::test]
    async fn what_lies_on_a_shard_that_is_away_keeps_no_other_conversation_from_the_desks() {
        const TOTAL: u16 = 64;
        let live: Vec<ConversationId> =
            (1..20).map(|number| ConversationId::from_bytes([number; 12])).collect();
        let away = partition_of(&live[3], TOTAL);
        let asked = std::cell::Cell::new(0);
        let read = async |conversation: ConversationId| {
            let log = partition_of(&conversation, TOTAL);
            if log == away {
                asked.set(asked.get() + 1);
                anyhow::bail!("the shard is away");
            }
            let state = Conversation::decode(b"").expect("an empty state");
            Ok(Some(Summary::of(conversation, &state, log, 0)))
        };
        let (found, unread) = read_all(live.clone(), TOTAL, read).await;
        let found: Vec<ConversationId> = found.iter().map(|of| of.conversation).collect();
        let others = live.iter().filter(|of| partition_of(of, TOTAL) != away);
        assert_eq!(found, others.copied().collect::<Vec<_>>());
        assert_eq!((unread, asked.get()), (BTreeSet::from([away]), 1));
    }
}
