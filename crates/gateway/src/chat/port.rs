//! What goes in and out of a chat loop besides sockets: commands from other threads, and requests to
//! the tasks that may wait (gate, desk). Everything here is bounded by the channels that carry it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use frontdesk_core::{
    chat,
    id::{AccountId, ApiKeyId, ConversationId, InboxId, TeamId, UserId},
    store,
};
use frontdesk_dispatcher::{Dispatcher, Overdue, Summary, Tail};
use frontdesk_protocol::{
    Encoded, Encoding,
    codes::ErrorCode,
    wire::{ClientFrame, FeedPosition, Hello, Position, Presence, Refusal},
};
use frontdesk_router::{
    access::{Principal, VisitorRules},
    screen::Hit,
};
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;
use tokio::sync::{mpsc, oneshot};

pub use crate::edge::ConnRef;
use crate::{
    edge::{ConnId, MovableConn},
    peer::State,
};

/// What the gate found out about a connection's first frame.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A visitor: one conversation, which may not be stored yet.
    Visitor(Box<VisitorIdentity>),
    /// Somebody with an account: an agent, or an API key that uses a socket.
    Agent(Box<AgentIdentity>),
    /// Somebody who is served on another node, and what presents it there.
    Elsewhere {
        /// The loop.
        loop_index: u16,
        /// The partition of the conversation or the desk.
        partition: u16,
        /// The ticket of the first frame there; empty where its resume token will do.
        ticket: String,
    },
    /// Somebody whose conversation or desk nobody serves at the moment.
    Unowned,
}

/// Who a visitor's connection belongs to.
#[derive(Debug, Clone)]
pub struct VisitorIdentity {
    /// What the visitor chats through, shared by all its visitors.
    pub inbox: Arc<InboxFacts>,
    /// The visitor as somebody who acts.
    pub principal: Arc<Principal>,
    /// The only conversation this visitor has here.
    pub conversation: ConversationId,
    /// What the first message creates; not needed once it is stored.
    pub origin: store::Origin,
    /// Presents this identity again without HTTP.
    pub resume_token: String,
    /// Whether somebody of the inbox is online now.
    pub attended: bool,
    /// The site has said who it is.
    pub identified: bool,
}

/// What the loops need to know of an inbox.
#[derive(Debug, Clone)]
pub struct InboxFacts {
    /// The account it belongs to.
    pub account: AccountId,
    /// The inbox.
    pub inbox: InboxId,
    /// The queue new sessions go to; none for the common one.
    pub team: Option<TeamId>,
    /// Whether agents see unsent text.
    pub drafts: bool,
    /// Whether both sides hear that the other one types.
    pub typing: bool,
    /// What else its visitors may do.
    pub rules: VisitorRules,
    /// Whether nobody is let in whom the site has not named.
    pub identity_required: bool,
    /// Largest file, bytes; told to visitors.
    pub file_bytes_max: u64,
    /// Rises with every reading of the catalog: of two the higher one holds.
    pub revision: u64,
}

/// Who an agent's connection belongs to.
#[derive(Debug, Clone)]
pub struct AgentIdentity {
    /// The person with rights and teams, as of now.
    pub principal: Arc<Principal>,
    /// The user; API keys have none and get no feed.
    pub user: Option<UserId>,
    /// Handle of the login session the connection ends with; empty for API keys.
    pub login: String,
    /// The chosen state.
    pub presence: Presence,
    /// Where the user's feed stands.
    pub feed: FeedPosition,
    /// Whether the changes since the presented position are all known.
    pub feed_recovered: bool,
    /// Largest file, bytes; told to the client.
    pub file_bytes_max: u64,
    /// Presents this identity again without HTTP.
    pub resume_token: String,
}

/// A first frame to be checked.
#[derive(Debug)]
pub struct AuthRequest {
    /// Who asks; the answer goes there as [`Command::Authenticated`].
    pub from: ConnRef,
    /// The frame itself.
    pub hello: Box<Hello>,
    /// The `Origin` header of the upgrade.
    pub origin: Option<String>,
    /// The node with the socket has found the ticket in time, by its own clock, which may differ from this one's.
    pub is_vouched: bool,
}

