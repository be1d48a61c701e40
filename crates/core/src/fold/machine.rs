//! Random proposals against the rules that hold whatever happens.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{
    Conversation, Folded, Verdict, ask,
    conversation::people_of,
    fold, for_reader,
    model::{CONVERSATION, Model, VISITOR, actor, assigned, person},
    session::{is_bots, is_open},
};
use crate::{
    chat::{self, Actor, ActorKind, Audience, SessionStatus, timeline_item::Item},
    store::{self, change::Change, proposal::Body},
    times::session_times,
};

/// One step of a run. Numbers are small, so that runs meet repeats, races and edges.
#[derive(Debug, Clone)]
enum Step {
    Send { by: usize, id: u8, other_text: bool, note: bool },
    Change { by: usize, version: Seen, overrides: bool, timeout: bool, change: Change },
    Cursor { by: usize, delivered_seq: u64, read_seq: u64 },
    Retract { by: usize, seq: u64 },
    Erase { from_seq: u64, to_seq: u64 },
    Wait { ms: i64 },
    Forget,
}

/// Which version of the session a change saw.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Any,
    Current,
    Older,
}

fn actors() -> Vec<Actor> {
    vec![
        actor(ActorKind::Visitor, VISITOR),
        actor(ActorKind::Agent, "ann"),
        actor(ActorKind::Agent, "bob"),
        actor(ActorKind::Agent, "cid"),
        actor(ActorKind::Bot, "bot"),
        actor(ActorKind::Api, "key"),
        Actor { kind: ActorKind::System as i32, ..Actor::default() },
    ]
}

const PEOPLE: [&str; 4] = ["ann", "bob", "cid", "bot"];
const TEAMS: [&str; 3] = ["", "sales", "support"];

