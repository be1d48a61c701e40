//! One account at the desk: what is configured about it, and its router.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use frontdesk_catalog::{
    Error as CatalogError, RoutingMode,
    settings::{self, At, Settings},
};
use frontdesk_core::id::{AccountId, ConversationId, IdSource, InboxId, TeamId, UserId};
use frontdesk_dispatcher::Summary;
use frontdesk_gateway::chat::place;
use frontdesk_protocol::wire;
use frontdesk_router::desk::{AgentProfile, Desk, DeskSettings, InboxProfile, Input, Routing};

use super::{
    DeskTask, LOOK_AT_LEAST_MS,
    lists::{self, Connected},
};
use crate::node::{
    intents::{InboxIntents, Sorting},
    now_ms, rows,
};

/// One account at the desk.
pub(super) struct AccountDesk {
    pub(super) desk: Desk,
    /// Open conversations, and closed ones in which somebody has to read a mention.
    pub(super) open: HashMap<ConversationId, Arc<Summary>>,
    /// What people call the visitors of those, where anybody does.
    pub(super) names: HashMap<ConversationId, String>,
    /// Agents with a connection, and those who may resume.
    pub(super) agents: HashMap<UserId, Connected>,
    pub(super) presence: HashMap<UserId, wire::Presence>,
    /// What the settings say of each inbox.
    pub(super) inboxes: HashMap<InboxId, InboxRules>,
    pub(super) next_ms: i64,
    /// Whether the desk knows what is configured: before that it decides nothing.
    pub(super) configured: bool,
}

impl AccountDesk {
    /// Notes what the visitor of a conversation is called; says whether that is new.
    pub(super) fn call(&mut self, conversation: ConversationId, name: &str) -> bool {
        let before = if name.is_empty() {
            self.names.remove(&conversation)
        } else {
            self.names.insert(conversation, name.to_owned())
        };
        before.unwrap_or_default() != name
    }
}

/// Settings of an inbox that the desk carries out itself.
#[derive(Debug, Clone)]
pub(super) struct InboxRules {
    /// Who comes back meets the last agent.
    pub(super) last_agent: bool,
    /// Visitors see their place in the queue.
    pub(super) queue_place: bool,
    /// What intents mean for sessions of the inbox.
    pub(super) intents: Arc<InboxIntents>,
}

impl Default for InboxRules {
    fn default() -> Self {
        Self { last_agent: true, queue_place: true, intents: Arc::default() }
    }
}

impl InboxRules {
    pub(super) fn of(settings: &Settings, inbox: InboxId, intents: InboxIntents) -> Self {
        let at = At { team: None, inbox: Some(inbox) };
        Self {
            last_agent: settings.get(settings::LAST_AGENT, at),
            queue_place: settings.get(settings::QUEUE_PLACE, at),
            intents: Arc::new(intents),
        }
    }
}

impl DeskTask {
    /// Opens the account's desk if it is not open. Where its configuration cannot be read it decides
    /// nothing yet, and tries again soon.
    pub(super) async fn account(&mut self, account: AccountId) {
        let now = now_ms();
        if self.accounts.get(&account).is_some_and(|at| at.configured || now < at.next_ms) {
            return;
        }
        // In a box: what is asked for with every summary would else be as large as this seldom step.
        if let Err(error) = Box::pin(self.reload(account)).await {
            tracing::error!(
                account.id = %account,
                error = &error as &dyn std::error::Error,
                "cannot read what is configured about an account; it is tried again"
            );
            if let Some(at) = self.accounts.get_mut(&account).filter(|at| !at.configured) {
                at.next_ms = now + LOOK_AT_LEAST_MS;
            }
        }
    }

    /// The desk of an account comes to this node with what the history has. What the loops have told meanwhile
    /// comes right behind.
    pub(super) async fn take_over(&mut self, account: AccountId, summaries: Vec<Summary>) {
        self.open_account(account);
        self.learn_names(&summaries).await;
        let Some(at) = self.accounts.get_mut(&account) else { return };
        let (mut inputs, mut coming) = (Vec::new(), Vec::new());
        for summary in summaries.into_iter().filter(rows::is_live) {
            inputs.extend(conversation_input(&summary, &at.inboxes));
            coming.push(summary.conversation);
            at.open.insert(summary.conversation, Arc::new(summary));
        }
        if at.configured {
            self.apply(account, inputs);
        }
        // Agents may have come before their desk.
        for conversation in coming {
            self.tell_lists(account, conversation);
        }
        if let Err(error) = self.reload(account).await {
            // Tried again like that of any account whose desk is not configured.
            tracing::error!(
                account.id = %account,
                error = &error as &dyn std::error::Error,
                "cannot read what is configured about an account"
            );
        }
    }

    /// The desks of these partitions' accounts are on another node.
    pub(super) fn give_up(&mut self, partitions: &[u16]) {
        let total = self.loops.owners().partitions();
        let is_gone =
            |account: &AccountId| partitions.contains(&place::account_partition(*account, total));
        self.accounts.retain(|account, _| !is_gone(account));
        // Whoever is connected then is told again to the desk that comes.
        self.visitors_online.retain(|_, visitor| !is_gone(&visitor.account));
        let inboxes = self.view.give_up(is_gone);
        self.attendance.forget(&inboxes);
    }