/// What a frame names and the catalog has to confirm before the frame is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// What a message names beside its text.
    Message {
        /// The conversation its file must belong to.
        conversation: ConversationId,
        /// The uploader its file must have: visitor, user or key.
        sender: String,
        /// Id of its file as the client gave it: it must be stored and synced.
        file: Option<String>,
        /// The users it mentions.
        people: Vec<String>,
    },
    /// The agent a session is handed to.
    Agent(String),
    /// The team a session is handed to.
    Team(String),
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// What a message names.
    Message {
        /// The whole reference, if it names a file.
        file: Option<chat::File>,
        /// Those of the people it mentions who are members of the account now.
        people: Vec<Principal>,
    },
    /// The agent as a participant.
    Agent(chat::Participant),
    /// The team exists.
    Team,
}

/// A lookup for a frame that waits.
#[derive(Debug)]
pub struct LookupRequest {
    /// Where the frame waits; the answer goes there as [`Command::Found`].
    pub loop_index: u16,
    /// Names the waiting frame.
    pub ticket: u64,
    /// The account it must belong to.
    pub account: AccountId,
    /// What to look up.
    pub lookup: Lookup,
}

/// What may wait and therefore happens outside the loops.
#[derive(Debug)]
pub enum GateRequest {
    /// A first frame.
    Auth(AuthRequest),
    /// Something a frame names.
    Lookup(LookupRequest),
    /// Files of messages that were taken back or erased: nobody may have them any more.
    RemoveFiles {
        /// Whose.
        account: AccountId,
        /// Their ids.
        files: Vec<String>,
    },
}

/// What became of a proposal made from outside the loop.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It was carried out; for a message, where it stands now.
    Done(Option<Placed>),
    /// It changed nothing.
    Refused(Refusal),
}

/// Where a message stands.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Epoch and seq.
    pub position: Position,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// The entry's id.
    pub id: String,
}

/// Who wants to know what became of a proposal.
#[derive(Debug)]
pub enum Reply {
    /// The desk, which hears it as [`DeskInput::Proposed`].
    Desk {
        /// Whose desk.
        account: AccountId,
        /// The session version the proposal expects.
        version: u32,
    },
    /// A waiting request.
    Once(oneshot::Sender<Answer>),
}

/// A frame for connections of one loop.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The connections, all of the loop that gets this.
    pub to: SmallVec<[ConnId; 4]>,
    /// The frame, encoded at most once for each encoding.
    pub frame: Encoded,
}

/// Where a tail goes.
pub type TailReply = oneshot::Sender<Result<Tail, &'static ErrorCode>>;

/// A connection whose socket landed on another node, and its first frame.
#[derive(Debug)]
pub struct Tunnelled {
    /// The socket; names the tunnel.
    pub home: ConnRef,
    /// Of its messages.
    pub encoding: Encoding,
    /// Who connects.
    pub peer: IpAddr,
    /// The `Origin` header of the upgrade.
    pub origin: Option<String>,
    /// Of the first frame.
    pub reference: u32,
    /// The first frame, with a ticket that the other node made of the client's.
    pub hello: Box<Hello>,
}

