//! The chat engine as HTTP sees it: everything about conversations goes through [`Engine`], which the
//! server implements over the edge loops and the desk. HTTP never touches the log, the history or a
//! socket itself.
//!
//! Rights are the engine's to check (the router does it for frames and HTTP alike); the routes only
//! say who asks.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use frontdesk_catalog::VisitorIdentity;
use frontdesk_core::{
    chat,
    id::{AccountId, ApiKeyId, ConversationId, InboxId, MessageId, UserId, VisitorId},
};
use frontdesk_gateway::edge::UpgradedSocket;
use frontdesk_protocol::wire;
use frontdesk_router::screen::Screen;

use crate::principal::Principal;

/// The engine as the routes hold it.
pub type SharedEngine = Arc<dyn Engine>;

/// What happens to conversations. Every method answers within seconds or fails with
/// [`EngineError::Unavailable`].
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Counts one against a limit that all nodes share: how long to wait if it is over. `None` too where this
    /// node is alone, or cannot ask: each node limits by itself as well.
    async fn over_shared_limit(&self, _bucket: &str, _per_minute: NonZeroU32) -> Option<Duration> {
        None
    }

    /// The node that serves whoever takes part in a conversation; `None` where this one is alone, or nobody does now.
    fn node_of_conversation(&self, _conversation: &ConversationId) -> Option<u8> {
        None
    }

    /// The same of an account's agents.
    fn node_of_account(&self, _account: AccountId) -> Option<u8> {
        None
    }

    /// Appends one message. Returns once it is durable and has its place; the same `client_msg_id`
    /// with the same content returns the first place again.
    async fn send(
        &self,
        by: &Principal,
        conversation: ConversationId,
        message: NewMessage,
    ) -> Result<Ack, EngineError>;

    /// Moves a session. `command.conversation` names the conversation.
    async fn command(&self, by: &Principal, command: wire::Command) -> Result<(), EngineError>;

    /// Reads one page of a timeline as `by` may see it. Waits at most 1 s for `min_position`.
    async fn entries(
        &self,
        by: &Principal,
        conversation: ConversationId,
        page: EntriesPage,
    ) -> Result<Entries, EngineError>;

    /// One conversation with its newest session.
    async fn conversation(
        &self,
        by: &Principal,
        conversation: ConversationId,
    ) -> Result<ConversationView, EngineError>;

    /// The person behind the visitor of a conversation: for the visitor itself, and for who may read
    /// both the conversation and visitors. The conversation of a visitor need not be stored yet.
    async fn contact(
        &self,
        by: &Principal,
        conversation: ConversationId,
    ) -> Result<Contact, EngineError>;

    /// Changes what is known of the person. Lists show the new name at once; it survives power loss
    /// when this returns.
    async fn change_contact(
        &self,
        by: &Principal,
        conversation: ConversationId,
        change: ContactChange,
    ) -> Result<Contact, EngineError>;

    /// One page of a list, newest work first, with the counts of all views.
    async fn list(&self, by: &Principal, query: ListQuery) -> Result<List, EngineError>;

    /// Every open session `by` may see with what it waits for, and those that break the rule
    /// "one owner or one place in one queue, and a deadline".
    async fn waiting(&self, by: &Principal) -> Result<Waiting, EngineError>;

    /// The account's agents with their state and load.
    async fn agents(&self, by: &Principal) -> Result<Vec<AgentState>, EngineError>;

    /// How visitors' messages are sorted in a place, an inbox by id and name, or everywhere where both are empty; none
    /// where they are not.
    async fn intents(
        &self,
        _account: AccountId,
        _place: (&str, &str),
    ) -> Result<Option<Intents>, EngineError> {
        Ok(None)
    }

    /// Whether a document of an account is one that can hold, and if not, why.
    async fn check_intents(&self, _document: &str) -> Result<(), String> {
        Ok(())
    }

    /// What a text would be sorted as in a place. It is not counted.
    async fn try_intent(
        &self,
        _account: AccountId,
        _text: &str,
        _place: (&str, &str),
    ) -> Result<Option<TriedText>, EngineError> {
        Ok(None)
    }

    /// Past sessions the caller may read, with what was read of them and what was decided.
    async fn sorted_sessions(
        &self,
        _by: &Principal,
        _query: SortedQuery,
    ) -> Result<SortedPage, EngineError> {
        Ok(SortedPage::default())
    }

    /// Asks the account's language model for a word, to see whether it answers.
    async fn llm_test(&self, _account: AccountId) -> Result<LlmTest, EngineError> {
        Err(no_llm())
    }

    /// Has the language model help somebody who answers a conversation they may read.
    async fn assist(
        &self,
        _by: &Principal,
        _conversation: ConversationId,
        _wish: AssistWish,
    ) -> Result<String, EngineError> {
        Err(no_llm())
    }

    /// What a bot that is otherwise would have done in past sessions the caller may read. Nothing is sent or stored;
    /// a language model is asked only to try a prompt or another model.
    async fn bot_replay(
        &self,
        _by: &Principal,
        _wish: ReplayWish,
    ) -> Result<frontdesk_bot::replay::Report, EngineError> {
        Ok(frontdesk_bot::replay::Report::default())
    }

    /// What looks at everything that is said in an account.
    fn screen(&self, _account: AccountId) -> Arc<Screen> {
        Arc::default()
    }

    /// The name of a file as it may be kept; refused where a rule says so.
    fn screened_name(
        &self,
        _by: &Principal,
        _conversation: ConversationId,
        name: &str,
    ) -> Result<String, EngineError> {
        Ok(name.to_owned())
    }

    /// Removes the content of entries for good and names the files they carried. Seqs stay.
    async fn erase(
        &self,
        by: &Principal,
        conversation: ConversationId,
        from_seq: u64,
        to_seq: u64,
    ) -> Result<(), EngineError>;

    /// Who serves an inbox and how fast, as its visitors see it. Known for a while, so that a page view
    /// asks nobody.
    async fn inbox_staff(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<InboxStaff, EngineError>;

    /// A site has said who a visitor is: the contact gets what the site tells, and with `former`, who
    /// the device was until now, that visitor is the same person. What the page said beside it, signed
    /// by nobody, stands where nothing is known.
    async fn identified(
        &self,
        account: AccountId,
        identity: &VisitorIdentity,
        former: Option<VisitorId>,
        said: ContactChange,
    ) -> Result<(), EngineError>;

    /// Closes the user's sockets in the account (in all accounts without one) for good: disabled,
    /// signed out or with a new password. `login` narrows it to the sockets of one login session,
    /// by its handle.
    fn revoke(&self, account: Option<AccountId>, user: UserId, login: Option<&str>);

    /// Closes the user's sockets in the account so that they come back with other rights or teams.
    fn rights_changed(&self, account: AccountId, user: UserId);

    /// Closes the sockets of a key of the API that was deleted.
    fn revoke_key(&self, account: AccountId, key: ApiKeyId);

    /// Tells the engine that people, teams, inboxes or settings of the account changed. When this
    /// returns, open connections of visitors have been told as well.
    async fn configuration_changed(&self, account: AccountId);

    /// Takes a WebSocket whose handshake is done. Its first frame says who it is.
    fn connect(&self, socket: UpgradedSocket);

    /// Whether each dependency works, and how durable an ack is.
    async fn readiness(&self) -> Readiness;

    /// Whether files may take so many bytes more without touching the disk's reserve.
    fn has_room(&self, bytes: u64) -> bool;
}

