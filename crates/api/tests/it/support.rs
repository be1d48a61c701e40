//! A server for one test, and clients of it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use frontdesk_api::{
    ApiConfig, ApiParts,
    engine::{
        Ack, AgentState, Check, Contact, ContactChange, ConversationView, Engine, EngineError,
        Entries, EntriesPage, Face, InboxStaff, List, ListQuery, NewMessage, Readiness, Waiting,
    },
    files::Files,
    knowledge::KnowledgeBases,
    principal::Principal,
    router,
    token::ServerKey,
};
use frontdesk_catalog::{Catalog, CreatedAccount, NewAccount, Password, VisitorIdentity};
use frontdesk_core::{
    chat::{Actor, Audience, Entry, TimelineItem, entry, timeline_item},
    id::{AccountId, ApiKeyId, ConversationId, IdSource, InboxId, MessageId, UserId, VisitorId},
};
use frontdesk_gateway::edge::{UpgradedSocket, front};
use frontdesk_knowledge::Options;
use frontdesk_outgoing::{Client as Outgoing, Guard, Timeouts};
use frontdesk_protocol::wire;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: ServerKey = ServerKey::new([3; 32]);
pub(crate) const EMAIL: &str = "owner@shop.example";
pub(crate) const PASSWORD: &str = "a long enough phrase";
pub(crate) const SITE: &str = "https://shop.example";

/// Conversations in memory: enough to send, read and be refused.
#[derive(Default)]
pub(crate) struct MemoryEngine {
    conversations: Mutex<HashMap<ConversationId, (AccountId, Vec<Entry>)>>,
    ids: Mutex<Option<IdSource>>,
    pub(crate) revoked: Mutex<Vec<(UserId, Option<String>)>>,
    pub(crate) commands: Mutex<Vec<wire::Command>>,
    pub(crate) identified: Mutex<Vec<(VisitorIdentity, Option<VisitorId>)>>,
    /// Makes the watchdog's page panic.
    pub(crate) broken: AtomicBool,
}

