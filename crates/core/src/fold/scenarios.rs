//! The fold's rules, one sentence each.

use super::{
    Conversation, Refused, Verdict, concerns_visitor, for_reader,
    model::{
        Model, VISITOR, actor, agent, assigned, closed, person, refused, seq, system, visitor,
    },
    session_for_visitor,
};
use crate::{
    chat::{
        self, ActorKind, Audience, CloseReason, SessionStatus, session_event::Change as Event,
        timeline_item::Item,
    },
    limits::{MENTIONS_UNREAD_MAX, SENDERS_MAX},
    store::{self, change::Change, proposal::Body},
    times::session_times,
};

fn take_over(owner: &str) -> Change {
    Change::Assigned(chat::Assigned {
        owner: Some(person(owner)),
        take_over: true,
        ..chat::Assigned::default()
    })
}

fn queued(team: &str) -> Change {
    Change::Queued(chat::Queued { team: team.to_owned(), ..chat::Queued::default() })
}

fn to_agent(owner: &str) -> Change {
    let to_owner = Some(person(owner));
    Change::Transferred(chat::Transferred { to_owner, ..chat::Transferred::default() })
}

fn to_team(team: &str) -> Change {
    let to_team = team.to_owned();
    Change::Transferred(chat::Transferred { to_team, ..chat::Transferred::default() })
}

fn intent(name: &str, source: chat::IntentSource, priority: u32) -> Change {
    Change::IntentSet(chat::IntentSet {
        intent: name.to_owned(),
        source: source.into(),
        priority,
        ..chat::IntentSet::default()
    })
}

#[test]
fn the_first_message_creates_the_conversation_and_queues_a_session() {
    let mut model = Model::new();
    let folded = model.say(visitor(), "hello");
    assert!(folded.created);
    assert_eq!(seq(&folded), 1);
    let kinds: Vec<_> = folded.events.iter().map(|event| event.change.clone()).collect();
    assert!(matches!(kinds[..], [Some(Event::Opened(_)), Some(Event::Queued(_))]));
    let session = model.session();
    assert_eq!((session.number, session.version), (1, 2));
    assert_eq!((session.team.as_str(), session.inbox.as_str()), ("sales", "inbox"));
    assert_eq!(session.waiting_since_ms, model.now_ms);
    assert_eq!(model.entries[0].session, session.id);
    assert!(!model.say(visitor(), "again").created);
}

#[test]
fn only_a_message_with_an_origin_creates_a_conversation() {
    let mut model = Model::new();
    let body = model.change_body(0, assigned("ann"));
    let change = model.propose(agent("ann"), Body::Change(body));
    assert_eq!(refused(&change), Some("conversation.unknown"));
    let Body::Send(mut send) = model.send(&[1; 16], "hello", Audience::Everyone) else {
        unreachable!("send() makes a send")
    };
    send.origin = None;
    let folded = model.propose(visitor(), Body::Send(send));
    assert_eq!(refused(&folded), Some("conversation.unknown"));
    assert_eq!(refused(&model.say(agent("ann"), "hello")), Some("conversation.unknown"));
    assert!(model.state.is_none());
}

#[test]
fn a_visitor_cannot_reach_the_conversation_of_another() {
    let mut model = Model::served_by("ann");
    let stranger = actor(ActorKind::Visitor, "stranger");
    assert_eq!(refused(&model.say(stranger, "hello")), Some("conversation.unknown"));
}

#[test]
fn a_repeat_gets_its_first_place_and_other_content_is_refused() {
    let mut model = Model::new();
    let body = model.send(&[7; 16], "once", Audience::Everyone);
    assert_eq!(seq(&model.propose(visitor(), body)), 1);
    model.say(visitor(), "more");
    // From memory, then from the history.
    for forget in [false, true] {
        if forget {
            model.state.as_mut().expect("created").forget_recent();
        }
        let body = model.send(&[7; 16], "once", Audience::Everyone);
        let repeat = model.propose(visitor(), body);
        assert!(matches!(repeat.verdict, Verdict::Repeat { seq: 1, .. }), "{:?}", repeat.verdict);
        let Verdict::Repeat { at_ms, id, .. } = repeat.verdict else { unreachable!("checked") };
        assert_eq!((at_ms, id.to_string()), (model.entry(1).at_ms, model.entry(1).id.clone()));
        let body = model.send(&[7; 16], "twice", Audience::Everyone);
        assert_eq!(refused(&model.propose(visitor(), body)), Some("message.id_reused"));
    }
    // Another sender may use the same id.
    model.change(system(), assigned("ann"));
    let body = model.send(&[7; 16], "once", Audience::Everyone);
    assert!(seq(&model.propose(agent("ann"), body)) > 2);
}

#[test]
fn a_sender_forgotten_among_many_is_looked_up() {
    for restart in [false, true] {
        let mut model = Model::served_by("ann");
        let note = |model: &mut Model, who: usize| {
            let body = model.send(&[9; 16], "a note", Audience::Team);
            model.propose(agent(&format!("agent {who}")), body)
        };
        for who in 0..SENDERS_MAX + 5 {
            assert!(matches!(note(&mut model, who).verdict, Verdict::Accepted { .. }));
        }
        if restart {
            let stored = model.state.take().expect("created").encode();
            model.state = super::Conversation::decode(&stored).ok();
        }
        for who in 0..SENDERS_MAX + 5 {
            assert!(matches!(note(&mut model, who).verdict, Verdict::Repeat { .. }), "{who}");
        }
    }
}

#[test]
fn rising_ids_never_ask_the_history() {
    let mut model = Model::new();
    for _ in 0..100 {
        let state = model.state.clone();
        let folded = model.say(visitor(), "text");
        let id = folded.entries[0].client_msg_id.clone();
        if let Some(state) = state {
            assert_eq!(state.dedupe(VISITOR, &id, 0), super::Dedupe::New);
        }
    }
}