/// Where there is no model there is nothing to ask.
fn no_llm() -> EngineError {
    EngineError::Invalid { field: "llm".to_owned(), reason: "no language model is set up" }
}

/// Whether a language model answers.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct LlmTest {
    /// It answered.
    pub ok: bool,
    /// From the question to the end of the answer.
    pub took_ms: u64,
    /// What it said; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it did not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a language model is to do for somebody who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistWish {
    /// What.
    pub kind: AssistKind,
    /// What they wrote; empty for a summary.
    pub text: String,
    /// The language of the answer, a BCP 47 tag; empty for that of the text or of the account.
    pub language: String,
}

/// What a language model may do for somebody who answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AssistKind {
    /// Says what the conversation is about.
    Summary,
    /// Says the same in better words.
    Rewrite,
    /// Says the same in another language.
    Translate,
}

/// How a bot would be otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplayWish {
    /// The newest so many sessions.
    pub sessions: usize,
    /// A flow in the place of the one of its name, as YAML that was checked.
    pub flow: Option<String>,
    /// The score from which an article is the answer.
    pub threshold: Option<f32>,
    /// What the language model is told.
    pub prompt: Option<String>,
    /// Another model's name at the same endpoint.
    pub model: Option<String>,
    /// What the account says of its own about intents, as a document that was checked.
    pub intents: Option<String>,
}

