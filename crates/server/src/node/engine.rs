//! The chat engine as HTTP uses it: requests become frames for the loop of their conversation, reads
//! join the history with what only the loop knows yet.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_api::{
    engine::{
        Ack, AgentState, AssistWish, Check, Contact, ContactChange, ConversationView, Counts,
        Engine, EngineError, Entries, EntriesPage, InboxStaff, Intents, List, ListQuery, LlmTest,
        NewMessage, PageRange, PastSession, Readiness, ReplayWish, SortedPage, SortedQuery,
        TriedText, View, Waiting,
    },
    knowledge::KnowledgeBases,
    principal::Principal as Caller,
};
use frontdesk_bot::replay::Report;
use frontdesk_catalog::{Catalog, Error as CatalogError, VisitorIdentity};
use frontdesk_core::{
    arena::Arena,
    chat,
    fold::{self, Conversation},
    id::{AccountId, ApiKeyId, ConversationId, IdSource, InboxId, UserId, VisitorId},
    rights::Right,
    store,
};
use frontdesk_dispatcher::{
    Summary, Tail,
    projections::{self, Projections},
};
use frontdesk_gateway::{
    chat::{
        loops::Loops,
        place,
        port::{Answer, BotMode, ChatHealth, Command, Placed, Reply},
    },
    edge::UpgradedSocket,
};
use frontdesk_intent::{AccountConfig, Context};
use frontdesk_protocol::{
    close, codes,
    wire::{self, client_frame::Frame},
};
use frontdesk_router::{
    Rejection,
    access::{self, Allowed, Principal, Subject},
    propose::{Around, Beside, Proposer},
    screen::Screen,
};
use frontdesk_storage::{Admission, Directory, HistoryError, Quota};
use parking_lot::Mutex;
use prost::Message as _;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    SharedHistory,
    bots::Bots,
    cluster::Health,
    desk::{AgentNow, DeskQuery, OpenRow, WaitingReport},
    gate::Gate,
    intents::{self, Sorting},
    models::Models,
    now_ms, past, principals, rows,
    staff::Staff,
    words::Words,
};
use crate::config::Durability;

/// How long a request waits for a loop or the desk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for the position it asks for (I4).
const POSITION_WAIT: Duration = Duration::from_millis(frontdesk_core::limits::MIN_POSITION_WAIT_MS);
/// How often it looks.
const POSITION_LOOK: Duration = Duration::from_millis(20);

/// The engine of one node.
pub(crate) struct NodeEngine {
    pub(crate) catalog: Catalog,
    pub(crate) history: SharedHistory,
    pub(crate) projections: Arc<Projections>,
    pub(crate) loops: Arc<Loops>,
    pub(crate) epoch: u64,
    pub(crate) durability: Durability,
    pub(crate) queries: mpsc::Sender<DeskQuery>,
    pub(crate) health: Vec<Arc<ChatHealth>>,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) ids: Mutex<IdSource>,
    /// Rules for what is said.
    pub(crate) words: Arc<Words>,
    pub(crate) bots: Arc<Bots>,
    pub(crate) models: Arc<Models>,
    /// What teams know.
    pub(crate) knowledge: KnowledgeBases,
    pub(crate) space: Box<dyn Fn(u64) -> bool + Send + Sync>,
    pub(crate) next_loop: AtomicUsize,
    pub(crate) gate: Arc<Gate>,
    /// What the node needs of others, where it is one of several.
    pub(crate) cluster: Option<Arc<Health>>,
    /// Limits that all nodes of a cluster share.
    pub(crate) shared_limits: Option<Arc<dyn Directory>>,
    pub(crate) staff: Staff,
    /// None where visitors' messages are not sorted.
    pub(crate) sorting: Option<Sorting>,
    /// Turns of those who read past sessions.
    pub(crate) past_reads: Arc<Semaphore>,
}

impl NodeEngine {
    /// The node of a loop, where there are several.
    fn node_of(&self, owner: Option<u16>) -> Option<u8> {
        owner.map(place::node_of).filter(|_| !self.loops.is_alone())
    }

