//! What the way from a frame to a proposal costs, and what it costs to find an agent.
//!
//! Expected on a 2-core machine: a proposal moves its text and makes three ids, below a microsecond. An
//! assignment looks at every agent once and at the queue's head, so it grows with the agents, not with
//! those who wait: a few microseconds for twenty.

use std::collections::BTreeSet;

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_core::{
    arena::Arena,
    chat::{self, Participant, ParticipantKind, Session, SessionStatus, content},
    id::{AccountId, ConversationId, IdSource, InboxId, SessionId, UserId},
    rights::Rights,
};
use frontdesk_protocol::wire::{self, Presence};
use frontdesk_router::{
    access::{Principal, PrincipalKind},
    desk::{AgentProfile, Desk, DeskSettings, InboxProfile, Input, Routing, Summary},
    propose::{Around, Proposer},
    screen::Screen,
};

const NOW_MS: i64 = 1_790_000_000_000;
const AGENTS: u8 = 20;

fn conversation(number: u32) -> ConversationId {
    let mut id = [0x20; 12];
    id[8..].copy_from_slice(&number.to_be_bytes());
    ConversationId::from_bytes(id)
}

fn inbox() -> InboxId {
    InboxId::from_bytes([200; 12])
}

fn propose(criterion: &mut Criterion) {
    let visitor = Principal {
        kind: PrincipalKind::Visitor,
        account: AccountId::from_bytes([1; 12]),
        id: "d4s0q1h2q5k3v8m6n750".to_owned(),
        name: String::new(),
        rights: Rights::none(),
        teams: Vec::new(),
        conversation: Some(conversation(1)),
    };
    let text = chat::Text { body: "x".repeat(200) };
    let content =
        chat::Content { kind: Some(content::Kind::Text(text)), ..chat::Content::default() };
    let send = wire::Send {
        client_msg_id: vec![7; 16].into(),
        content: Some(content),
        ..wire::Send::default()
    };
    let mut ids = IdSource::new([1, 2, 3], 4, 5);
    let (screen, mut arena, mut hits) = (Screen::default(), Arena::default(), Vec::new());
    criterion.bench_function("propose/send_200_bytes", |bencher| {
        bencher.iter(|| {
            let mut proposer = Proposer {
                ids: &mut ids,
                arena: &mut arena,
                screen: &screen,
                hits: &mut hits,
                now_ms: NOW_MS,
            };
            proposer
                .send(&visitor, conversation(1), send.clone(), Around::default())
                .expect("a visitor may write")
        });
    });
}

fn summary(number: u32, session: Session) -> Input {
    let (last_owner, skills) = (None, BTreeSet::new());
    let conversation = conversation(number);
    Input::Conversation(Box::new(Summary { conversation, session, last_owner, skills }))
}

fn session(number: u32) -> Session {
    let mut id = [0x30; 12];
    id[8..].copy_from_slice(&number.to_be_bytes());
    Session {
        id: SessionId::from_bytes(id).to_string(),
        number: 1,
        version: 1,
        status: SessionStatus::Queued.into(),
        inbox: inbox().to_string(),
        opened_at_ms: NOW_MS,
        queued_at_ms: NOW_MS,
        waiting_since_ms: NOW_MS,
        last_visitor_at_ms: NOW_MS,
        ..Session::default()
    }
}

/// Agents who are online, with this capacity each.
fn desk(capacity: u32) -> Desk {
    let mut desk = Desk::new(DeskSettings::default(), IdSource::new([1, 2, 3], 4, 5));
    let profile = InboxProfile {
        id: inbox(),
        routing: Routing::Auto,
        teams: BTreeSet::new(),
        open: true,
        intent_wait_ms: 0,
        bot: None,
    };
    desk.apply(NOW_MS, [Input::Inbox(profile)]);
    for number in 1..=AGENTS {
        let id = UserId::from_bytes([number; 12]);
        let profile = AgentProfile {
            id,
            name: format!("agent {number}"),
            teams: BTreeSet::new(),
            skills: BTreeSet::new(),
            capacity,
            enabled: true,
        };
        desk.apply(
            NOW_MS,
            [
                Input::Agent(profile),
                Input::Presence(id, Presence::Online),
                Input::Connected(id, true),
            ],
        );
    }
    desk
}

/// The session as it is once an agent has it.
fn assigned(session: &Session, agent: u8) -> Session {
    Session {
        version: session.version + 1,
        status: SessionStatus::Assigned.into(),
        owner: Some(Participant {
            kind: ParticipantKind::Agent.into(),
            id: UserId::from_bytes([agent; 12]).to_string(),
            ..Participant::default()
        }),
        assigned_at_ms: NOW_MS,
        first_answer_at_ms: NOW_MS,
        last_agent_at_ms: NOW_MS,
        waiting_since_ms: 0,
        ..session.clone()
    }
}

fn route(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    for (name, serving) in [("20_agents/idle", 0), ("20_agents/serving_1k", 1_000)] {
        let mut desk = desk(1_000);
        for number in 1..=serving {
            let agent = 1 + (number % u32::from(AGENTS)) as u8;
            desk.apply(NOW_MS, [summary(number, assigned(&session(number), agent))]);
        }
        let mut number = serving;
        // Somebody comes, an agent is found, the session ends.
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                number += 1;
                let queued = session(number);
                let output = desk.apply(NOW_MS, [summary(number, queued.clone())]);
                assert_eq!(output.proposals.len(), 1, "an agent is free");
                let version = queued.version + 1;
                let closed = SessionStatus::Closed.into();
                let closed = Session { version, status: closed, closed_at_ms: NOW_MS, ..queued };
                desk.apply(NOW_MS, [summary(number, closed)]);
                desk.apply(NOW_MS, [Input::Forgotten(conversation(number))])
            });
        });
    }
    group.finish();
}

criterion_group!(benches, propose, route);
criterion_main!(benches);