#[test]
fn who_may_speak_depends_on_the_session() {
    let mut model = Model::served_by("ann");
    assert_eq!(refused(&model.say(agent("bob"), "me too")), Some("session.not_owner"));
    assert_eq!(refused(&model.note(visitor(), "secret")), Some("message.audience"));
    assert_eq!(refused(&model.note(agent("bob"), "a note")), None);
    model.change(agent("bob"), Change::Joined(chat::Joined { participant: Some(person("bob")) }));
    assert_eq!(refused(&model.say(agent("bob"), "me too")), None);
    model.change(agent("ann"), closed(CloseReason::Agent));
    assert_eq!(refused(&model.say(agent("ann"), "late")), Some("session.closed"));
    assert_eq!(refused(&model.note(agent("ann"), "late note")), None);
    assert_eq!(refused(&model.say(system(), "mail sent")), None);
}

#[test]
fn a_quote_must_point_at_an_entry() {
    let mut model = Model::served_by("ann");
    let Body::Send(mut send) = model.send(&[3; 16], "see above", Audience::Everyone) else {
        unreachable!("send() makes a send")
    };
    send.content.get_or_insert_default().quote_seq = 99;
    let folded = model.propose(agent("ann"), Body::Send(send));
    assert_eq!(refused(&folded), Some("message.quote"));
}

#[test]
fn an_answer_ends_the_wait_and_a_new_question_begins_one() {
    let mut model = Model::served_by("ann");
    let asked_ms = model.session().waiting_since_ms;
    let folded = model.say(agent("ann"), "hi");
    let waited_ms = model.now_ms - asked_ms;
    assert!(matches!(
        &folded.events[0].change,
        Some(Event::FirstAnswered(answered)) if answered.waited_ms == waited_ms
    ));
    assert_eq!(model.session().waiting_since_ms, 0);
    assert_eq!(model.session().first_answer_at_ms, model.now_ms);
    model.say(visitor(), "one more thing");
    assert_eq!(model.session().waiting_since_ms, model.now_ms);
    // Only the first answer of an owner is an event.
    assert!(model.say(agent("ann"), "yes?").events.is_empty());
    assert_eq!(model.session().waiting_since_ms, 0);
}

#[test]
fn the_first_answer_of_a_session_is_an_event_even_after_an_unasked_word() {
    let mut model = Model::served_by("ann");
    model.change(visitor(), closed(CloseReason::Visitor));
    model.change(agent("ann"), Change::Reopened(chat::Reopened { owner: None }));
    assert!(model.say(agent("ann"), "sorry, I was away").events.is_empty());
    model.say(visitor(), "can you help?");
    let folded = model.say(agent("ann"), "yes");
    assert!(matches!(folded.events[0].change, Some(Event::FirstAnswered(_))));
    assert_eq!(model.session().first_answer_at_ms, model.now_ms);
}

#[test]
fn of_two_who_take_one_wins_and_the_other_is_told_who() {
    let mut model = Model::new();
    model.say(visitor(), "hello");
    for version in [2, 0] {
        let mut model = Model { state: model.state.clone(), ..Model::new() };
        model.now_ms += 9_000;
        assert_eq!(model.change_at(version, agent("ann"), assigned("ann")).verdict, Verdict::Done);
        let second = model.change_at(version, agent("bob"), assigned("bob"));
        assert_eq!(second.verdict, Verdict::Refused(Refused::Taken { by: "ANN".to_owned() }));
        // A repeated command of the winner is no error.
        let again = model.change_at(version, agent("ann"), assigned("ann"));
        assert_eq!(again.verdict, Verdict::Unchanged);
        assert_eq!(model.session().owner, Some(person("ann")));
    }
}

#[test]
fn a_change_that_saw_an_older_version_is_refused() {
    let mut model = Model::served_by("ann");
    let folded = model.change_at(1, agent("ann"), closed(CloseReason::Agent));
    assert_eq!(folded.verdict, Verdict::Refused(Refused::Version { current: 3 }));
    let folded = model.change_at(3, agent("ann"), closed(CloseReason::Agent));
    assert_eq!(folded.verdict, Verdict::Done);
}

#[test]
fn taking_over_keeps_the_former_owner_as_participant() {
    let mut model = Model::served_by("ann");
    let folded = model.change(agent("bob"), take_over("bob"));
    assert!(matches!(
        &folded.events[0].change,
        Some(Event::Assigned(chat::Assigned { former_owner, take_over: true, .. }))
            if former_owner == "ann"
    ));
    assert_eq!(model.session().owner, Some(person("bob")));
    assert_eq!(model.session().participants, [person("ann")]);
    assert_eq!(refused(&model.say(agent("ann"), "still here")), None);
    // And back: nobody is owner and participant.
    model.change(agent("ann"), take_over("ann"));
    assert_eq!(model.session().participants, [person("bob")]);
    assert_eq!(model.texts(), ["session.assigned", "session.taken_over", "session.taken_over"]);
}

#[test]
fn taking_over_from_somebody_named_is_from_nobody_else() {
    let from = |former: &str| {
        Change::Assigned(chat::Assigned {
            owner: Some(person("bob")),
            former_owner: former.to_owned(),
            take_over: true,
        })
    };
    let mut model = Model::served_by("ann");
    let folded = model.change(agent("bob"), from("robot"));
    assert_eq!(folded.verdict, Verdict::Refused(Refused::Taken { by: "ANN".to_owned() }));
    assert_eq!(model.session().owner, Some(person("ann")));
    assert_eq!(model.change(agent("bob"), from("ann")).verdict, Verdict::Done);
    assert_eq!(model.session().owner, Some(person("bob")));
    assert_eq!(model.session().participants, [person("ann")]);
}

