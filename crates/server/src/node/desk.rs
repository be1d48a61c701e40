//! The desk task of this node: feeds each account's session router with states, carries its
//! proposals to the loops, keeps the open rows of all lists in memory and tells agents' feeds.
//!
//! ```text
//! loops --Summaries, AgentConnected, ...--> [desk task] --Propose, ToUser, ToVisitor--> loops
//! HTTP  --queries, "configuration changed"-->     |--> projection writer (rows, offsets)
//! ```
//! Everything here can be lost and rebuilt: rows and sessions from the history, presence from the
//! connections that come back.

mod account;
mod decisions;
mod lists;
mod queries;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use frontdesk_catalog::{Catalog, Error as CatalogError};
use frontdesk_core::id::{AccountId, ConversationId};
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_gateway::chat::{
    loops::Loops,
    port::{Answer, Command, DeskInput},
};
use frontdesk_router::desk::Input;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::account::AccountDesk;
pub(crate) use self::{
    queries::{AgentNow, DeskQuery, OpenRow, WaitingReport},
    view::DeskView,
};
use super::{attendance::Attendance, bots::Bots, intents::Sorting, now_ms, rows};

/// Longest time the desk goes without looking at its deadlines.
const LOOK_AT_LEAST_MS: i64 = 5_000;

/// How soon a loop whose inbox was full is told again, ms.
const STUCK_RETRY_MS: i64 = 20;

/// What the projection writer gets.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Newest states.
    pub(crate) summaries: Vec<Arc<Summary>>,
    /// Logs whose records up to the offset are all contained in what was sent so far.
    pub(crate) complete: Vec<(u16, u64)>,
}

/// What the task is made of.
pub(crate) struct DeskParts {
    pub(crate) catalog: Catalog,
    pub(crate) loops: Arc<Loops>,
    /// Life of the positions, for rows.
    pub(crate) epoch: u64,
    pub(crate) view: Arc<DeskView>,
    pub(crate) rows: mpsc::Sender<Rows>,
    pub(crate) projections: Arc<Projections>,
    /// Unlike that of every other source of ids.
    pub(crate) id_seed: u32,
    /// Says in which inboxes new sessions wait for their intent.
    pub(crate) sorting: Option<Sorting>,
    /// Says in which inboxes bots get new sessions.
    pub(crate) bots: Arc<Bots>,
}

/// Where a visitor is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct VisitorOnline {
    account: AccountId,
    /// The node that said so.
    node: u8,
}

/// The task.
pub(crate) struct DeskTask {
    catalog: Catalog,
    loops: Arc<Loops>,
    /// Life of the positions, for rows.
    epoch: u64,
    view: Arc<DeskView>,
    rows: mpsc::Sender<Rows>,
    projections: Arc<Projections>,
    accounts: HashMap<AccountId, AccountDesk>,
    visitors_online: HashMap<ConversationId, VisitorOnline>,
    /// What visitors were told of who is there.
    attendance: Attendance,
    /// What a full inbox of a loop did not take yet, in order.
    stuck: VecDeque<(u16, Command)>,
    id_seed: u32,
    sorting: Option<Sorting>,
    bots: Arc<Bots>,
}

impl DeskTask {
    pub(crate) fn new(parts: DeskParts) -> Self {
        let DeskParts { catalog, loops, epoch, view, rows, projections, id_seed, sorting, bots } =
            parts;
        Self {
            catalog,
            loops,
            epoch,
            view,
            rows,
            projections,
            accounts: HashMap::new(),
            visitors_online: HashMap::new(),
            attendance: Attendance::default(),
            stuck: VecDeque::new(),
            id_seed,
            sorting,
            bots,
        }
    }

    /// Takes the open conversations the projections know, before the first input.
    pub(crate) async fn begin(&mut self, open: Vec<Summary>) -> Result<(), CatalogError> {
        let mut by_account: HashMap<AccountId, Vec<Summary>> = HashMap::new();
        for account in self.catalog.accounts().await? {
            by_account.insert(account.id, Vec::new());
        }
        for summary in open {
            if let Ok(account) = summary.origin.account.parse() {
                by_account.entry(account).or_default().push(summary);
            }
        }
        for (account, summaries) in by_account {
            self.open_account(account);
            self.learn_names(&summaries).await;
            if let Some(at) = self.accounts.get_mut(&account) {
                at.open = summaries
                    .into_iter()
                    .map(|summary| (summary.conversation, Arc::new(summary)))
                    .collect();
            }
            self.reload(account).await?;
        }
        Ok(())
    }

    /// Whether the account's desk is on this node.
    fn is_here(&self, account: AccountId) -> bool {
        self.loops.desk_of(account).is_some_and(|of| self.loops.is_local(of))
    }

