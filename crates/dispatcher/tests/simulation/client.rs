//! A client: talks to whichever node serves its conversation, sends again under the same id when no answer comes,
//! and after every interruption resumes where it was.

use std::{cell::RefMut, rc::Rc, time::Duration};

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, Actor},
    id::ConversationId,
    partition_of,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::spawn_local,
    time::{sleep, timeout},
};
use turmoil::net::{TcpStream, tcp::OwnedWriteHalf};

use crate::{
    chance::Chance,
    faults,
    journal::Journal,
    model,
    wire::{BYTES, ClientMsgId, Deed, Message, PORT, Part, now_ms, open, post},
    world::{MESSAGES, NODES, PARTITIONS, World},
};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(120);
const RECONNECT_AFTER: Duration = Duration::from_millis(30);
const TICK: Duration = Duration::from_millis(20);
/// Silence after which a connection is given up, of the node and about what was said: a segment that turmoil
/// drops never comes, and all behind it waits. And silence after which a message is sent again.
const SILENCE_MS: i64 = 400;
const UNANSWERED_MS: i64 = 1_200;
const RESEND_AFTER_MS: i64 = 250;
/// When all faults have ended and their traces have, too.
const LAST_FROM_MS: i64 = faults::END_MS as i64 + 1_500;
/// Messages without an answer.
const PENDING_MAX: usize = 4;

impl Part {
    pub(crate) fn id(self) -> ConversationId {
        model::conversation(self.conversation)
    }

    pub(crate) fn partition(self) -> u16 {
        partition_of(&self.id(), PARTITIONS)
    }

    pub(crate) fn actor(self) -> Actor {
        if self.is_agent { model::agent() } else { model::visitor(self.conversation) }
    }
}

struct Pending {
    id: ClientMsgId,
    text: String,
    sent_ms: i64,
}

struct Client {
    world: Rc<World>,
    part: Part,
    chance: Chance,
    /// Messages that were not sent yet.
    left: u64,
    pending: Vec<Pending>,
    /// The newest place it knows; `None` before the first welcome.
    held: Option<u64>,
    is_welcome: bool,
    answered_ms: i64,
    /// An agent who has taken the session, as far as it knows.
    is_owner: bool,
}

/// Talks until the run ends.
pub(crate) async fn talk(world: Rc<World>, part: Part) -> turmoil::Result {
    let purpose = 1_000 + u64::from(part.conversation) * 2 + u64::from(part.is_agent);
    let chance = Chance::new(world.seed, purpose);
    let (pending, left) = (Vec::new(), MESSAGES);
    let (held, is_welcome, is_owner, answered_ms) = (None, false, false, 0);
    let mut client =
        Client { world, part, chance, left, pending, held, is_welcome, answered_ms, is_owner };
    loop {
        let node = client.chance.pick(&NODES);
        if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect((node, PORT))).await {
            client.converse(stream).await;
        }
        sleep(RECONNECT_AFTER).await;
    }
}