/// Who serves an inbox and how fast.
#[derive(Debug, Clone, Default)]
pub struct InboxStaff {
    /// Up to three people, those who are online first.
    pub faces: Vec<Face>,
    /// The median wait for a first answer in whole minutes; None where too little is known.
    pub answer_minutes: Option<u32>,
    /// Whether a bot answers first, by day and by night.
    pub has_bot: bool,
}

/// Somebody who answers, as visitors see them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Face {
    /// Display name.
    pub name: String,
}

/// A message to append.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Unique for the sender in the conversation.
    pub client_msg_id: [u8; 16],
    /// Files are already described in full.
    pub content: chat::Content,
    /// Who may see it.
    pub audience: chat::Audience,
}

/// The message is durable and has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The entry's id.
    pub id: MessageId,
    /// Life of the log.
    pub epoch: u64,
    /// Place in the conversation.
    pub seq: u64,
    /// Time of the entry.
    pub at_ms: i64,
}

/// Which part of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntriesPage {
    /// Where the page lies.
    pub range: PageRange,
    /// At most so many seqs.
    pub limit: usize,
    /// The page must know of this position (epoch, seq).
    pub min_position: Option<(u64, u64)>,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRange {
    /// The newest.
    Newest,
    /// The newest below a seq.
    Before(u64),
    /// The oldest above a seq.
    After(u64),
}

/// One page of a timeline, ascending.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// Entries and skips, as the reader may see them.
    pub items: Vec<chat::TimelineItem>,
    /// Life of the log.
    pub epoch: u64,
    /// Where the conversation stands.
    pub last_seq: u64,
    /// There is more beyond the page in its direction.
    pub more: bool,
}

/// One conversation.
#[derive(Debug, Clone)]
pub struct ConversationView {
    /// Row as in the lists.
    pub row: wire::Row,
    /// The inbox.
    pub inbox: String,
    /// Page the visitor first wrote from, for agents.
    pub page_url: String,
    /// Page the visitor came from, for agents.
    pub referrer: String,
    /// What the visitor's browser calls itself, for agents.
    pub user_agent: String,
    /// The person behind the visitor, for whoever may read visitors.
    pub contact: Option<Contact>,
    /// Sessions that are over, newest first, for agents.
    pub sessions: Vec<PastSession>,
    /// How far everybody got.
    pub cursors: Vec<chat::Cursor>,
    /// Time of the first message.
    pub created_at_ms: i64,
}

/// A person, as far as anybody knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Contact {
    /// Empty while nobody knows.
    pub name: String,
    /// Empty while nobody knows.
    pub email: String,
    /// Empty while nobody knows.
    pub phone: String,
    /// What the team keeps in mind about the person.
    pub note: String,
    /// The site signed what it tells of the person. Of a hashed identity it signs the name alone, which
    /// stands nowhere here.
    pub verified: bool,
    /// What the site says of the person, by name.
    pub attributes: BTreeMap<String, String>,
    /// Who wrote name, address, number or note last; absent while nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The name of who wrote it, at that time; empty for the visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by_name: Option<String>,
    /// When, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at_ms: Option<i64>,
}

/// Changes of a contact; None leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactChange {
    /// What people call the person.
    pub name: Option<String>,
    /// An address to write to.
    pub email: Option<String>,
    /// A number to call.
    pub phone: Option<String>,
    /// What the team keeps in mind; never from the visitor.
    pub note: Option<String>,
}

/// A session that is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PastSession {
    /// The session.
    pub id: String,
    /// 1 for the conversation's first.
    pub number: u32,
    /// UTC milliseconds.
    pub opened_at_ms: i64,
    /// UTC milliseconds.
    pub closed_at_ms: i64,
    /// Who had it last; empty where nobody had.
    pub owner_name: String,
    /// 1 to 5; absent where it was not rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<u32>,
    /// What the visitor wrote with the rating.
    pub rating_comment: String,
    /// How long the visitor waited for the first answer; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_answer_ms: Option<i64>,
    /// `agent`, `visitor` or `idle`.
    pub close_reason: String,
}

/// Which list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The view.
    pub view: View,
    /// Opaque to HTTP: where the page before ended.
    pub cursor: Option<String>,
    /// At most so many rows.
    pub limit: usize,
}

/// The views of the console.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Sessions the reader owns or takes part in.
    Mine,
    /// Queued sessions of queues the reader serves.
    Queue,
    /// Every open session the reader may see.
    Open,
    /// Those, open or closed, in which a note mentions the reader that the reader has not read.
    Mentioned,
    /// Closed sessions.
    Closed,
}