impl MemoryEngine {
    fn entries_of(&self, by: &Principal, id: ConversationId) -> Result<Vec<Entry>, EngineError> {
        let all = self.conversations.lock().unwrap();
        match all.get(&id) {
            Some((account, entries)) if *account == by.account() => Ok(entries.clone()),
            _ => Err(EngineError::UnknownConversation),
        }
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn send(
        &self,
        by: &Principal,
        conversation: ConversationId,
        message: NewMessage,
    ) -> Result<Ack, EngineError> {
        let id: MessageId = self
            .ids
            .lock()
            .unwrap()
            .get_or_insert_with(|| IdSource::new([7; 3], 7, 7))
            .next(1_700_000_000_000);
        let mut all = self.conversations.lock().unwrap();
        let known = all.contains_key(&conversation);
        if !known && !matches!(by, Principal::Visitor(_)) {
            return Err(EngineError::UnknownConversation);
        }
        let (account, entries) =
            all.entry(conversation).or_insert_with(|| (by.account(), Vec::new()));
        if *account != by.account() {
            return Err(EngineError::UnknownConversation);
        }
        let earlier =
            entries.iter().find(|entry| entry.client_msg_id == message.client_msg_id.as_slice());
        if let Some(entry) = earlier {
            let id = entry.id.parse().unwrap();
            return Ok(Ack { id, epoch: 1, seq: entry.seq, at_ms: entry.at_ms });
        }
        let seq = entries.len() as u64 + 1;
        entries.push(Entry {
            seq,
            id: id.to_string(),
            actor: Some(Actor { id: by.id(), ..Actor::default() }),
            audience: Audience::Everyone.into(),
            client_msg_id: message.client_msg_id.to_vec().into(),
            body: Some(entry::Body::Content(message.content)),
            ..Entry::default()
        });
        Ok(Ack { id, epoch: 1, seq, at_ms: 0 })
    }

    async fn command(&self, by: &Principal, command: wire::Command) -> Result<(), EngineError> {
        self.entries_of(by, command.conversation.parse().unwrap())?;
        self.commands.lock().unwrap().push(command);
        Ok(())
    }

    async fn entries(
        &self,
        by: &Principal,
        conversation: ConversationId,
        page: EntriesPage,
    ) -> Result<Entries, EngineError> {
        let entries = self.entries_of(by, conversation)?;
        let last_seq = entries.len() as u64;
        if page.min_position.is_some_and(|(_, seq)| seq > last_seq) {
            return Err(EngineError::NotYet);
        }
        let items = entries
            .into_iter()
            .map(|entry| TimelineItem { item: Some(timeline_item::Item::Entry(entry)) })
            .collect();
        Ok(Entries { items, epoch: 1, last_seq, more: false })
    }

    async fn conversation(
        &self,
        by: &Principal,
        conversation: ConversationId,
    ) -> Result<ConversationView, EngineError> {
        self.entries_of(by, conversation)?;
        Ok(ConversationView {
            row: wire::Row { conversation: conversation.to_string(), ..wire::Row::default() },
            inbox: String::new(),
            page_url: String::new(),
            referrer: String::new(),
            user_agent: String::new(),
            contact: None,
            sessions: Vec::new(),
            cursors: Vec::new(),
            created_at_ms: 0,
        })
    }

    async fn contact(
        &self,
        by: &Principal,
        conversation: ConversationId,
    ) -> Result<Contact, EngineError> {
        self.entries_of(by, conversation).map(|_| Contact::default())
    }

    async fn change_contact(
        &self,
        by: &Principal,
        conversation: ConversationId,
        change: ContactChange,
    ) -> Result<Contact, EngineError> {
        self.entries_of(by, conversation)?;
        Ok(Contact { name: change.name.unwrap_or_default(), ..Contact::default() })
    }

    async fn list(&self, _: &Principal, _: ListQuery) -> Result<List, EngineError> {
        Ok(List::default())
    }

    async fn waiting(&self, _: &Principal) -> Result<Waiting, EngineError> {
        assert!(!self.broken.load(Ordering::Relaxed), "the engine's inner state is secret");
        Ok(Waiting::default())
    }

    async fn agents(&self, _: &Principal) -> Result<Vec<AgentState>, EngineError> {
        Ok(Vec::new())
    }

    async fn inbox_staff(&self, _: AccountId, _: InboxId) -> Result<InboxStaff, EngineError> {
        Ok(InboxStaff {
            faces: vec![Face { name: "Mei".to_owned() }],
            answer_minutes: Some(3),
            has_bot: false,
        })
    }

    async fn identified(
        &self,
        _: AccountId,
        identity: &VisitorIdentity,
        former: Option<VisitorId>,
        _: ContactChange,
    ) -> Result<(), EngineError> {
        self.identified.lock().unwrap().push((identity.clone(), former));
        Ok(())
    }

    async fn erase(
        &self,
        by: &Principal,
        conversation: ConversationId,
        _: u64,
        _: u64,
    ) -> Result<(), EngineError> {
        self.entries_of(by, conversation).map(|_| ())
    }

    fn revoke(&self, _: Option<AccountId>, user: UserId, login: Option<&str>) {
        self.revoked.lock().unwrap().push((user, login.map(str::to_owned)));
    }

    fn rights_changed(&self, _: AccountId, user: UserId) {
        self.revoke(None, user, None);
    }

    fn revoke_key(&self, _: AccountId, _: ApiKeyId) {}

    async fn configuration_changed(&self, _: AccountId) {}

    fn connect(&self, socket: UpgradedSocket) {
        drop(socket);
    }

    async fn readiness(&self) -> Readiness {
        Readiness {
            ready: true,
            degraded: false,
            durability: "sync".to_owned(),
            checks: vec![Check { name: "log".to_owned(), ok: true, detail: String::new() }],
        }
    }

    fn has_room(&self, _: u64) -> bool {
        true
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) catalog: Catalog,
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) account: CreatedAccount,
    pub(crate) dir: TempDir,
    pub(crate) files: Files,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(ApiConfig::default()).await
    }

    pub(crate) async fn with(config: ApiConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.unwrap();
        let account = catalog.create_account_with_admin(new_account(EMAIL)).await.unwrap();
        Self::over(dir, catalog, account, config).await
    }

    /// An installation made by `serve --demo`.
    pub(crate) async fn demo(config: ApiConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.unwrap();
        let new = NewAccount { demo: true, ..new_account(EMAIL) };
        let account = catalog.create_account_with_admin(new).await.unwrap();
        Self::over(dir, catalog, account, config).await
    }

    /// An installation that has not been set up.
    pub(crate) async fn fresh(dir: TempDir, catalog: Catalog) -> Self {
        let account = CreatedAccount {
            account: AccountId::from_bytes([0; 12]),
            owner: UserId::from_bytes([0; 12]),
            inbox: InboxId::from_bytes([0; 12]),
            inbox_key: String::new(),
            api_key_id: ApiKeyId::from_bytes([0; 12]),
            api_key: String::new(),
        };
        Self::over(dir, catalog, account, ApiConfig::default()).await
    }

    async fn over(
        dir: TempDir,
        catalog: Catalog,
        account: CreatedAccount,
        config: ApiConfig,
    ) -> Self {
        let engine = Arc::new(MemoryEngine::default());
        let files =
            Files::open(&dir.path().join("files"), catalog.clone(), config.files.clone()).unwrap();
        let stop = CancellationToken::new();
        let outgoing =
            Outgoing::new(Guard::default(), rustls::RootCertStore::empty(), Timeouts::default());
        let app = router(ApiParts {
            catalog: catalog.clone(),
            engine: engine.clone(),
            files: files.clone(),
            key: KEY,
            ids: IdSource::new([1, 2, 3], 4, 5),
            metrics: Arc::new(|_| "frontdesk_up 1\n".to_owned()),
            demo: None,
            elsewhere: None,
            config,
            knowledge: KnowledgeBases::new(catalog.clone(), Options::default()),
            outgoing,
            stopping: stop.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = front::FrontLimits::default();
        let task = tokio::spawn(front::serve(listener, None, app, limits, stop.clone()));
        Self { address, catalog, engine, account, dir, files, stop, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody unknown, with a cookie jar.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { server: self, http: Client::builder().cookie_store(true).build().unwrap() }
    }

    /// The owner, signed in.
    pub(crate) async fn owner(&self) -> Browser<'_> {
        let browser = self.browser();
        let answer = browser.sign_in(EMAIL, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::OK);
        browser
    }

    /// A visitor with a token: its Authorization value and its conversation.
    pub(crate) async fn visitor(&self) -> (String, String) {
        let body = json!({ "kind": "visitor", "inbox_key": self.account.inbox_key });
        let answer: Value =
            self.browser().post("/api/v1/tickets", &body).await.json().await.unwrap();
        let token = answer["visitor_token"].as_str().unwrap();
        let conversation = answer["conversation_id"].as_str().unwrap();
        (format!("Visitor {token}"), conversation.to_owned())
    }

    /// A second account on the same server, with an API key.
    pub(crate) async fn other_account(&self) -> CreatedAccount {
        self.catalog.create_account_with_admin(new_account("owner@other.example")).await.unwrap()
    }
}

pub(crate) fn new_account(email: &str) -> NewAccount {
    NewAccount {
        name: "Shop".to_owned(),
        language: "en".to_owned(),
        demo: false,
        owner_email: email.to_owned(),
        owner_name: "Olga".to_owned(),
        owner_password: Password::new(PASSWORD),
        origins: vec![SITE.to_owned()],
    }
}

/// A client that behaves as our web apps do: JSON, own Origin, cookies.
pub(crate) struct Browser<'a> {
    pub(crate) server: &'a Server,
    pub(crate) http: Client,
}

impl Browser<'_> {
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Response {
        let body = json!({ "email": email, "password": password });
        self.post("/api/v1/sign-in", &body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.server.url(path)).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.send(reqwest::Method::POST, path, Some(body)).await
    }

    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Response {
        let mut request =
            self.http.request(method, self.server.url(path)).header("origin", self.server.origin());
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }
}

/// Checks status and code of a problem, and that it is well formed.
#[track_caller]
pub(crate) fn check_problem(
    status: StatusCode,
    headers: &reqwest::header::HeaderMap,
    body: &Value,
    expected: (u16, &str),
) {
    assert_eq!((status.as_u16(), body["code"].as_str().unwrap_or("")), expected, "{body}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(body["status"], expected.0);
    assert_eq!(body["type"], format!("urn:frontdesk:error:{}", expected.1));
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
}

/// Reads a response that must be this problem.
pub(crate) async fn problem(response: Response, status: u16, code: &str) -> Value {
    let (got, headers) = (response.status(), response.headers().clone());
    let body: Value = response.json().await.unwrap_or_default();
    check_problem(got, &headers, &body, (status, code));
    body
}
