//! The gate: what a connection's first frame and a message's file need to wait for.
//!
//! It runs on Tokio, asked by the edge loops through a bounded channel, and answers into the loop's
//! inbox. Tickets are signed, single use and short; resume tokens are tickets too, signed with a key
//! that lives as long as the process: after a restart a client gets a new ticket by HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use frontdesk_api::{
    files::Files,
    token::{ServerKey, Subject, Ticket, TokenError},
};
use frontdesk_catalog::{
    Access, Catalog, Error as CatalogError, Fresh, IdentityMode, Inbox,
    settings::{self, At, Settings},
};
use frontdesk_core::{
    chat,
    id::{AccountId, ApiKeyId, ConversationId, InboxId, UserId},
    partition_of, store,
};
use frontdesk_gateway::chat::{
    loops::Loops,
    place,
    port::{
        AgentIdentity, AuthRequest, Command, Found, GateRequest, Identity, InboxFacts, Lookup,
        VisitorIdentity,
    },
};
use frontdesk_protocol::{
    close,
    codes::{self, ErrorCode},
    wire,
};
use frontdesk_router::access::{Principal, PrincipalKind, VisitorRules};
use frontdesk_storage::Directory;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{desk::DeskView, now_ms, principals, trouble};

/// Requests worked on at the same time; more wait in the channel.
const CONCURRENT_MAX: usize = 256;
/// How long a resume token is good for.
const RESUME_TOKEN_MS: i64 = frontdesk_core::limits::RESUME_MS as i64;
/// How long what an inbox says may be old, so that a herd of reconnects does not read it each time.
const INBOX_FRESH: Duration = Duration::from_secs(2);
/// Inboxes kept in memory; of more, those nobody asks for go.
pub(super) const INBOXES_MAX: usize = 10_000;

/// What the gate asks.
pub(crate) struct Gate {
    catalog: Catalog,
    directory: Arc<dyn Directory>,
    key: ServerKey,
    /// Signs resume tokens; new with each process.
    boot_key: ServerKey,
    loops: Arc<Loops>,
    view: Arc<DeskView>,
    files: Files,
    inboxes: Fresh<InboxId, Arc<InboxFacts>>,
    /// Of the next reading of an inbox.
    revision: AtomicU64,
}

impl Gate {
    pub(crate) fn new(
        catalog: Catalog,
        directory: Arc<dyn Directory>,
        key: ServerKey,
        boot_key: ServerKey,
        loops: Arc<Loops>,
        view: Arc<DeskView>,
        files: Files,
    ) -> Self {
        let inboxes = Fresh::new(INBOXES_MAX, INBOX_FRESH);
        Self {
            catalog,
            directory,
            key,
            boot_key,
            loops,
            view,
            files,
            inboxes,
            revision: AtomicU64::new(1),
        }
    }

