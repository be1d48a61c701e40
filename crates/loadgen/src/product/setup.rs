//! From an empty server to conversations that are assigned and answered: people by the HTTP API,
//! sockets by ticket, hello and welcome.

use std::{
    collections::{HashMap, HashSet},
    io::{Read as _, Write as _},
    time::{Duration, Instant, SystemTime},
};

use frontdesk_core::chat::{ActorKind, Session, SessionStatus, TimelineItem, entry, timeline_item};
use frontdesk_protocol::{
    Encoding,
    wire::{self, client_frame, server_frame},
};
use prost::Message as _;
use serde_json::{Value, json};

use super::{Product, text};
use crate::{
    error::{Error, io},
    generator::Dialect as _,
    http::{Base, Client, string},
    launch::ProductAccess,
    link::{Link, Peer},
    poll::Poller,
    source::Sources,
    stream::Stream,
    websocket::{self, Keys},
};

/// Most sessions an agent may be given at a time.
const CAPACITY_MAX: u32 = 1_000;
/// How long all conversations may take to be assigned and answered, and how much longer for each of them.
const ASSIGNED_TIMEOUT: Duration = Duration::from_mins(1);
const ASSIGNED_TIMEOUT_EACH: Duration = Duration::from_millis(10);
const SCRATCH_BYTES: usize = 64 << 10;

pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as u64)
}

pub(crate) fn random() -> Result<u64, Error> {
    getrandom::u64()
        .map_err(|error| io("get random bytes")(std::io::Error::other(error.to_string())))
}

/// Opens sockets to a product's server.
#[derive(Debug)]
pub(crate) struct Door {
    base: Base,
    /// Further nodes, which take their share of the sockets.
    others: Vec<Base>,
    visitors: Client,
    inbox_key: String,
    sources: Sources,
}

/// What opens a socket, and who it is for.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) pass: Pass,
    pub(crate) visitor_token: String,
    pub(crate) conversation: String,
}

/// What opens a socket.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) text: String,
    /// The node of a cluster that serves whoever it is of.
    node: Option<u64>,
}

impl Pass {
    pub(crate) fn of(answer: &Value) -> Result<Self, Error> {
        Ok(Self { text: string(answer, "ticket")?, node: answer["node"].as_u64() })
    }
}

/// A visitor whose conversation runs.
#[derive(Debug)]
pub(crate) struct VisitorOf {
    pub(crate) visitor_token: String,
    pub(crate) resume_token: String,
    pub(crate) conversation: String,
    /// How far its connection holds the conversation.
    pub(crate) held: wire::Position,
}

/// Everybody of a run, connected, every conversation begun, assigned and answered.
#[derive(Debug)]
pub(crate) struct Cast {
    /// Visitors by their number, then agents.
    pub(crate) links: Vec<Link>,
    pub(crate) visitors: Vec<VisitorOf>,
    /// Whose each conversation is: an agent's number.
    pub(crate) owners: HashMap<String, u32>,
}

/// An agent who is online.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) link: Link,
    /// The user's.
    id: String,
}

/// An agent who can sign in.
struct Hired {
    id: String,
    email: String,
    password: String,
}