impl Client {
    fn journal(&self) -> RefMut<'_, Journal> {
        self.world.journal.borrow_mut()
    }

    /// One connection, until it ends or is silent.
    async fn converse(&mut self, stream: TcpStream) {
        let (mut read, mut write) = stream.into_split();
        let (frames, mut received) = mpsc::unbounded_channel();
        let reading = spawn_local(async move {
            let mut bytes = [0; BYTES];
            while read.read_exact(&mut bytes).await.is_ok() {
                if frames.send(open(bytes)).is_err() {
                    return;
                }
            }
        });
        self.is_welcome = false;
        let hello = Message::Hello { part: self.part, held: self.held };
        let mut is_up = write.write_all(&post(hello)).await.is_ok();
        let mut heard_ms = now_ms();
        self.answered_ms = now_ms();
        while is_up && now_ms() - heard_ms < SILENCE_MS && !self.is_unanswered() {
            match timeout(TICK, received.recv()).await {
                Ok(Some(frame)) => {
                    heard_ms = now_ms();
                    is_up = self.take(frame);
                }
                Ok(None) => is_up = false,
                Err(_) => {}
            }
            is_up = is_up && (!self.is_welcome || self.speak(&mut write).await);
        }
        reading.abort();
    }

    fn is_unanswered(&self) -> bool {
        (!self.is_welcome || !self.pending.is_empty())
            && now_ms() - self.answered_ms >= UNANSWERED_MS
    }

    /// Takes a frame; whether the connection goes on.
    fn take(&mut self, frame: Message) -> bool {
        match frame {
            Message::Elsewhere => return false,
            Message::Alive => return true,
            Message::Welcome { conversation, recovered, entries } => {
                self.begin(conversation, recovered, &entries);
            }
            Message::Entries { conversation, entries } => self.follow(conversation, &entries),
            Message::Ack { id, seq } => {
                self.answered(&id);
                let key = (self.part, id);
                self.journal().acked(&key, seq);
            }
            Message::Rejected { id } => {
                self.answered(&id);
                self.is_owner = false;
            }
            // Sent again in a while.
            Message::Failed => {}
            other => panic!("a client was sent {other:?}"),
        }
        self.answered_ms = now_ms();
        true
    }

    fn answered(&mut self, id: &ClientMsgId) {
        self.pending.retain(|pending| pending.id != *id);
    }

    /// I6: a resume gives exactly what was missed, or says that it does not and everything is loaded again.
    fn begin(&mut self, conversation: u8, recovered: bool, entries: &[chat::Entry]) {
        let (part, held) = (self.part, self.held);
        self.is_welcome = true;
        let first = match held {
            Some(held) if recovered => held + 1,
            _ => entries.first().map_or(1, |entry| entry.seq),
        };
        let mut journal = self.journal();
        if (first..).zip(entries).any(|(seq, entry)| seq != entry.seq) {
            let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
            journal.violation(format!("I6: {part:?} at {held:?} was given {seqs:?}"));
        }
        if !recovered {
            journal.timelines.remove(&part);
        }
        for entry in entries {
            journal.show(part, conversation, entry);
        }
        drop(journal);
        self.held = Some(first + entries.len() as u64 - 1);
        // Whether they arrived is not known.
        for pending in &mut self.pending {
            pending.sent_ms = i64::MIN / 2;
        }
    }

    /// I3: what comes is what comes next; an owner that was behind may tell what is known.
    fn follow(&mut self, conversation: u8, entries: &[chat::Entry]) {
        let part = self.part;
        for entry in entries {
            let held = self.held.unwrap_or_default();
            let mut journal = self.world.journal.borrow_mut();
            if entry.seq > held + 1 {
                journal.violation(format!("I3: {part:?} at {held} was given {}", entry.seq));
            }
            journal.show(part, conversation, entry);
            self.held = Some(held.max(entry.seq));
        }
    }

    /// Says what there is to say; whether the connection takes it.
    async fn speak(&mut self, write: &mut OwnedWriteHalf) -> bool {
        let mut frames = Vec::new();
        let knows_of_it = !self.part.is_agent || self.held > Some(0);
        if knows_of_it && self.part.is_agent && !self.is_owner {
            self.is_owner = true;
            frames.push(Message::Do(Deed::Assign));
        }
        if knows_of_it && self.chance.one_in(10) {
            for _ in 0..self.chance.within(1, 4) {
                self.compose();
            }
        }
        for pending in &mut self.pending {
            if now_ms() - pending.sent_ms >= RESEND_AFTER_MS {
                pending.sent_ms = now_ms();
                let (id, text) = (pending.id.clone(), pending.text.clone());
                frames.push(Message::Send { id, text });
            }
        }
        if self.chance.one_in(20) && self.left > 0 {
            frames.extend(self.deed().map(Message::Do));
        }
        if self.left == 0 && self.pending.is_empty() {
            let part = self.part;
            self.journal().done.insert(part);
        }
        for frame in frames {
            if write.write_all(&post(frame)).await.is_err() {
                return false;
            }
        }
        true
    }

    fn compose(&mut self) {
        // An owner that does nothing does not see that others appended: it notices by its next append. The
        // last message is what makes everybody notice.
        let is_early = self.left == 1 && now_ms() < LAST_FROM_MS;
        if self.left == 0 || is_early || self.pending.len() >= PENDING_MAX {
            return;
        }
        self.left -= 1;
        let Part { conversation, is_agent } = self.part;
        // Those of a visitor rise, so that nobody has to be asked for them; an agent's are random.
        let chance = if is_agent { self.chance.next() << 16 } else { 0 };
        let tail = u64::from(conversation) << 8 | (MESSAGES - self.left);
        let id =
            Bytes::copy_from_slice(&(u128::from(chance) << 64 | u128::from(tail)).to_be_bytes());
        let text = format!("{} of {conversation}, agent: {is_agent}", MESSAGES - self.left);
        let key = (self.part, id.clone());
        self.journal().attempts.insert(key, text.clone());
        if self.pending.is_empty() {
            self.answered_ms = now_ms();
        }
        self.pending.push(Pending { id, text, sent_ms: i64::MIN / 2 });
    }

    fn deed(&mut self) -> Option<Deed> {
        let part = self.part;
        // An agent closes a session now and then: the next message of the visitor opens another.
        let kind = self.chance.below(if part.is_agent { 8 } else { 6 });
        let nth = self.chance.next();
        let journal = self.journal();
        let own: Vec<u64> =
            journal.acks.iter().filter(|((of, _), _)| *of == part).map(|(_, seq)| *seq).collect();
        match kind {
            0..4 if own.is_empty() => None,
            0..4 => Some(Deed::Retract(own[(nth % own.len() as u64) as usize])),
            4 | 5 => Some(Deed::Read(self.held.unwrap_or_default())),
            6 => Some(Deed::Assign),
            _ => Some(Deed::Close),
        }
    }
}