    /// Answers requests until the process stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut requests: mpsc::Receiver<GateRequest>,
        stop: CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(CONCURRENT_MAX));
        loop {
            let request = tokio::select! {
                request = requests.recv() => request,
                () = stop.cancelled() => return,
            };
            let Some(request) = request else { break };
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let gate = Arc::clone(&self);
            tokio::spawn(async move {
                gate.handle(request).await;
                drop(slot);
            });
        }
        // The loops have ended: what they asked for last is done before the process ends.
        tokio::select! {
            all = slots.acquire_many(CONCURRENT_MAX as u32) => drop(all),
            () = stop.cancelled() => {}
        }
    }

    async fn handle(&self, request: GateRequest) {
        let (loop_index, answer) = match request {
            GateRequest::Auth(request) => {
                let from = request.from;
                let result = self.identify(request).await;
                let seen = result.as_ref().ok().and_then(Standing::of);
                self.answer(from.loop_index, Command::Authenticated { conn: from.conn, result });
                if let Some(seen) = seen {
                    self.look_again(from.loop_index, seen).await;
                }
                return;
            }
            GateRequest::Lookup(request) => {
                let (loop_index, ticket) = (request.loop_index, request.ticket);
                let result = self.look_up(request.account, request.lookup).await;
                (loop_index, Command::Found { ticket, result })
            }
            GateRequest::RemoveFiles { account, files } => {
                if let Err(error) = self.files.remove(account, &files).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(account.id = %account, error, "files stay readable");
                }
                return;
            }
        };
        self.answer(loop_index, answer);
    }

    fn answer(&self, loop_index: u16, answer: Command) {
        // A full inbox means that the loop is overwhelmed; the client's own timeout takes over.
        if self.loops.send(loop_index, answer).is_err() {
            tracing::warn!(loop.index = loop_index, "a loop did not take the gate's answer");
        }
    }

    /// Closes a socket whose rights changed while it was opened. Whoever takes rights away writes them
    /// first and then tells the loops; an order that came before our answer found no socket to close,
    /// but what it is about can be read by now.
    async fn look_again(&self, loop_index: u16, seen: Standing) {
        let Standing { principal, who } = seen;
        let now = match &who {
            Who::User { user, login } => self
                .user(principal.account, *user, login)
                .await
                .map(|access| (access.rights, access.teams)),
            Who::Key(key) => {
                let key = self.catalog.api_key(principal.account, *key).await;
                key.map(|key| (key.rights, Vec::new())).map_err(|error| failure(&error))
            }
        };
        let code = match now {
            Ok(now) if now == (principal.rights, principal.teams.clone()) => return,
            Ok(_) => close::RIGHTS.code,
            Err(_) => close::FORBIDDEN.code,
        };
        let account = principal.account;
        self.answer(
            loop_index,
            match who {
                Who::User { user, login } => {
                    Command::Revoke { user, account: Some(account), login: Some(login), code }
                }
                Who::Key(key) => Command::RevokeKey { account, key, code },
            },
        );
    }

    async fn identify(&self, request: AuthRequest) -> Result<Identity, &'static ErrorCode> {
        let AuthRequest { hello, is_vouched, .. } = request;
        let now_ms = now_ms();
        let open = |text: &str, key: &ServerKey| {
            if is_vouched {
                Ticket::open_at_any_time(text, key)
            } else {
                Ticket::open(text, key, now_ms)
            }
        };
        let ticket = match (hello.ticket.as_str(), hello.resume_token.as_str()) {
            ("", "") => return Err(&codes::TICKET_INVALID),
            ("", token) => {
                open(token, &self.boot_key).map_err(|_: TokenError| &codes::RESUME_INVALID)?
            }
            (text, _) => {
                let ticket = open(text, &self.key).map_err(|error| match error {
                    TokenError::Invalid => &codes::TICKET_INVALID,
                    TokenError::Expired => &codes::TICKET_EXPIRED,
                })?;
                let life = Duration::from_mins(1);
                match self.directory.claim(&ticket.claim_key(), life).await {
                    Ok(true) => ticket,
                    Ok(false) => return Err(&codes::TICKET_USED),
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "cannot claim a ticket"
                        );
                        return Err(&codes::OVERLOADED);
                    }
                }
            }
        };
        let partition = self.partition(&ticket.subject, ticket.account);
        match self.loops.owners().owner(partition) {
            None => return Ok(Identity::Unowned),
            Some(loop_index) if !self.loops.is_local(loop_index) => {
                // Its own was claimed here; a resume token is the same everywhere.
                let again = Ticket::issue(ticket.account, ticket.subject, now_ms);
                let ticket =
                    if hello.ticket.is_empty() { String::new() } else { again.sign(&self.key) };
                return Ok(Identity::Elsewhere { loop_index, partition, ticket });
            }
            Some(_) => {}
        }
        let resume_token = Ticket {
            expires_at_ms: now_ms + RESUME_TOKEN_MS,
            ..Ticket::issue(ticket.account, ticket.subject.clone(), now_ms)
        }
        .sign(&self.boot_key);
        match ticket.subject {
            Subject::Visitor { inbox, visitor, conversation, origin, identified } => {
                let inbox = self.inbox(ticket.account, inbox).await?;
                if inbox.identity_required && !identified {
                    return Err(&codes::IDENTITY_REQUIRED);
                }
                let origin = store::Origin {
                    account: ticket.account.to_string(),
                    inbox: inbox.inbox.to_string(),
                    visitor: visitor.to_string(),
                    ..*origin
                };
                let attended = self.view.attended(inbox.inbox);
                let principal =
                    Arc::new(principals::of_visitor(ticket.account, visitor, conversation));
                Ok(Identity::Visitor(Box::new(VisitorIdentity {
                    inbox,
                    principal,
                    conversation,
                    origin,
                    resume_token,
                    attended,
                    identified,
                })))
            }
            Subject::Agent { user, login } => {
                self.agent(ticket.account, user, &login, &hello, resume_token).await
            }
            Subject::Key { key } => {
                let key = self
                    .catalog
                    .api_key(ticket.account, key)
                    .await
                    .map_err(|error| failure(&error))?;
                let (account, is_bot) = (ticket.account, key.bot);
                let principal = principals::of_key(account, key.id, &key.name, key.rights, is_bot);
                // A bot has a list of its own, as people have.
                let user = is_bot.then(|| principals::feed_of_bot(key.id));
                let (feed, feed_recovered) = user
                    .map(|user| self.view.feed_position((account, user), hello.feed.as_ref()))
                    .unwrap_or_default();
                Ok(Identity::Agent(Box::new(AgentIdentity {
                    principal: Arc::new(principal),
                    user,
                    login: String::new(),
                    presence: wire::Presence::Unspecified,
                    feed,
                    feed_recovered,
                    file_bytes_max: self.file_bytes_max(ticket.account).await?,
                    resume_token,
                })))
            }
        }
    }

    /// The partition whose owner serves a connection.
    fn partition(&self, subject: &Subject, account: AccountId) -> u16 {
        let partitions = self.loops.owners().partitions();
        match subject {
            Subject::Visitor { conversation, .. } => partition_of(conversation, partitions),
            Subject::Agent { .. } | Subject::Key { .. } => {
                place::account_partition(account, partitions)
            }
        }
    }

    async fn agent(
        &self,
        account: AccountId,
        user: UserId,
        login: &str,
        hello: &wire::Hello,
        resume_token: String,
    ) -> Result<Identity, &'static ErrorCode> {
        let access = self.user(account, user, login).await?;
        let presence =
            self.view.presence(user).unwrap_or_else(|| super::rows::presence(access.presence));
        let (feed, feed_recovered) =
            self.view.feed_position((access.account, user), hello.feed.as_ref());
        let principal: Principal = principals::of_access(&access);
        Ok(Identity::Agent(Box::new(AgentIdentity {
            principal: Arc::new(principal),
            user: Some(user),
            login: login.to_owned(),
            presence,
            feed,
            feed_recovered,
            file_bytes_max: self.file_bytes_max(account).await?,
            resume_token,
        })))
    }

    async fn file_bytes_max(&self, account: AccountId) -> Result<u64, &'static ErrorCode> {
        let settings = self.catalog.settings(account).await.map_err(|error| failure(&error))?;
        Ok(self.files.size_max(&settings, At { inbox: None, team: None }))
    }

    /// What a user may do now, if the login session it came with still stands.
    async fn user(
        &self,
        account: AccountId,
        user: UserId,
        login: &str,
    ) -> Result<Access, &'static ErrorCode> {
        let access = self.catalog.access(account, user).await.map_err(|error| failure(&error))?;
        let logins =
            self.catalog.sessions(user, now_ms()).await.map_err(|error| failure(&error))?;
        if logins.iter().any(|session| session.handle == login) {
            Ok(access)
        } else {
            Err(&codes::AUTH_REQUIRED)
        }
    }

    /// What the loops need of an inbox, at most two seconds old.
    pub(crate) async fn inbox(
        &self,
        account: AccountId,
        id: InboxId,
    ) -> Result<Arc<InboxFacts>, &'static ErrorCode> {
        if let Some(facts) = self.inboxes.get(&id).filter(|facts| facts.account == account) {
            return Ok(facts);
        }
        // Taken before the catalog is read: what is read later is at least as new.
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        let inbox = self.catalog.inbox(account, id).await.map_err(|error| match error {
            CatalogError::NotFound { .. } => &codes::INBOX_UNKNOWN,
            other => failure(&other),
        })?;
        let settings = self.catalog.settings(account).await.map_err(|error| failure(&error))?;
        let facts = Arc::new(self.facts(&inbox, &settings, revision));
        self.inboxes.insert(id, Arc::clone(&facts));
        Ok(facts)
    }

    /// A message may refer only to a file that is stored, synced, of the same conversation and of the
    /// same sender.
    async fn file(
        &self,
        account: AccountId,
        conversation: ConversationId,
        sender: &str,
        file: &str,
    ) -> Result<chat::File, &'static ErrorCode> {
        let stored = self.catalog.file_to_send(account, file).await;
        let stored = stored.map_err(|error| missing(&error, &codes::FILE_UNKNOWN))?;
        principals::file_of(stored, conversation, sender).ok_or(&codes::FILE_UNKNOWN)
    }

    /// Those of the users who are members of the account and not shut out.
    async fn members(
        &self,
        account: AccountId,
        users: &[String],
    ) -> Result<Vec<Principal>, &'static ErrorCode> {
        let mut members = Vec::with_capacity(users.len());
        for user in users.iter().filter_map(|user| user.parse::<UserId>().ok()) {
            match self.catalog.access(account, user).await {
                Ok(access) => members.push(principals::of_access(&access)),
                Err(CatalogError::NotFound { .. }) => {}
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(members)
    }

    fn facts(&self, inbox: &Inbox, settings: &Settings, revision: u64) -> InboxFacts {
        let at = At { inbox: Some(inbox.id), team: None };
        InboxFacts {
            account: inbox.account,
            inbox: inbox.id,
            team: inbox.default_team,
            drafts: settings.get(settings::SNEAK_PEEK, at),
            typing: settings.get(settings::TYPING, at),
            rules: VisitorRules {
                may_close: settings.get(settings::VISITOR_MAY_CLOSE, at),
                may_rate: settings.get(settings::RATING, at),
            },
            identity_required: inbox.identity == IdentityMode::Required,
            file_bytes_max: self.files.size_max(settings, at),
            revision,
        }
    }

    /// Something about an account is configured otherwise: the open connections of its visitors go on
    /// under what holds now.
    pub(crate) async fn configuration_changed(&self, account: AccountId) {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        let read = async {
            Ok((self.catalog.inboxes(account).await?, self.catalog.settings(account).await?))
        };
        let (inboxes, settings) = match read.await {
            Ok(read) => read,
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error as &CatalogError;
                tracing::error!(account.id = %account, error, "connections keep former settings");
                return;
            }
        };
        for inbox in inboxes {
            let facts = Arc::new(self.facts(&inbox, &settings, revision));
            self.inboxes.insert(inbox.id, Arc::clone(&facts));
            for loop_index in self.loops.local_numbers() {
                self.answer(loop_index, Command::Inbox(Arc::clone(&facts)));
            }
        }
    }

    /// Confirms what a frame names.
    async fn look_up(
        &self,
        account: AccountId,
        lookup: Lookup,
    ) -> Result<Found, &'static ErrorCode> {
        match lookup {
            Lookup::Message { conversation, sender, file, people } => {
                let file = match file {
                    Some(file) => Some(self.file(account, conversation, &sender, &file).await?),
                    None => None,
                };
                Ok(Found::Message { file, people: self.members(account, &people).await? })
            }
            Lookup::Agent(id) => {
                let id: UserId = id.parse().map_err(|_| &codes::SESSION_TARGET)?;
                let access = self.catalog.access(account, id).await;
                let access = access.map_err(|error| missing(&error, &codes::SESSION_TARGET))?;
                Ok(Found::Agent(chat::Participant {
                    kind: chat::ParticipantKind::Agent.into(),
                    id: access.user.to_string(),
                    name: access.display_name,
                }))
            }
            Lookup::Team(id) => {
                let id = id.parse().map_err(|_| &codes::SESSION_TARGET)?;
                let team = self.catalog.team(account, id).await;
                team.map_err(|error| missing(&error, &codes::SESSION_TARGET))?;
                Ok(Found::Team)
            }
        }
    }
}

