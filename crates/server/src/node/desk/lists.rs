//! The lists of agents: which rows stand in whose, what their visitors are called, and the feed each
//! agent gets of the changes.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use frontdesk_core::{
    id::{AccountId, ConversationId, UserId, VisitorId},
    limits,
};
use frontdesk_dispatcher::Summary;
use frontdesk_gateway::chat::port::{Command, ConnRef, Delivery};
use frontdesk_protocol::{
    Encoded,
    wire::{self, server_frame::Frame as Out},
};
use frontdesk_router::{
    access::{Principal, PrincipalKind},
    desk::Input,
};

use super::{
    DeskTask, Rows,
    account::{AccountDesk, conversation_input},
};
use crate::node::rows;

/// How long the feed of an agent without a connection goes on, ms: as long as a resume is possible.
const FEED_KEPT_MS: i64 = limits::RESUME_MS as i64;

/// An agent with a connection, or one who may resume.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) principal: Arc<Principal>,
    pub(super) conns: HashSet<ConnRef>,
    /// Conversations of this agent's list, to say when one leaves it.
    pub(super) listed: HashSet<ConversationId>,
    /// When the last connection went.
    pub(super) lost_ms: i64,
}

/// Somebody is connected now, or not any more: a bot has no place among the agents.
pub(super) fn connected(bot: Option<&str>, user: UserId, connected: bool) -> Input {
    match bot {
        Some(bot) => Input::BotConnected(bot.to_owned(), connected),
        None => Input::Connected(user, connected),
    }
}

impl Connected {
    /// The id of the bot that it is.
    pub(super) fn bot(&self) -> Option<&str> {
        (self.principal.kind == PrincipalKind::Bot).then_some(&self.principal.id)
    }
}

impl DeskTask {
    /// Reads what people call the visitors of conversations that come into the lists.
    pub(super) async fn learn_names(&mut self, summaries: &[Summary]) {
        let mut coming: HashMap<VisitorId, (AccountId, ConversationId)> = HashMap::new();
        for summary in summaries.iter().filter(|summary| rows::is_live(summary)) {
            let Ok(account) = summary.origin.account.parse() else { continue };
            let Ok(visitor) = summary.origin.visitor.parse() else { continue };
            self.open_account(account);
            let at = self.accounts.get(&account);
            if !at.is_some_and(|at| at.open.contains_key(&summary.conversation)) {
                coming.insert(visitor, (account, summary.conversation));
            }
        }
        if coming.is_empty() {
            return;
        }
        let visitors: Vec<VisitorId> = coming.keys().copied().collect();
        match self.projections.names_of(&visitors).await {
            Ok(names) => {
                for (visitor, name) in names {
                    if let Some((account, conversation)) = coming.get(&visitor)
                        && let Some(at) = self.accounts.get_mut(account)
                    {
                        at.call(*conversation, &name);
                    }
                }
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "lists go without the names of some visitors"
            ),
        }
    }

    /// Newest states of conversations: to the router, to the lists, to the projections.
    pub(super) async fn summaries(
        &mut self,
        summaries: Vec<Summary>,
        complete: Option<(u16, u64)>,
    ) {
        self.learn_names(&summaries).await;
        let mut shared = Vec::with_capacity(summaries.len());
        let mut inputs: HashMap<AccountId, Vec<Input>> = HashMap::new();
        for summary in summaries {
            let Ok(account) = summary.origin.account.parse::<AccountId>() else { continue };
            self.account(account).await;
            let Some(at) = self.accounts.get_mut(&account) else { continue };
            inputs.entry(account).or_default().extend(conversation_input(&summary, &at.inboxes));
            let summary = Arc::new(summary);
            let conversation = summary.conversation;
            if rows::is_live(&summary) {
                at.open.insert(conversation, Arc::clone(&summary));
            } else {
                at.open.remove(&conversation);
                at.names.remove(&conversation);
            }
            self.tell_lists(account, conversation);
            shared.push(summary);
        }
        for (account, inputs) in inputs {
            self.apply(account, inputs);
        }
        let rows = Rows { summaries: shared, complete: complete.into_iter().collect() };
        // Waiting here holds back the loops' summaries, which then wait in the loops, newest only.
        if self.rows.send(rows).await.is_err() {
            tracing::error!("the projection writer is gone");
        }
    }