/// What other threads tell a chat loop.
#[derive(Debug)]
pub enum Command {
    /// The gate's answer to a first frame.
    Authenticated {
        /// Whose.
        conn: ConnId,
        /// Who it is, or why not.
        result: Result<Identity, &'static ErrorCode>,
    },
    /// A visitor's connection moves to the loop of its conversation.
    Arrive {
        /// The connection.
        conn: MovableConn,
        /// What the former loop knew of it.
        state: Box<super::conn::Moved>,
    },
    /// A proposal of the desk or of an HTTP request, checked already.
    Propose {
        /// The conversation, of this loop.
        conversation: ConversationId,
        /// The record to append.
        proposal: Box<store::Proposal>,
        /// Who wants to know.
        reply: Reply,
    },
    /// A frame of an agent about a conversation of this loop.
    Frame {
        /// The agent's connection.
        from: ConnRef,
        /// The agent.
        principal: Arc<Principal>,
        /// The frame.
        frame: Box<ClientFrame>,
    },
    /// The same of an HTTP request, which waits for the answer.
    Request {
        /// Who asks.
        principal: Arc<Principal>,
        /// The frame.
        frame: Box<ClientFrame>,
        /// Where the answer goes.
        reply: oneshot::Sender<Answer>,
    },
    /// A lookup is done.
    Found {
        /// As in the request.
        ticket: u64,
        /// What was found, or why not.
        result: Result<Found, &'static ErrorCode>,
    },
    /// Frames for connections of this loop.
    Deliver(Vec<Delivery>),
    /// A conversation that a hello held has been answered; the answer came before this.
    HeldAnswered {
        /// The agent's connection, of this loop.
        conn: ConnId,
    },
    /// A user's connection came or went, on any loop.
    UserConn {
        /// The account it is for: people of several have connections for each.
        account: AccountId,
        /// The user.
        user: UserId,
        /// The connection.
        conn: ConnRef,
        /// Came or went.
        present: bool,
    },
    /// The user's sockets must go: disabled, demoted, signed out.
    Revoke {
        /// The user.
        user: UserId,
        /// Only in this account.
        account: Option<AccountId>,
        /// Only those of this login session, by its handle.
        login: Option<String>,
        /// The close code.
        code: u16,
    },
    /// The sockets of a key of the API must go: it was deleted.
    RevokeKey {
        /// Its account.
        account: AccountId,
        /// The key.
        key: ApiKeyId,
        /// The close code.
        code: u16,
    },
    /// The sockets of all agents and keys must go: what they may do is not known any more.
    RevokeAll {
        /// The close code.
        code: u16,
    },
    /// A reader needs what is newer than the history.
    Tail {
        /// The conversation, of this loop.
        conversation: ConversationId,
        /// Where it goes.
        reply: TailReply,
    },
    /// A frame for the visitor of a conversation of this loop.
    ToVisitor {
        /// The conversation.
        conversation: ConversationId,
        /// The frame.
        frame: Encoded,
    },
    /// A frame for a user's connections on this loop.
    ToUser {
        /// The account it is about.
        account: AccountId,
        /// The user.
        user: UserId,
        /// The frame.
        frame: Encoded,
    },
    /// A frame for every agent of an account on this loop.
    ToAccount {
        /// The account.
        account: AccountId,
        /// The frame.
        frame: Encoded,
    },
    /// An inbox is set up otherwise than before: its visitors' connections go on under these rules.
    Inbox(Arc<InboxFacts>),
    /// Somebody of an inbox is online now, or nobody any more: its visitors are told.
    Attended {
        /// The inbox.
        inbox: InboxId,
        /// Which of the two.
        attended: bool,
    },
    /// A connection of another node comes by a tunnel.
    Tunnel(Box<Tunnelled>),
    /// A message came by a tunnel.
    TunnelMessage {
        /// The socket.
        home: ConnRef,
        /// The message.
        message: Bytes,
    },
    /// The socket at the other end of a tunnel is gone.
    TunnelClosed {
        /// The socket.
        home: ConnRef,
    },
    /// Frames for a socket of this loop that is served on another node.
    TunnelBytes {
        /// The socket.
        conn: ConnId,
        /// Whole WebSocket frames.
        frames: Bytes,
    },
    /// The node that serves a socket of this loop has ended the connection.
    TunnelEnd {
        /// The socket.
        conn: ConnId,
        /// The close code.
        code: u16,
        /// Its words.
        reason: String,
    },
    /// What a connection of this loop looks at moved while it asked: it comes back and asks the new owner.
    Unserved {
        /// The agent's connection.
        conn: ConnId,
    },
    /// Another node is here, for the first time or again: it has to hear who is connected here.
    NodeJoined {
        /// Its number.
        node: u8,
    },
    /// Another node is gone, or what it said got lost: connections that reach over to it end, so that they
    /// come back.
    NodeLost {
        /// Its number.
        node: u8,
    },
    /// This loop owns a partition from now on. In a mutex only because a command may be looked at from
    /// several threads, which a dispatcher may not.
    Adopt(Box<Mutex<Dispatcher>>),
    /// This loop hands a partition over: its dispatcher, once nothing is under way, or `None` if it was
    /// not here.
    Release {
        /// The partition.
        partition: u16,
        /// Where it goes.
        reply: oneshot::Sender<Option<Box<Dispatcher>>>,
    },
    /// A partition has another owner.
    Moved {
        /// The partition.
        partition: u16,
    },
    /// A log that was waited for has ended an append.
    Appended,
    /// The server stops: close everything with a reconnect code, spread over the window, then end.
    Drain {
        /// Milliseconds.
        window_ms: u64,
    },
}

