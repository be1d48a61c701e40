//! What HTTP asks of the desk, and the answers.

use std::{collections::HashMap, sync::Arc};

use frontdesk_core::id::{AccountId, ConversationId, UserId};
use frontdesk_dispatcher::Summary;
use frontdesk_protocol::wire;
use frontdesk_router::access::Principal;
use tokio::sync::oneshot;

use super::DeskTask;
use crate::node::{now_ms, rows};

/// What HTTP asks of the desk.
#[derive(Debug)]
pub(crate) enum DeskQuery {
    /// Open rows the principal may see, with the online state of their visitors.
    Open { principal: Arc<Principal>, reply: oneshot::Sender<Vec<OpenRow>> },
    /// Every open session the principal may see, with its holder and deadline.
    Waiting { principal: Arc<Principal>, reply: oneshot::Sender<WaitingReport> },
    /// Effective presence of the account's agents and how many sessions each owns.
    Agents { account: AccountId, reply: oneshot::Sender<HashMap<UserId, AgentNow>> },
    /// Whether the visitor of a conversation is connected.
    VisitorOnline { conversation: ConversationId, reply: oneshot::Sender<bool> },
    /// People, teams, inboxes or settings changed.
    Configuration { account: AccountId },
    /// The person these conversations are with is called so from now on.
    Renamed { account: AccountId, conversations: Vec<ConversationId>, name: String },
}

/// A conversation of a list.
#[derive(Debug, Clone)]
pub(crate) struct OpenRow {
    pub(crate) summary: Arc<Summary>,
    pub(crate) beside: rows::Beside,
}

/// The watchdog's report.
#[derive(Debug, Default)]
pub(crate) struct WaitingReport {
    pub(crate) sessions: Vec<frontdesk_router::desk::Waiting>,
    pub(crate) violations: Vec<frontdesk_router::desk::Violation>,
}

/// An agent at this moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentNow {
    pub(crate) presence: wire::Presence,
    pub(crate) open_sessions: u32,
}

impl DeskTask {
    pub(super) async fn query(&mut self, query: DeskQuery) {
        match query {
            DeskQuery::Open { principal, reply } => {
                let rows = self.accounts.get(&principal.account).map_or_else(Vec::new, |at| {
                    at.open
                        .values()
                        .filter(|summary| rows::is_listed(principal.account, &principal, summary))
                        .map(|summary| OpenRow {
                            summary: Arc::clone(summary),
                            beside: self.beside(at, summary.conversation),
                        })
                        .collect()
                });
                drop(reply.send(rows));
            }
            DeskQuery::Waiting { principal, reply } => {
                let now = now_ms();
                let of_account = self.accounts.get(&principal.account);
                let report = of_account.map_or_else(WaitingReport::default, |at| {
                    let may_see = |conversation: &ConversationId| {
                        let summary = at.open.get(conversation);
                        summary.is_some_and(|summary| {
                            rows::is_listed(principal.account, &principal, summary)
                        })
                    };
                    let mut sessions = at.desk.waiting(now);
                    sessions.retain(|session| may_see(&session.conversation));
                    let mut violations = at.desk.violations(now);
                    violations.retain(|violation| may_see(&violation.conversation()));
                    WaitingReport { sessions, violations }
                });
                drop(reply.send(report));
            }
            DeskQuery::Agents { account, reply } => {
                let mut now: HashMap<UserId, AgentNow> = HashMap::new();
                if let Some(at) = self.accounts.get(&account) {
                    for (user, presence) in &at.presence {
                        now.insert(*user, AgentNow { presence: *presence, open_sessions: 0 });
                    }
                    for summary in at.open.values().filter(|summary| rows::is_open(summary)) {
                        let owner = summary.session.as_ref().and_then(|s| s.owner.as_ref());
                        let Some(Ok(user)) = owner.map(|owner| owner.id.parse::<UserId>()) else {
                            continue;
                        };
                        let agent = now.entry(user).or_insert(AgentNow {
                            presence: wire::Presence::Offline,
                            open_sessions: 0,
                        });
                        agent.open_sessions += 1;
                    }
                }
                drop(reply.send(now));
            }
            DeskQuery::VisitorOnline { conversation, reply } => {
                // Whoever asked may have given up.
                if reply.send(self.visitors_online.contains_key(&conversation)).is_err() {
                    tracing::debug!("a request was given up");
                }
            }
            DeskQuery::Renamed { account, conversations, name } => {
                for conversation in conversations {
                    let Some(at) = self.accounts.get_mut(&account) else { return };
                    if at.open.contains_key(&conversation) && at.call(conversation, &name) {
                        self.tell_lists(account, conversation);
                    }
                }
            }
            // Told on every node; a desk that is not open anywhere yet reads it when it opens.
            DeskQuery::Configuration { account } if !self.is_here(account) => {}
            DeskQuery::Configuration { account } => {
                if let Err(error) = self.reload(account).await {
                    tracing::error!(
                        account.id = %account,
                        error = &error as &dyn std::error::Error,
                        "cannot reload an account's desk"
                    );
                }
            }
        }
    }
}