/// One page of a list.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The rows.
    pub rows: Vec<wire::Row>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many each view holds.
    pub counts: Counts,
}

/// How many rows each view holds for the reader.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Own open sessions.
    pub mine: u64,
    /// Waiting in queues the reader serves.
    pub queue: u64,
    /// All open ones.
    pub open: u64,
    /// Where an unread note mentions the reader.
    pub mentioned: u64,
    /// Closed ones.
    pub closed: u64,
}

/// How visitors' messages are sorted.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Intents {
    /// What holds.
    #[serde(flatten)]
    pub sorting: Sorting,
    /// What would hold if the place said nothing of its own.
    pub inherited: Sorting,
    /// What the account says of its own.
    pub own: IntentConfig,
    /// Of `own`; 0 where nothing was ever said.
    pub revision: u64,
    /// Why what is said in `own` does not hold: it does not fit the installation's file any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
    /// Whether there is a model.
    pub has_model: bool,
    /// The model fails and is not asked for a while.
    pub is_open: bool,
    /// Texts of the account's visitors that were read since the start, by the step that decided: `rule`, `cache`,
    /// `model`, `none`.
    pub decided: BTreeMap<&'static str, u64>,
    /// How often the model held each label most probable since the start, in twenty steps from 0 to 1.
    pub seen: BTreeMap<&'static str, Vec<u64>>,
}

/// Thresholds, targets and rules of a place.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Sorting {
    /// From which probability on each label counts.
    pub thresholds: BTreeMap<&'static str, f32>,
    /// Where intents lead.
    pub targets: Vec<IntentTarget>,
    /// What decides without the model, in its order.
    pub rules: Vec<IntentRule>,
}

/// What an account says of its own about intents, on top of the installation's `ai_router.yaml`.
#[derive(
    Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct IntentConfig {
    /// From which probability on a label counts: `complaint`, `consult`, `sales`.
    pub threshold: BTreeMap<String, f32>,
    /// Where intents lead.
    pub intents: BTreeMap<String, IntentLead>,
    /// What decides without the model, before the rules of the installation; the first that matches wins.
    pub rules: Vec<IntentRule>,
    /// What single inboxes have otherwise, by their ids.
    pub inboxes: BTreeMap<String, IntentSection>,
}

/// What one inbox has otherwise.
#[derive(
    Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct IntentSection {
    /// As for the account.
    pub threshold: BTreeMap<String, f32>,
    /// As for the account.
    pub intents: BTreeMap<String, IntentLead>,
    /// Before those of the account.
    pub rules: Vec<IntentRule>,
}

/// Where sessions of an intent go.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct IntentLead {
    /// Id of the team whose queue it is; absent where it stays in the inbox's.
    pub team: Option<String>,
    /// Skills that would serve it best.
    pub skills: Vec<String>,
    /// `low`, `normal`, `high` or `urgent`; absent where it stays as it is.
    pub priority: Option<String>,
}

/// Which past sessions.
#[derive(Debug, Clone)]
pub struct SortedQuery {
    /// Those that began at this time or later, UTC milliseconds.
    pub since_ms: i64,
    /// Only those whose intent a person set.
    pub corrected: bool,
    /// Opaque to HTTP: where the page before ended.
    pub cursor: Option<String>,
    /// Of so many conversations.
    pub limit: usize,
}

/// A page of past sessions.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct SortedPage {
    /// The sessions; a page may have none, and there are more all the same.
    pub sessions: Vec<SortedSession>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A past session as it is sorted.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct SortedSession {
    /// The conversation.
    pub conversation: String,
    /// The session.
    pub session: String,
    /// The inbox.
    pub inbox: String,
    /// When it began, UTC milliseconds.
    pub at_ms: i64,
    /// The visitor's first messages, at most five, before anybody of the team answered.
    pub messages: Vec<SortedMessage>,
    /// Its intent; empty where there is none.
    pub intent: String,
    /// Who said so: `person`, `rule`, `model`; empty where nobody has.
    pub source: String,
    /// What a rule or the model had said; empty where they had no opinion.
    pub found: String,
}

/// One of them.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct SortedMessage {
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Its beginning, at most 2 KiB.
    pub text: String,
}