    pub(super) fn open_account(&mut self, account: AccountId) {
        if self.accounts.contains_key(&account) {
            return;
        }
        let mut machine = [0; 3];
        getrandom::fill(&mut machine).expect("the operating system has randomness");
        self.id_seed = self.id_seed.wrapping_add(0x0100_0000);
        let ids = IdSource::new(machine, std::process::id() as u16, self.id_seed);
        self.accounts.entry(account).or_insert_with(|| AccountDesk {
            desk: Desk::new(DeskSettings::default(), ids),
            open: HashMap::new(),
            names: HashMap::new(),
            agents: HashMap::new(),
            presence: HashMap::new(),
            inboxes: HashMap::new(),
            next_ms: 0,
            configured: false,
        });
    }

    /// Reads what is configured about an account and tells its desk.
    pub(super) async fn reload(&mut self, account: AccountId) -> Result<(), CatalogError> {
        self.open_account(account);
        let (mut inputs, inboxes) = self.configured(account).await?;
        if let Some(at) = self.accounts.get_mut(&account) {
            at.inboxes = inboxes;
        }
        if let Some(at) = self.accounts.get_mut(&account).filter(|at| !at.configured) {
            // In one go, so that nobody is judged by half of the state.
            at.configured = true;
            // Conversations first: whoever owns one is given the time to come back.
            let inboxes = &at.inboxes;
            let open = at.open.values().filter_map(|summary| conversation_input(summary, inboxes));
            inputs = open.chain(inputs).collect();
            let connected = at.agents.iter().filter(|(_, agent)| !agent.conns.is_empty());
            inputs
                .extend(connected.map(|(user, agent)| lists::connected(agent.bot(), *user, true)));
        }
        self.apply(account, inputs);
        Ok(())
    }

    /// What is configured about an account, as the desk takes it.
    pub(super) async fn configured(
        &self,
        account: AccountId,
    ) -> Result<(Vec<Input>, HashMap<InboxId, InboxRules>), CatalogError> {
        let settings = self.catalog.settings(account).await?;
        let members = self.catalog.users(account).await?;
        let inboxes = self.catalog.inboxes(account).await?;
        let own = match &self.sorting {
            Some(sorting) => sorting.accounts.own(account).await?.and_then(|own| own.config.ok()),
            None => None,
        };
        let mut inputs = vec![Input::Settings(desk_settings(&settings))];
        let mut rules = HashMap::new();
        let default_capacity: u16 = settings.get(settings::CAPACITY, At::ACCOUNT);
        let mut kept = HashSet::new();
        for member in members {
            let id = member.user.id;
            kept.insert(id);
            let teams: BTreeSet<TeamId> = member.teams.iter().copied().collect();
            inputs.push(Input::Agent(AgentProfile {
                id,
                name: member.user.display_name.clone(),
                teams,
                skills: member.skills.into_iter().collect(),
                capacity: u32::from(member.capacity.unwrap_or(default_capacity)),
                enabled: !member.disabled && !member.user.disabled,
            }));
            let known = self.view.presence(id);
            let presence = known.unwrap_or_else(|| rows::presence(member.user.presence));
            inputs.push(Input::Presence(id, presence));
        }
        for inbox in inboxes {
            let of = |sorting: &Sorting| {
                InboxIntents::of(&sorting.router, own.as_deref(), inbox.id, &inbox.name)
            };
            let intents = self.sorting.as_ref().map(of).unwrap_or_default();
            let intent_wait_ms = intents.wait_ms;
            rules.insert(inbox.id, InboxRules::of(&settings, inbox.id, intents));
            inputs.push(Input::Inbox(InboxProfile {
                id: inbox.id,
                routing: match inbox.routing {
                    RoutingMode::Auto => Routing::Auto,
                    RoutingMode::Manual => Routing::Manual,
                },
                teams: inbox.default_team.into_iter().collect(),
                open: true,
                intent_wait_ms,
                bot: self.bots.for_desk(account, inbox.id),
            }));
        }
        if let Some(at) = self.accounts.get(&account) {
            let gone: Vec<UserId> =
                at.presence.keys().filter(|user| !kept.contains(user)).copied().collect();
            inputs.extend(gone.into_iter().map(Input::AgentGone));
        }
        Ok((inputs, rules))
    }
}

/// What the router needs of a summary; `None` where there is no session.
pub(super) fn conversation_input(
    summary: &Summary,
    inboxes: &HashMap<InboxId, InboxRules>,
) -> Option<Input> {
    let session = summary.session.clone()?;
    let inbox = summary.origin.inbox.parse::<InboxId>().ok();
    let rules = inbox.and_then(|inbox| inboxes.get(&inbox)).cloned().unwrap_or_default();
    let skills = rules.intents.skills.get(&session.intent).cloned().unwrap_or_default();
    let last_owner = summary.last_owner.as_ref().filter(|_| rules.last_agent);
    let last_owner = last_owner.and_then(|owner| owner.id.parse::<UserId>().ok());
    Some(Input::Conversation(Box::new(frontdesk_router::desk::Summary {
        conversation: summary.conversation,
        session,
        last_owner,
        skills,
    })))
}

/// The figures of an account, from its settings.
fn desk_settings(settings: &Settings) -> DeskSettings {
    let ms = |key| {
        let duration: std::time::Duration = settings.get(key, At::ACCOUNT);
        i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
    };
    DeskSettings {
        first_answer_ms: ms(settings::FIRST_ANSWER),
        presence_grace_ms: ms(settings::OFFLINE_GRACE),
        idle_close_ms: ms(settings::IDLE_CLOSE),
        idle_warn_ms: ms(settings::IDLE_WARN),
        unattended_ms: ms(settings::UNATTENDED_DEADLINE),
        ..DeskSettings::default()
    }
}