impl Command {
    /// Whether this only pushes frames to connections, which clients find missing by themselves.
    pub(super) fn is_push(&self) -> bool {
        matches!(
            self,
            Self::Deliver(_)
                | Self::TunnelBytes { .. }
                | Self::ToVisitor { .. }
                | Self::ToUser { .. }
                | Self::ToAccount { .. }
        )
    }
}

/// What the desk hears from the loops.
#[derive(Debug)]
pub enum DeskInput {
    /// Newest states of conversations. Taking only the newest of one conversation loses nothing.
    Summaries {
        /// The states.
        summaries: Vec<Summary>,
        /// With this, everything of the log up to the offset has been told: number and offset.
        complete: Option<(u16, u64)>,
    },
    /// An agent's connection is live.
    AgentConnected {
        /// The agent.
        principal: Arc<Principal>,
        /// The user.
        user: UserId,
        /// The connection.
        conn: ConnRef,
        /// Changes after this number are wanted.
        feed: FeedPosition,
    },
    /// An agent's connection is gone.
    AgentLost {
        /// The account.
        account: AccountId,
        /// The user.
        user: UserId,
        /// The connection.
        conn: ConnRef,
    },
    /// An agent chose a state.
    SetPresence {
        /// The account.
        account: AccountId,
        /// The user.
        user: UserId,
        /// Online, away or offline.
        presence: Presence,
    },
    /// A visitor's connection came or last one went.
    VisitorPresence {
        /// The account.
        account: AccountId,
        /// The conversation.
        conversation: ConversationId,
        /// Came or went.
        online: bool,
    },
    /// The same of a connection of another node.
    VisitorElsewhere {
        /// The node.
        node: u8,
        /// The account.
        account: AccountId,
        /// The conversation.
        conversation: ConversationId,
        /// Came or went.
        online: bool,
    },
    /// What another node said of its visitors is void: it is gone, or says it anew.
    NodeForgotten {
        /// The node.
        node: u8,
    },
    /// Newest states of conversations, encoded: where the desk may be on another node.
    States(Vec<(AccountId, State)>),
    /// The desk of an account is on this node from now on, with these open conversations.
    Open {
        /// The account.
        account: AccountId,
        /// As the history has them.
        summaries: Vec<Summary>,
    },
    /// The desks of the accounts of these partitions are on another node.
    Close {
        /// The partitions.
        partitions: Vec<u16>,
    },
    /// What became of a proposal of the desk.
    Proposed {
        /// Whose desk.
        account: AccountId,
        /// The conversation it was for.
        conversation: ConversationId,
        /// The session version it expected.
        version: u32,
        /// Its end.
        answer: Answer,
    },
}

/// Messages of a session that are passed on; more say nothing new about what it is about.
pub const HEARD_MAX: u8 = 5;
/// Of a message that is longer the beginning says what it is about.
pub const HEARD_BYTES_MAX: usize = 2 << 10;

/// What a visitor wrote while nobody of the team had answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose conversation.
    pub account: AccountId,
    /// Which.
    pub conversation: ConversationId,
    /// Id of the inbox it came by.
    pub inbox: String,
    /// The session within the conversation, from 1.
    pub session: u32,
    /// Its intent so far; empty while there is none.
    pub intent: String,
    /// The beginning of what was written.
    pub text: Box<str>,
}

/// What the bot of this server does in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotMode {
    /// It answers visitors, until people take over.
    Answers,
    /// It suggests answers to the agents.
    Suggests,
    /// It sums sessions up, and does nothing else.
    SumsUp,
}

/// The inboxes where the bot of this server works, shared with the loops, which pass on what happens there.
#[derive(Debug, Default)]
pub struct BotInboxes {
    modes: RwLock<HashMap<String, BotMode>>,
    any: AtomicBool,
}

impl BotInboxes {
    /// Puts others in the place of an account's inboxes.
    pub fn replace(&self, former: &[String], inboxes: impl IntoIterator<Item = (String, BotMode)>) {
        let mut modes = self.modes.write();
        for inbox in former {
            modes.remove(inbox);
        }
        modes.extend(inboxes);
        self.any.store(!modes.is_empty(), Ordering::Release);
    }

    /// What the bot does in an inbox, by its id; `None` for nothing.
    pub fn mode(&self, inbox: &str) -> Option<BotMode> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.modes.read().get(inbox).copied()
    }
}