#[test]
fn taking_over_from_a_queue_is_taking() {
    let mut model = Model::new();
    model.say(visitor(), "hello");
    let folded = model.change(agent("bob"), take_over("bob"));
    assert!(matches!(
        &folded.events[0].change,
        Some(Event::Assigned(assigned)) if !assigned.take_over && assigned.former_owner.is_empty()
    ));
    assert_eq!(model.texts(), ["session.assigned"]);
}

#[test]
fn routing_replaces_an_owner_only_by_name() {
    let mut model = Model::served_by("ann");
    let next = |former: &str| {
        Change::Assigned(chat::Assigned {
            owner: Some(person("bob")),
            former_owner: former.to_owned(),
            take_over: false,
        })
    };
    assert_eq!(refused(&model.change(system(), next("eve"))), Some("session.taken"));
    assert_eq!(refused(&model.change(agent("bob"), next("ann"))), Some("session.not_owner"));
    assert_eq!(model.change(system(), next("ann")).verdict, Verdict::Done);
    assert!(model.session().participants.is_empty());
}

#[test]
fn requeue_and_transfer_keep_the_waiting_time() {
    let mut model = Model::served_by("ann");
    let asked_ms = model.session().waiting_since_ms;
    for change in [queued("support"), assigned("bob"), to_team("billing"), assigned("cid")] {
        let by = match &model.session().owner {
            Some(owner) => agent(&owner.id),
            None => system(),
        };
        assert_eq!(model.change(by, change).verdict, Verdict::Done);
        assert_eq!(model.session().waiting_since_ms, asked_ms);
    }
    assert_eq!(model.change(agent("cid"), to_agent("dan")).verdict, Verdict::Done);
    assert_eq!(model.session().waiting_since_ms, asked_ms);
    assert_eq!(model.session().team, "billing");
    assert_eq!(
        model.texts(),
        [
            "session.assigned",
            "session.queued",
            "session.assigned",
            "session.transferred_team",
            "session.assigned",
            "session.transferred_agent",
        ]
    );
}

#[test]
fn whoever_is_put_into_a_queue_waits() {
    let mut model = Model::served_by("ann");
    model.say(agent("ann"), "hi");
    assert_eq!(model.session().waiting_since_ms, 0);
    model.change(agent("ann"), to_team("billing"));
    assert_eq!(model.session().waiting_since_ms, model.now_ms);
    assert_eq!(model.session().queued_at_ms, model.now_ms);
}

#[test]
fn only_the_owner_hands_on_unless_a_right_overrides() {
    for change in [to_team("billing"), to_agent("bob"), queued(""), closed(CloseReason::Agent)] {
        let mut model = Model::served_by("ann");
        let folded = model.change(agent("bob"), change.clone());
        assert_eq!(refused(&folded), Some("session.not_owner"));
        assert_eq!(
            refused(&model.change(visitor(), change.clone())),
            Some("session.not_owner"),
            "{change:?}"
        );
        let mut body = model.change_body(0, change);
        body.overrides_owner = true;
        assert_eq!(model.propose(agent("bob"), Body::Change(body)).verdict, Verdict::Done);
    }
}

#[test]
fn a_timeout_requeues_only_while_the_visitor_waits() {
    let mut model = Model::served_by("ann");
    let mut timeout = model.change_body(0, queued("sales"));
    timeout.cause = chat::Cause::Timeout as i32;
    model.say(agent("ann"), "just in time");
    let folded = model.propose(system(), Body::Change(timeout.clone()));
    assert_eq!(folded.verdict, Verdict::Refused(Refused::NobodyWaits));
    model.say(visitor(), "and?");
    assert_eq!(model.propose(system(), Body::Change(timeout)).verdict, Verdict::Done);
}

#[test]
fn a_message_after_a_close_opens_the_next_session_and_remembers_the_owner() {
    let mut model = Model::served_by("ann");
    let first = model.session().id.clone();
    model.change(visitor(), closed(CloseReason::Visitor));
    let closed_at = model.session().version;
    assert_eq!(model.session().owner, Some(person("ann")));
    assert_eq!(refused(&model.change(agent("ann"), assigned("ann"))), Some("session.closed"));
    assert_eq!(
        model.change(agent("ann"), closed(CloseReason::Agent)).verdict,
        Verdict::Refused(Refused::AlreadyClosed)
    );
    model.say(visitor(), "me again");
    let session = model.session();
    // A change meant for the closed session does not fit the new one.
    assert_eq!((session.number, session.version), (2, closed_at + 2));
    assert_ne!(session.id, first);
    assert_eq!(session.owner, None);
    let state = model.state.as_ref().expect("created").state();
    assert_eq!(state.last_owner, Some(person("ann")));
}

#[test]
fn reopening_goes_on_with_the_same_session() {
    let mut model = Model::served_by("ann");
    let reopened = || Change::Reopened(chat::Reopened { owner: None });
    assert_eq!(refused(&model.change(agent("bob"), reopened())), Some("session.taken"));
    model.change(agent("ann"), closed(CloseReason::Agent));
    let id = model.session().id.clone();
    assert_eq!(model.change(agent("bob"), reopened()).verdict, Verdict::Done);
    let session = model.session();
    assert_eq!((session.id.as_str(), session.closed_at_ms), (id.as_str(), 0));
    assert_eq!(session.owner, Some(person("bob")));
    assert_eq!(refused(&model.say(agent("bob"), "where were we")), None);
    assert_eq!(model.texts().last(), Some(&"session.reopened"));
}

