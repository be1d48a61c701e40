//! The sessions of a conversation that are over, told from its session events alone.

use std::collections::HashMap;

use frontdesk_api::engine::PastSession;
use frontdesk_core::chat::{ActorKind, CloseReason, SessionEvent, session_event::Change};

/// Sessions in one answer at most.
const SESSIONS_MAX: usize = 50;
/// Events that are read for it: the newest ones of a conversation, some hundred sessions.
pub(crate) const EVENTS_MAX: u64 = 4_000;

/// The sessions that are closed now, newest first. `events` are the newest of the conversation,
/// ascending; `newest` is the number of its newest session. A session whose beginning is not among the
/// events is left out.
pub(crate) fn sessions(events: &[SessionEvent], newest: u32) -> Vec<PastSession> {
    let mut order: Vec<PastSession> = Vec::new();
    let mut place: HashMap<&str, usize> = HashMap::new();
    for event in events {
        let Some(change) = &event.change else { continue };
        if let Change::Opened(_) = change {
            place.insert(&event.session, order.len());
            order.push(PastSession {
                id: event.session.clone(),
                opened_at_ms: event.at_ms,
                ..PastSession::default()
            });
        }
        let by_bot = event.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Bot);
        if by_bot && matches!(change, Change::FirstAnswered(_)) {
            // How fast people are is not a bot's to improve.
            continue;
        }
        if let Some(at) = place.get(event.session.as_str()) {
            apply(&mut order[*at], change, event.at_ms);
        }
    }
    let numbers = (1..=newest).rev();
    let mut past: Vec<PastSession> = order
        .into_iter()
        .rev()
        .zip(numbers)
        .map(|(session, number)| PastSession { number, ..session })
        .filter(|session| session.closed_at_ms > 0)
        .collect();
    past.truncate(SESSIONS_MAX);
    past
}

fn apply(session: &mut PastSession, change: &Change, at_ms: i64) {
    let mut owned_by = |owner: &Option<frontdesk_core::chat::Participant>| {
        if let Some(owner) = owner {
            session.owner_name.clone_from(&owner.name);
        }
    };
    match change {
        Change::Assigned(assigned) => owned_by(&assigned.owner),
        Change::Transferred(transferred) => owned_by(&transferred.to_owner),
        Change::Reopened(reopened) => {
            owned_by(&reopened.owner);
            session.closed_at_ms = 0;
            session.close_reason.clear();
        }
        Change::Closed(closed) => {
            session.closed_at_ms = at_ms;
            reason(closed.reason()).clone_into(&mut session.close_reason);
        }
        Change::Rated(rated) => {
            session.rating = Some(rated.rating);
            session.rating_comment.clone_from(&rated.comment);
        }
        Change::FirstAnswered(answered) => {
            // Each new owner's first answer is an event; the session's is the first of them.
            session.first_answer_ms.get_or_insert(answered.waited_ms);
        }
        _ => {}
    }
}

fn reason(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Visitor => "visitor",
        CloseReason::Idle => "idle",
        CloseReason::Agent | CloseReason::Unspecified => "agent",
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat;

    use super::*;

    fn event(session: &str, at_ms: i64, change: Change) -> SessionEvent {
        SessionEvent {
            session: session.to_owned(),
            at_ms,
            change: Some(change),
            ..SessionEvent::default()
        }
    }

    fn assigned(name: &str) -> Change {
        let owner = chat::Participant { name: name.to_owned(), ..chat::Participant::default() };
        Change::Assigned(chat::Assigned { owner: Some(owner), ..chat::Assigned::default() })
    }

    fn closed(reason: CloseReason) -> Change {
        Change::Closed(chat::Closed { reason: reason.into() })
    }

    #[test]
    fn closed_sessions_come_newest_first_with_what_became_of_them() {
        let events = [
            event("a", 10, Change::Opened(chat::Opened {})),
            event("a", 20, assigned("Lin")),
            event("a", 30, Change::FirstAnswered(chat::FirstAnswered { waited_ms: 20 })),
            event("a", 35, assigned("Mei")),
            event("a", 36, Change::FirstAnswered(chat::FirstAnswered { waited_ms: 9 })),
            event("a", 40, closed(CloseReason::Visitor)),
            event("a", 45, Change::Rated(chat::Rated { rating: 5, comment: "thanks".into() })),
            event("b", 50, Change::Opened(chat::Opened {})),
            event("b", 60, closed(CloseReason::Idle)),
            event("c", 70, Change::Opened(chat::Opened {})),
            event("c", 71, assigned("Lin")),
        ];
        let past = sessions(&events, 3);
        let [b, a] = past.as_slice() else { panic!("two are over") };
        assert_eq!((a.number, a.opened_at_ms, a.closed_at_ms), (1, 10, 40));
        assert_eq!((a.owner_name.as_str(), a.close_reason.as_str()), ("Mei", "visitor"));
        assert_eq!((a.rating, a.rating_comment.as_str()), (Some(5), "thanks"));
        assert_eq!(a.first_answer_ms, Some(20));
        assert_eq!((b.number, b.owner_name.as_str(), b.close_reason.as_str()), (2, "", "idle"));
        assert_eq!((b.rating, b.first_answer_ms), (None, None));
    }

    #[test]
    fn the_first_answer_is_a_persons() {
        let by_bot = SessionEvent {
            actor: Some(chat::Actor { kind: ActorKind::Bot.into(), ..chat::Actor::default() }),
            ..event("a", 11, Change::FirstAnswered(chat::FirstAnswered { waited_ms: 1 }))
        };
        let events = [
            event("a", 10, Change::Opened(chat::Opened {})),
            by_bot,
            event("a", 40, Change::FirstAnswered(chat::FirstAnswered { waited_ms: 20 })),
            event("a", 50, closed(CloseReason::Agent)),
        ];
        assert_eq!(sessions(&events, 1)[0].first_answer_ms, Some(20));
    }

    #[test]
    fn a_reopened_session_is_not_over_and_a_beheaded_one_is_left_out() {
        let events = [
            event("a", 10, closed(CloseReason::Agent)),
            event("b", 20, Change::Opened(chat::Opened {})),
            event("b", 30, closed(CloseReason::Agent)),
            event("b", 40, Change::Reopened(chat::Reopened::default())),
        ];
        assert_eq!(sessions(&events, 2), []);
        assert_eq!(sessions(&events[..3], 2).len(), 1);
        let many: Vec<SessionEvent> = (0..200)
            .flat_map(|n| {
                let id = n.to_string();
                let opened = Change::Opened(chat::Opened {});
                [event(&id, n, opened), event(&id, n + 1, closed(CloseReason::Agent))]
            })
            .collect();
        let past = sessions(&many, 500);
        assert_eq!((past.len(), past[0].number, past[49].number), (SESSIONS_MAX, 500, 451));
    }
}
