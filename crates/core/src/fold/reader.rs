//! What a reader gets to see of stored entries, sessions and events.

use crate::chat::{
    Actor, ActorKind, Audience, Entry, Participant, Session, SessionEvent, Skip, TimelineItem,
    session_event::Change, timeline_item::Item,
};

/// Splits stored entries into what a reader sees: entries, and skips merged over runs of those that
/// are not for them. Every seq of the input is covered exactly once, in order.
///
/// With `visitor`, ids of people with an account are left out (visitors see display names only). A
/// `client_msg_id` stays only on entries of the reader's own side.
pub fn for_reader(
    entries: impl Iterator<Item = Entry>,
    may_see_team: bool,
    visitor: bool,
) -> Vec<TimelineItem> {
    let mut items: Vec<TimelineItem> = Vec::with_capacity(entries.size_hint().0);
    for mut entry in entries {
        // Only what says "everyone" is for everyone.
        if may_see_team || entry.audience == Audience::Everyone as i32 {
            strip(&mut entry, visitor);
            items.push(TimelineItem { item: Some(Item::Entry(entry)) });
            continue;
        }
        match items.last_mut() {
            Some(TimelineItem { item: Some(Item::Skip(skip)) }) if skip.to_seq + 1 == entry.seq => {
                skip.to_seq = entry.seq;
            }
            _ => {
                let skip = Skip { from_seq: entry.seq, to_seq: entry.seq };
                items.push(TimelineItem { item: Some(Item::Skip(skip)) });
            }
        }
    }
    items
}

fn strip(entry: &mut Entry, visitor: bool) {
    let Some(actor) = &mut entry.actor else { return };
    let by_visitor = actor.kind == ActorKind::Visitor as i32;
    if by_visitor != visitor {
        entry.client_msg_id = bytes::Bytes::new();
    }
    if visitor {
        hide_from_visitor(actor);
    }
}

/// Visitors see display names of people with an account, no ids.
pub fn hide_from_visitor(actor: &mut Actor) {
    if actor.kind != ActorKind::Visitor as i32 {
        actor.id.clear();
    }
}

/// What a visitor may know of a session: who serves it and where it stands, nothing of the team's.
pub fn session_for_visitor(session: &Session) -> Session {
    Session {
        owner: session.owner.as_ref().map(nameplate),
        participants: Vec::new(),
        labels: Vec::new(),
        intent: String::new(),
        intent_confidence: 0.0,
        intent_source: 0,
        intent_why: String::new(),
        priority: 0,
        team: String::new(),
        pending_until_ms: 0,
        ..session.clone()
    }
}

/// A display name without the id behind it.
fn nameplate(participant: &Participant) -> Participant {
    Participant { kind: participant.kind, id: String::new(), name: participant.name.clone() }
}

/// Whether a visitor hears of this change.
pub fn concerns_visitor(event: &SessionEvent) -> bool {
    !matches!(
        event.change,
        None | Some(
            Change::IntentSet(_)
                | Change::PrioritySet(_)
                | Change::LabelsSet(_)
                | Change::FirstAnswered(_)
                | Change::Pended(_)
                | Change::Joined(_)
                | Change::Left(_)
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_see_names_of_people_and_their_own_id() {
        for (kind, kept) in [
            (ActorKind::Visitor, "id"),
            (ActorKind::Agent, ""),
            (ActorKind::Bot, ""),
            (ActorKind::Api, ""),
        ] {
            let mut actor =
                Actor { kind: kind.into(), id: "id".to_owned(), name: "Mei".to_owned() };
            hide_from_visitor(&mut actor);
            assert_eq!((actor.id.as_str(), actor.name.as_str()), (kept, "Mei"), "{kind:?}");
        }
    }
}
