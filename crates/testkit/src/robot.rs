//! Visitors and agents that chat by themselves, on a schedule, and come back by themselves after any
//! loss, as the real clients do: outbox kept until the ack, same ids sent again, positions presented,
//! resume token first and a new ticket where it is refused, random growing waits between attempts.
//! Everything they do and see goes into the [`Recorder`].

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use frontdesk_core::chat::{self, TimelineItem, timeline_item::Item};
use frontdesk_protocol::{
    close::CloseAction,
    wire::{self, client_frame::Frame as Out, feed_change::Change, server_frame::Frame as In},
};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout, timeout_at},
};

use crate::{
    Gone, Http, Recorder, Rng, Socket, SocketOptions, Timeline,
    checker::Event,
    live::{message_id, text},
    timeline::{first_seq, text_of},
};

/// Longest wait for a handshake, a ticket or a welcome.
const STEP: Duration = Duration::from_secs(10);
/// First and longest wait before connecting again: those of the real client, scaled down.
const BACKOFF: (u64, u64) = (50, 2_000);
/// A message without an ack is sent again after this time while the connection lives, as the real client
/// does (`ACK_MS`).
const ACK_WAIT: Duration = Duration::from_secs(20);
/// Messages that may be without an answer, as the real client does it.
const IN_FLIGHT_MAX: usize = 64;
/// How often something missing is asked for, at most; the real client waits for what is late first.
const REPAIR_EVERY: Duration = Duration::from_secs(1);
/// Longest a robot may need to come to an end.
const LAST: Duration = Duration::from_mins(1);
/// Reference of the last questions.
const CATCH_UP: u32 = 9;
/// What is remembered of what a robot did last.
const DOING_MAX: usize = 60;
/// Conversations a hello may name.
const HELD_MAX: usize = 64;

/// Who a robot is.
#[derive(Debug, Clone)]
pub enum Who {
    /// A new visitor of this inbox.
    Visitor {
        /// The inbox.
        inbox_key: String,
    },
    /// A signed-in user, who answers in the sessions it owns.
    Agent {
        /// The user.
        id: String,
    },
}

/// What a robot does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name in the record.
    pub name: String,
    /// Who it is.
    pub who: Who,
    /// Where its sockets go.
    pub address: SocketAddr,
    /// Where its requests go, as whom.
    pub http: Http,
    /// Between two messages; the schedule does not wait for acks.
    pub every: Duration,
    /// Messages it sends at most.
    pub messages: u64,
    /// A socket that was silent for so long is dropped.
    pub silence: Duration,
    /// How its sockets are opened.
    pub options: SocketOptions,
    /// Pushes and acks may get lost, as between nodes of a cluster: the robot then asks for what it misses and
    /// sends again what stays without an ack, as the real client does. Otherwise both are failures.
    pub repairs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Work,
    /// Send nothing new; say so once everything is acked.
    Quieten,
    /// Catch up and end.
    Finish,
}

/// A running robot.
#[derive(Debug)]
pub struct Robot {
    name: String,
    phase: watch::Sender<Phase>,
    /// What it is up to, for whoever looks why a test waits.
    doing: watch::Receiver<VecDeque<String>>,
    /// Whether everything it sent is acked and it sends nothing more.
    quiet: watch::Receiver<bool>,
    task: JoinHandle<Report>,
}

/// What a robot has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// Connections made.
    pub connections: u64,
    /// Times it was asked to say hello again on its connection.
    pub rejoins: u64,
    /// Resumes that gave exactly what was missed.
    pub recovered: u64,
    /// Resumes that gave a new page.
    pub reloaded: u64,
    /// Its conversations.
    pub conversations: Vec<String>,
}