    /// Works until told to stop.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<DeskInput>,
        mut queries: mpsc::Receiver<DeskQuery>,
        stop: CancellationToken,
    ) {
        loop {
            let now = now_ms();
            let next_ms = self
                .accounts
                .values()
                .map(|account| account.next_ms)
                .chain(self.attendance.next_ms())
                .min()
                .unwrap_or(i64::MAX)
                .clamp(now, now + LOOK_AT_LEAST_MS);
            let next_ms = if self.stuck.is_empty() { next_ms } else { now + STUCK_RETRY_MS };
            let wait = u64::try_from(next_ms - now).unwrap_or(0);
            let deadline = Instant::now() + std::time::Duration::from_millis(wait);
            tokio::select! {
                () = stop.cancelled() => return,
                input = inputs.recv() => match input {
                    Some(input) => self.take(input).await,
                    None => return,
                },
                Some(query) = queries.recv() => self.query(query).await,
                () = sleep_until(deadline) => {}
            }
            let now = now_ms();
            let due: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(_, account)| account.next_ms <= now)
                .map(|(id, _)| *id)
                .collect();
            for account in due {
                if self.accounts.get(&account).is_some_and(|at| !at.configured) {
                    self.account(account).await;
                } else {
                    self.apply(account, Vec::new());
                }
            }
            self.tell_attended(now);
            self.tell_stuck();
            self.forget_lost(now);
        }
    }

    async fn take(&mut self, input: DeskInput) {
        match input {
            DeskInput::Summaries { summaries, complete } => {
                self.summaries(summaries, complete).await;
            }
            DeskInput::AgentConnected { principal, user, conn, feed } => {
                self.agent_connected(principal, user, conn, feed).await;
            }
            DeskInput::AgentLost { account, user, conn } => {
                let Some(at) = self.accounts.get_mut(&account) else { return };
                let Some(agent) = at.agents.get_mut(&user) else { return };
                agent.conns.remove(&conn);
                if agent.conns.is_empty() {
                    // The feed goes on for as long as it may be resumed.
                    agent.lost_ms = now_ms();
                    let input = lists::connected(agent.bot(), user, false);
                    self.apply(account, vec![input]);
                }
            }
            DeskInput::SetPresence { account, user, presence } => {
                self.view.inner.lock().presence.insert(user, presence);
                let stored = rows::stored_presence(presence);
                if let Err(error) = self.catalog.set_presence(account, user, stored).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot keep an agent's chosen state"
                    );
                }
                self.apply(account, vec![Input::Presence(user, presence)]);
            }
            DeskInput::VisitorPresence { account, conversation, online } => {
                let visitor = VisitorOnline { account, node: self.loops.node() };
                self.visitor_presence(conversation, visitor, online);
            }
            DeskInput::VisitorElsewhere { node, account, conversation, online } => {
                self.visitor_presence(conversation, VisitorOnline { account, node }, online);
            }
            DeskInput::NodeForgotten { node } => self.forget_visitors(node),
            // Taken apart by the node's switch, which knows where the desk is.
            DeskInput::States(_) => {}
            DeskInput::Open { account, summaries } => self.take_over(account, summaries).await,
            DeskInput::Close { partitions } => self.give_up(&partitions),
            DeskInput::Proposed { account, conversation, version, answer } => {
                if let Answer::Refused(refusal) = answer {
                    tracing::debug!(
                        conversation.id = %conversation,
                        code = refusal.code,
                        "a proposal of the desk was refused"
                    );
                    self.apply(account, vec![Input::Refused { conversation, version }]);
                }
            }
        }
    }

    fn visitor_presence(
        &mut self,
        conversation: ConversationId,
        visitor: VisitorOnline,
        online: bool,
    ) {
        let account = visitor.account;
        let changed = if online {
            self.visitors_online.insert(conversation, visitor).is_none()
        } else if self.visitors_online.get(&conversation) == Some(&visitor) {
            self.visitors_online.remove(&conversation).is_some()
        } else {
            // Connected to another node by now: the word of the former one came late.
            false
        };
        if changed {
            self.tell_lists(account, conversation);
        }
        if online {
            let at = self.accounts.get(&account);
            let place = at.and_then(|at| at.desk.place(now_ms(), conversation));
            if let Some(place) = place {
                self.tell_place(account, place);
            }
        }
    }

    /// Another node is gone, or says anew who is connected to it.
    fn forget_visitors(&mut self, node: u8) {
        let gone: Vec<(ConversationId, VisitorOnline)> =
            self.visitors_online.extract_if(|_, visitor| visitor.node == node).collect();
        for (conversation, visitor) in gone {
            self.tell_lists(visitor.account, conversation);
        }
    }
}