#[test]
fn a_session_never_closes_by_itself_while_the_visitor_waits() {
    let mut model = Model::served_by("ann");
    let warned = |model: &Model| {
        Change::IdleWarned(chat::IdleWarned { closes_at_ms: model.now_ms + 300_000 })
    };
    let warning = warned(&model);
    let early = model.change(system(), warning);
    assert_eq!(early.verdict, Verdict::Refused(Refused::VisitorWaits));
    let idle = model.change(system(), closed(CloseReason::Idle));
    assert_eq!(idle.verdict, Verdict::Refused(Refused::VisitorWaits));
    model.say(agent("ann"), "anything else?");
    let warning = warned(&model);
    assert_eq!(model.change(system(), warning.clone()).verdict, Verdict::Done);
    assert!(model.session().warned_idle);
    assert_eq!(model.change(system(), warning).verdict, Verdict::Unchanged);
    // The visitor writes after all: the warning is void, and the close that races it fails.
    model.say(visitor(), "yes");
    assert!(!model.session().warned_idle);
    let idle = model.change(system(), closed(CloseReason::Idle));
    assert_eq!(idle.verdict, Verdict::Refused(Refused::VisitorWaits));
    model.say(agent("ann"), "sure");
    assert_eq!(model.change(system(), closed(CloseReason::Idle)).verdict, Verdict::Done);
    assert_eq!(model.texts(), ["session.assigned", "session.idle_warning", "session.closed_idle"]);
}

#[test]
fn a_session_set_aside_comes_back_with_the_visitor() {
    let mut model = Model::served_by("ann");
    let pended = |until_ms| Change::Pended(chat::Pended { until_ms });
    let past = model.now_ms;
    assert_eq!(refused(&model.change(agent("ann"), pended(past))), Some("session.value"));
    let later = model.now_ms + 3_600_000;
    assert_eq!(refused(&model.change(agent("bob"), pended(later))), Some("session.not_owner"));
    assert_eq!(model.change(agent("ann"), pended(later)).verdict, Verdict::Done);
    assert_eq!(model.session().status, SessionStatus::Pending as i32);
    let folded = model.say(visitor(), "I found it");
    assert!(matches!(folded.events[0].change, Some(Event::Pended(chat::Pended { until_ms: 0 }))));
    assert_eq!(model.session().status, SessionStatus::Assigned as i32);
    model.change(agent("ann"), pended(later));
    assert_eq!(model.change(system(), pended(0)).verdict, Verdict::Done);
    assert_eq!(model.change(system(), pended(0)).verdict, Verdict::Unchanged);
}

#[test]
fn an_unattended_session_stays_queued_with_a_deadline() {
    let mut model = Model::new();
    model.say(visitor(), "anybody?");
    let unattended = |deadline_ms| Change::Unattended(chat::Unattended { deadline_ms });
    assert_eq!(model.change(system(), unattended(5)).verdict, Verdict::Done);
    assert_eq!(model.change(system(), unattended(5)).verdict, Verdict::Unchanged);
    // Another deadline is an event, but no news for the visitor.
    assert!(model.change(system(), unattended(6)).entries.is_empty());
    assert_eq!(model.session().unattended_until_ms, 6);
    model.change(agent("ann"), assigned("ann"));
    assert!(!model.session().unattended);
    assert_eq!(refused(&model.change(system(), unattended(7))), Some("session.not_queued"));
    assert_eq!(model.texts(), ["session.unattended", "session.assigned"]);
}

#[test]
fn an_intent_moves_a_queued_session_and_no_other() {
    let set = |intent: &str| {
        Change::IntentSet(chat::IntentSet {
            intent: intent.to_owned(),
            confidence: 0.9,
            to_team: "complaints".to_owned(),
            ..chat::IntentSet::default()
        })
    };
    let mut model = Model::new();
    model.say(visitor(), "it broke");
    let asked_ms = model.session().waiting_since_ms;
    let folded = model.change(system(), set("complaint"));
    assert_eq!(folded.events[0].team, "complaints");
    assert!(folded.entries.is_empty());
    assert_eq!(model.session().waiting_since_ms, asked_ms);
    let mut model = Model::served_by("ann");
    let folded = model.change(system(), set("complaint"));
    assert_eq!(folded.events[0].team, "sales");
    assert_eq!(model.session().intent, "complaint");
}

#[test]
fn what_a_person_said_of_the_intent_stands() {
    let set = |intent: &str, source: chat::IntentSource| {
        Change::IntentSet(chat::IntentSet {
            intent: intent.to_owned(),
            confidence: 0.9,
            source: source.into(),
            why: "because".to_owned(),
            ..chat::IntentSet::default()
        })
    };
    let mut model = Model::served_by("ann");
    model.change(system(), set("consult", chat::IntentSource::Model));
    assert_eq!(model.session().intent_why, "because");
    // A rule or the model may change its mind.
    model.change(system(), set("complaint", chat::IntentSource::Model));
    assert_eq!(model.session().intent, "complaint");
    model.change(agent("ann"), set("sales", chat::IntentSource::Person));
    assert_eq!(model.session().intent, "sales");
    for source in [chat::IntentSource::Model, chat::IntentSource::Rule] {
        let folded = model.change(system(), set("complaint", source));
        assert_eq!(folded.verdict, Verdict::Unchanged);
    }
    model.change(agent("ann"), set("consult", chat::IntentSource::Person));
    assert_eq!(model.session().intent, "consult");
}

