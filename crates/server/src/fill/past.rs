//! What was said in a year: conversations of all lengths, each with its sessions, as proposals of the times
//! they stand for.
//!
//! A thousand conversations go on side by side; in each turn everybody says one line. Of a conversation
//! every 25 lines are a session: opened by the visitor, assigned, answered in turns, closed. The newest
//! conversations are left open, most of them assigned and answered, some waiting in the queue.

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Audience, CloseReason, Participant, ParticipantKind},
    id::{AccountId, ConversationId, IdSource, InboxId, MessageId, SessionId, TeamId, VisitorId},
    store::{self, Proposal, change::Change, proposal::Body},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// From the first line to the last.
const YEAR_MS: i64 = 365 * DAY_MS;
/// Between two lines of a conversation.
const LINE_MS: i64 = 20_000;
/// Conversations that go on side by side.
const BLOCK: u64 = 1_000;
/// Lines of a session.
const SESSION: u64 = 25;
/// How long conversations are, in tenths of the mean.
const TENTHS: [u64; 10] = [3, 5, 6, 7, 8, 9, 11, 13, 16, 22];
/// Of a hundred conversations, how many are left open; of ten of those one waits in the queue.
const OPEN_PERCENT: u64 = 3;
/// Bytes of a line.
const TEXT_BYTES: usize = 200;
/// What lines are made of.
const WORDS: [&str; 32] = [
    "order",
    "parcel",
    "Tuesday",
    "refund",
    "colour",
    "larger",
    "size",
    "invoice",
    "address",
    "thanks",
    "please",
    "yesterday",
    "number",
    "would",
    "arrive",
    "before",
    "cannot",
    "find",
    "payment",
    "card",
    "again",
    "teapot",
    "broken",
    "exchange",
    "within",
    "days",
    "label",
    "return",
    "gift",
    "could",
    "you",
    "when",
];

/// Whose past it is.
#[derive(Debug)]
pub(super) struct People {
    pub(super) account: AccountId,
    pub(super) inbox: InboxId,
    pub(super) team: TeamId,
    pub(super) agents: Vec<Actor>,
}

/// How much there was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) messages: u64,
    pub(super) conversations: u64,
}

/// What was made so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) messages: u64,
    pub(super) conversations: u64,
}

/// Turns, from the oldest on.
#[derive(Debug)]
pub(super) struct Past {
    people: People,
    shape: Shape,
    ids: IdSource,
    /// When the first line of all is said, and from one block to the next.
    begin_ms: i64,
    block_ms: i64,
    block: Vec<Conversation>,
    /// Blocks begun, and turns of this one.
    blocks: u64,
    turns: i64,
    written: Written,
}

/// A conversation of the block.
#[derive(Debug)]
struct Conversation {
    id: ConversationId,
    visitor: Actor,
    agent: Actor,
    lines: u64,
    said: u64,
    end: End,
}

/// How it is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Answered,
    Queued,
}

impl Past {
    pub(super) fn new(people: People, shape: Shape, now_ms: i64) -> Self {
        let longest = (shape.messages / shape.conversations + 1) * 3;
        let last_ms = i64::try_from(longest).unwrap_or(i64::MAX).saturating_mul(LINE_MS);
        let begin_ms = now_ms - YEAR_MS - last_ms;
        let blocks = i64::try_from(shape.conversations.div_ceil(BLOCK)).unwrap_or(i64::MAX);
        Self {
            people,
            shape,
            ids: IdSource::new([0; 3], 0, 1),
            begin_ms,
            block_ms: YEAR_MS / blocks,
            block: Vec::new(),
            blocks: 0,
            turns: 0,
            written: Written::default(),
        }
    }

    /// The time of the newest turn.
    pub(super) fn now_ms(&self) -> i64 {
        let block = i64::try_from(self.blocks).unwrap_or(i64::MAX);
        self.begin_ms + block * self.block_ms + self.turns * LINE_MS
    }

    /// What was made so far.
    pub(super) fn written(&self) -> Written {
        self.written
    }

