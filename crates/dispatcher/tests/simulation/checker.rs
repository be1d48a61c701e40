//! What has to hold in the end: the history is one fold of the log, what clients were acked and shown is what the
//! history has, and the history has nothing that nobody sent.

use std::hash::{Hash as _, Hasher as _};

use frontdesk_core::{
    chat::{self, content::Kind, entry::Body},
    fold::Conversation,
    id::ConversationId,
    store,
};
use prost::Message as _;

use crate::{
    database::{Kept, Row},
    model::Model,
    wire::Part,
    world::{PARTITIONS, World, part_of, parts},
};

/// Every difference, in words that begin with the invariant.
pub(crate) fn differences(world: &World) -> Vec<String> {
    let mut differences = Vec::new();
    let database = world.database.lock();
    if database.unfenced > 0 {
        differences.push(format!("{} batches of former owners were written", database.unfenced));
    }
    let fold = fold_of(world);
    for part in parts() {
        let Some(kept) = database.conversations.get(&part.id()) else {
            differences.push(format!("I1: nothing of {}", part.conversation));
            continue;
        };
        compare_client(world, part, kept, &mut differences);
        if !part.is_agent {
            compare_fold(&fold, part.id(), kept, &mut differences);
            check_entries(world, part.conversation, kept, &mut differences);
        }
    }
    differences
}

/// All that lies in the log, folded once, in its order.
fn fold_of(world: &World) -> Model {
    let mut model = Model::default();
    for partition in 0..PARTITIONS {
        for (_, payload) in world.broker.lock().read(partition, 1) {
            let proposal = store::Proposal::decode(&payload[..]).unwrap();
            let id = ConversationId::from_slice(&proposal.conversation).unwrap();
            model.fold(id, proposal);
        }
    }
    model
}

/// Every owner came to the numbers that one owner comes to.
fn compare_fold(model: &Model, id: ConversationId, kept: &Kept, differences: &mut Vec<String>) {
    let Some(expected) = model.kept.get(&id) else { return };
    let mut check = |what, is_same: bool| {
        if !is_same {
            differences.push(format!("I3: the {what} of {id} are not what the log folds to"));
        }
    };
    check("entries", {
        let entries = kept.entries.iter().map(|(seq, row)| (*seq, decode(row)));
        entries.eq(expected.entries.iter().map(|(seq, entry)| (*seq, entry.clone())))
    });
    check("events", {
        let expected = expected.events.iter().map(|(number, of)| (*number, of.encode_to_vec()));
        kept.events.iter().map(|(number, event)| (*number, event.to_vec())).eq(expected)
    });
    let state = expected.state.as_ref().map(Conversation::encode).unwrap_or_default();
    check("state", kept.state == state);
}

/// I2, I3, I5: dense, each message once, each sent by somebody.
fn check_entries(world: &World, conversation: u8, kept: &Kept, differences: &mut Vec<String>) {
    if !kept.entries.keys().copied().eq(1..=kept.entries.len() as u64) {
        differences.push(format!("I3: the seqs of {conversation} are not dense"));
    }
    let journal = world.journal.borrow();
    let messages: Vec<&Row> =
        kept.entries.values().filter(|row| !row.client_msg_id.is_empty()).collect();
    if messages.len() != kept.sent.len() {
        differences.push(format!("I2: a message of {conversation} is there twice"));
    }
    for row in messages {
        let key = (part_of(conversation, &row.sender), row.client_msg_id.clone());
        let text = text_of(&decode(row));
        let sent = journal.attempts.get(&key);
        if sent.is_none() || text.is_some_and(|text| sent != Some(&text)) {
            differences.push(format!("I5: {key:?} is there and was not sent so"));
        }
    }
}

/// I1, I3: what was acked is there where it was acked, and what is shown is what is there, to the end.
fn compare_client(world: &World, part: Part, kept: &Kept, differences: &mut Vec<String>) {
    let journal = world.journal.borrow();
    for ((_, id), seq) in journal.acks.iter().filter(|((of, _), _)| *of == part) {
        let found = kept.sent.get(&(part.actor().id, id.clone()));
        if found != Some(seq) {
            differences.push(format!("I1: {part:?} {id:?} was acked at {seq} and is at {found:?}"));
        }
    }
    let Some(timeline) = journal.timelines.get(&part) else {
        differences.push(format!("I1: {part:?} is shown nothing"));
        return;
    };
    let first = timeline.keys().next().copied().unwrap_or(1);
    let there = kept.entries.range(first..).map(|(seq, row)| (*seq, decode(row).id));
    if !there.eq(timeline.iter().map(|(seq, id)| (*seq, id.clone()))) {
        differences.push(format!("I3: {part:?} is shown something else than what is there"));
    }
}

fn decode(row: &Row) -> chat::Entry {
    chat::Entry::decode(&row.entry[..]).unwrap()
}

/// The text of a message that was not taken back.
fn text_of(entry: &chat::Entry) -> Option<String> {
    let Some(Body::Content(content)) = &entry.body else { return None };
    match &content.kind {
        Some(Kind::Text(text)) => Some(text.body.clone()),
        _ => None,
    }
}

/// Of the log and of what everybody is shown.
pub(crate) fn digest(world: &World) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    for partition in 0..PARTITIONS {
        world.broker.lock().read(partition, 1).hash(&mut hasher);
    }
    for (part, timeline) in &world.journal.borrow().timelines {
        (part.conversation, part.is_agent, timeline).hash(&mut hasher);
    }
    hasher.finish()
}