#[test]
fn a_person_who_confirms_an_intent_makes_it_their_own() {
    let mut model = Model::served_by("ann");
    let (person, rule) = (chat::IntentSource::Person, chat::IntentSource::Rule);
    // No intent is a word as well: here before anything was found, below of what was found.
    assert_eq!(model.change(agent("ann"), intent("", person, 0)).verdict, Verdict::Done);
    assert_eq!(model.change(system(), intent("sales", rule, 0)).verdict, Verdict::Unchanged);

    let mut model = Model::served_by("ann");
    model.change(system(), intent("sales", rule, 0));
    assert_eq!(model.change(system(), intent("sales", rule, 0)).verdict, Verdict::Unchanged);
    assert_eq!(model.change(agent("ann"), intent("sales", person, 0)).verdict, Verdict::Done);
    assert_eq!(model.session().intent_source(), person);
    for intent in [intent("sales", person, 0), intent("complaint", rule, 0)] {
        assert_eq!(model.change(system(), intent).verdict, Verdict::Unchanged);
    }
    model.change(agent("ann"), intent("", person, 0));
    assert_eq!(model.change(system(), intent("sales", rule, 0)).verdict, Verdict::Unchanged);
    assert_eq!(model.session().intent, "");
    // What was said of one session says nothing of the next.
    model.change(agent("ann"), closed(CloseReason::Agent));
    model.say(visitor(), "something else");
    assert_eq!(model.change(system(), intent("sales", rule, 0)).verdict, Verdict::Done);
}

#[test]
fn the_priority_of_an_intent_comes_with_it_and_only_rises() {
    let (person, model_word) = (chat::IntentSource::Person, chat::IntentSource::Model);
    let mut model = Model::served_by("ann");
    // Wanted, what the event tells, and what the session has then.
    for (name, wanted, told, has) in [
        ("a", 0, 0, 0),
        ("b", 1, 1, 1),
        ("c", 3, 3, 3),
        ("d", 2, 0, 3),
        ("e", 3, 0, 3),
        ("f", 0, 0, 3),
        ("g", 4, 4, 4),
    ] {
        let folded = model.change(system(), intent(name, model_word, wanted));
        let Some(Event::IntentSet(set)) = &folded.events[0].change else {
            unreachable!("an intent was set")
        };
        assert_eq!((set.priority, model.session().priority), (told, has), "{name}");
        assert_eq!(folded.events.len(), 1, "one change, whatever comes with it");
    }
    let wrong = intent("h", model_word, 5);
    assert_eq!(refused(&model.change(system(), wrong)), Some("session.value"));
    assert_eq!(model.session().intent, "g");

    // Where a person's word stands, what came with the other falls with it.
    let mut model = Model::served_by("ann");
    model.change(agent("ann"), intent("sales", person, 0));
    let version = model.session().version;
    for name in ["complaint", "sales"] {
        let folded = model.change(system(), intent(name, model_word, 4));
        assert_eq!((folded.verdict, folded.events.len()), (Verdict::Unchanged, 0));
    }
    assert_eq!((model.session().priority, model.session().version), (0, version));
}

#[test]
fn an_intent_that_moves_a_session_ends_its_unattended_wait() {
    let to = |to_team: &str, name: &str| {
        let to_team = to_team.to_owned();
        let intent = name.to_owned();
        Change::IntentSet(chat::IntentSet { intent, to_team, ..chat::IntentSet::default() })
    };
    let mut model = Model::new();
    model.say(visitor(), "anybody?");
    model.change(system(), Change::Unattended(chat::Unattended { deadline_ms: 5 }));
    // It stays where it is: still nobody is there.
    for team in ["", "sales"] {
        model.change(system(), to(team, &format!("in {team}")));
        assert_eq!((model.session().unattended, model.session().unattended_until_ms), (true, 5));
    }
    model.change(system(), to("complaints", "complaint"));
    assert_eq!(model.session().team, "complaints");
    assert_eq!((model.session().unattended, model.session().unattended_until_ms), (false, 0));
}

#[test]
fn a_rating_needs_somebody_who_served() {
    let rated = |rating| Change::Rated(chat::Rated { rating, comment: String::new() });
    let mut model = Model::new();
    model.say(visitor(), "hello");
    assert_eq!(refused(&model.change(visitor(), rated(5))), Some("session.not_ratable"));
    model.change(system(), assigned("ann"));
    assert_eq!(refused(&model.change(visitor(), rated(5))), Some("session.not_ratable"));
    model.change(agent("ann"), closed(CloseReason::Agent));
    assert_eq!(refused(&model.change(visitor(), rated(6))), Some("session.value"));
    assert_eq!(model.change(visitor(), rated(4)).verdict, Verdict::Done);
    assert_eq!(model.change(visitor(), rated(4)).verdict, Verdict::Unchanged);
    assert_eq!(refused(&model.change(visitor(), rated(1))), Some("session.not_ratable"));
    assert_eq!(model.session().rating, 4);
}

#[test]
fn quiet_changes_leave_no_entry() {
    let mut model = Model::served_by("ann");
    let labels = vec!["vip".to_owned()];
    for change in [
        Change::PrioritySet(chat::PrioritySet { priority: 4 }),
        Change::LabelsSet(chat::LabelsSet { labels }),
        Change::Rated(chat::Rated { rating: 5, comment: "thanks".to_owned() }),
    ] {
        let folded = model.change(system(), change.clone());
        assert_eq!((folded.entries.len(), folded.events.len()), (0, 1), "{change:?}");
        let again = model.change(system(), change);
        assert_eq!(again.verdict, Verdict::Unchanged);
    }
    let wrong = Change::PrioritySet(chat::PrioritySet { priority: 9 });
    assert_eq!(refused(&model.change(system(), wrong)), Some("session.value"));
}