    /// Adds the next turn; false where nothing is left to say.
    pub(super) fn next_turn(&mut self, out: &mut Vec<(ConversationId, Proposal)>) -> bool {
        if self.block.is_empty() && !self.next_block() {
            return false;
        }
        let now_ms = self.now_ms();
        let mut block = std::mem::take(&mut self.block);
        for (at_ms, conversation) in (now_ms..).zip(&mut block) {
            self.line(conversation, at_ms, out);
        }
        block.retain(|conversation| conversation.said < conversation.lines);
        self.block = block;
        self.turns += 1;
        true
    }

    /// The next conversations; false where there were enough.
    fn next_block(&mut self) -> bool {
        let Shape { messages, conversations } = self.shape;
        let left = conversations - self.written.conversations;
        if left == 0 {
            return false;
        }
        self.blocks += 1;
        self.turns = 0;
        let now_ms = self.now_ms();
        let first_open = conversations - conversations * OPEN_PERCENT / 100;
        for _ in 0..left.min(BLOCK) {
            let number = self.written.conversations;
            let tenths = TENTHS[number as usize % TENTHS.len()];
            let lines = (messages * tenths / (conversations * 10)).max(1);
            let visitor: VisitorId = self.ids.next(now_ms);
            let end = match number {
                _ if number < first_open => End::Closed,
                _ if number.is_multiple_of(10) => End::Queued,
                _ => End::Answered,
            };
            // Who waits has just begun a session.
            let lines = if end == End::Queued { lines / SESSION * SESSION + 1 } else { lines };
            self.block.push(Conversation {
                id: self.ids.next(now_ms),
                visitor: Actor {
                    kind: ActorKind::Visitor.into(),
                    id: visitor.to_string(),
                    name: String::new(),
                },
                agent: self.people.agents[number as usize % self.people.agents.len()].clone(),
                lines,
                said: 0,
                end,
            });
            self.written.conversations += 1;
        }
        true
    }

    /// One line of a conversation, and what becomes of its session.
    fn line(
        &mut self,
        conversation: &mut Conversation,
        at_ms: i64,
        out: &mut Vec<(ConversationId, Proposal)>,
    ) {
        let place = conversation.said % SESSION;
        conversation.said += 1;
        let last = conversation.said == conversation.lines;
        let by_visitor = place.is_multiple_of(2);
        let by = if by_visitor { &conversation.visitor } else { &conversation.agent };
        let send = self.send(conversation, at_ms);
        let id = conversation.id;
        out.push(propose(id, by.clone(), at_ms, Body::Send(send)));
        if place == 0 && !(last && conversation.end == End::Queued) {
            let owner = Participant {
                kind: ParticipantKind::Agent.into(),
                id: conversation.agent.id.clone(),
                name: conversation.agent.name.clone(),
            };
            let assigned = chat::Assigned { owner: Some(owner), ..chat::Assigned::default() };
            let system = Actor { kind: ActorKind::System.into(), ..Actor::default() };
            let body = self.change(Change::Assigned(assigned), at_ms);
            out.push(propose(id, system, at_ms, body));
        }
        // The visitor of an open conversation has an answer.
        if last && by_visitor && conversation.end == End::Answered {
            let send = self.send(conversation, at_ms);
            out.push(propose(id, conversation.agent.clone(), at_ms, Body::Send(send)));
        }
        if place + 1 == SESSION && !last || last && conversation.end == End::Closed {
            let closed = chat::Closed { reason: CloseReason::Agent.into() };
            let body = self.change(Change::Closed(closed), at_ms);
            out.push(propose(id, conversation.agent.clone(), at_ms, body));
        }
    }

