//! The chat engine as HTTP uses it: requests become frames for the loop of their conversation, reads
//! join the history with what only the loop knows yet.
//!
//! ```text
//! HTTP -> Engine -> writing, reading, lists, people, intents, ... -> ask -> loops, desk
//! ```
//! Here is all that HTTP may ask; what is more than a line is answered in the file named for it. Contacts, the help of a
//! language model, past sessions and replays are answered in `contacts`, `assist`, `intents::past` and `bots::replay`.

mod ask;
mod changes;
mod errors;
mod intents;
mod lists;
mod people;
mod readiness;
mod reading;
mod writing;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use frontdesk_api::{
    engine::{
        Ack, AgentState, AssistWish, Contact, ContactChange, ConversationView, Engine, EngineError,
        Entries, EntriesPage, InboxStaff, Intents, List, ListQuery, LlmTest, NewMessage, Readiness,
        ReplayWish, SortedPage, SortedQuery, TriedText, Waiting,
    },
    knowledge::KnowledgeBases,
    principal::Principal as Caller,
};
use frontdesk_bot::replay::Report;
use frontdesk_catalog::{Catalog, VisitorIdentity};
use frontdesk_core::id::{
    AccountId, ApiKeyId, ConversationId, IdSource, InboxId, UserId, VisitorId,
};
use frontdesk_dispatcher::projections::Projections;
use frontdesk_gateway::{
    chat::{loops::Loops, place, port::ChatHealth},
    edge::UpgradedSocket,
};
use frontdesk_protocol::{close, codes, wire};
use frontdesk_router::screen::Screen;
use frontdesk_storage::{Admission, Directory, Quota};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};

pub(super) use self::errors::{broken, refused, unavailable};
use super::{
    SharedHistory, bots::Bots, cluster::Health, desk::DeskQuery, gate::Gate, intents::Sorting,
    models::Models, staff::Staff, words::Words,
};
use crate::config::Durability;

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
        self.write_message(by, conversation, message).await
    }

    async fn command(&self, by: &Caller, command: wire::Command) -> Result<(), EngineError> {
        self.carry_out(by, command).await
    }

    async fn entries(
        &self,
        by: &Caller,
        conversation: ConversationId,
        page: EntriesPage,
    ) -> Result<Entries, EngineError> {
        self.read_entries(by, conversation, page).await
    }

    async fn conversation(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<ConversationView, EngineError> {
        self.read_conversation(by, conversation).await
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
        self.read_list(by, query).await
    }

    async fn waiting(&self, by: &Caller) -> Result<Waiting, EngineError> {
        self.read_waiting(by).await
    }

    async fn agents(&self, by: &Caller) -> Result<Vec<AgentState>, EngineError> {
        self.read_agents(by).await
    }

    async fn intents(
        &self,
        account: AccountId,
        place: (&str, &str),
    ) -> Result<Option<Intents>, EngineError> {
        self.read_intents(account, place).await
    }

    async fn check_intents(&self, document: &str) -> Result<(), String> {
        self.check_intent_document(document).await
    }

    async fn try_intent(
        &self,
        account: AccountId,
        text: &str,
        place: (&str, &str),
    ) -> Result<Option<TriedText>, EngineError> {
        self.try_text(account, text, place).await
    }

    async fn sorted_sessions(
        &self,
        by: &Caller,
        query: SortedQuery,
    ) -> Result<SortedPage, EngineError> {
        self.past_intents(by, query).await
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

    fn screen(&self, account: AccountId) -> Arc<Screen> {
        self.words.screens().of(account)
    }

    fn screened_name(
        &self,
        by: &Caller,
        conversation: ConversationId,
        name: &str,
    ) -> Result<String, EngineError> {
        self.screened_file_name(by, conversation, name)
    }

    async fn erase(
        &self,
        by: &Caller,
        conversation: ConversationId,
        from_seq: u64,
        to_seq: u64,
    ) -> Result<(), EngineError> {
        self.erase_entries(by, conversation, from_seq, to_seq).await
    }

    async fn inbox_staff(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<InboxStaff, EngineError> {
        self.read_staff(account, inbox).await
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

    fn revoke(&self, account: Option<AccountId>, user: UserId, login: Option<&str>) {
        self.close_sockets(account, user, login, close::FORBIDDEN.code);
    }

    fn rights_changed(&self, account: AccountId, user: UserId) {
        self.close_sockets(Some(account), user, None, close::RIGHTS.code);
    }

    fn revoke_key(&self, account: AccountId, key: ApiKeyId) {
        self.close_key_sockets(account, key);
    }

    async fn configuration_changed(&self, account: AccountId) {
        self.tell_configuration(account).await;
    }

    fn connect(&self, socket: UpgradedSocket) {
        let loops = self.loops.local();
        let place = self.next_loop.fetch_add(1, Ordering::Relaxed) % loops.len();
        if let Err(refused) = loops[place].connect(socket) {
            refused.into_inner().refuse(&close::OVERLOADED);
        }
    }

    async fn readiness(&self) -> Readiness {
        self.check_readiness().await
    }

    fn has_room(&self, bytes: u64) -> bool {
        (self.space)(bytes)
    }
}