#[test]
fn cursors_move_forward_and_not_past_the_end() {
    let mut model = Model::served_by("ann");
    model.say(agent("ann"), "hi");
    let cases = [
        // Asked for, and what stands afterwards; none where nothing moved.
        ((2, 1), Some((2, 1))),
        ((1, 0), None),
        ((0, 2), Some((2, 2))),
        ((3, 1), Some((3, 2))),
        ((99, 99), Some((3, 3))),
        ((3, 3), None),
    ];
    for ((delivered_seq, read_seq), expected) in cases {
        let moved = store::CursorMove { delivered_seq, read_seq };
        let folded = model.propose(visitor(), Body::Cursor(moved));
        let cursor = folded.cursor.map(|cursor| (cursor.delivered_seq, cursor.read_seq));
        assert_eq!(cursor, expected);
        assert!(folded.entries.is_empty());
    }
    let state = model.state.as_ref().expect("created");
    assert_eq!(state.unread(VISITOR, true), 0);
    assert_eq!(state.unread("ann", false), 1);
}

#[test]
fn an_author_takes_a_message_back_and_its_seq_stays() {
    let mut model = Model::served_by("ann");
    model.say(agent("ann"), "the password is 1234");
    let retract = |model: &mut Model, by, seq| {
        let Body::Send(send) = model.send(&[], "", Audience::Everyone) else {
            unreachable!("send() makes a send")
        };
        model.propose(by, Body::Retract(store::Retract { seq, id: send.id }))
    };
    assert_eq!(refused(&retract(&mut model, visitor(), 3)), Some("message.not_author"));
    assert_eq!(refused(&retract(&mut model, agent("ann"), 2)), Some("message.not_author"));
    assert_eq!(refused(&retract(&mut model, agent("ann"), 9)), Some("message.unknown"));
    let folded = retract(&mut model, agent("ann"), 3);
    assert_eq!(seq(&folded), 4);
    assert_eq!(folded.replaced[0].seq, 3);
    assert!(matches!(model.entry(3).body, Some(chat::entry::Body::Tombstone(_))));
    assert!(matches!(
        model.entry(4).body,
        Some(chat::entry::Body::Retraction(chat::Retraction { seq: 3 }))
    ));
    let state = model.state.as_ref().expect("created");
    assert_eq!(state.unread(VISITOR, true), 0);
    let last = state.state().last_visible.as_ref().expect("there is one");
    assert!(matches!(last.body, Some(chat::entry::Body::Tombstone(_))));
    assert_eq!(refused(&retract(&mut model, agent("ann"), 3)), Some("message.gone"));
}

#[test]
fn the_files_of_what_is_taken_back_or_erased_are_named_once() {
    let mut model = Model::served_by("ann");
    for id in ["f1", "f2"] {
        let file = chat::File { id: id.to_owned(), ..chat::File::default() };
        let mut body = model.send(&[], "", Audience::Everyone);
        let Body::Send(send) = &mut body else { unreachable!("send() makes a send") };
        send.content = Some(chat::Content {
            kind: Some(chat::content::Kind::File(file)),
            ..chat::Content::default()
        });
        assert!(model.propose(agent("ann"), body).files.is_empty());
    }
    let Body::Send(send) = model.send(&[], "", Audience::Everyone) else {
        unreachable!("send() makes a send")
    };
    let retract = Body::Retract(store::Retract { seq: 3, id: send.id });
    assert_eq!(model.propose(agent("ann"), retract).files, ["f1"]);
    let erase = || Body::Erase(store::Erase { from_seq: 1, to_seq: 4 });
    let system = || chat::Actor { kind: chat::ActorKind::System.into(), ..chat::Actor::default() };
    assert_eq!(model.propose(system(), erase()).files, ["f2"], "what is gone is not named again");
    assert!(model.propose(system(), erase()).files.is_empty());
}

/// A note that mentions people; returns its seq.
fn mention(model: &mut Model, by: &str, people: &[&str]) -> u64 {
    let mut body = model.send(&[], "look at this", Audience::Team);
    let Body::Send(store::Send { content: Some(content), .. }) = &mut body else {
        unreachable!("send() makes a send")
    };
    content.mentions = people.iter().map(ToString::to_string).collect();
    seq(&model.propose(agent(by), body))
}

fn told(model: &Model, who: &str) -> bool {
    model.state.as_ref().is_some_and(|state| state.is_mentioned(who))
}

#[test]
fn a_mention_stands_until_it_is_read_also_over_a_close_and_a_restart() {
    let mut model = Model::served_by("ann");
    let first = mention(&mut model, "ann", &["bob", "cid", "ann"]);
    assert!(told(&model, "bob") && told(&model, "cid"));
    assert!(!told(&model, "ann"), "the author knows");
    let read = |read_seq| Body::Cursor(store::CursorMove { delivered_seq: 0, read_seq });
    model.propose(agent("bob"), read(first - 1));
    assert!(told(&model, "bob"), "what came before it is not it");
    model.change(agent("ann"), closed(CloseReason::Agent));
    let stored = model.state.as_ref().expect("created").encode();
    model.state = Some(Conversation::decode(&stored).expect("it was stored"));
    let second = mention(&mut model, "ann", &["bob"]);
    model.propose(agent("bob"), read(first));
    assert!(told(&model, "bob"), "the second is unread");
    model.propose(agent("bob"), read(second));
    assert!(!told(&model, "bob") && told(&model, "cid"));
}

#[test]
fn a_mention_goes_with_its_note_and_the_oldest_give_way() {
    let mut model = Model::served_by("ann");
    let first = mention(&mut model, "ann", &["bob"]);
    let second = mention(&mut model, "ann", &["bob", "cid"]);
    let Body::Send(send) = model.send(&[], "", Audience::Team) else {
        unreachable!("send() makes a send")
    };
    model.propose(agent("ann"), Body::Retract(store::Retract { seq: second, id: send.id }));
    assert!(told(&model, "bob") && !told(&model, "cid"));
    let erase = Body::Erase(store::Erase { from_seq: first, to_seq: first });
    model.propose(system(), erase);
    assert!(!told(&model, "bob"));
    mention(&mut model, "ann", &["old"]);
    for _ in 0..MENTIONS_UNREAD_MAX {
        mention(&mut model, "ann", &["new"]);
    }
    assert!(told(&model, "new") && !told(&model, "old"));
}