impl Robot {
    /// Starts a robot.
    pub fn start(plan: Plan, recorder: &Arc<Recorder>) -> Self {
        let (phase, phases) = watch::channel(Phase::Work);
        let (quiet_now, quiet) = watch::channel(false);
        let (doing_now, doing) = watch::channel(VecDeque::new());
        let name = plan.name.clone();
        let seed = plan.name.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte));
        let mind = Mind {
            recorder: Arc::clone(recorder),
            token: String::new(),
            own_conversation: String::new(),
            resume_token: String::new(),
            asked_from: None,
            feed: None,
            timelines: HashMap::new(),
            repaired_at: HashMap::new(),
            writable: HashSet::new(),
            owned: Vec::new(),
            outbox: VecDeque::new(),
            sent: 0,
            turn: 0,
            again_at: None,
            report: Report::default(),
            rng: Rng::new(seed),
            quiet: quiet_now,
            doing: doing_now,
            started: Instant::now(),
            plan,
        };
        Self { name, phase, doing, quiet, task: tokio::spawn(mind.live(phases)) }
    }

    /// Waits until it has sent all its messages and has all their acks.
    pub async fn quiet(&mut self) {
        // A robot that broke down says why when it is joined.
        drop(self.quiet.wait_for(|quiet| *quiet).await);
    }

    async fn join(mut self) -> Report {
        self.phase.send_replace(Phase::Finish);
        let Ok(ended) = timeout(LAST, &mut self.task).await else {
            let doing = self.doing.borrow();
            panic!("{} has not caught up within {LAST:?}: {:#?}", self.name, *doing);
        };
        match ended {
            Ok(report) => report,
            Err(error) => panic!("a robot broke down: {error}"),
        }
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets robots send what they have, and waits until all of it is acked.
pub async fn quieten_all(robots: &mut [Robot]) {
    for robot in robots.iter() {
        robot.phase.send_replace(Phase::Quieten);
    }
    let all_quiet = async {
        for robot in robots.iter_mut() {
            robot.quiet().await;
        }
    };
    if timeout(LAST, all_quiet).await.is_err() {
        let late = robots.iter().filter(|robot| !*robot.quiet.borrow());
        let late: Vec<String> =
            late.map(|robot| format!("{} {:#?}", robot.name, *robot.doing.borrow())).collect();
        panic!("not everything is acked within {LAST:?}: {}", late.join("\n"));
    }
}

/// The same, then lets all catch up, and ends them.
pub async fn finish_all(mut robots: Vec<Robot>) -> Vec<Report> {
    quieten_all(&mut robots).await;
    let mut reports = Vec::new();
    for robot in robots {
        reports.push(robot.join().await);
    }
    reports
}

/// Reads the histories of these conversations as `http`.
pub async fn histories(
    http: &Http,
    conversations: impl IntoIterator<Item = String>,
) -> BTreeMap<String, Vec<TimelineItem>> {
    let mut histories = BTreeMap::new();
    for conversation in conversations {
        let items = http.history(&conversation).await;
        histories.insert(conversation, items);
    }
    histories
}

#[derive(Debug)]
struct Pending {
    conversation: String,
    id: [u8; 16],
    text: String,
    /// When it went out on this connection, while it waits for its answer.
    sent_at: Option<Instant>,
}

struct Mind {
    plan: Plan,
    recorder: Arc<Recorder>,
    token: String,
    own_conversation: String,
    resume_token: String,
    /// The position that goes with the open question.
    asked_from: Option<wire::Position>,
    feed: Option<wire::FeedPosition>,
    /// By conversation as the wire names it: "" for a visitor.
    timelines: HashMap<String, Timeline>,
    /// When something missing of a conversation was asked for.
    repaired_at: HashMap<String, Instant>,
    /// Conversations that are open on this connection.
    writable: HashSet<String>,
    /// Conversations an agent answers in.
    owned: Vec<String>,
    outbox: VecDeque<Pending>,
    sent: u64,
    turn: usize,
    /// When refused messages may go again.
    again_at: Option<Instant>,
    report: Report,
    rng: Rng,
    quiet: watch::Sender<bool>,
    doing: watch::Sender<VecDeque<String>>,
    started: Instant,
}

impl Mind {
    async fn live(mut self, mut phases: watch::Receiver<Phase>) -> Report {
        let mut attempt = 0;
        loop {
            if let Ok(mut socket) = self.connect().await {
                self.report.connections += 1;
                self.note(Event::Live);
                attempt = 0;
                self.is_doing(&format!("is connected, {} unacked", self.outbox.len()));
                let end = self.chat(&mut socket, &mut phases).await;
                match end {
                    Ok(()) => {
                        self.finish(socket).await;
                        return self.report;
                    }
                    Err(gone) => {
                        self.is_doing(&format!("lost its connection: {gone:?}"));
                        self.note(Event::Gone { code: gone.code() });
                        match CloseAction::of(gone.code()) {
                            CloseAction::Reconnect => {}
                            CloseAction::NewTicket => self.resume_token.clear(),
                            CloseAction::Stop => panic!("{}: told to stop: {gone:?}", self.name()),
                        }
                    }
                }
            }
            let longest = (BACKOFF.0 << attempt.min(10)).min(BACKOFF.1);
            attempt += 1;
            self.is_doing(&format!("connects, attempt {attempt}"));
            // As the real client does: they must not all come back at once.
            sleep(Duration::from_millis(self.rng.pick(0..longest + 1))).await;
        }
    }

    fn name(&self) -> &str {
        &self.plan.name
    }

    fn is_doing(&self, what: &str) {
        let at = self.started.elapsed().as_secs_f32();
        self.doing.send_modify(|doing| {
            if doing.len() == DOING_MAX {
                doing.pop_front();
            }
            doing.push_back(format!("{at:.1} {what}"));
        });
    }

    fn note(&self, event: Event) {
        self.recorder.note(&self.plan.name, event);
    }

    /// The conversation as HTTP names it.
    fn full_name(&self, conversation: &str) -> String {
        if conversation.is_empty() {
            self.own_conversation.clone()
        } else {
            conversation.to_owned()
        }
    }

    async fn ticket(&mut self) -> Option<String> {
        let body = match &self.plan.who {
            Who::Visitor { inbox_key } => {
                let mut body = json!({"kind": "visitor", "inbox_key": inbox_key, "language": "en"});
                if !self.token.is_empty() {
                    body["visitor_token"] = json!(self.token);
                }
                body
            }
            Who::Agent { .. } => json!({"kind": "agent"}),
        };
        let http = &self.plan.http;
        let request = http.request(reqwest::Method::POST, "/api/v1/tickets");
        let answer = http.try_send(request.json(&body).timeout(STEP)).await?;
        if answer.status != 200 {
            return None;
        }
        let made = answer.json();
        if let Some(token) = made["visitor_token"].as_str() {
            token.clone_into(&mut self.token);
            made["conversation_id"].as_str()?.clone_into(&mut self.own_conversation);
        }
        Some(made["ticket"].as_str()?.to_owned())
    }

    /// A live socket, with the welcome taken in; `Err` where another attempt is due.
    async fn connect(&mut self) -> Result<Socket, ()> {
        let mut ticket = String::new();
        if self.resume_token.is_empty() {
            ticket = self.ticket().await.ok_or(())?;
        }
        let opening = Socket::open(self.plan.address, &self.plan.options);
        let mut socket = timeout(STEP, opening).await.map_err(drop)?.map_err(drop)?;
        self.greet(&mut socket, ticket).await.map_err(|gone| {
            if CloseAction::of(gone.code()) == CloseAction::NewTicket {
                self.resume_token.clear();
            }
        })?;
        Ok(socket)
    }

    /// Says hello on a socket, by the resume token where there is no ticket, until it is welcome.
    async fn greet(&mut self, socket: &mut Socket, mut ticket: String) -> Result<(), Gone> {
        let welcome = 'hello: loop {
            let presented = self.timelines.iter().filter_map(|(conversation, timeline)| {
                let position = timeline.position()?;
                Some(wire::Held { conversation: conversation.clone(), position: Some(position) })
            });
            let held = presented.take(HELD_MAX).collect();
            let mut resume_token = String::new();
            if ticket.is_empty() {
                resume_token.clone_from(&self.resume_token);
            }
            let hello = wire::Hello {
                resume_token,
                ticket: std::mem::take(&mut ticket),
                held,
                client: "frontdesk-robot/1".to_owned(),
                feed: self.feed,
                can_rejoin: true,
                ..wire::Hello::default()
            };
            socket.send(1, Out::Hello(hello)).await?;
            loop {
                match timeout(STEP, socket.hear()).await.map_err(|_| Gone::Lost)??.frame {
                    Some(In::Welcome(welcome)) => break 'hello welcome,
                    Some(In::Rejoin(rejoin)) => {
                        self.wait_to_rejoin(&rejoin).await?;
                        continue 'hello;
                    }
                    _ => {}
                }
            }
        };
        self.resume_token.clone_from(&welcome.resume_token);
        self.feed = welcome.feed.or(self.feed);
        // An agent writes in a conversation again once it is open.
        self.owned.clear();
        self.writable.clear();
        self.forget_sent(|_| true);
        self.again_at = None;
        for opened in &welcome.opened {
            let conversation = match self.plan.who {
                Who::Visitor { .. } => "",
                Who::Agent { .. } => opened.conversation.as_str(),
            };
            self.opened(conversation, opened);
        }
        if let Who::Visitor { .. } = self.plan.who {
            self.writable.insert(String::new());
            self.pump(socket).await
        } else {
            let online = wire::SetPresence { presence: wire::Presence::Online.into() };
            socket.send(2, Out::Presence(online)).await
        }
    }

    /// Somebody else serves it from now on: waits until it may say hello again.
    async fn wait_to_rejoin(&mut self, rejoin: &wire::Rejoin) -> Result<(), Gone> {
        self.is_doing("is asked to rejoin");
        if self.resume_token.is_empty() {
            // Nothing to say hello with: it connects anew.
            return Err(Gone::Lost);
        }
        self.note(Event::Rejoin);
        self.report.rejoins += 1;
        sleep(Duration::from_millis(u64::from(rejoin.after_ms))).await;
        Ok(())
    }

    fn opened(&mut self, conversation: &str, opened: &wire::Opened) {
        let timeline = self.timelines.entry(conversation.to_owned()).or_default();
        let presented = opened.recovered.then(|| timeline.position()).flatten();
        self.opened_from(conversation, opened, presented);
    }

    fn opened_from(
        &mut self,
        conversation: &str,
        opened: &wire::Opened,
        presented: Option<wire::Position>,
    ) {
        let timeline = self.timelines.entry(conversation.to_owned()).or_default();
        timeline.open(opened, presented);
        self.shown(conversation, &opened.items);
    }

    /// Notes what is shown; an own message among it counts as its ack.
    fn shown(&mut self, conversation: &str, items: &[TimelineItem]) {
        for item in items {
            let Some(Item::Entry(entry)) = &item.item else { continue };
            let text = text_of(entry).unwrap_or_default().to_owned();
            let conversation = self.full_name(conversation);
            self.settled(&entry.client_msg_id, entry.seq);
            self.note(Event::Receive { conversation, seq: entry.seq, text });
        }
    }

    fn settled(&mut self, client_msg_id: &[u8], seq: u64) {
        let place = self.outbox.iter().position(|pending| pending.id == client_msg_id);
        let Some(pending) = place.and_then(|place| self.outbox.remove(place)) else { return };
        let conversation = self.full_name(&pending.conversation);
        self.is_doing(&format!("has {seq} acked, {} to come", self.outbox.len()));
        self.note(Event::Ack { conversation, text: pending.text, seq });
    }

    /// Sends what waits, oldest first, as much as may be under way: nothing overtakes what was refused for now.
    async fn pump(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        if self.again_at.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        self.again_at = None;
        let mut room = IN_FLIGHT_MAX - self.outbox.iter().filter(|of| of.sent_at.is_some()).count();
        for pending in &mut self.outbox {
            if room == 0 {
                break;
            }
            if pending.sent_at.is_none() && self.writable.contains(&pending.conversation) {
                room -= 1;
                pending.sent_at = Some(Instant::now());
                let send = text(&pending.conversation, &pending.id, &pending.text);
                socket.feed(0, Out::Send(send)).await?;
            }
        }
        socket.flush().await
    }

    /// Nobody is known to have what went out in these conversations.
    fn forget_sent(&mut self, is_meant: impl Fn(&Pending) -> bool) {
        for pending in self.outbox.iter_mut().filter(|pending| is_meant(pending)) {
            pending.sent_at = None;
        }
    }

    /// Works until the connection ends (`Err`) or everything is done.
    async fn chat(
        &mut self,
        socket: &mut Socket,
        phases: &mut watch::Receiver<Phase>,
    ) -> Result<(), Gone> {
        let first = Duration::from_micros(
            self.rng.pick(0..u64::try_from(self.plan.every.as_micros()).unwrap_or(1).max(1)),
        );
        let mut schedule = interval_at(Instant::now() + first, self.plan.every);
        schedule.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        loop {
            let phase = *phases.borrow_and_update();
            let all_sent = self.sent >= self.plan.messages || phase != Phase::Work;
            if all_sent && self.outbox.is_empty() {
                self.quiet.send_replace(true);
                if phase == Phase::Finish {
                    return self.catch_up(socket).await;
                }
            }
            let overdue_at = self.outbox.iter().filter_map(|of| of.sent_at).min();
            let overdue_at = overdue_at.filter(|_| self.plan.repairs).map(|at| at + ACK_WAIT);
            let again_at = self.again_at.or(overdue_at);
            tokio::select! {
                heard = timeout_at(heard_at + self.plan.silence, socket.hear()) => {
                    let Ok(frame) = heard else { return Err(Gone::Lost) };
                    heard_at = Instant::now();
                    self.take(socket, frame?).await?;
                }
                _ = schedule.tick(), if !all_sent => self.say(socket).await?,
                () = sleep_until(again_at.unwrap_or_else(Instant::now)), if again_at.is_some() => {
                    if self.again_at.is_none() {
                        self.is_doing(&format!("has no answer to {} messages", self.outbox.len()));
                        self.forget_sent(|_| true);
                    }
                    self.pump(socket).await?;
                }
                Ok(()) = phases.changed() => {}
            }
        }
    }

    async fn say(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let conversation = match &self.plan.who {
            Who::Visitor { .. } => String::new(),
            Who::Agent { .. } => {
                if self.owned.is_empty() {
                    return Ok(());
                }
                self.turn = (self.turn + 1) % self.owned.len();
                self.owned[self.turn].clone()
            }
        };
        self.sent += 1;
        let text_body = format!("{} {}", self.plan.name, self.sent);
        let full = self.full_name(&conversation);
        self.note(Event::Attempt { conversation: full, text: text_body.clone() });
        // In the outbox first: what happens to the socket must not matter.
        let (id, sent_at) = (message_id(), None);
        self.outbox.push_back(Pending { conversation, id, text: text_body, sent_at });
        self.pump(socket).await
    }

    async fn take(&mut self, socket: &mut Socket, frame: wire::ServerFrame) -> Result<(), Gone> {
        match frame.frame {
            Some(In::Entries(entries)) => {
                let first = entries.items.first().map_or(0, first_seq);
                if self.misses(&entries.conversation, first) {
                    return self.repair(socket, &entries.conversation).await;
                }
                // Before it is opened nothing is shown of a conversation.
                if let Some(timeline) = self.timelines.get_mut(&entries.conversation) {
                    timeline.entries(&entries);
                    self.shown(&entries.conversation, &entries.items);
                }
            }
            Some(In::Ack(ack)) => {
                let seq = ack.position.map_or(0, |position| position.seq);
                self.settled(&ack.client_msg_id, seq);
                self.pump(socket).await?;
                if self.misses(&ack.conversation, seq) {
                    return self.repair(socket, &ack.conversation).await;
                }
                if let Some(timeline) = self.timelines.get_mut(&ack.conversation) {
                    timeline.ack(&ack);
                }
            }
            Some(In::Opened(opened)) => {
                let conversation = opened.conversation.clone();
                if frame.r#ref == CATCH_UP {
                    // It begins where it was asked from; more may have come meanwhile.
                    let asked_from = self.asked_from.take();
                    self.opened_from(&conversation, &opened, asked_from);
                } else {
                    self.opened(&conversation, &opened);
                }
                self.owner(&conversation, opened.session.as_ref());
                self.forget_sent(|pending| pending.conversation == conversation);
                self.writable.insert(conversation);
                self.pump(socket).await?;
            }
            Some(In::Session(update)) => {
                self.owner(&update.conversation, update.session.as_ref());
            }
            Some(In::Feed(feed)) => {
                for change in feed.changes {
                    if let Some(feed) = &mut self.feed {
                        feed.number = feed.number.max(change.number);
                    }
                    let Some(Change::Row(row)) = change.change else { continue };
                    let mine = row
                        .session
                        .as_ref()
                        .and_then(|session| session.owner.as_ref())
                        .is_some_and(|owner| self.is(&owner.id));
                    if mine && !self.timelines.contains_key(&row.conversation) {
                        let open = wire::Open {
                            conversation: row.conversation.clone(),
                            ..wire::Open::default()
                        };
                        socket.send(3, Out::Open(open)).await?;
                    }
                }
            }
            Some(In::Refusal(refusal)) => self.refused(&refusal),
            Some(In::Rejoin(rejoin)) => {
                self.wait_to_rejoin(&rejoin).await?;
                self.greet(socket, String::new()).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether something is missing before `seq` that may be.
    fn misses(&self, conversation: &str, seq: u64) -> bool {
        let timeline = self.timelines.get(conversation).filter(|_| self.plan.repairs);
        timeline.is_some_and(|timeline| seq > timeline.held + 1)
    }

    /// Asks for what is missing, now and then; what came too early comes again with it.
    async fn repair(&mut self, socket: &mut Socket, conversation: &str) -> Result<(), Gone> {
        let now = Instant::now();
        match self.repaired_at.get(conversation) {
            Some(at) if now < *at + REPAIR_EVERY => return Ok(()),
            _ => self.repaired_at.insert(conversation.to_owned(), now),
        };
        self.is_doing(&format!("misses something of {conversation:?}"));
        let position = self.timelines.get(conversation).and_then(Timeline::position);
        let held = wire::Held { conversation: conversation.to_owned(), position };
        socket.send(0, Out::Sync(wire::Sync { held: vec![held] })).await
    }

    fn is(&self, id: &str) -> bool {
        matches!(&self.plan.who, Who::Agent { id: own } if own == id)
    }

    fn owner(&mut self, conversation: &str, session: Option<&chat::Session>) {
        let Who::Agent { .. } = self.plan.who else { return };
        let owner = session.and_then(|session| session.owner.as_ref());
        let open = session.is_some_and(|s| s.status() == chat::SessionStatus::Assigned);
        self.owned.retain(|known| known != conversation);
        if open
            && owner.is_some_and(|owner| self.is(&owner.id))
            && self.timelines.contains_key(conversation)
        {
            self.owned.push(conversation.to_owned());
        }
    }

    fn refused(&mut self, refusal: &wire::Refusal) {
        let id = &refusal.client_msg_id;
        let Some(place) = self.outbox.iter().position(|pending| pending.id == id[..]) else {
            return;
        };
        let code = refusal.code.clone();
        if let Some(after_ms) = refusal.retry_after_ms {
            self.is_doing(&format!("was told {code}, tries again in {after_ms} ms"));
            self.note(Event::Later { code });
            let again_at = Instant::now() + Duration::from_millis(u64::from(after_ms));
            self.again_at = Some(self.again_at.map_or(again_at, |known| known.max(again_at)));
            self.outbox[place].sent_at = None;
        } else if let Some(pending) = self.outbox.remove(place) {
            let conversation = self.full_name(&pending.conversation);
            self.note(Event::Refused { conversation, text: pending.text, code });
        }
    }

    /// Asks for what may still be missing, and notes how far it holds its conversations.
    async fn catch_up(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let names: Vec<String> = self.timelines.keys().cloned().collect();
        for name in names {
            let mut asked = 0;
            self.is_doing(&format!("asks for {name:?}"));
            while let Some(code) = self.asked(socket, &name).await? {
                asked += 1;
                self.is_doing(&format!("asked {asked} times for {name:?}: {code}"));
                // Its owner is another one in a moment.
                sleep(Duration::from_millis(200)).await;
            }
            let seq = self.timelines.get(&name).map_or(0, |timeline| timeline.held);
            let conversation = self.full_name(&name);
            self.note(Event::Held { conversation, seq });
        }
        Ok(())
    }

    /// Asks for what may be missing of a conversation; tells by which code it has to be asked again.
    async fn asked(&mut self, socket: &mut Socket, name: &str) -> Result<Option<String>, Gone> {
        let position = self.timelines.get(name).and_then(Timeline::position);
        let asked = match self.plan.who {
            Who::Visitor { .. } => {
                let held = wire::Held { conversation: String::new(), position };
                Out::Sync(wire::Sync { held: vec![held] })
            }
            Who::Agent { .. } => Out::Open(wire::Open { conversation: name.to_owned(), position }),
        };
        self.asked_from = position;
        socket.send(CATCH_UP, asked).await?;
        let until = Instant::now() + STEP;
        let rejoins = self.report.rejoins;
        loop {
            let Ok(heard) = timeout_at(until, socket.hear()).await else {
                self.is_doing(&format!("got no answer about {name:?}"));
                return Err(Gone::Lost);
            };
            let frame = heard?;
            let answered = frame.r#ref == CATCH_UP;
            let later = match &frame.frame {
                Some(In::Refusal(refusal)) => refusal.retry_after_ms.map(|_| refusal.code.clone()),
                _ => None,
            };
            self.take(socket, frame).await?;
            if answered {
                return Ok(later);
            }
            if self.report.rejoins > rejoins {
                return Ok(Some("rejoined".to_owned()));
            }
        }
    }

    async fn finish(&mut self, socket: Socket) {
        for (name, timeline) in &self.timelines {
            self.report.recovered += timeline.recovered;
            self.report.reloaded += timeline.reloaded;
            self.report.conversations.push(self.full_name(name));
        }
        // Closing is a courtesy: the server may be on its way out.
        drop(timeout(STEP, socket.close()).await);
    }
}
