//! All conversations, gathered over the shards in the order of ids.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::HistoryError;

use super::shard::Shard;
use super::{MySqlHistory, read};

/// Conversations read at once from a shard.
const PAGE: usize = 256;

/// What comes next from a shard.
struct Reader<'a> {
    shard: &'a Shard,
    read: VecDeque<(ConversationId, Bytes)>,
    /// The last id read; empty at the beginning.
    last: Vec<u8>,
    ended: bool,
}

impl Reader<'_> {
    /// The next one, read if it is not there yet.
    fn next(&mut self, history: &MySqlHistory) -> Result<Option<ConversationId>, HistoryError> {
        while self.read.is_empty() && !self.ended {
            let last = &self.last;
            let page = self.shard.call("list conversations", async |connection| {
                read::conversations(connection, last, PAGE).await
            })?;
            self.ended = page.len() < PAGE;
            for (id, state) in page {
                let conversation = self.shard.conversation(&id)?;
                self.last = id;
                // A copy that is being made does not count yet.
                let placement = history.placement(history.log_of(&conversation));
                if history.shard_at(placement).identity == self.shard.identity {
                    self.read.push_back((conversation, state.into()));
                }
            }
        }
        Ok(self.read.front().map(|(conversation, _)| *conversation))
    }
}

pub(super) fn conversations(
    history: &MySqlHistory,
    visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
) -> Result<(), HistoryError> {
    history.reload()?;
    let placements = history.placements.read().clone();
    let unmoved = || {
        history.reload()?;
        if *history.placements.read() == placements {
            return Ok(());
        }
        Err(HistoryError::Unavailable {
            operation: "list conversations",
            place: "the shards".to_owned(),
            source: "a partition was moved meanwhile; begin again".into(),
        })
    };
    let mut readers: Vec<Reader<'_>> = Vec::new();
    for shard in &history.shards {
        // Several may be one database.
        if !readers.iter().any(|reader| reader.shard.identity == shard.identity) {
            let read = VecDeque::new();
            readers.push(Reader { shard, read, last: Vec::new(), ended: false });
        }
    }
    loop {
        let mut lowest = None;
        for (at, reader) in readers.iter_mut().enumerate() {
            if let Some(id) = reader.next(history)? {
                lowest = Some(lowest.map_or((id, at), |lowest| (id, at).min(lowest)));
            }
        }
        let Some((_, at)) = lowest else { return unmoved() };
        let (conversation, state) = readers[at].read.pop_front().expect("just looked at");
        if visit(conversation, state).is_break() {
            return Ok(());
        }
    }
}
