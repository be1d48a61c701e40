//! What a dispatcher answers: conversations it has in memory or reads from the history, and entries from
//! wherever they lie.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use frontdesk_core::{chat, fold::Conversation, id::ConversationId};
use frontdesk_storage::History;
use prost::Message as _;

use super::Dispatcher;
use crate::{
    error::DispatchError,
    live::{Live, Tail},
    summary::Summary,
};

impl Dispatcher {
    /// The conversation in memory, read from the history on first use.
    pub(super) fn load(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<&mut Live, DispatchError> {
        use hashbrown::hash_map::Entry;
        let live = match self.live.entry(conversation) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => {
                let state = read_state(&*self.history, conversation)?;
                slot.insert(Box::new(Live { state, ..Live::default() }))
            }
        };
        live.touched_ms = now_ms;
        Ok(live)
    }

    /// As [`Self::load`], but nothing is kept for a conversation that has no stored message: most
    /// visitors never write.
    pub(super) fn known(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<&mut Live>, DispatchError> {
        use hashbrown::hash_map::Entry;
        let live = match self.live.entry(conversation) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => {
                let state = read_state(&*self.history, conversation)?;
                if state.is_none() {
                    return Ok(None);
                }
                slot.insert(Box::new(Live { state, ..Live::default() }))
            }
        };
        live.touched_ms = now_ms;
        Ok(Some(live))
    }

    /// The state of a conversation; `None` when nothing was ever stored for it.
    pub fn state(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<&Conversation>, DispatchError> {
        Ok(self.known(conversation, now_ms)?.and_then(|live| live.state.as_ref()))
    }

    /// The state of a conversation if it is in memory, without touching anything.
    pub fn state_in_memory(&self, conversation: ConversationId) -> Option<&Conversation> {
        self.live.get(&conversation)?.state.as_ref()
    }

    /// The newest state as lists and routing see it; `None` for an unknown conversation.
    pub fn summary(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<Summary>, DispatchError> {
        let (log, offset) = (self.number, self.folded);
        let state = self.load(conversation, now_ms)?.state.as_ref();
        Ok(state.map(|state| Summary::of(conversation, state, log, offset)))
    }

    /// Entries after `after`, ascending, at most `limit`; `None` when there are more than that.
    pub fn since(
        &mut self,
        conversation: ConversationId,
        after: u64,
        limit: usize,
        now_ms: i64,
    ) -> Result<Option<Vec<chat::Entry>>, DispatchError> {
        let history = Arc::clone(&self.history);
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Some(Vec::new())) };
        let last = live.state.as_ref().map_or(0, Conversation::last_seq);
        if last.saturating_sub(after) > limit as u64 {
            return Ok(None);
        }
        let first_in_tail = live.entries.front().map_or(last + 1, |entry| entry.seq);
        let mut found = Vec::new();
        if after + 1 < first_in_tail {
            found = history
                .since(&conversation, after, limit)
                .map_err(|source| DispatchError::Read { conversation, source })?;
        }
        merge_tail(&mut found, live, after);
        // Another owner may have gone on; what is answered here is what was folded here.
        found.retain(|(seq, _)| *seq <= last);
        decode_entries(conversation, found).map(Some)
    }

    /// The newest `limit` entries below `before` (or at all), ascending.
    pub fn page(
        &mut self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<chat::Entry>, DispatchError> {
        let history = Arc::clone(&self.history);
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Vec::new()) };
        // Another owner may have gone on; what is answered here is what was folded here.
        let last = live.state.as_ref().map_or(0, Conversation::last_seq);
        let before = Some(before.map_or(last + 1, |before| before.min(last + 1)));
        let mut found = history
            .page(&conversation, before, limit)
            .map_err(|source| DispatchError::Read { conversation, source })?;
        merge_tail(&mut found, live, 0);
        if let Some(before) = before {
            found.retain(|(seq, _)| *seq < before);
        }
        let extra = found.len().saturating_sub(limit);
        found.drain(..extra);
        decode_entries(conversation, found)
    }

    /// What a reader outside the loop needs beside the history (I4: acked means readable).
    pub fn tail(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Tail, DispatchError> {
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Tail::default()) };
        Ok(Tail {
            state: live.state.as_ref().map(|state| Bytes::from(state.encode())),
            last_seq: live.state.as_ref().map_or(0, Conversation::last_seq),
            entries: live.entries.iter().map(|e| (e.seq, e.entry.clone())).collect(),
            replaced: live.replaced.iter().cloned().collect(),
            events: live.events.iter().cloned().collect(),
        })
    }
}

