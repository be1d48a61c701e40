//! Folds what makes content go: an author takes a message back, or privacy erases it. The seq stays
//! as a tombstone, so nobody's positions shift.

use smallvec::SmallVec;

use super::{Earlier, Folded, Refused, Verdict, conversation::Conversation, session::is_kind};
use crate::{
    chat::{self, Actor, ActorKind, Entry, Retraction, Tombstone, TombstoneReason, entry::Body},
    id::MessageId,
    limits::ERASE_SEQS_MAX,
    store,
};

pub(super) fn retract(
    state: &mut Conversation,
    actor: Actor,
    at_ms: i64,
    retract: &store::Retract,
    earlier: Option<Earlier>,
) -> Result<Folded, Refused> {
    let id = MessageId::from_slice(&retract.id).map_err(|_| Refused::Malformed("id"))?;
    let Some(Earlier::Entries(entries)) = earlier else { return Err(Refused::SeqUnknown) };
    let entry = entries.into_iter().find(|entry| entry.seq == retract.seq);
    let entry = entry.ok_or(Refused::SeqUnknown)?;
    may_retract(&actor, &entry)?;
    let at_ms = state.tick(at_ms);
    let mut retraction = Entry {
        id: id.to_string(),
        actor: Some(actor),
        audience: entry.audience,
        body: Some(Body::Retraction(Retraction { seq: entry.seq })),
        ..Entry::default()
    };
    let files = file_of(&entry).into_iter().collect();
    let gone = tombstone(state, entry, TombstoneReason::Retracted);
    state.number(&mut retraction);
    Ok(Folded {
        entries: SmallVec::from_buf([retraction]),
        replaced: vec![gone],
        files,
        ..Folded::nothing(Verdict::Accepted { seq: state.last_seq(), at_ms, id })
    })
}

fn may_retract(actor: &Actor, entry: &Entry) -> Result<(), Refused> {
    match &entry.body {
        Some(Body::Content(content)) => {
            let any = is_kind(actor, ActorKind::Api) || is_kind(actor, ActorKind::System);
            let system = matches!(content.kind, Some(chat::content::Kind::System(_)));
            let own = entry
                .actor
                .as_ref()
                .is_some_and(|author| author.kind == actor.kind && author.id == actor.id);
            if any || (own && !system) { Ok(()) } else { Err(Refused::NotAuthor) }
        }
        Some(Body::Tombstone(_)) => Err(Refused::Gone),
        Some(Body::Retraction(_)) | None => Err(Refused::NotAuthor),
    }
}

/// Whether the range lies within the conversation and within one proposal's bound.
pub(super) fn erasable(state: &Conversation, erase: &store::Erase) -> bool {
    (1..=erase.to_seq).contains(&erase.from_seq)
        && erase.to_seq <= state.last_seq()
        && erase.to_seq - erase.from_seq < ERASE_SEQS_MAX as u64
}

pub(super) fn erase(
    state: &mut Conversation,
    erase: &store::Erase,
    earlier: Option<Earlier>,
) -> Result<Folded, Refused> {
    if !erasable(state, erase) {
        return Err(Refused::SeqUnknown);
    }
    let Some(Earlier::Entries(entries)) = earlier else { return Err(Refused::SeqUnknown) };
    let erased = Some(Body::Tombstone(Tombstone { reason: TombstoneReason::Erased as i32 }));
    let mut files = Vec::new();
    let replaced: Vec<_> = entries
        .into_iter()
        .filter(|entry| (erase.from_seq..=erase.to_seq).contains(&entry.seq))
        .filter(|entry| entry.body != erased && !matches!(entry.body, Some(Body::Retraction(_))))
        .map(|entry| {
            files.extend(file_of(&entry));
            tombstone(state, entry, TombstoneReason::Erased)
        })
        .collect();
    let verdict = if replaced.is_empty() { Verdict::Unchanged } else { Verdict::Done };
    Ok(Folded { replaced, files, ..Folded::nothing(verdict) })
}

/// The file an entry carries.
fn file_of(entry: &Entry) -> Option<String> {
    let Some(Body::Content(content)) = &entry.body else { return None };
    match &content.kind {
        Some(chat::content::Kind::File(file)) => Some(file.id.clone()),
        _ => None,
    }
}

/// What stays of an entry: its place, time, session and who it was for. Of an erased one not even the
/// visitor's name.
fn tombstone(state: &mut Conversation, mut entry: Entry, reason: TombstoneReason) -> Entry {
    entry.body = Some(Body::Tombstone(Tombstone { reason: reason as i32 }));
    entry.client_msg_id = bytes::Bytes::new();
    if let Some(actor) = &mut entry.actor
        && reason == TombstoneReason::Erased
        && is_kind(actor, ActorKind::Visitor)
    {
        actor.name.clear();
    }
    state.drop_content(&entry);
    entry
}