/// Adds agents who together may have so many conversations.
fn hire(admin: &mut Client, agents: u32, conversations: u32) -> Result<Vec<Hired>, Error> {
    let capacity = (conversations.div_ceil(agents.max(1)) * 2).clamp(10, CAPACITY_MAX);
    if capacity * agents < conversations {
        return Err(Error::Options("more than 1,000 visitors for each agent: give more agents"));
    }
    let run = random()?;
    let roles = admin.ask("GET", "/api/v1/roles", None)?;
    let role = roles["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|role| role["builtin"] == "agent")
        .ok_or(Error::Malformed { what: "the agents' role" })?;
    let role = string(role, "id")?;
    let mut hired = Vec::new();
    for agent in 0..agents {
        let email = format!("agent-{agent}-{run:016x}@bench.example");
        let password = format!("{:016x}{:016x}", random()?, random()?);
        let body = json!({
            "email": email, "display_name": format!("Agent {agent}"), "password": password,
            "role": role, "capacity": capacity,
        });
        let id = string(&admin.ask("POST", "/api/v1/users", Some(&body))?, "id")?;
        hired.push(Hired { id, email, password });
    }
    Ok(hired)
}

/// A socket behind its welcome.
struct Entered {
    link: Link,
    welcome: wire::Welcome,
}

/// A door for visitors who only connect.
pub(crate) fn tickets_door(access: &ProductAccess) -> Result<Door, Error> {
    Door::of(access)
}

impl Door {
    fn of(access: &ProductAccess) -> Result<Self, Error> {
        let (base, others) = (Base::of(access)?, Base::of_others(access)?);
        let visitors = Client::new(base.clone());
        let inbox_key = access.inbox_key.clone();
        Ok(Self { base, others, visitors, inbox_key, sources: Sources::fresh()? })
    }

    /// The node that takes somebody's socket: as the proxy that is shipped does it, the one that serves them.
    fn base_of(&self, index: u32, pass: &Pass) -> &Base {
        let nodes = 1 + self.others.len();
        let serves = pass.node.and_then(|node| usize::try_from(node).ok()?.checked_sub(1));
        let place = serves.filter(|place| *place < nodes).unwrap_or(index as usize % nodes);
        place.checked_sub(1).map_or(&self.base, |other| &self.others[other])
    }

    /// Gets a ticket for a new visitor, or for the one the token is of.
    pub(crate) fn ticket(&mut self, visitor_token: Option<&str>) -> Result<Ticket, Error> {
        let mut body = json!({ "kind": "visitor", "inbox_key": self.inbox_key, "language": "en" });
        if let Some(token) = visitor_token {
            body["visitor_token"] = token.into();
        }
        let got = self.visitors.ask("POST", "/api/v1/tickets", Some(&body))?;
        Ok(Ticket {
            pass: Pass::of(&got)?,
            visitor_token: string(&got, "visitor_token")?,
            conversation: string(&got, "conversation_id")?,
        })
    }

    /// Lets a new visitor in.
    pub(crate) fn visitor(&mut self, index: u32) -> Result<(Link, VisitorOf), Error> {
        let ticket = self.ticket(None)?;
        let Entered { link, welcome } = self.enter(Peer::Visitor(index), &ticket.pass)?;
        let visitor = VisitorOf {
            visitor_token: ticket.visitor_token,
            resume_token: welcome.resume_token,
            conversation: ticket.conversation,
            held: wire::Position { epoch: welcome.epoch, seq: 0 },
        };
        Ok((link, visitor))
    }

    /// Adds agents who together may have so many conversations, and lets them in. They are online.
    pub(crate) fn agents(
        &mut self,
        access: &ProductAccess,
        agents: u32,
        conversations: u32,
    ) -> Result<Vec<Agent>, Error> {
        let mut admin = self.admin(access)?;
        let hired = hire(&mut admin, agents, conversations)?;
        self.let_in(hired)
    }

    /// The same, of an inbox of their own: whoever has its key, which is returned, writes to them and to
    /// nobody else.
    pub(crate) fn agents_apart(
        &mut self,
        access: &ProductAccess,
        agents: u32,
        conversations: u32,
    ) -> Result<(Vec<Agent>, String), Error> {
        let mut admin = self.admin(access)?;
        let hired = hire(&mut admin, agents, conversations)?;
        // Before they come in: whoever joins a team is asked for a new ticket.
        let name = format!("Bench {:016x}", random()?);
        let members: Vec<&str> = hired.iter().map(|agent| &*agent.id).collect();
        let team = json!({ "names": { "en": name }, "members": members });
        let team = string(&admin.ask("POST", "/api/v1/teams", Some(&team))?, "id")?;
        let inbox = json!({ "name": name, "default_team": team });
        let inbox = admin.ask("POST", "/api/v1/inboxes", Some(&inbox))?;
        Ok((self.let_in(hired)?, string(&inbox, "inbox_key")?))
    }

    fn admin(&self, access: &ProductAccess) -> Result<Client, Error> {
        let mut admin = Client::new(self.base.clone());
        sign_in(&mut admin, &access.admin_email, &access.admin_password)?;
        Ok(admin)
    }

    fn let_in(&mut self, hired: Vec<Hired>) -> Result<Vec<Agent>, Error> {
        let mut team = Vec::new();
        for (number, Hired { id, email, password }) in (0..).zip(hired) {
            let mut client = Client::new(self.base.clone());
            sign_in(&mut client, &email, &password)?;
            let ticket =
                client.ask("POST", "/api/v1/tickets", Some(&json!({ "kind": "agent" })))?;
            let Entered { link, .. } = self.enter(Peer::Agent(number), &Pass::of(&ticket)?)?;
            team.push(Agent { link, id });
        }
        Ok(team)
    }

    /// Lets an agent in who is not online, so that no session is given to them.
    pub(crate) fn agent(&mut self, pass: &Pass) -> Result<Talk, Error> {
        Ok(self.greet(Peer::Agent(0), pass)?.0)
    }

    fn enter(&mut self, peer: Peer, pass: &Pass) -> Result<Entered, Error> {
        let (mut talk, welcome) = self.greet(peer, pass)?;
        if matches!(peer, Peer::Agent(_)) {
            let online = wire::SetPresence { presence: wire::Presence::Online.into() };
            talk.ask(client_frame::Frame::Presence(online))?;
        }
        let Talk { stream, read_ahead, .. } = talk;
        Ok(Entered { link: Link::new(peer, stream, read_ahead)?, welcome })
    }

    /// Opens a socket and says hello.
    fn greet(&mut self, peer: Peer, pass: &Pass) -> Result<(Talk, wire::Welcome), Error> {
        let (Peer::Visitor(index) | Peer::Agent(index)) = peer;
        let base = self.base_of(index, pass).clone();
        let mut stream = base.meet(self.sources.connect(base.address, index)?)?;
        let nonce = u128::from(random()?).to_be_bytes();
        let node = pass.node.map(|node| format!("?node={node}")).unwrap_or_default();
        let path = format!("{}/ws/v1{node}", base.prefix);
        let subprotocol = Encoding::Proto.subprotocol();
        let out = websocket::request(&base.authority, &path, nonce, subprotocol);
        stream.write_all(&out).map_err(io("ask for the upgrade"))?;
        let mut read_ahead = Vec::new();
        let head = loop {
            if let Some(end) = websocket::answer(&read_ahead)? {
                break end;
            }
            more(&mut stream, &mut read_ahead, peer)?;
        };
        read_ahead.drain(..head);
        let mut talk = Talk { peer, stream, read_ahead, keys: Keys::new(random()?), reference: 0 };
        let hello = wire::Hello {
            ticket: pass.text.clone(),
            client: concat!("frontdesk-loadgen/", env!("CARGO_PKG_VERSION")).to_owned(),
            language: "en".to_owned(),
            ..wire::Hello::default()
        };
        let server_frame::Frame::Welcome(welcome) = talk.ask(client_frame::Frame::Hello(hello))?
        else {
            return Err(Error::Malformed { what: "a welcome" });
        };
        Ok((talk, *welcome))
    }
}

/// A socket on which one thing is asked at a time.
#[derive(Debug)]
pub(crate) struct Talk {
    peer: Peer,
    stream: Stream,
    read_ahead: Vec<u8>,
    keys: Keys,
    /// Of the newest frame.
    reference: u32,
}

impl Talk {
    /// Sends a frame and waits for its answer.
    pub(crate) fn ask(&mut self, frame: client_frame::Frame) -> Result<server_frame::Frame, Error> {
        self.tell(frame)?;
        self.answer()
    }

    /// Sends a frame that has no answer.
    pub(crate) fn tell(&mut self, frame: client_frame::Frame) -> Result<(), Error> {
        self.reference += 1;
        self.send(self.reference, frame)
    }

    fn send(&mut self, reference: u32, frame: client_frame::Frame) -> Result<(), Error> {
        let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
        let mut out = Vec::new();
        websocket::write(websocket::BINARY, &frame.encode_to_vec(), self.keys.next(), &mut out);
        self.stream.write_all(&out).map_err(io("send a frame"))
    }

    /// Waits for the answer to the newest frame; what is pushed before it is of no interest.
    fn answer(&mut self) -> Result<server_frame::Frame, Error> {
        loop {
            while let Some(frame) = websocket::read(&self.read_ahead)? {
                let used = frame.bytes;
                let decoded = frame.message(self.peer)?.map(decode);
                self.read_ahead.drain(..used);
                match decoded.transpose()? {
                    Some((reference, server_frame::Frame::Ping(_))) => {
                        self.send(reference, client_frame::Frame::Pong(wire::Pong {}))?;
                    }
                    Some((_, server_frame::Frame::Error(error))) => {
                        return Err(Error::Refused { what: "a connection", code: error.code });
                    }
                    Some((answered, server_frame::Frame::Refusal(refusal)))
                        if answered == self.reference =>
                    {
                        return Err(Error::Refused { what: "a frame", code: refusal.code });
                    }
                    Some((answered, frame)) if answered == self.reference => return Ok(frame),
                    _ => {}
                }
            }
            more(&mut self.stream, &mut self.read_ahead, self.peer)?;
        }
    }
}

fn more(stream: &mut Stream, bytes: &mut Vec<u8>, peer: Peer) -> Result<(), Error> {
    let mut part = [0; 4_096];
    match stream.read(&mut part) {
        Ok(0) => Err(Error::Closed { peer: peer.to_string(), code: None }),
        Ok(count) => {
            bytes.extend_from_slice(&part[..count]);
            Ok(())
        }
        Err(source) => Err(Error::Io { what: "read a socket's answer", source }),
    }
}

pub(crate) fn decode(payload: &[u8]) -> Result<(u32, server_frame::Frame), Error> {
    let frame = wire::ServerFrame::decode(payload)
        .map_err(|_| Error::Malformed { what: "a server frame" })?;
    let kind = frame.frame.ok_or(Error::Malformed { what: "a known server frame" })?;
    Ok((frame.r#ref, kind))
}

/// Everything up to conversations that run.
pub(super) fn connect(
    product: &mut Product,
    access: &ProductAccess,
    visitors: u32,
    agents: u32,
) -> Result<Cast, Error> {
    let mut door = Door::of(access)?;
    let team = door.agents(access, agents, visitors)?;
    let (mut links, mut visitor_of) = (Vec::new(), Vec::new());
    for visitor in 0..visitors {
        let (link, of) = door.visitor(visitor)?;
        links.push(link);
        visitor_of.push(of);
    }
    begin(product, links, visitor_of, team)
}

/// Has the conversations of visitors, who are connected by their number, begun, assigned and answered.
pub(crate) fn begin(
    product: &mut Product,
    mut links: Vec<Link>,
    visitor_of: Vec<VisitorOf>,
    team: Vec<Agent>,
) -> Result<Cast, Error> {
    let mut ids = Vec::new();
    for agent in team {
        ids.push(agent.id);
        links.push(agent.link);
    }
    Opening::new(product, links, ids, visitor_of)?.run()
}

pub(crate) fn sign_in(client: &mut Client, email: &str, password: &str) -> Result<(), Error> {
    let body = json!({ "email": email, "password": password });
    client.ask("POST", "/api/v1/sign-in", Some(&body)).map(drop)
}

/// Each visitor's first message, and each agent's answer to the conversations it is given: after it
/// no deadline of the routing falls into the run.
struct Opening<'a> {
    product: &'a mut Product,
    links: Vec<Link>,
    poller: Poller,
    /// User id of each agent.
    ids: Vec<String>,
    visitors: u32,
    visitor_of: Vec<VisitorOf>,
    /// Conversations that have their answer on the way, and whose they are.
    answered: HashMap<String, u32>,
    /// Visitors who have seen theirs.
    seen: HashSet<u32>,
}

impl<'a> Opening<'a> {
    fn new(
        product: &'a mut Product,
        links: Vec<Link>,
        ids: Vec<String>,
        visitor_of: Vec<VisitorOf>,
    ) -> Result<Self, Error> {
        let poller = Poller::new(1_024).map_err(io("poll"))?;
        for (key, link) in links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        let visitors = visitor_of.len() as u32;
        let (answered, seen) = (HashMap::new(), HashSet::new());
        Ok(Self { product, links, poller, ids, visitors, visitor_of, answered, seen })
    }

    fn run(mut self) -> Result<Cast, Error> {
        let timeout = ASSIGNED_TIMEOUT + ASSIGNED_TIMEOUT_EACH * self.visitors;
        let deadline = Instant::now() + timeout;
        let mut out = Vec::new();
        for visitor in 0..self.visitors {
            out.clear();
            self.product.message(visitor, 0, 0, &mut out);
            self.links[visitor as usize].send(&self.poller, visitor.into(), &out)?;
        }
        for index in 0..self.links.len() {
            if !self.links[index].partial.is_empty() {
                let (link, mut messages) = (&mut self.links[index], Vec::new());
                let peer = link.peer;
                link.parse_partial(|bytes| split(peer, bytes, &mut messages))?;
                self.take(index, messages)?;
            }
        }
        let mut scratch = vec![0; SCRATCH_BYTES];
        let mut ready = Vec::new();
        while self.seen.len() < self.visitors as usize {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let missing = self.visitors as usize - self.seen.len();
                let what = format!("{missing} conversations to be assigned and answered");
                return Err(Error::Timeout { what, seconds: timeout.as_secs() });
            }
            self.poller.wait(&mut ready, Some(left)).map_err(io("poll"))?;
            for event in &ready {
                let index = event.key as usize;
                if event.writable {
                    self.links[index].flush(&self.poller, event.key)?;
                }
                if event.readable {
                    let (link, mut messages) = (&mut self.links[index], Vec::new());
                    let peer = link.peer;
                    let parse = |bytes: &[u8]| split(peer, bytes, &mut messages);
                    link.receive(&self.poller, event.key, &mut scratch, parse)?;
                    self.take(index, messages)?;
                }
            }
        }
        Ok(Cast { links: self.links, visitors: self.visitor_of, owners: self.answered })
    }

    fn take(&mut self, index: usize, messages: Vec<Vec<u8>>) -> Result<(), Error> {
        let peer = self.links[index].peer;
        for message in messages {
            let (reference, frame) = decode(&message)?;
            if let Peer::Visitor(visitor) = peer {
                self.visitor_of[visitor as usize].note(&frame);
            }
            match (peer, frame) {
                (_, server_frame::Frame::Refusal(refusal)) => {
                    let what = "a first message or its answer";
                    return Err(Error::Refused { what, code: refusal.code });
                }
                (_, server_frame::Frame::Ping(_)) => {
                    let pong = client_frame::Frame::Pong(wire::Pong {});
                    self.say(index, reference, pong)?;
                }
                (Peer::Visitor(visitor), server_frame::Frame::Entries(entries))
                    if entries.items.iter().any(is_from_agent) =>
                {
                    self.seen.insert(visitor);
                }
                (Peer::Agent(agent), server_frame::Frame::Session(update)) => {
                    if let Some(session) = &update.session {
                        self.answer(index, agent, &update.conversation, session)?;
                    }
                }
                (Peer::Agent(agent), server_frame::Frame::Feed(feed)) => {
                    for change in feed.changes {
                        if let Some(wire::feed_change::Change::Row(row)) = change.change
                            && let Some(session) = &row.session
                        {
                            self.answer(index, agent, &row.conversation, session)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The agent answers a conversation that is newly its own.
    fn answer(
        &mut self,
        index: usize,
        agent: u32,
        conversation: &str,
        session: &Session,
    ) -> Result<(), Error> {
        let own = session.owner.as_ref().is_some_and(|owner| owner.id == self.ids[agent as usize]);
        if session.status() != SessionStatus::Assigned
            || !own
            || self.answered.contains_key(conversation)
        {
            return Ok(());
        }
        self.answered.insert(conversation.to_owned(), agent);
        let send = wire::Send {
            conversation: conversation.to_owned(),
            client_msg_id: self.product.id(0),
            content: Some(text("Good day! What can I do for you?".to_owned())),
            ..wire::Send::default()
        };
        self.say(index, 0, client_frame::Frame::Send(send))
    }

    fn say(
        &mut self,
        index: usize,
        reference: u32,
        frame: client_frame::Frame,
    ) -> Result<(), Error> {
        let mut out = Vec::new();
        self.product.frame(frame, reference, &mut out);
        self.links[index].send(&self.poller, index as u64, &out)
    }
}

impl VisitorOf {
    /// An own message and an item of the timeline extend what is held.
    pub(crate) fn note(&mut self, frame: &server_frame::Frame) {
        let seq = match frame {
            server_frame::Frame::Ack(ack) => ack.position.map_or(0, |position| position.seq),
            server_frame::Frame::Entries(entries) => last_seq(&entries.items),
            _ => 0,
        };
        self.held.seq = self.held.seq.max(seq);
    }
}

pub(crate) fn last_seq(items: &[TimelineItem]) -> u64 {
    let seq = |item: &TimelineItem| match &item.item {
        Some(timeline_item::Item::Entry(entry)) => entry.seq,
        Some(timeline_item::Item::Skip(skip)) => skip.to_seq,
        None => 0,
    };
    items.last().map_or(0, seq)
}

/// Takes the messages at the beginning of what somebody received, and tells how many bytes they are.
pub(crate) fn split(peer: Peer, bytes: &[u8], messages: &mut Vec<Vec<u8>>) -> Result<usize, Error> {
    let mut used = 0;
    while let Some(frame) = websocket::read(&bytes[used..])? {
        messages.extend(frame.message(peer)?.map(<[u8]>::to_vec));
        used += frame.bytes;
    }
    Ok(used)
}

fn is_from_agent(item: &TimelineItem) -> bool {
    let Some(timeline_item::Item::Entry(entry)) = &item.item else { return false };
    let said = matches!(&entry.body, Some(entry::Body::Content(_)));
    said && entry.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Agent)
}