    pub(super) async fn agent_connected(
        &mut self,
        principal: Arc<Principal>,
        user: UserId,
        conn: ConnRef,
        feed: wire::FeedPosition,
    ) {
        let account = principal.account;
        self.account(account).await;
        let Some(at) = self.accounts.get_mut(&account) else { return };
        let listed = at
            .open
            .values()
            .filter(|summary| rows::is_listed(account, &principal, summary))
            .map(|summary| summary.conversation)
            .collect::<HashSet<_>>();
        let bot = (principal.kind == PrincipalKind::Bot).then(|| principal.id.clone());
        let agent = at.agents.entry(user).or_insert_with(|| Connected {
            principal: Arc::clone(&principal),
            conns: HashSet::new(),
            listed: listed.clone(),
            lost_ms: 0,
        });
        agent.principal = principal;
        agent.conns.insert(conn);
        // Other rights than last time show other conversations.
        let former = std::mem::replace(&mut agent.listed, listed);
        let missed = {
            let feeds = &mut self.view.inner.lock().feeds;
            for conversation in former.symmetric_difference(&agent.listed) {
                feeds.note((account, user), *conversation);
            }
            // A bot has no list to reload: it is told what it owns whenever it comes.
            let owns = |summary: &&Arc<Summary>| {
                let owner = summary.session.as_ref().and_then(|session| session.owner.as_ref());
                bot.is_some() && owner.map(|owner| &owner.id) == bot.as_ref()
            };
            let owned = at.open.values().filter(owns);
            for conversation in owned.map(|summary| summary.conversation) {
                feeds.note((account, user), conversation);
            }
            feeds.arrived((account, user));
            feeds.since((account, user), feed.number)
        };
        let changes: Vec<wire::FeedChange> = missed
            .into_iter()
            .filter_map(|(number, conversation)| self.change(account, user, conversation, number))
            .collect();
        if !changes.is_empty() {
            let frame = Encoded::push(Out::Feed(wire::FeedChanges { changes }));
            let delivery = Delivery { to: smallvec::SmallVec::from_slice(&[conn.conn]), frame };
            self.tell(conn.loop_index, Command::Deliver(vec![delivery]));
        }
        self.apply(account, vec![connected(bot.as_deref(), user, true)]);
    }

    /// Tells every agent in whose list the conversation is, was or comes.
    pub(super) fn tell_lists(&mut self, account: AccountId, conversation: ConversationId) {
        let Some(at) = self.accounts.get_mut(&account) else { return };
        let summary = at.open.get(&conversation).cloned();
        let mut concerned = Vec::new();
        for (user, agent) in &mut at.agents {
            let listed = summary
                .as_ref()
                .is_some_and(|summary| rows::is_listed(account, &agent.principal, summary));
            let was = if listed {
                !agent.listed.insert(conversation)
            } else {
                agent.listed.remove(&conversation)
            };
            if listed || was {
                concerned.push(*user);
            }
        }
        let known = &at.agents;
        self.view
            .inner
            .lock()
            .feeds
            .note_awaited(account, conversation, |user| known.contains_key(&user));
        for user in concerned {
            let number = self.view.inner.lock().feeds.note((account, user), conversation);
            let loops = self.loops_of(account, user);
            if loops.is_empty() {
                continue;
            }
            if let Some(change) = self.change(account, user, conversation, number) {
                let changes = wire::FeedChanges { changes: vec![change] };
                let frame = Encoded::push(Out::Feed(changes));
                for loop_index in loops {
                    let frame = frame.clone();
                    self.tell(loop_index, Command::ToUser { account, user, frame });
                }
            }
        }
    }

    pub(super) fn loops_of(&self, account: AccountId, user: UserId) -> BTreeSet<u16> {
        self.accounts
            .get(&account)
            .and_then(|at| at.agents.get(&user))
            .map(|agent| agent.conns.iter().map(|conn| conn.loop_index).collect())
            .unwrap_or_default()
    }

    /// A feed change as it is now for this reader.
    pub(super) fn change(
        &self,
        account: AccountId,
        user: UserId,
        conversation: ConversationId,
        number: u64,
    ) -> Option<wire::FeedChange> {
        use wire::feed_change::Change;
        let at = self.accounts.get(&account)?;
        let agent = at.agents.get(&user)?;
        let listed = at
            .open
            .get(&conversation)
            .filter(|summary| rows::is_listed(account, &agent.principal, summary));
        let change = match listed {
            Some(summary) => {
                let beside = self.beside(at, conversation);
                Change::Row(rows::row(summary, &agent.principal.id, beside, self.epoch))
            }
            None => Change::Removed(conversation.to_string()),
        };
        Some(wire::FeedChange { number, change: Some(change) })
    }

    pub(super) fn beside(&self, at: &AccountDesk, conversation: ConversationId) -> rows::Beside {
        rows::Beside {
            visitor_name: at.names.get(&conversation).cloned().unwrap_or_default(),
            visitor_online: self.visitors_online.contains_key(&conversation),
        }
    }

    /// Lets go of agents who can no longer resume, and of their feeds.
    pub(super) fn forget_lost(&mut self, now: i64) {
        let feeds = &mut self.view.inner.lock().feeds;
        feeds.sweep(now);
        for (account, at) in &mut self.accounts {
            at.agents.retain(|user, agent| {
                let kept = !agent.conns.is_empty() || now - agent.lost_ms < FEED_KEPT_MS;
                if !kept {
                    feeds.lapse((*account, *user));
                }
                kept
            });
        }
    }
}