/// Adds the tail above `after` to what the history had, and applies replacements.
pub(super) fn merge_tail(found: &mut Vec<(u64, Bytes)>, live: &Live, after: u64) {
    let known = found.last().map_or(after, |(seq, _)| *seq).max(after);
    let newer = live.entries.iter().filter(|entry| entry.seq > known);
    found.extend(newer.map(|entry| (entry.seq, entry.entry.clone())));
    for (seq, tombstone) in &live.replaced {
        if let Ok(at) = found.binary_search_by_key(seq, |(seq, _)| *seq) {
            found[at].1 = tombstone.clone();
        }
    }
}

/// Entries of a range as they were folded here, wherever they lie. `known` are those that were read before and that
/// only the tail may have changed since; the history is asked for the rest, where another owner may have gone on.
pub(super) fn read_range(
    history: &dyn History,
    live: &Live,
    conversation: ConversationId,
    range: RangeInclusive<u64>,
    known: Vec<chat::Entry>,
) -> Result<Vec<chat::Entry>, DispatchError> {
    let is_meant = |seq: &u64| range.contains(seq);
    let mut found: BTreeMap<u64, chat::Entry> = known
        .into_iter()
        .map(|entry| (entry.seq, entry))
        .filter(|(seq, _)| is_meant(seq))
        .collect();
    let in_tail = live.entries.iter().filter(|entry| is_meant(&entry.seq));
    let in_tail = in_tail.map(|entry| (entry.seq, entry.entry.clone())).collect();
    for entry in decode_entries(conversation, in_tail)? {
        found.entry(entry.seq).or_insert(entry);
    }
    let limit = usize::try_from(range.end() - range.start() + 1).unwrap_or(usize::MAX);
    if found.len() < limit {
        let stored = history
            .since(&conversation, range.start() - 1, limit)
            .map_err(|source| DispatchError::Read { conversation, source })?;
        let stored = decode_entries(conversation, stored)?;
        for entry in stored.into_iter().filter(|entry| is_meant(&entry.seq)) {
            found.entry(entry.seq).or_insert(entry);
        }
    }
    let replaced = live.replaced.iter().filter(|(seq, _)| is_meant(seq)).cloned().collect();
    for entry in decode_entries(conversation, replaced)? {
        found.insert(entry.seq, entry);
    }
    Ok(found.into_values().collect())
}

pub(super) fn read_state(
    history: &dyn History,
    conversation: ConversationId,
) -> Result<Option<Conversation>, DispatchError> {
    let stored = history
        .state(&conversation)
        .map_err(|source| DispatchError::Read { conversation, source })?;
    stored
        .map(|bytes| {
            Conversation::decode(&bytes).map_err(|error| DispatchError::Stored {
                conversation,
                what: "state",
                reason: error.to_string(),
            })
        })
        .transpose()
}

pub(super) fn decode_entries(
    conversation: ConversationId,
    found: Vec<(u64, Bytes)>,
) -> Result<Vec<chat::Entry>, DispatchError> {
    found
        .into_iter()
        .map(|(_, bytes)| {
            chat::Entry::decode(bytes).map_err(|error| DispatchError::Stored {
                conversation,
                what: "entry",
                reason: error.to_string(),
            })
        })
        .collect()
}