    /// Closes a user's sockets on this node: in one account or all, of one login session or all. Other nodes
    /// hear of it from the catalog.
    pub(super) fn close_sockets(
        &self,
        account: Option<AccountId>,
        user: UserId,
        login: Option<&str>,
        code: u16,
    ) {
        for loop_index in self.loops.local_numbers() {
            let login = login.map(ToOwned::to_owned);
            let command = Command::Revoke { user, account, login, code };
            if self.loops.send(loop_index, command).is_err() {
                tracing::error!("a loop did not take the order to close a user's sockets");
            }
        }
    }

    /// A text as it may be passed on under the rules of its account.
    pub(super) fn screened(&self, by: &Caller, text: String) -> Result<String, EngineError> {
        let screen = self.words.screens().of(by.account());
        let passed = screen.screen_text(text, principals::of(by).kind).map_err(rejected)?;
        Ok(passed.content)
    }

    /// Makes proposals of somebody under the rules of its account.
    fn proposed<T>(
        &self,
        by: &Principal,
        propose: impl FnOnce(&mut Proposer<'_>) -> Result<T, Rejection>,
    ) -> Result<T, EngineError> {
        let screen = self.words.screens().of(by.account);
        let mut hits = Vec::new();
        let proposed = propose(&mut Proposer {
            ids: &mut self.ids.lock(),
            arena: &mut Arena::default(),
            screen: &screen,
            hits: &mut hits,
            now_ms: now_ms(),
        });
        self.words.note(hits);
        proposed.map_err(rejected)
    }

    /// Sends a command that carries a reply channel and waits for the reply.
    async fn ask<T>(
        &self,
        conversation: &ConversationId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        let owner = self.loops.owner_of(conversation).ok_or_else(unavailable)?;
        self.loops.send(owner, command(reply)).map_err(|_| unavailable())?;
        wait(answer).await
    }

    async fn desk<T>(
        &self,
        query: impl FnOnce(oneshot::Sender<T>) -> DeskQuery,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.queries.send(query(reply)).await.map_err(|_| unavailable())?;
        wait(answer).await
    }

    /// One frame of somebody with an account, handled as if it came by a socket.
    pub(super) async fn frame(
        &self,
        principal: Principal,
        conversation: ConversationId,
        frame: Frame,
    ) -> Result<Option<Placed>, EngineError> {
        let frame = Box::new(wire::ClientFrame { r#ref: 1, frame: Some(frame) });
        let principal = Arc::new(principal);
        let answer =
            self.ask(&conversation, |reply| Command::Request { principal, frame, reply }).await?;
        placed(answer)
    }

    async fn propose(
        &self,
        conversation: ConversationId,
        proposal: store::Proposal,
    ) -> Result<Option<Placed>, EngineError> {
        let answer = self
            .ask(&conversation, |reply| Command::Propose {
                conversation,
                proposal: Box::new(proposal),
                reply: Reply::Once(reply),
            })
            .await?;
        placed(answer)
    }

    pub(super) async fn tail(&self, conversation: ConversationId) -> Result<Tail, EngineError> {
        self.ask(&conversation, |reply| Command::Tail { conversation, reply })
            .await?
            .map_err(|_| unavailable())
    }

    /// The state as it is now.
    pub(super) async fn readable_state(
        &self,
        conversation: ConversationId,
    ) -> Result<(Conversation, Tail), EngineError> {
        let tail = self.tail(conversation).await?;
        let Some(state) = &tail.state else { return Err(EngineError::UnknownConversation) };
        let state = Conversation::decode(state).map_err(|error| failed(conversation, &error))?;
        Ok((state, tail))
    }

    /// The state as it is now; unknown to whoever may not read it.
    pub(super) async fn readable(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<(Conversation, Tail), EngineError> {
        let (state, tail) = self.readable_state(conversation).await?;
        let may = match by {
            Caller::Visitor(visitor) => visitor.conversation == conversation,
            staff => {
                let account = state.account();
                account.is_some_and(|account| {
                    let subject = Subject { conversation, account, session: state.session() };
                    access::may_read(&principals::of(staff), &subject)
                })
            }
        };
        if may { Ok((state, tail)) } else { Err(EngineError::UnknownConversation) }
    }

    /// Entries of a range, from the history and the loop's tail.
    pub(super) async fn read(
        &self,
        conversation: ConversationId,
        range: PageRange,
        limit: usize,
        tail: Tail,
    ) -> Result<Vec<chat::Entry>, EngineError> {
        let history = Arc::clone(&self.history);
        let stored = tokio::task::spawn_blocking(move || match range {
            PageRange::Newest => history.page(&conversation, None, limit),
            PageRange::Before(seq) => history.page(&conversation, Some(seq), limit),
            PageRange::After(seq) => history.since(&conversation, seq, limit),
        })
        .await
        .map_err(|_| unavailable())?
        .map_err(|error| unread(conversation, &error))?;
        let mut entries: BTreeMap<u64, Bytes> = stored.into_iter().collect();
        entries.extend(tail.entries);
        for (seq, tombstone) in tail.replaced {
            entries.entry(seq).and_modify(|entry| *entry = tombstone);
        }
        let wanted: Vec<Bytes> = match range {
            PageRange::After(seq) => {
                entries.range(seq + 1..).take(limit).map(|(_, entry)| entry.clone()).collect()
            }
            PageRange::Newest | PageRange::Before(_) => {
                let before = if let PageRange::Before(seq) = range { seq } else { u64::MAX };
                let mut newest: Vec<Bytes> = entries
                    .range(..before)
                    .rev()
                    .take(limit)
                    .map(|(_, entry)| entry.clone())
                    .collect();
                newest.reverse();
                newest
            }
        };
        wanted
            .into_iter()
            .map(|bytes| chat::Entry::decode(bytes).map_err(|error| failed(conversation, &error)))
            .collect()
    }

    /// The sessions that are over, from the history and the loop's tail.
    async fn past_sessions(
        &self,
        conversation: ConversationId,
        state: &Conversation,
        tail: Tail,
    ) -> Result<Vec<PastSession>, EngineError> {
        let after = state.state().session_events.saturating_sub(past::EVENTS_MAX);
        let history = Arc::clone(&self.history);
        let limit = usize::try_from(past::EVENTS_MAX).unwrap_or(usize::MAX);
        let stored =
            tokio::task::spawn_blocking(move || history.events(&conversation, after, limit))
                .await
                .map_err(|_| unavailable())?
                .map_err(|error| unread(conversation, &error))?;
        let mut events: BTreeMap<u64, Bytes> = stored.into_iter().collect();
        events.extend(tail.events);
        let events = events
            .into_values()
            .map(|bytes| {
                chat::SessionEvent::decode(bytes).map_err(|error| failed(conversation, &error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(past::sessions(&events, state.session().map_or(0, |session| session.number)))
    }

    /// The loops' newest states are at the desk within a second; closed rows come from the file.
    async fn closed(&self, by: &Caller, query: &ListQuery) -> Result<List, EngineError> {
        let reader = principals::reader(by).ok_or(EngineError::UnknownConversation)?;
        let after = query
            .cursor
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| refused(&codes::CURSOR_INVALID))?;
        let limit = u16::try_from(query.limit).unwrap_or(u16::MAX).clamp(1, 100);
        let page =
            self.projections.closed(&reader, after, limit).await.map_err(|error| broken(&error))?;
        let me = by.id();
        let rows = page.rows.iter().map(|row| rows::stored_row(row, &me, self.epoch)).collect();
        Ok(List { rows, next: page.next.map(|next| next.to_string()), counts: Counts::default() })
    }
}

#[async_trait]
impl Engine for NodeEngine {
    async fn over_shared_limit(&self, bucket: &str, per_minute: NonZeroU32) -> Option<Duration> {
        let quota = Quota::per_minute(per_minute, per_minute);
        match self.shared_limits.as_ref()?.admit(bucket, quota).await {
            Ok(Admission::Admitted) => None,
            Ok(Admission::Refused { retry_after }) => Some(retry_after),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(error, "a limit is this node's alone for now");
                None
            }
        }
    }

    fn node_of_conversation(&self, conversation: &ConversationId) -> Option<u8> {
        self.node_of(self.loops.owners().owner_of(conversation))
    }

    fn node_of_account(&self, account: AccountId) -> Option<u8> {
        self.node_of(self.loops.desk_of(account))
    }

    async fn send(
        &self,
        by: &Caller,
        conversation: ConversationId,
        message: NewMessage,
    ) -> Result<Ack, EngineError> {
        let NewMessage { client_msg_id, content, audience } = message;
        let client_msg_id = Bytes::copy_from_slice(&client_msg_id);
        let placed = if let Caller::Visitor(visitor) = by {
            if visitor.conversation != conversation {
                return Err(EngineError::UnknownConversation);
            }
            let inbox = self
                .catalog
                .inbox(visitor.account, visitor.inbox)
                .await
                .map_err(|_| refused(&codes::INBOX_UNKNOWN))?;
            let file = match &content.kind {
                Some(chat::content::Kind::File(file)) => Some(file.clone()),
                _ => None,
            };
            let around = Around {
                origin: Some(visitor.origin.clone()),
                team: inbox.default_team,
                file,
                ..Around::default()
            };
            let send = wire::Send {
                client_msg_id,
                content: Some(content),
                audience: audience.into(),
                ..wire::Send::default()
            };
            let by = principals::of(by);
            let message =
                self.proposed(&by, |proposer| proposer.send(&by, conversation, send, around))?;
            self.propose(conversation, message.proposal).await?
        } else {
            let send = wire::Send {
                conversation: conversation.to_string(),
                client_msg_id,
                content: Some(content),
                audience: audience.into(),
            };
            self.frame(principals::of(by), conversation, Frame::Send(send)).await?
        };
        let placed = placed.ok_or_else(unavailable)?;
        let position = placed.position;
        Ok(Ack {
            id: placed.id.parse().map_err(|_| unavailable())?,
            epoch: position.epoch,
            seq: position.seq,
            at_ms: placed.at_ms,
        })
    }

    async fn command(&self, by: &Caller, command: wire::Command) -> Result<(), EngineError> {
        let conversation: ConversationId =
            command.conversation.parse().map_err(|_| EngineError::UnknownConversation)?;
        if let Caller::Visitor(visitor) = by {
            if visitor.conversation != conversation {
                return Err(EngineError::UnknownConversation);
            }
            let by = principals::of(by);
            let (state, _) = self.readable_state(conversation).await?;
            let deed = access::Deed::of(&Frame::Command(command.clone())).map_err(rejected)?;
            let inbox = self.gate.inbox(visitor.account, visitor.inbox).await.map_err(refused)?;
            inbox.rules.check(deed).map_err(rejected)?;
            let account = by.account;
            let subject = Subject { conversation, account, session: state.session() };
            let allowed: Allowed = access::check(&by, deed, Some(&subject)).map_err(rejected)?;
            let beside = Beside { allowed, session: state.session(), target: None };
            let proposals = self
                .proposed(&by, |proposer| proposer.command(&by, conversation, command, beside))?;
            for proposal in proposals {
                self.propose(conversation, proposal).await?;
            }
        } else {
            self.frame(principals::of(by), conversation, Frame::Command(command)).await?;
        }
        Ok(())
    }

    async fn entries(
        &self,
        by: &Caller,
        conversation: ConversationId,
        page: EntriesPage,
    ) -> Result<Entries, EngineError> {
        let reached = async {
            loop {
                let (state, tail) = self.readable(by, conversation).await?;
                let there = page
                    .min_position
                    .is_none_or(|(epoch, seq)| epoch == self.epoch && seq <= state.last_seq());
                if there {
                    return Ok((state, tail));
                }
                sleep(POSITION_LOOK).await;
            }
        };
        let (state, tail) =
            timeout(POSITION_WAIT, reached).await.map_err(|_| EngineError::NotYet)??;
        let last_seq = state.last_seq();
        let entries = self.read(conversation, page.range, page.limit, tail).await?;
        let more = match (page.range, entries.first(), entries.last()) {
            (PageRange::After(_), _, Some(last)) => last.seq < last_seq,
            (_, Some(first), _) => first.seq > 1,
            _ => false,
        };
        let visitor = matches!(by, Caller::Visitor(_));
        let items = fold::for_reader(entries.into_iter(), !visitor, visitor);
        Ok(Entries { items, epoch: self.epoch, last_seq, more })
    }

    async fn conversation(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<ConversationView, EngineError> {
        let (state, tail) = self.readable(by, conversation).await?;
        let online = self.desk(|reply| DeskQuery::VisitorOnline { conversation, reply }).await?;
        let visits = matches!(by, Caller::Visitor(_));
        let mut contact = None;
        let mut sessions = Vec::new();
        if !visits {
            sessions = self.past_sessions(conversation, &state, tail).await?;
            if by.rights().contains(Right::VisitorRead)
                && let Some(Ok(visitor)) = state.origin().map(|origin| origin.visitor.parse())
            {
                contact = Some(self.contact_of(by, by.account(), visitor).await?);
            }
        }
        let mut summary = Summary::of(conversation, &state, 0, 0);
        if visits {
            // Visitors see names of people and no ids, here as in the timeline.
            summary.session = summary.session.as_ref().map(fold::session_for_visitor);
            let actors = summary.cursors.iter_mut().filter_map(|cursor| cursor.actor.as_mut());
            actors.for_each(fold::hide_from_visitor);
            let shown = fold::for_reader(summary.last.take().into_iter(), false, true);
            summary.last = shown.into_iter().find_map(|item| match item.item {
                Some(chat::timeline_item::Item::Entry(entry)) => Some(entry),
                _ => None,
            });
        }
        let beside = rows::Beside {
            visitor_name: contact.as_ref().map(|contact| contact.name.clone()).unwrap_or_default(),
            visitor_online: online,
        };
        let row = rows::row(&summary, &by.id(), beside, self.epoch);
        let for_staff = |text: String| if visits { String::new() } else { text };
        Ok(ConversationView {
            row,
            inbox: summary.origin.inbox,
            page_url: for_staff(summary.origin.page_url),
            referrer: for_staff(summary.origin.referrer),
            user_agent: for_staff(summary.origin.user_agent),
            contact,
            sessions,
            cursors: summary.cursors,
            created_at_ms: summary.created_at_ms,
        })
    }

    async fn contact(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<Contact, EngineError> {
        self.read_contact(by, conversation).await
    }

    async fn change_contact(
        &self,
        by: &Caller,
        conversation: ConversationId,
        change: ContactChange,
    ) -> Result<Contact, EngineError> {
        self.write_contact(by, conversation, change).await
    }

    async fn list(&self, by: &Caller, query: ListQuery) -> Result<List, EngineError> {
        let principal = Arc::new(principals::of(by));
        let me = by.id();
        let asked = Arc::clone(&principal);
        let open: Vec<OpenRow> =
            self.desk(|reply| DeskQuery::Open { principal: asked, reply }).await?;
        let reader = principals::reader(by).ok_or(EngineError::UnknownConversation)?;
        let closed =
            self.projections.count_closed(&reader).await.map_err(|error| broken(&error))?;
        let is = |row: &OpenRow, view| rows::is_in(view, &principal, &row.summary);
        let count = |view| open.iter().filter(|row| is(row, view)).count() as u64;
        let counts = Counts {
            mine: count(View::Mine),
            queue: count(View::Queue),
            open: count(View::Open),
            mentioned: count(View::Mentioned),
            closed,
        };
        if query.view == View::Closed {
            return Ok(List { counts, ..self.closed(by, &query).await? });
        }
        let mut found: Vec<&OpenRow> = open.iter().filter(|row| is(row, query.view)).collect();
        let key = |row: &OpenRow| (row.summary.last_at_ms, row.summary.conversation);
        found.sort_by_key(|row| std::cmp::Reverse(key(row)));
        if let Some(cursor) = &query.cursor {
            let after: projections::PageCursor =
                cursor.parse().map_err(|_| refused(&codes::CURSOR_INVALID))?;
            found.retain(|row| key(row) < (after.last_at_ms, after.conversation));
        }
        let next = found.get(query.limit.saturating_sub(1)).filter(|_| found.len() > query.limit);
        let next = next.map(|last| {
            projections::PageCursor {
                last_at_ms: last.summary.last_at_ms,
                conversation: last.summary.conversation,
            }
            .to_string()
        });
        let rows = found
            .into_iter()
            .take(query.limit)
            .map(|row| rows::row(&row.summary, &me, row.beside.clone(), self.epoch))
            .collect();
        Ok(List { rows, next, counts })
    }

    async fn waiting(&self, by: &Caller) -> Result<Waiting, EngineError> {
        let principal = Arc::new(principals::of(by));
        let report: WaitingReport =
            self.desk(|reply| DeskQuery::Waiting { principal, reply }).await?;
        Ok(Waiting {
            sessions: report.sessions.iter().map(principals::waiting).collect(),
            violations: report.violations.iter().map(principals::violation).collect(),
            at_ms: now_ms(),
        })
    }

    async fn intents(
        &self,
        account: AccountId,
        place: (&str, &str),
    ) -> Result<Option<Intents>, EngineError> {
        let Some(sorting) = &self.sorting else { return Ok(None) };
        let own = sorting.accounts.own(account).await.map_err(|error| unsaid(&error))?;
        let traffic = sorting.traffics.of(account);
        Ok(Some(intents::shown::shown(&sorting.router, &traffic, own.as_ref(), place)))
    }

    async fn check_intents(&self, document: &str) -> Result<(), String> {
        let Some(sorting) = &self.sorting else { return Ok(()) };
        let (document, config) = (document.to_owned(), sorting.router.config());
        // Making hundreds of rules ready takes a while.
        let parse = move || AccountConfig::parse(&document, &config).map(drop);
        let parsed = tokio::task::spawn_blocking(parse).await;
        parsed.map_or(Err("it could not be read".to_owned()), |parsed| {
            parsed.map_err(|error| error.reason)
        })
    }

    async fn try_intent(
        &self,
        account: AccountId,
        text: &str,
        place: (&str, &str),
    ) -> Result<Option<TriedText>, EngineError> {
        let Some(sorting) = &self.sorting else { return Ok(None) };
        let own = sorting.accounts.own(account).await.map_err(|error| unsaid(&error))?;
        let own = own.and_then(|own| own.config.ok());
        let (inbox, inbox_name) = place;
        let context = Context { inbox, inbox_name, account: own.as_deref() };
        Ok(Some(intents::shown::tried(sorting.router.try_out(text, context).await)))
    }

    async fn sorted_sessions(
        &self,
        by: &Caller,
        query: SortedQuery,
    ) -> Result<SortedPage, EngineError> {
        self.past_intents(by, query).await
    }

    fn screen(&self, account: AccountId) -> Arc<Screen> {
        self.words.screens().of(account)
    }

    fn screened_name(
        &self,
        by: &Caller,
        conversation: ConversationId,
        name: &str,
    ) -> Result<String, EngineError> {
        let by = principals::of(by);
        self.proposed(&by, |proposer| proposer.name(&by, conversation, name.to_owned()))
    }

    async fn agents(&self, by: &Caller) -> Result<Vec<AgentState>, EngineError> {
        let account = by.account();
        let now = self.desk(|reply| DeskQuery::Agents { account, reply }).await?;
        let members = self.catalog.users(account).await.map_err(|_| unavailable())?;
        let agents = members.into_iter().filter(|member| !member.disabled).map(|member| {
            let nothing = AgentNow { presence: wire::Presence::Offline, open_sessions: 0 };
            let at = now.get(&member.user.id).copied().unwrap_or(nothing);
            AgentState {
                id: member.user.id.to_string(),
                name: member.user.display_name,
                avatar: member.user.avatar,
                presence: principals::presence_word(at.presence).to_owned(),
                teams: member.teams.iter().map(ToString::to_string).collect(),
                open_sessions: at.open_sessions,
                capacity: u32::from(member.capacity.unwrap_or(5)),
            }
        });
        Ok(agents.collect())
    }

    async fn inbox_staff(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<InboxStaff, EngineError> {
        let staff = self.staff.of(account, inbox).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an inbox shows no faces");
            unavailable()
        })?;
        let mode = self.bots.inboxes().mode(&inbox.to_string());
        Ok(InboxStaff { has_bot: mode == Some(BotMode::Answers), ..staff })
    }

    async fn identified(
        &self,
        account: AccountId,
        identity: &VisitorIdentity,
        former: Option<VisitorId>,
        said: ContactChange,
    ) -> Result<(), EngineError> {
        self.keep_identity(account, identity, former, said).await
    }

    async fn erase(
        &self,
        by: &Caller,
        conversation: ConversationId,
        from_seq: u64,
        to_seq: u64,
    ) -> Result<(), EngineError> {
        self.readable(by, conversation).await?;
        let proposal = store::Proposal {
            conversation: Bytes::copy_from_slice(conversation.as_bytes()),
            actor: Some(principals::of(by).actor()),
            at_ms: now_ms(),
            body: Some(store::proposal::Body::Erase(store::Erase { from_seq, to_seq })),
        };
        self.propose(conversation, proposal).await?;
        Ok(())
    }

    fn revoke(&self, account: Option<AccountId>, user: UserId, login: Option<&str>) {
        self.close_sockets(account, user, login, close::FORBIDDEN.code);
    }

    fn rights_changed(&self, account: AccountId, user: UserId) {
        self.close_sockets(Some(account), user, None, close::RIGHTS.code);
    }

    fn revoke_key(&self, account: AccountId, key: ApiKeyId) {
        for loop_index in self.loops.local_numbers() {
            let command = Command::RevokeKey { account, key, code: close::FORBIDDEN.code };
            if self.loops.send(loop_index, command).is_err() {
                tracing::error!("a loop did not take the order to close a key's sockets");
            }
        }
    }

    async fn llm_test(&self, account: AccountId) -> Result<LlmTest, EngineError> {
        self.models.test(account).await.ok_or_else(|| refused(&codes::LLM_OFF))
    }

    async fn assist(
        &self,
        by: &Caller,
        conversation: ConversationId,
        wish: AssistWish,
    ) -> Result<String, EngineError> {
        self.help_agent(by, conversation, wish).await
    }

    async fn bot_replay(&self, by: &Caller, wish: ReplayWish) -> Result<Report, EngineError> {
        self.replay_bot(by, wish).await
    }

    async fn configuration_changed(&self, account: AccountId) {
        // Before the desk, which asks who gets new sessions.
        self.bots.changed(account).await;
        self.models.changed(account);
        // A full channel means that the desk is about to look anyway.
        if self.queries.try_send(DeskQuery::Configuration { account }).is_err() {
            tracing::warn!(account.id = %account, "the desk did not hear of a change");
        }
        self.staff.changed();
        self.words.changed(account).await;
        self.gate.configuration_changed(account).await;
    }

    async fn readiness(&self) -> Readiness {
        let failed = self.health.iter().any(|loop_| loop_.storage_failed.load(Ordering::Relaxed));
        let full = self.health.iter().any(|loop_| loop_.storage_full.load(Ordering::Relaxed));
        let catalog = self.catalog.accounts().await;
        let written = self.catalog.database().takes_writes();
        let draining = self.draining.load(Ordering::Acquire);
        let check = |name: &str, ok: bool, detail: &str| Check {
            name: name.to_owned(),
            ok,
            detail: if ok { String::new() } else { detail.to_owned() },
        };
        let mut checks = vec![
            check("log", !failed, "a write failed; sends are refused until a restart"),
            check("disk", !full, "almost full; sends are refused until there is space"),
            check("catalog", catalog.is_ok(), "the catalog does not answer"),
            check("catalog writes", written, "a write failed; nothing is changed until a restart"),
            check("accepting", !draining, "the server is stopping"),
        ];
        let ready = checks.iter().all(|check| check.ok);
        if let Some(cluster) = &self.cluster {
            // Told, but no reason to send anybody elsewhere: other nodes need the same engines.
            checks.extend(cluster.checks().await);
        }
        let durability = match self.durability {
            Durability::Sync => "sync",
            Durability::Async => "async",
        };
        Readiness {
            ready,
            degraded: !checks.iter().all(|check| check.ok),
            durability: durability.to_owned(),
            checks,
        }
    }

    fn has_room(&self, bytes: u64) -> bool {
        (self.space)(bytes)
    }

    fn connect(&self, socket: UpgradedSocket) {
        let loops = self.loops.local();
        let place = self.next_loop.fetch_add(1, Ordering::Relaxed) % loops.len();
        if let Err(refused) = loops[place].connect(socket) {
            refused.into_inner().refuse(&close::OVERLOADED);
        }
    }
}

async fn wait<T>(answer: oneshot::Receiver<T>) -> Result<T, EngineError> {
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        _ => Err(unavailable()),
    }
}

pub(super) fn unavailable() -> EngineError {
    EngineError::Unavailable { retry_after: Duration::from_secs(1) }
}

pub(super) fn refused(code: &'static codes::ErrorCode) -> EngineError {
    EngineError::Refused {
        code: code.code,
        message: code.text.to_owned(),
        detail: String::new(),
        retry_after: None,
    }
}

fn rejected(rejection: Rejection) -> EngineError {
    if rejection.code.code == codes::CONVERSATION_UNKNOWN.code {
        return EngineError::UnknownConversation;
    }
    EngineError::Refused {
        code: rejection.code.code,
        message: rejection.code.text.to_owned(),
        detail: rejection.detail,
        retry_after: None,
    }
}

/// A history that is away says so itself.
fn unread(conversation: ConversationId, error: &HistoryError) -> EngineError {
    match error {
        HistoryError::Unavailable { .. } => unavailable(),
        error => failed(conversation, error),
    }
}

fn failed(conversation: ConversationId, error: &(dyn std::error::Error + 'static)) -> EngineError {
    tracing::error!(conversation.id = %conversation, error, "cannot read a conversation");
    unavailable()
}

pub(super) fn broken(error: &projections::ProjectionError) -> EngineError {
    tracing::error!(error = error as &dyn std::error::Error, "cannot read a list");
    unavailable()
}

fn unsaid(error: &CatalogError) -> EngineError {
    tracing::error!(error = error as &dyn std::error::Error, "cannot read what is said of intents");
    unavailable()
}

/// The end of a proposal as HTTP says it.
fn placed(answer: Answer) -> Result<Option<Placed>, EngineError> {
    match answer {
        Answer::Done(placed) => Ok(placed),
        Answer::Refused(refusal) => {
            let code = codes::find(&refusal.code).unwrap_or(&codes::INTERNAL);
            if code.code == codes::CONVERSATION_UNKNOWN.code {
                return Err(EngineError::UnknownConversation);
            }
            Err(EngineError::Refused {
                code: code.code,
                message: refusal.message,
                detail: refusal.detail,
                retry_after: refusal
                    .retry_after_ms
                    .map(|wait| Duration::from_millis(u64::from(wait))),
            })
        }
    }
}