    fn send(&mut self, conversation: &Conversation, at_ms: i64) -> store::Send {
        let id: MessageId = self.ids.next(at_ms);
        let session: SessionId = self.ids.next(at_ms);
        self.written.messages += 1;
        let number = self.written.messages;
        let client_msg_id = u128::from(at_ms.unsigned_abs()) << 64 | u128::from(number);
        let kind = Some(chat::content::Kind::Text(chat::Text { body: text(number) }));
        let origin = (conversation.said == 1).then(|| store::Origin {
            account: self.people.account.to_string(),
            inbox: self.people.inbox.to_string(),
            visitor: conversation.visitor.id.clone(),
            language: "en".to_owned(),
            page_url: format!("https://shop.example/products/{}", number % 997),
            referrer: "https://search.example/".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0".to_owned(),
            ..store::Origin::default()
        });
        store::Send {
            id: Bytes::copy_from_slice(id.as_bytes()),
            client_msg_id: Bytes::copy_from_slice(&client_msg_id.to_be_bytes()),
            audience: Audience::Everyone.into(),
            content: Some(chat::Content { kind, ..chat::Content::default() }),
            origin: origin.map(Box::new),
            new_session: Bytes::copy_from_slice(session.as_bytes()),
            new_session_team: self.people.team.to_string(),
        }
    }

    fn change(&mut self, change: Change, at_ms: i64) -> Body {
        let entry: MessageId = self.ids.next(at_ms);
        Body::Change(store::Change {
            cause: chat::Cause::Rule.into(),
            entry_id: Bytes::copy_from_slice(entry.as_bytes()),
            overrides_owner: true,
            change: Some(change),
            ..store::Change::default()
        })
    }
}

fn propose(
    conversation: ConversationId,
    actor: Actor,
    at_ms: i64,
    body: Body,
) -> (ConversationId, Proposal) {
    let id = Bytes::copy_from_slice(conversation.as_bytes());
    (conversation, Proposal { conversation: id, actor: Some(actor), at_ms, body: Some(body) })
}

/// A line unlike others, so that compression finds in it what it finds in people's.
fn text(number: u64) -> String {
    let mut body = format!("{number}");
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while body.len() < TEXT_BYTES {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.push(' ');
        body.push_str(WORDS[state as usize % WORDS.len()]);
    }
    body.truncate(TEXT_BYTES);
    body
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use frontdesk_core::{
        chat::SessionStatus,
        fold::{self, Verdict},
    };

    use super::*;

    #[test]
    fn a_past_folds_to_closed_and_open_sessions_of_the_team() {
        let mut ids = IdSource::new([1; 3], 1, 1);
        let now_ms = 1_800_000_000_000;
        let agent = |n: usize| Actor {
            kind: ActorKind::Agent.into(),
            id: format!("agent-{n}"),
            name: format!("Agent {n}"),
        };
        let people = People {
            account: ids.next(now_ms),
            inbox: ids.next(now_ms),
            team: ids.next(now_ms),
            agents: (0..20).map(agent).collect(),
        };
        let team = people.team.to_string();
        let shape = Shape { messages: 60_000, conversations: 2_000 };
        let mut past = Past::new(people, shape, now_ms);
        let mut states = HashMap::new();
        let mut turn = Vec::new();
        let mut last_ms = 0;
        while past.next_turn(&mut turn) {
            for (conversation, proposal) in turn.drain(..) {
                let (at_ms, state) = (proposal.at_ms, states.entry(conversation).or_default());
                assert!(at_ms <= now_ms);
                last_ms = last_ms.max(at_ms);
                let folded = fold::fold(conversation, state, proposal, None);
                assert!(!matches!(folded.verdict, Verdict::Refused(_)), "{:?}", folded.verdict);
            }
        }
        assert!(now_ms - last_ms < DAY_MS, "the newest is of today");
        let mut found = HashMap::new();
        for state in states.values().flatten() {
            let session = state.session().expect("a session");
            assert_eq!(session.team, team);
            *found.entry(session.status()).or_insert(0) += 1;
            if session.status() == SessionStatus::Assigned {
                assert_eq!(session.waiting_since_ms, 0, "who has an agent has an answer");
            }
        }
        let expected = [
            (SessionStatus::Closed, 1_940),
            (SessionStatus::Assigned, 54),
            (SessionStatus::Queued, 6),
        ];
        assert_eq!(found, HashMap::from(expected));
        let messages = past.written().messages;
        assert!(messages.abs_diff(60_000) < 600, "{messages}");
        assert!(!past.next_turn(&mut turn) && turn.is_empty());
    }
}
