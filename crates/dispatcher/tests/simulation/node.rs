//! A node: connections in front, the real dispatchers behind, one turn after the other, as a loop of the gateway
//! drives them.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use frontdesk_core::{fold::Verdict, id::ConversationId, partition_of, store};
use frontdesk_dispatcher::{Committed, DispatchError, Dispatchers};
use frontdesk_storage::LogError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{mpsc, oneshot},
    task::spawn_local,
    time::{sleep, timeout},
};
use turmoil::net::{TcpListener, TcpStream, UdpSocket};

use crate::{
    chance::Chance,
    history::SimHistory,
    log::Appends,
    model, ownership,
    wire::{
        BYTES, ClientMsgId, Deed, GROUP, HISTORY, LOG, Message, PORT, Part, now_ms, open, post,
    },
    world::{PARTITIONS, World},
};

/// A turn of the loop; every so many of them the group and the clients hear that the node is there.
const TURN: Duration = Duration::from_millis(10);
const BEAT_TURNS: u64 = 5;
const ALIVE_TURNS: u64 = 10;
/// How long a question to an engine is waited for.
const CALL_TIMEOUT: Duration = Duration::from_millis(250);
/// What a resume gives at most, and how much a reload gives: little, so that both happen.
const RESUME_ITEMS_MAX: usize = 16;
const PAGE_ITEMS: usize = 12;

/// Connections by number.
type ConnId = u64;

struct Conn {
    out: mpsc::UnboundedSender<Message>,
    part: Option<Part>,
}

/// Who waits for the answer to a proposal; nobody to that of a deed.
struct Asked {
    conn: ConnId,
    id: Option<ClientMsgId>,
}

pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) life: u64,
    pub(crate) world: Rc<World>,
    pub(crate) dispatchers: RefCell<Dispatchers>,
    pub(crate) history: Arc<SimHistory>,
    pub(crate) appends: Arc<Appends>,
    /// What the group says is this node's, and which of its versions said so.
    pub(crate) assigned: RefCell<BTreeSet<u16>>,
    seen: Cell<u64>,
    /// What is being taken or handed over.
    pub(crate) busy: RefCell<BTreeSet<u16>>,
    socket: UdpSocket,
    calls: RefCell<BTreeMap<u64, oneshot::Sender<Message>>>,
    numbers: Cell<u64>,
    conns: RefCell<BTreeMap<ConnId, Conn>>,
    inbox: RefCell<Vec<(ConnId, Message)>>,
    asked: RefCell<BTreeMap<u64, Asked>>,
    turns: Cell<u64>,
}

/// The software of a node's host, from its start to its crash.
pub(crate) async fn serve(world: Rc<World>, number: usize) -> turmoil::Result {
    let life = world.next_number();
    let chance = |purpose| Chance::new(world.seed, life << 8 | purpose);
    let database = Arc::clone(&world.database);
    let node = Rc::new(Node {
        number,
        life,
        dispatchers: RefCell::new(Dispatchers::each(PARTITIONS)),
        history: Arc::new(SimHistory::new(database, chance(1), life << 32, world.defect)),
        appends: Arc::new(Appends::new(chance(2))),
        assigned: RefCell::default(),
        seen: Cell::new(0),
        busy: RefCell::default(),
        socket: UdpSocket::bind(("0.0.0.0", PORT)).await?,
        calls: RefCell::default(),
        numbers: Cell::new(life << 32),
        conns: RefCell::default(),
        inbox: RefCell::default(),
        asked: RefCell::default(),
        turns: Cell::new(0),
        world,
    });
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let mut tasks =
        vec![spawn_local(accept(Rc::clone(&node), listener)), spawn_local(hear(Rc::clone(&node)))];
    for partition in 0..PARTITIONS {
        tasks.push(spawn_local(ownership::keep(Rc::clone(&node), partition)));
    }
    loop {
        sleep(TURN).await;
        node.turn();
        node.tell_engines().await?;
        // They end only by failing, and so does the node then.
        if let Some(at) = tasks.iter().position(tokio::task::JoinHandle::is_finished) {
            tasks.swap_remove(at).await??;
        }
    }
}

async fn accept(node: Rc<Node>, listener: TcpListener) -> turmoil::Result {
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(connection(Rc::clone(&node), stream));
    }
}

