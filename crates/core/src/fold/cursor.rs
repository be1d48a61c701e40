//! Folds receipts: a participant's cursors move forward, never past the newest entry.

use super::{Folded, Verdict, conversation::Conversation};
use crate::{chat, limits::CURSORS_MAX, store};

pub(super) fn fold(
    state: &mut Conversation,
    actor: chat::Actor,
    moved: &store::CursorMove,
) -> Folded {
    let last_seq = state.last_seq();
    let read_seq = moved.read_seq.min(last_seq);
    // Whoever read it got it.
    let delivered_seq = moved.delivered_seq.min(last_seq).max(read_seq);
    let cursors = &mut state.state.cursors;
    let known = cursors
        .iter()
        .position(|cursor| cursor.actor.as_ref().is_some_and(|known| known.id == actor.id));
    let before = known.map_or((0, 0), |at| (cursors[at].delivered_seq, cursors[at].read_seq));
    if delivered_seq <= before.0 && read_seq <= before.1 {
        return Folded::nothing(Verdict::Unchanged);
    }
    let cursor = chat::Cursor {
        actor: Some(actor),
        delivered_seq: delivered_seq.max(before.0),
        read_seq: read_seq.max(before.1),
    };
    match known {
        Some(at) => cursors[at] = cursor.clone(),
        None => {
            if cursors.len() >= CURSORS_MAX {
                forget_one(cursors);
            }
            cursors.push(cursor.clone());
        }
    }
    if let Some(actor) = &cursor.actor {
        state.read_mentions(&actor.id, cursor.read_seq);
    }
    Folded { cursor: Some(cursor), ..Folded::nothing(Verdict::Done) }
}

/// Drops the cursor furthest behind, but never the visitor's.
fn forget_one(cursors: &mut Vec<chat::Cursor>) {
    let visitor = chat::ActorKind::Visitor as i32;
    let furthest = (0..cursors.len())
        .filter(|at| cursors[*at].actor.as_ref().is_some_and(|actor| actor.kind != visitor))
        .min_by_key(|at| cursors[*at].delivered_seq);
    if let Some(at) = furthest {
        cursors.remove(at);
    }
}