/// What happened in a conversation of an inbox where the bot works.
#[derive(Debug, Clone, PartialEq)]
pub struct BotNews {
    /// Whose conversation.
    pub account: AccountId,
    /// Which.
    pub conversation: ConversationId,
    /// Its visitor.
    pub visitor: String,
    /// The visitor's language, BCP 47; empty where it is not known.
    pub language: String,
    /// The session after it.
    pub session: chat::Session,
    /// What the visitor said, with its seq.
    pub said: Vec<(u64, chat::Content)>,
    /// What became of the session.
    pub events: Vec<chat::SessionEvent>,
    /// Whether something may have happened before it that was not told.
    pub strand: Strand,
}

/// Of one conversation all is told between two pieces of news with the same strand. With another one a new strand
/// begins: the conversation was somebody else's meanwhile, or something was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strand {
    /// How far the partition's log was folded when the loop took it; 0 where it has it for good.
    pub since: u64,
    /// How often the loop had news for which there was no room.
    pub lost: u64,
}

/// What a loop tells the bot of this server.
#[derive(Debug, Default)]
pub struct BotTold {
    /// Partitions that the loop has taken: what was said in them before may have no answer.
    pub taken: Vec<(u16, Strand)>,
    /// What happened since.
    pub news: Vec<BotNews>,
}

/// The way to the bot of this server.
#[derive(Debug, Clone)]
pub struct BotPort {
    /// Where it works.
    pub inboxes: Arc<BotInboxes>,
    /// What it is told.
    pub told: mpsc::Sender<BotTold>,
}

/// The ways out of a loop to the tasks that may wait.
#[derive(Debug, Clone)]
pub struct Ports {
    /// To the gate.
    pub gate: mpsc::Sender<GateRequest>,
    /// To the desk.
    pub desk: mpsc::Sender<DeskInput>,
    /// To whoever owns partitions for this node: those whose log or history takes nothing more. None where
    /// a loop has one log for good.
    pub broken: Option<mpsc::Sender<Box<Dispatcher>>>,
    /// To whoever keeps messages while the log is away. None where the log is on this machine.
    pub spool: Option<mpsc::Sender<Vec<Overdue>>>,
    /// To whoever finds out what visitors want. None where nobody does.
    pub heard: Option<mpsc::Sender<Vec<Heard>>>,
    /// To whoever keeps where rules found something in content.
    pub hits: mpsc::Sender<Vec<Hit>>,
    /// To the bot of this server. None where there is none.
    pub bot: Option<BotPort>,
}

/// Progress of the projections for one log, shared with the loop that trims it.
#[derive(Debug, Default)]
pub struct Projected {
    offset: AtomicU64,
}

impl Projected {
    /// Starts at an offset.
    pub fn at(offset: u64) -> Self {
        Self { offset: AtomicU64::new(offset) }
    }

    /// Every record up to here is contained in the projections.
    pub fn set(&self, offset: u64) {
        self.offset.fetch_max(offset, Ordering::AcqRel);
    }

    /// The offset.
    pub fn get(&self) -> u64 {
        self.offset.load(Ordering::Acquire)
    }
}

/// What readiness and metrics read of a loop without asking it.
#[derive(Debug, Default)]
pub struct ChatHealth {
    /// The log or the history refused a write; sends are refused.
    pub storage_failed: AtomicBool,
    /// The disk is almost full; sends are refused until it is not.
    pub storage_full: AtomicBool,
    /// Messages acked since the start.
    pub acked: AtomicU64,
    /// Entries handed to connections since the start.
    pub delivered: AtomicU64,
    /// Commits (syncs) since the start.
    pub commits: AtomicU64,
    /// Nanoseconds spent in commits since the start.
    pub commit_ns: AtomicU64,
    /// Frames refused by a rate limit since the start.
    pub rate_limited: AtomicU64,
    /// Batches of frames another loop was too far behind to take, since the start.
    pub pushes_dropped: AtomicU64,
    /// Resumes that gave exactly what was missed, and those that did not.
    pub resumed: AtomicU64,
    /// See `resumed`.
    pub reloaded: AtomicU64,
    /// Clients asked to say hello again on their connection, since the start.
    pub rejoins: AtomicU64,
}