#[test]
fn erasing_keeps_seqs_audiences_and_dedupe() {
    let mut model = Model::served_by("ann");
    model.note(agent("ann"), "a note");
    let first = model.entry(1).client_msg_id.clone();
    let erase = |from_seq, to_seq| Body::Erase(store::Erase { from_seq, to_seq });
    for (from_seq, to_seq) in [(0, 1), (2, 1), (1, 4)] {
        let folded = model.propose(system(), erase(from_seq, to_seq));
        assert_eq!(refused(&folded), Some("message.unknown"), "{from_seq}..{to_seq}");
    }
    let folded = model.propose(system(), erase(1, 3));
    assert_eq!(folded.verdict, Verdict::Done);
    assert_eq!(folded.replaced.len(), 3);
    assert!(folded.entries.is_empty());
    assert_eq!(model.entry(3).audience, Audience::Team as i32);
    assert_eq!(model.entry(1).actor.as_ref().map(|actor| actor.name.as_str()), Some(""));
    assert_eq!(model.propose(system(), erase(1, 3)).verdict, Verdict::Unchanged);
    let body = model.send(&first, "hello", Audience::Everyone);
    let repeat = model.propose(visitor(), body);
    assert!(matches!(repeat.verdict, Verdict::Repeat { seq: 1, .. }));
}

#[test]
fn a_visitor_gets_skips_for_notes_and_no_ids_of_people() {
    let mut model = Model::served_by("ann");
    model.note(agent("ann"), "one");
    model.note(agent("ann"), "two");
    model.say(agent("ann"), "hi");
    let items = for_reader(model.entries.iter().cloned(), false, true);
    let shape: Vec<_> = items
        .iter()
        .map(|item| match &item.item {
            Some(Item::Entry(entry)) => (entry.seq, entry.seq),
            Some(Item::Skip(skip)) => (skip.from_seq, skip.to_seq),
            None => (0, 0),
        })
        .collect();
    assert_eq!(shape, [(1, 1), (2, 2), (3, 4), (5, 5)]);
    for item in items {
        let Some(Item::Entry(entry)) = item.item else { continue };
        let actor = entry.actor.expect("entries have actors");
        let own = actor.kind == ActorKind::Visitor as i32;
        assert_eq!(actor.id.is_empty(), !own);
        assert_eq!(entry.client_msg_id.is_empty(), !own);
    }
    assert_eq!(for_reader(model.entries.iter().cloned(), true, false).len(), 5);
    let session = session_for_visitor(model.session());
    let owner = session.owner.expect("served");
    assert_eq!((owner.id.as_str(), owner.name.as_str()), ("", "ANN"));
    assert!(session.team.is_empty());
    let heard = model.events.iter().filter(|event| concerns_visitor(event)).count();
    assert_eq!((heard, model.events.len()), (3, 4));
}

#[test]
fn skips_do_not_reach_over_seqs_that_were_not_read() {
    let mut model = Model::served_by("ann");
    for _ in 0..3 {
        model.note(agent("ann"), "a note");
    }
    let read = model.entries.iter().filter(|entry| [3, 5].contains(&entry.seq)).cloned();
    assert_eq!(for_reader(read, false, true).len(), 2);
}

#[test]
fn a_newer_format_is_refused() {
    let mut model = Model::served_by("ann");
    let state = model.state.take().expect("created");
    let mut stored = state.state().clone();
    stored.format = super::FORMAT + 1;
    let bytes = prost::Message::encode_to_vec(&stored);
    let error = super::Conversation::decode(&bytes).expect_err("a newer format");
    assert!(matches!(error, super::DecodeError::Newer { .. }));
    assert!(super::Conversation::decode(b"\xff\xff").is_err());
}

#[test]
fn lists_keep_a_preview_that_ends_at_a_character() {
    let mut model = Model::new();
    model.say(visitor(), &"客".repeat(500));
    let last = model.state.as_ref().and_then(|state| state.state().last_visible.clone());
    let Some(chat::entry::Body::Content(content)) = last.and_then(|entry| entry.body) else {
        panic!("a preview with content is expected")
    };
    let Some(chat::content::Kind::Text(text)) = content.kind else { panic!("text is expected") };
    assert_eq!(text.body, "客".repeat(85));
}

#[test]
fn lists_show_what_was_written_and_not_who_joined() {
    let mut model = Model::new();
    model.say(visitor(), "is it waterproof?");
    model.change(system(), assigned("ann"));
    let state = model.state.as_ref().expect("created").state();
    assert_eq!((state.last_seq, state.last_visible.as_ref().map(|last| last.seq)), (2, Some(1)));
}