/// Where an intent leads.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct IntentTarget {
    /// Its name.
    pub intent: String,
    /// The team whose queue it is, by name in the installation's file, by id in what an account says; absent where it
    /// stays in the inbox's.
    pub team: Option<String>,
    /// Skills that would serve it best.
    pub skills: Vec<String>,
    /// 1 (low) to 4 (urgent); absent where it stays as it is.
    pub priority: Option<u32>,
}

/// What decides without the model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentRule {
    /// What it decides.
    pub intent: String,
    /// Any of these.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Or this pattern.
    #[serde(default)]
    pub regex: Option<String>,
}

/// What a text is sorted as, and which step said so.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct TriedText {
    /// What it is; absent without an opinion.
    pub intent: Option<String>,
    /// `rule`, `model`, or `none`.
    pub step: &'static str,
    /// 0 to 1.
    pub confidence: f32,
    /// The words a rule found.
    pub words: Option<String>,
    /// What the model holds probable, by label.
    pub scores: Option<BTreeMap<&'static str, f32>>,
    /// Why the model said nothing: `missing`, `busy`, `late`, `broken`, `open`.
    pub trouble: Option<&'static str>,
    /// Where it leads.
    pub target: Option<IntentTarget>,
    /// From the question to the answer.
    pub took_us: u64,
}

/// The watchdog's page.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// Every open session.
    pub sessions: Vec<WaitingSession>,
    /// What breaks the rule; empty on a sound system.
    pub violations: Vec<Violation>,
    /// When it was looked at, UTC milliseconds.
    pub at_ms: i64,
}

/// One open session.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct WaitingSession {
    /// The conversation.
    pub conversation: String,
    /// The session.
    pub session: String,
    /// Who answers; absent while queued.
    pub owner: Option<String>,
    /// Name of who answers.
    pub owner_name: Option<String>,
    /// The queue's team; absent for the common queue or with an owner.
    pub team: Option<String>,
    /// 1 is next; absent with an owner.
    pub place: Option<u32>,
    /// Since when the visitor waits for a person, UTC milliseconds; absent while nobody waits.
    pub waiting_since_ms: Option<i64>,
    /// When something must have happened, UTC milliseconds.
    pub deadline_ms: Option<i64>,
    /// What happens then if nothing changes: `look_again`, `urgent`, `return`, `requeue`, `next_agent`,
    /// `warn_idle`, `close_idle`.
    pub then: String,
}

/// A session that breaks the rule.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Violation {
    /// The conversation.
    pub conversation: String,
    /// What is wrong, for example `no_owner_no_queue`, `two_queues`, `no_deadline`.
    pub code: String,
    /// The same in words.
    pub detail: String,
}

/// One agent as colleagues see them.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct AgentState {
    /// The user.
    pub id: String,
    /// Display name.
    pub name: String,
    /// A file id, or `hue-0` to `hue-7` for the colour behind the initials; empty for none.
    pub avatar: String,
    /// `online`, `away` or `offline`.
    pub presence: String,
    /// Teams the agent serves.
    pub teams: Vec<String>,
    /// Open sessions the agent owns.
    pub open_sessions: u32,
    /// How many the agent takes at once.
    pub capacity: u32,
}

/// What `/readyz` says.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// This process works and takes connections.
    pub ready: bool,
    /// Something below does not work.
    pub degraded: bool,
    /// `sync`, or `async` where an ack does not wait for the disk.
    pub durability: String,
    /// Each dependency.
    pub checks: Vec<Check>,
}

/// One dependency.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Check {
    /// For example `log`, `history`, `catalog`.
    pub name: String,
    /// It works.
    pub ok: bool,
    /// What is wrong; empty where nothing is.
    pub detail: String,
}

/// Why the engine did nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The caller may not know whether it exists.
    #[error("no such conversation")]
    UnknownConversation,
    /// Refused with a code of the protocol's table.
    #[error("refused: {message}")]
    Refused {
        /// The code.
        code: &'static str,
        /// For people who read logs and answers.
        message: String,
        /// Who has it, for `session.taken`.
        detail: String,
        /// When to try again; absent where trying again is pointless.
        retry_after: Option<Duration>,
    },
    /// A field has a value that can never be accepted.
    #[error("{field} is not valid: {reason}")]
    Invalid {
        /// The field.
        field: String,
        /// Why, as a stable word.
        reason: &'static str,
    },
    /// The page cannot know of the wished position yet.
    #[error("the position is not reached yet")]
    NotYet,
    /// Overloaded, draining, or a dependency is down: nothing was changed, or the answer got lost.
    #[error("the chat engine is not available now")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