fn change() -> impl Strategy<Value = Change> {
    let who = || prop::sample::select(&PEOPLE[..]);
    let team = || prop::sample::select(&TEAMS[..]);
    prop_oneof![
        3 => who().prop_map(assigned),
        2 => (who(), who(), any::<bool>()).prop_map(|(owner, former, take_over)| {
            Change::Assigned(chat::Assigned {
                owner: Some(person(owner)),
                former_owner: former.to_owned(),
                take_over,
            })
        }),
        2 => Just(Change::Assigned(chat::Assigned {
            owner: Some(chat::Participant {
                kind: chat::ParticipantKind::Bot.into(),
                ..person("bot")
            }),
            ..chat::Assigned::default()
        })),
        2 => team().prop_map(|team| {
            Change::Queued(chat::Queued { team: team.to_owned(), ..chat::Queued::default() })
        }),
        1 => who().prop_map(|to| Change::Transferred(chat::Transferred {
            to_owner: Some(person(to)),
            ..chat::Transferred::default()
        })),
        1 => team().prop_map(|team| Change::Transferred(chat::Transferred {
            to_team: team.to_owned(),
            ..chat::Transferred::default()
        })),
        3 => (0..4_i32).prop_map(|reason| Change::Closed(chat::Closed { reason })),
        1 => prop::option::of(who()).prop_map(|who| {
            Change::Reopened(chat::Reopened { owner: who.map(person) })
        }),
        1 => (0..7_u32).prop_map(|rating| {
            Change::Rated(chat::Rated { rating, comment: String::new() })
        }),
        1 => (team(), 0..4_i32, 0..6_u32).prop_map(|(team, source, priority)| {
            Change::IntentSet(chat::IntentSet {
                intent: format!("for {team}"),
                confidence: 0.5,
                to_team: team.to_owned(),
                source,
                priority,
                ..chat::IntentSet::default()
            })
        }),
        1 => (0..6_u32).prop_map(|priority| Change::PrioritySet(chat::PrioritySet { priority })),
        1 => who().prop_map(|who| {
            Change::Joined(chat::Joined { participant: Some(person(who)) })
        }),
        1 => who().prop_map(|who| Change::Left(chat::Left { participant_id: who.to_owned() })),
        1 => Just(Change::LabelsSet(chat::LabelsSet { labels: vec!["vip".to_owned()] })),
        1 => Just(Change::IdleWarned(chat::IdleWarned { closes_at_ms: 0 })),
        1 => prop_oneof![Just(0), Just(1_700_000_900_000_i64)]
            .prop_map(|until_ms| Change::Pended(chat::Pended { until_ms })),
        1 => (1..4_i64).prop_map(|deadline_ms| {
            Change::Unattended(chat::Unattended { deadline_ms })
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let by = || 0..actors().len();
    let seen = prop_oneof![3 => Just(Seen::Any), 2 => Just(Seen::Current), 1 => Just(Seen::Older)];
    prop_oneof![
        8 => (0..3_usize, 0..50_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.1))
            .prop_map(|(by, id, other_text, note)| Step::Send { by, id, other_text, note }),
        3 => (by(), 0..50_u8, Just(false), any::<bool>())
            .prop_map(|(by, id, other_text, note)| Step::Send { by, id, other_text, note }),
        6 => (by(), seen, any::<bool>(), any::<bool>(), change()).prop_map(
            |(by, version, overrides, timeout, change)| Step::Change {
                by, version, overrides, timeout, change,
            }
        ),
        2 => (by(), 0..60_u64, 0..60_u64).prop_map(|(by, delivered_seq, read_seq)| {
            Step::Cursor { by, delivered_seq, read_seq }
        }),
        1 => (by(), 0..40_u64).prop_map(|(by, seq)| Step::Retract { by, seq }),
        1 => (0..40_u64, 0..40_u64)
            .prop_map(|(from_seq, to_seq)| Step::Erase { from_seq, to_seq }),
        2 => (-5_000..20_000_i64).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Forget),
    ]
}

/// Turns a step into a proposal; `None` where it is something else.
fn proposal(model: &mut Model, step: Step) -> Option<store::Proposal> {
    let (by, body) = match step {
        Step::Send { by, id, other_text, note } => {
            let text = format!("text {id}{}", if other_text { "!" } else { "" });
            let audience = if note { Audience::Team } else { Audience::Everyone };
            let mut body = model.send(&[id; 16], &text, audience);
            if let Body::Send(store::Send { content: Some(content), .. }) = &mut body {
                // What the router would not let pass must do no harm either.
                let named = PEOPLE.iter().enumerate().filter(|(n, _)| id & 1 << n != 0);
                content.mentions = named.map(|(_, who)| (*who).to_owned()).collect();
            }
            (by, body)
        }
        Step::Change { by, version, overrides, timeout, change } => {
            let current = model.state.as_ref().and_then(Conversation::session);
            let current = current.map_or(0, |session| session.version);
            let version = match version {
                Seen::Any => 0,
                Seen::Current => current,
                Seen::Older => current.saturating_sub(1),
            };
            let mut body = model.change_body(version, change);
            body.overrides_owner = overrides;
            if timeout {
                body.cause = chat::Cause::Timeout as i32;
            }
            (by, Body::Change(body))
        }
        Step::Cursor { by, delivered_seq, read_seq } => {
            (by, Body::Cursor(store::CursorMove { delivered_seq, read_seq }))
        }
        Step::Retract { by, seq } => {
            let Body::Send(send) = model.send(&[], "", Audience::Everyone) else { return None };
            (by, Body::Retract(store::Retract { seq, id: send.id }))
        }
        Step::Erase { from_seq, to_seq } => (6, Body::Erase(store::Erase { from_seq, to_seq })),
        Step::Wait { ms } => {
            model.now_ms += ms;
            return None;
        }
        Step::Forget => {
            if let Some(state) = &mut model.state {
                state.forget_recent();
            }
            return None;
        }
    };
    Some(model.proposal(actors().swap_remove(by), body))
}

/// Folds with a state that was stored and read back before: it must come to the same.
fn folds_alike(model: &Model, proposal: &store::Proposal, folded: &Folded, state: &[u8]) {
    let Ok(before) = Conversation::decode(state) else { panic!("a stored state is readable") };
    let mut restarted = Some(before);
    let earlier = model.answer(ask(restarted.as_ref(), proposal));
    let again = fold(CONVERSATION, &mut restarted, proposal.clone(), earlier);
    assert_eq!(&again, folded);
    let (Some(restarted), Some(state)) = (restarted, &model.state) else {
        panic!("a conversation does not vanish")
    };
    assert_eq!(restarted.encode(), state.encode());
}

fn check_entries(model: &Model, folded: &Folded, last_seq: u64, last_at_ms: i64) {
    for (entry, seq) in folded.entries.iter().zip(last_seq + 1..) {
        assert_eq!(entry.seq, seq, "seqs are dense");
        assert!(entry.at_ms >= last_at_ms, "time never falls");
        assert!(!entry.session.is_empty());
    }
    for event in &folded.events {
        assert!(event.at_ms >= last_at_ms, "time never falls");
    }
    let state = model.state.as_ref().expect("folded");
    assert_eq!(state.last_seq(), last_seq + folded.entries.len() as u64);
    assert!(folded.replaced.iter().all(|entry| entry.seq <= last_seq));
}

fn check_session(model: &Model) {
    let session = model.session();
    let status = SessionStatus::try_from(session.status).expect("a known status");
    assert_eq!(
        session.status == SessionStatus::Queued as i32,
        is_open(session) && session.owner.is_none(),
        "an open session has an owner or a place in a queue"
    );
    match status {
        SessionStatus::Queued => assert!(session.waiting_since_ms > 0),
        SessionStatus::Pending => assert!(session.pending_until_ms > 0),
        SessionStatus::Assigned => assert_eq!(session.pending_until_ms, 0),
        SessionStatus::Closed => {
            assert_eq!(session.waiting_since_ms, 0);
            assert!(session.closed_at_ms > 0);
        }
        SessionStatus::Unspecified => panic!("a session has a status"),
    }
    assert!(!session.unattended || status == SessionStatus::Queued);
    let is_bots_now = is_open(session) && is_bots(session);
    assert!(!session.asked_for_person || !is_bots_now, "who asked for a person has no bot");
    assert!(session.priority <= 4);
    let mut ids: Vec<_> = session.participants.iter().map(|p| p.id.as_str()).collect();
    ids.extend(session.owner.iter().map(|owner| owner.id.as_str()));
    ids.sort_unstable();
    ids.dedup();
    let owners = usize::from(session.owner.is_some());
    assert_eq!(ids.len(), session.participants.len() + owners, "nobody stands there twice");
    let state = model.state.as_ref().expect("folded");
    assert_eq!(state.people(), &people_of(state.session())[..]);
}

fn check_events(model: &Model) {
    let mut versions: HashMap<&str, u32> = HashMap::new();
    for (event, number) in model.events.iter().zip(1..) {
        assert_eq!(event.number, number, "events are dense");
        assert_eq!(u64::from(event.version), number, "versions rise by one, over sessions too");
        versions.insert(&event.session, event.version);
    }
    let session = model.session();
    assert_eq!(versions.get(session.id.as_str()), Some(&session.version));
    let times = session_times(&model.events);
    assert_eq!(times.len(), session.number as usize);
    let Some((id, times)) = times.last() else { return };
    assert_eq!(*id, session.id);
    assert_eq!(times.opened_at_ms, session.opened_at_ms);
    assert_eq!(times.closed_at_ms, session.closed_at_ms);
    assert_eq!(times.first_answer_at_ms, session.first_answer_at_ms);
    if session.status == SessionStatus::Queued as i32 || times.waiting_since_ms() > 0 {
        assert_eq!(times.waiting_since_ms(), session.waiting_since_ms);
    }
}

fn check_readers(model: &Model) {
    let state = model.state.as_ref().expect("folded");
    for visitor in [false, true] {
        let mut next = 1;
        for item in for_reader(model.entries.iter().cloned(), !visitor, visitor) {
            match item.item.expect("an item is something") {
                Item::Entry(entry) => {
                    assert_eq!(entry.seq, next);
                    assert!(!visitor || entry.audience == Audience::Everyone as i32);
                    next += 1;
                }
                Item::Skip(skip) => {
                    assert!(visitor, "the team sees everything");
                    assert_eq!(skip.from_seq, next);
                    next = skip.to_seq + 1;
                }
            }
        }
        assert_eq!(next, state.last_seq() + 1, "every seq is covered once");
        for read_seq in [0, state.last_seq() / 2, state.last_seq()] {
            let unread = model
                .entries
                .iter()
                .filter(|entry| entry.seq > read_seq && is_message(entry, visitor));
            let counted = state.recent().unread(read_seq, visitor) as usize;
            assert_eq!(counted, unread.count());
        }
    }
}

/// Whoever a note mentions is told until the note is read, or its content is gone.
fn check_mentions(model: &Model) {
    let state = model.state.as_ref().expect("folded");
    for who in PEOPLE {
        let read_seq = state.cursor(who).map_or(0, |cursor| cursor.read_seq);
        let told = model.entries.iter().any(|entry| {
            let Some(chat::entry::Body::Content(content)) = &entry.body else { return false };
            let author = entry.actor.as_ref().is_some_and(|actor| actor.id == who);
            let named = content.mentions.iter().any(|named| named == who);
            named && !author && entry.seq > read_seq && entry.audience == Audience::Team as i32
        });
        assert_eq!(state.is_mentioned(who), told, "{who}");
    }
}

/// Whether a reader has this to read: something the other side said to them.
fn is_message(entry: &chat::Entry, visitor: bool) -> bool {
    let by_visitor =
        entry.actor.as_ref().is_some_and(|actor| actor.kind == ActorKind::Visitor as i32);
    let said = matches!(
        &entry.body,
        Some(chat::entry::Body::Content(content))
            if matches!(content.kind, Some(chat::content::Kind::Text(_)))
    );
    said && by_visitor != visitor && entry.audience == Audience::Everyone as i32
}

fn check_dedupe(
    places: &mut HashMap<(String, Vec<u8>), u64>,
    proposal: &store::Proposal,
    folded: &Folded,
) {
    let (Some(actor), Some(Body::Send(send))) = (&proposal.actor, &proposal.body) else { return };
    let key = (actor.id.clone(), send.client_msg_id.to_vec());
    match folded.verdict {
        Verdict::Accepted { seq, .. } => {
            assert_eq!(places.insert(key, seq), None, "a message has one place");
        }
        Verdict::Repeat { seq, .. } => assert_eq!(places.get(&key), Some(&seq)),
        _ => {}
    }
}

fn check_nothing_changed(model: &Model, folded: &Folded, state: &[u8]) {
    if matches!(folded.verdict, Verdict::Accepted { .. } | Verdict::Done) {
        return;
    }
    assert!(folded.entries.is_empty() && folded.events.is_empty());
    assert!(folded.replaced.is_empty() && folded.cursor.is_none());
    let after = model.state.as_ref().expect("folded").encode();
    assert_eq!(after, state, "what is refused changes nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_proposed_the_rules_hold(steps in prop::collection::vec(step(), 1..90)) {
        let mut model = Model::new();
        model.say(actors().swap_remove(0), "hello");
        let mut places = HashMap::new();
        for step in steps {
            let Some(proposal) = proposal(&mut model, step) else { continue };
            let state = model.state.as_ref().expect("created");
            let (last_seq, last_at_ms) = (state.last_seq(), state.last_at_ms());
            let before = state.encode();
            let earlier = model.answer(ask(Some(state), &proposal));
            let folded = fold(CONVERSATION, &mut model.state, proposal.clone(), earlier);
            folds_alike(&model, &proposal, &folded, &before);
            check_nothing_changed(&model, &folded, &before);
            model.store(&folded);
            check_entries(&model, &folded, last_seq, last_at_ms);
            check_dedupe(&mut places, &proposal, &folded);
            check_session(&model);
            check_mentions(&model);
        }
        check_events(&model);
        check_readers(&model);
    }

    #[test]
    fn of_takes_that_race_exactly_one_wins(racers in prop::collection::vec(0..3_usize, 2..6)) {
        let mut model = Model::new();
        model.say(actors().swap_remove(0), "hello");
        let first = PEOPLE[racers[0]];
        for (turn, racer) in racers.into_iter().enumerate() {
            let who = PEOPLE[racer];
            let folded = model.change_at(2, actor(ActorKind::Agent, who), assigned(who));
            match folded.verdict {
                Verdict::Done => prop_assert_eq!(turn, 0),
                Verdict::Unchanged => prop_assert_eq!(who, first),
                Verdict::Refused(refused) => {
                    prop_assert_eq!(refused.detail(), first.to_uppercase());
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(&model.session().owner, &Some(person(first)));
    }

    #[test]
    fn bytes_from_anywhere_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(state) = Conversation::decode(&bytes) {
            prop_assert!(Conversation::decode(&state.encode()).is_ok());
        }
    }
}