#[test]
fn times_of_a_session_follow_from_its_events_alone() {
    let mut model = Model::new();
    let start_ms = model.now_ms;
    let at = |model: &mut Model, second: i64| model.now_ms = start_ms + (second - 1) * 1_000;
    at(&mut model, 10);
    model.say(visitor(), "hello");
    at(&mut model, 30);
    model.change(system(), assigned("ann"));
    at(&mut model, 60);
    model.change(agent("ann"), to_team("billing"));
    at(&mut model, 100);
    model.change(system(), assigned("bob"));
    at(&mut model, 110);
    model.say(agent("bob"), "hi");
    at(&mut model, 150);
    model.say(visitor(), "and this?");
    at(&mut model, 160);
    model.change(agent("bob"), queued("billing"));
    at(&mut model, 200);
    model.change(system(), assigned("cid"));
    at(&mut model, 210);
    model.say(agent("cid"), "so");
    at(&mut model, 300);
    model.change(agent("cid"), closed(CloseReason::Agent));
    let times = session_times(&model.events);
    let [(id, times)] = &times[..] else { panic!("one session is expected") };
    assert_eq!(*id, model.session().id);
    assert_eq!(times.opened_at_ms, start_ms + 10_000);
    assert_eq!(times.first_answer_ms(), Some(100_000));
    // 10 to 110 and 150 to 210.
    assert_eq!(times.waiting_ms, 160_000);
    // 10 to 30, 60 to 100, 160 to 200.
    assert_eq!(times.queued_ms, 100_000);
    // 30 to 60, 100 to 160, 200 to 300.
    assert_eq!(times.handling_ms, 190_000);
    assert_eq!(times.closed_at_ms, start_ms + 300_000);
}

fn bot() -> chat::Actor {
    actor(ActorKind::Bot, "bot")
}

fn assigned_to_bot() -> Change {
    let owner = chat::Participant { kind: chat::ParticipantKind::Bot.into(), ..person("bot") };
    Change::Assigned(chat::Assigned { owner: Some(owner), ..chat::Assigned::default() })
}

/// A conversation whose session a bot has.
fn served_by_bot() -> Model {
    let mut model = Model::new();
    model.say(visitor(), "where is my order?");
    assert_eq!(model.change(bot(), assigned_to_bot()).verdict, Verdict::Done);
    model
}

#[test]
fn a_bots_answer_ends_the_wait_and_is_no_persons_first_answer() {
    let mut model = served_by_bot();
    let folded = model.say(bot(), "on its way");
    assert!(matches!(folded.events[0].change, Some(Event::FirstAnswered(_))));
    assert_eq!((model.session().waiting_since_ms, model.session().first_answer_at_ms), (0, 0));
    model.change(bot(), queued("sales"));
    let handed_over_ms = model.now_ms;
    assert_eq!(model.session().waiting_since_ms, handed_over_ms);
    model.change(system(), assigned("ann"));
    let folded = model.say(agent("ann"), "hello");
    let [event] = &folded.events[..] else { panic!("one event is expected") };
    let Some(Event::FirstAnswered(first)) = &event.change else { panic!("{event:?}") };
    assert_eq!(first.waited_ms, model.now_ms - handed_over_ms);
    let times = session_times(&model.events);
    let [(_, times)] = &times[..] else { panic!("one session is expected") };
    assert_eq!(times.first_answer_at_ms, model.now_ms);
    assert_eq!(times.waiting_ms, model.now_ms - handed_over_ms, "for people");
    assert_eq!(times.bot_ms, handed_over_ms - (times.opened_at_ms + 1_000));
    assert_eq!(times.handling_ms, 0, "it goes on");
}

#[test]
fn a_visitor_leaves_a_bot_for_a_person_and_no_person_for_another() {
    let mut model = served_by_bot();
    assert_eq!(model.change(visitor(), queued("billing")).verdict, Verdict::Done);
    let session = model.session();
    assert_eq!((session.status(), &session.owner), (SessionStatus::Queued, &None));
    assert_eq!(session.team, "sales", "where it goes is not the visitor's to say");
    assert_eq!(model.texts().last(), Some(&"session.queued"));
    assert_eq!(model.change(visitor(), queued("sales")).verdict, Verdict::Unchanged);
    model.change(system(), assigned("ann"));
    assert_eq!(refused(&model.change(visitor(), queued("sales"))), Some("session.not_owner"));
}

#[test]
fn who_asked_for_a_person_before_a_bot_came_gets_none() {
    let mut model = Model::new();
    model.say(visitor(), "a person, please");
    let folded = model.change(visitor(), queued("billing"));
    assert_eq!(folded.verdict, Verdict::Done, "it is news, though it stands in the queue");
    let [event] = &folded.events[..] else { panic!("one event is expected") };
    let Some(Event::Queued(event)) = &event.change else { panic!("{event:?}") };
    assert_eq!((event.team.as_str(), event.from_owner.as_str()), ("sales", ""));
    assert!(folded.entries.is_empty(), "it waits as before");
    assert_eq!(model.change(visitor(), queued("billing")).verdict, Verdict::Unchanged);
    // By itself, or by the desk.
    for by in [bot(), system()] {
        let refused = refused(&model.change(by, assigned_to_bot()));
        assert_eq!(refused, Some("session.not_owner"));
    }
    assert_eq!(model.change(system(), assigned("ann")).verdict, Verdict::Done);
    assert!(model.session().asked_for_person);
    model.change(agent("ann"), closed(chat::CloseReason::Agent));
    model.say(visitor(), "something else");
    assert_eq!(model.change(bot(), assigned_to_bot()).verdict, Verdict::Done, "a new session");
}

#[test]
fn who_left_a_bot_is_given_to_none_again() {
    let mut model = served_by_bot();
    model.change(visitor(), queued(""));
    assert_eq!(refused(&model.change(bot(), assigned_to_bot())), Some("session.not_owner"));
}

#[test]
fn an_intent_says_to_which_queue_a_bot_hands_over() {
    let mut model = served_by_bot();
    let mut set = intent("complaint", chat::IntentSource::Model, 3);
    if let Change::IntentSet(set) = &mut set {
        set.to_team = "care".to_owned();
    }
    model.change(system(), set);
    let session = model.session();
    assert_eq!((session.status(), session.team.as_str()), (SessionStatus::Assigned, "care"));
    assert_eq!(model.change(visitor(), queued("care")).verdict, Verdict::Done);
    assert_eq!(model.session().team, "care");
}