/// What an agent's socket was opened with.
struct Standing {
    principal: Arc<Principal>,
    who: Who,
}

enum Who {
    User { user: UserId, login: String },
    Key(ApiKeyId),
}

impl Standing {
    /// Visitors have no rights that could be taken away.
    fn of(identity: &Identity) -> Option<Self> {
        let Identity::Agent(agent) = identity else { return None };
        let is_bot = agent.principal.kind == PrincipalKind::Bot;
        let who = match agent.user.filter(|_| !is_bot) {
            Some(user) => Who::User { user, login: agent.login.clone() },
            None => Who::Key(agent.principal.id.parse().ok()?),
        };
        Some(Self { principal: Arc::clone(&agent.principal), who })
    }
}

/// What is not there has the code of its kind.
fn missing(error: &CatalogError, code: &'static ErrorCode) -> &'static ErrorCode {
    if matches!(error, CatalogError::NotFound { .. }) { code } else { failure(error) }
}

/// A catalog that does not answer is the server's trouble; anything else is the caller's.
fn failure(error: &CatalogError) -> &'static ErrorCode {
    if error.is_internal() {
        trouble::tell(error, "what the gate asks");
        let is_away = matches!(error, CatalogError::Unavailable { .. });
        return if is_away { &codes::STORAGE_UNAVAILABLE } else { &codes::INTERNAL };
    }
    codes::find(error.code()).unwrap_or(&codes::AUTH_DISABLED)
}
