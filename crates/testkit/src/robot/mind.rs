//! What goes on in a robot: what it wants to say, what it has seen, and what it does about either.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use frontdesk_core::chat::{self, TimelineItem, timeline_item::Item};
use frontdesk_protocol::{
    close::CloseAction,
    wire::{self, client_frame::Frame as Out, feed_change::Change, server_frame::Frame as In},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout, timeout_at},
};

use super::{Phase, Plan, Report, STEP, Who};
use crate::{
    Gone, Recorder, Rng, Socket, Timeline,
    checker::Event,
    live::{message_id, text},
    timeline::{first_seq, text_of},
};

/// First and longest wait before connecting again: those of the real client, scaled down.
const BACKOFF: (u64, u64) = (50, 2_000);
/// A message without an ack is sent again after this time while the connection lives, as the real client
/// does (`ACK_MS`).
const ACK_WAIT: Duration = Duration::from_secs(20);
/// Messages that may be without an answer, as the real client does it.
const IN_FLIGHT_MAX: usize = 64;
/// How often something missing is asked for, at most; the real client waits for what is late first.
const REPAIR_EVERY: Duration = Duration::from_secs(1);
/// Reference of the last questions.
const CATCH_UP: u32 = 9;
/// What is remembered of what a robot did last.
const DOING_MAX: usize = 60;

#[derive(Debug)]
pub(super) struct Pending {
    conversation: String,
    id: [u8; 16],
    text: String,
    /// When it went out on this connection, while it waits for its answer.
    sent_at: Option<Instant>,
}

pub(super) struct Mind {
    pub(super) plan: Plan,
    recorder: Arc<Recorder>,
    pub(super) token: String,
    pub(super) own_conversation: String,
    pub(super) resume_token: String,
    /// The position that goes with the open question.
    asked_from: Option<wire::Position>,
    pub(super) feed: Option<wire::FeedPosition>,
    /// By conversation as the wire names it: "" for a visitor.
    pub(super) timelines: HashMap<String, Timeline>,
    /// When something missing of a conversation was asked for.
    repaired_at: HashMap<String, Instant>,
    /// Conversations that are open on this connection.
    pub(super) writable: HashSet<String>,
    /// Conversations an agent answers in.
    pub(super) owned: Vec<String>,
    outbox: VecDeque<Pending>,
    sent: u64,
    turn: usize,
    /// When refused messages may go again.
    pub(super) again_at: Option<Instant>,
    pub(super) report: Report,
    rng: Rng,
    quiet: watch::Sender<bool>,
    doing: watch::Sender<VecDeque<String>>,
    started: Instant,
}

impl Mind {
    pub(super) fn new(
        plan: Plan,
        recorder: &Arc<Recorder>,
        quiet: watch::Sender<bool>,
        doing: watch::Sender<VecDeque<String>>,
    ) -> Self {
        let seed = plan.name.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte));
        Self {
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
            quiet,
            doing,
            started: Instant::now(),
            plan,
        }
    }

    pub(super) async fn live(mut self, mut phases: watch::Receiver<Phase>) -> Report {
        let mut attempt = 0;
        loop {
            match self.connect().await {
                Err(why) => self.is_doing(&why),
                Ok(mut socket) => {
                    self.report.connections += 1;
                    self.note(Event::Live);
                    attempt = 0;
                    self.is_doing(&format!("is connected, {} unacked", self.outbox.len()));
                    match self.chat(&mut socket, &mut phases).await {
                        Ok(()) => {
                            self.finish(socket).await;
                            return self.report;
                        }
                        Err(gone) => self.lost(&gone),
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

    fn lost(&mut self, gone: &Gone) {
        self.is_doing(&format!("lost its connection: {gone:?}"));
        self.note(Event::Gone { code: gone.code() });
        match CloseAction::of(gone.code()) {
            CloseAction::Reconnect => {}
            CloseAction::NewTicket => self.resume_token.clear(),
            CloseAction::Stop => panic!("{}: told to stop: {gone:?}", self.name()),
        }
    }

    fn name(&self) -> &str {
        &self.plan.name
    }

    pub(super) fn is_doing(&self, what: &str) {
        let at = self.started.elapsed().as_secs_f32();
        self.doing.send_modify(|doing| {
            if doing.len() == DOING_MAX {
                doing.pop_front();
            }
            doing.push_back(format!("{at:.1} {what}"));
        });
    }

    pub(super) fn note(&self, event: Event) {
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

    pub(super) fn opened(&mut self, conversation: &str, opened: &wire::Opened) {
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
    pub(super) async fn pump(&mut self, socket: &mut Socket) -> Result<(), Gone> {
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
    pub(super) fn forget_sent(&mut self, is_meant: impl Fn(&Pending) -> bool) {
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