/// Reads frames into the inbox until the connection ends; writes until the node lets go of it.
async fn connection(node: Rc<Node>, stream: TcpStream) {
    let (mut read, mut write) = stream.into_split();
    let (out, mut frames) = mpsc::unbounded_channel();
    let conn = node.next_number();
    node.conns.borrow_mut().insert(conn, Conn { out, part: None });
    let writing = spawn_local(async move {
        while let Some(frame) = frames.recv().await {
            if write.write_all(&post(frame)).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = [0; BYTES];
    while read.read_exact(&mut bytes).await.is_ok() {
        node.inbox.borrow_mut().push((conn, open(bytes)));
    }
    node.conns.borrow_mut().remove(&conn);
    writing.abort();
}

/// Takes what the engines say.
async fn hear(node: Rc<Node>) -> turmoil::Result {
    let mut bytes = [0; BYTES];
    loop {
        node.socket.recv_from(&mut bytes).await?;
        match open(bytes) {
            Message::Assigned { version, partitions } if version >= node.seen.get() => {
                node.seen.set(version);
                node.assigned.replace(partitions);
            }
            Message::Assigned { .. } => {}
            Message::Appended { producer, piece, first } => {
                node.appends.report(producer, piece, first);
            }
            Message::Pong => node.history.heard(),
            Message::Applied { call, applied } => node.history.answered(call, applied),
            answer @ (Message::Fetched { call, .. } | Message::Owned { call, .. }) => {
                if let Some(caller) = node.calls.borrow_mut().remove(&call) {
                    // It may have given up.
                    drop(caller.send(answer));
                }
            }
            other => panic!("a node was told {other:?}"),
        }
    }
}

impl Node {
    fn next_number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Asks an engine once; `None` if no answer comes.
    pub(crate) async fn call(
        &self,
        host: &str,
        ask: impl FnOnce(u64) -> Message,
    ) -> Option<Message> {
        let call = self.next_number();
        let (caller, answer) = oneshot::channel();
        self.calls.borrow_mut().insert(call, caller);
        // A datagram that is not sent is one that is lost.
        drop(self.socket.send_to(&post(ask(call)), (host, PORT)).await);
        timeout(CALL_TIMEOUT, answer).await.ok()?.ok()
    }

    async fn tell_engines(&self) -> turmoil::Result {
        for append in self.appends.due() {
            self.socket.send_to(&post(append), (LOG, PORT)).await?;
        }
        for apply in self.history.due() {
            self.socket.send_to(&post(apply), (HISTORY, PORT)).await?;
        }
        if self.turns.get().is_multiple_of(BEAT_TURNS) {
            let mut holds: BTreeSet<u16> = self.dispatchers.borrow().owned().collect();
            holds.extend(self.busy.borrow().iter());
            let (node, life, seen) = (self.number, self.life, self.seen.get());
            let beat = Message::Beat { node, life, seen, holds };
            self.socket.send_to(&post(beat), (GROUP, PORT)).await?;
        }
        Ok(())
    }

    fn turn(&self) {
        self.turns.set(self.turns.get() + 1);
        for (conn, message) in self.inbox.take() {
            self.input(conn, message);
        }
        let mut results = Vec::new();
        self.dispatchers.borrow_mut().commit(clock(), &mut results);
        for committed in results {
            self.answer(committed);
        }
        self.give_up_broken();
        self.dispatchers.borrow_mut().tend(clock(), 0);
        if self.turns.get().is_multiple_of(ALIVE_TURNS) {
            for conn in self.conns.borrow().values() {
                tell(conn, Message::Alive);
            }
        }
    }

    fn input(&self, conn: ConnId, message: Message) {
        if let Message::Hello { part, held } = message {
            let welcome = self.welcome(part, held).unwrap_or(Message::Elsewhere);
            if let Some(conn) = self.conns.borrow_mut().get_mut(&conn) {
                let is_welcome = matches!(welcome, Message::Welcome { .. });
                conn.part = is_welcome.then_some(part);
                tell(conn, welcome);
            }
            return;
        }
        let part = self.conns.borrow().get(&conn).and_then(|conn| conn.part);
        let Some(part) = part else { return };
        let unique = self.world.next_number() as u32;
        let (id, proposal) = match message {
            Message::Send { id, text } => {
                let actor = part.actor();
                let proposal = model::send(part.conversation, actor, id.clone(), unique, &text);
                (Some(id), proposal)
            }
            Message::Do(deed) => (None, propose(part, deed, unique)),
            other => panic!("a node was sent {other:?}"),
        };
        let tag = u64::from(unique);
        let staged = self.dispatchers.borrow_mut().stage(tag, part.id(), proposal);
        match (staged, self.conns.borrow().get(&conn)) {
            (Err(_), Some(conn)) => tell(conn, Message::Failed),
            _ => drop(self.asked.borrow_mut().insert(tag, Asked { conn, id })),
        }
    }

    /// What a client missed, or the newest page; `None` if it has to ask elsewhere.
    fn welcome(&self, part: Part, held: Option<u64>) -> Option<Message> {
        let mut dispatchers = self.dispatchers.borrow_mut();
        let (id, now) = (part.id(), clock());
        if !dispatchers.holds(id) || self.busy.borrow().contains(&part.partition()) {
            return None;
        }
        let state = dispatchers.state(id, now).ok()?;
        let last = state.map_or(0, frontdesk_core::fold::Conversation::last_seq);
        let missed = match held {
            Some(held) if held <= last => {
                dispatchers.since(id, held, RESUME_ITEMS_MAX, now).ok()?
            }
            _ => None,
        };
        let recovered = missed.is_some();
        let entries = match missed {
            Some(entries) => entries,
            None => dispatchers.page(id, None, PAGE_ITEMS, now).ok()?,
        };
        let mut journal = self.world.journal.borrow_mut();
        journal.counts.resumed += u64::from(recovered);
        journal.counts.reloaded += u64::from(!recovered && held.is_some());
        Some(Message::Welcome { conversation: part.conversation, recovered, entries })
    }

    fn answer(&self, committed: Committed) {
        let Committed { tag, conversation, result, .. } = committed;
        let Some(Asked { conn, id }) = self.asked.borrow_mut().remove(&tag) else { return };
        let answer = match (&result, id) {
            (_, None) => None,
            (Ok(folded), Some(id)) => match folded.verdict {
                Verdict::Accepted { seq, id: entry, .. }
                | Verdict::Repeat { seq, id: entry, .. } => {
                    let is_repeat = matches!(folded.verdict, Verdict::Repeat { .. });
                    self.world.journal.borrow_mut().counts.repeats += u64::from(is_repeat);
                    self.check_ack(conversation, &id, seq, &entry.to_string());
                    Some(Message::Ack { id, seq })
                }
                _ => Some(Message::Rejected { id }),
            },
            (Err(error), Some(_)) => {
                self.count(error);
                Some(Message::Failed)
            }
        };
        let conns = self.conns.borrow();
        if let (Some(answer), Some(conn)) = (answer, conns.get(&conn)) {
            tell(conn, answer);
        }
        let Ok(folded) = result else { return };
        if folded.entries.is_empty() {
            return;
        }
        for conn in conns.values() {
            let Some(part) = conn.part.filter(|part| part.id() == conversation) else { continue };
            let (conversation, entries) = (part.conversation, folded.entries.to_vec());
            tell(conn, Message::Entries { conversation, entries });
        }
    }

    /// I7: what is acked is in the log. I4: and can be read here at once.
    fn check_ack(&self, conversation: ConversationId, id: &ClientMsgId, seq: u64, entry: &str) {
        let partition = partition_of(&conversation, PARTITIONS);
        let is_durable = self.world.broker.lock().holds(partition, id);
        let found = self.dispatchers.borrow_mut().since(conversation, seq - 1, usize::MAX, clock());
        let mut journal = self.world.journal.borrow_mut();
        if !is_durable {
            journal.violation(format!("I7: {id:?} was acked before the log had it"));
        }
        // A history that is away says so.
        let Ok(Some(found)) = found else { return };
        if found.first().is_none_or(|of| of.seq != seq || of.id != entry) {
            journal.violation(format!("I4: {id:?} was acked at {seq} and is not there"));
        }
    }

    fn count(&self, error: &DispatchError) {
        let counts = &mut self.world.journal.borrow_mut().counts;
        if let DispatchError::Append { source, .. } = error {
            match **source {
                LogError::Overtaken { .. } => counts.overtaken += 1,
                LogError::Io { .. } => counts.given_up += 1,
                _ => {}
            }
        }
    }

    /// Gives partitions up whose log or history takes nothing more, once everybody has an answer.
    fn give_up_broken(&self) {
        let mut dispatchers = self.dispatchers.borrow_mut();
        for partition in dispatchers.broken().collect::<Vec<_>>() {
            if dispatchers.unanswered(partition) > 0 {
                continue;
            }
            self.world.journal.borrow_mut().counts.broken += 1;
            drop(dispatchers.release(partition));
            self.send_away(partition);
        }
    }

    /// Ends the connections of a partition; their clients come back to whoever owns it.
    pub(crate) fn send_away(&self, partition: u16) {
        let is_its = |conn: &Conn| conn.part.is_some_and(|part| part.partition() == partition);
        self.conns.borrow_mut().retain(|_, conn| !is_its(conn));
    }
}

fn propose(part: Part, deed: Deed, unique: u32) -> store::Proposal {
    let (number, actor) = (part.conversation, part.actor());
    match deed {
        Deed::Retract(seq) => model::retract(number, actor, seq, unique),
        Deed::Read(seq) => model::cursor(number, actor, seq),
        Deed::Assign => model::change(number, actor, unique, model::assigned()),
        Deed::Close => model::change(number, actor, unique, model::closed()),
    }
}

/// A connection that has ended takes nothing.
fn tell(conn: &Conn, message: Message) {
    drop(conn.out.send(message));
}

/// The time of dispatchers, whose seconds are tenths here: what they do now and then happens often.
pub(crate) fn clock() -> i64 {
    1_700_000_000_000 + 10 * now_ms()
}
