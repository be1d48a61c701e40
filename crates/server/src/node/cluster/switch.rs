//! Between loops and desks: what concerns an account goes to the node that has its desk.
//!
//! The owner of an account's partition has its desk. When that changes, the desk that comes reads the open
//! conversations from the lists, and the loops tell it what the lists do not have yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use frontdesk_catalog::Catalog;
use frontdesk_core::id::AccountId;
use frontdesk_dispatcher::{Summary, projections::Projections};
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

use super::follower::{self, Follower};

/// Where the desks are.
pub(super) struct Desks {
    loops: Arc<Loops>,
    /// Of this node.
    desk: mpsc::Sender<DeskInput>,
    follower: Arc<Follower>,
    catalog: Catalog,
    projections: Arc<Projections>,
    /// Partitions whose accounts' desks are open here.
    served: Mutex<BTreeSet<u16>>,
    /// Owners have changed.
    changed: Notify,
}

/// How often it is looked whether a desk that could not be opened can be.
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
        let (served, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self { loops, desk, follower, catalog, projections, served, changed })
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
            DeskInput::Summaries { .. } | DeskInput::Open { .. } | DeskInput::Close { .. } => None,
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

    /// What another node tells.
    pub(super) async fn take(&self, notice: Notice) {
        match notice {
            Notice::States(states) => self.summaries(states).await,
            Notice::VisitorPresence { account, conversation, online } => {
                if self.is_here(account) {
                    self.tell(DeskInput::VisitorPresence { account, conversation, online }).await;
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
                Ok(summary) if self.is_of_here(&summary) => summaries.push(summary),
                Ok(_) => {}
                Err(error) => tracing::error!(error = format!("{error:#}"), "a state was dropped"),
            }
        }
        if !summaries.is_empty() {
            self.tell(DeskInput::Summaries { summaries, complete: None }).await;
        }
    }

    fn is_of_here(&self, summary: &Summary) -> bool {
        summary.origin.account.parse().is_ok_and(|account| self.is_here(account))
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
        let mut served = self.served.lock().await;
        let owners = self.loops.owners();
        let here: BTreeSet<u16> = (0..owners.partitions())
            .filter(|partition| {
                owners.owner(*partition).is_some_and(|owner| self.loops.is_local(owner))
            })
            .collect();
        let gone: Vec<u16> = served.difference(&here).copied().collect();
        if !gone.is_empty() {
            self.tell(DeskInput::Close { partitions: gone }).await;
        }
        let new: BTreeSet<u16> = here.difference(&served).copied().collect();
        *served = here;
        if new.is_empty() {
            return;
        }
        if let Err(error) = self.open(&new).await {
            // Tried again at the next look.
            served.retain(|partition| !new.contains(partition));
            tracing::warn!(error = format!("{error:#}"), "cannot open desks; it is tried again");
        }
    }

    async fn open(&self, partitions: &BTreeSet<u16>) -> anyhow::Result<()> {
        self.follower.catch_up().await?;
        let total = self.loops.owners().partitions();
        let is_new =
            |account: AccountId| partitions.contains(&place::account_partition(account, total));
        let mut open: BTreeMap<AccountId, Vec<Summary>> = BTreeMap::new();
        for account in self.catalog.accounts().await? {
            if is_new(account.id) {
                open.insert(account.id, Vec::new());
            }
        }
        let mut live = Vec::new();
        self.projections
            .live_conversations(&mut |row| {
                if is_new(row.account) {
                    live.push(row.conversation);
                }
            })
            .await?;
        for conversation in live {
            if let Some(summary) = self.follower.stored(conversation).await?
                && let Ok(account) = summary.origin.account.parse()
            {
                open.entry(account).or_default().push(summary);
            }
        }
        for (account, summaries) in open {
            self.tell(DeskInput::Open { account, summaries }).await;
        }
        Ok(())
    }
}
