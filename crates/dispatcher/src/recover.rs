//! What a start does before any socket opens: folds the records a log holds beyond the history, so
//! that every loop begins with a history that is complete and a log with nothing to replay.

use std::{ops::ControlFlow, sync::Arc};

use frontdesk_core::{
    fold::Conversation,
    id::{AccountId, ConversationId},
};
use frontdesk_storage::{History, MessageLog};
use hashbrown::HashSet;

use crate::{
    dispatch::{Dispatcher, DispatcherOptions, decode_record},
    error::DispatchError,
};

/// What a replay did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Records folded again.
    pub records: u64,
    /// Conversations touched by a record after the projections' offset: their rows are stale.
    pub touched: HashSet<ConversationId>,
    /// Files of messages that were taken back or erased: whether the process that did it came to
    /// remove them is not known.
    pub files: Vec<(AccountId, Vec<String>)>,
    /// The log's newest offset; history and projections stand here when the rows are written.
    pub offset: u64,
}

/// Folds what `log` holds beyond the history and waits until the history has it, synced.
/// `projected` is the offset the projections have taken; `progress` is called every few thousand
/// records with how many were read so far.
///
/// # Errors
/// When a record cannot be read or is of an unknown kind, or the history cannot be written.
pub fn recover(
    number: u16,
    log: Box<dyn MessageLog>,
    history: &Arc<dyn History>,
    options: DispatcherOptions,
    projected: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(Box<dyn MessageLog>, Recovered), DispatchError> {
    let applied =
        history.applied(number).map_err(|source| DispatchError::History { log: number, source })?;
    let mut recovered =
        Recovered { offset: log.next_offset().saturating_sub(1), ..Recovered::default() };
    let from = applied.min(projected) + 1;
    if from > recovered.offset {
        return Ok((log, recovered));
    }
    let mut dispatcher = Dispatcher::new(number, Box::new(Sealed), Arc::clone(history), options)?;
    let mut failed = None;
    log.read(from, &mut |offset, partition, payload| {
        let folded = offset > applied;
        let outcome = if folded {
            replay(&mut dispatcher, offset, partition, payload, &mut recovered.files)
        } else {
            decode_record(number, offset, partition, payload).map(|(conversation, _)| conversation)
        };
        match outcome {
            Ok(conversation) => {
                recovered.records += u64::from(folded);
                if offset > projected {
                    recovered.touched.insert(conversation);
                }
                if offset.is_multiple_of(8_192) {
                    progress(offset - from);
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })
    .map_err(|source| DispatchError::Append { log: number, source: Arc::new(source) })?;
    if let Some(error) = failed {
        return Err(error);
    }
    dispatcher.finish()?;
    Ok((log, recovered))
}

/// Folds one record the history does not have.
fn replay(
    dispatcher: &mut Dispatcher,
    offset: u64,
    partition: u16,
    payload: &[u8],
    files: &mut Vec<(AccountId, Vec<String>)>,
) -> Result<ConversationId, DispatchError> {
    let replayed = dispatcher.replay(offset, partition, payload)?;
    if !replayed.files.is_empty() {
        let account =
            dispatcher.state_in_memory(replayed.conversation).and_then(Conversation::account);
        files.extend(account.map(|account| (account, replayed.files)));
    }
    dispatcher.keep_up()?;
    Ok(replayed.conversation)
}

/// The log of a dispatcher that only replays: it takes nothing.
struct Sealed;

impl MessageLog for Sealed {
    fn append(
        &mut self,
        _: &[frontdesk_storage::Record<'_>],
    ) -> Result<frontdesk_storage::Offset, frontdesk_storage::LogError> {
        Err(frontdesk_storage::LogError::Poisoned)
    }

    fn next_offset(&self) -> frontdesk_storage::Offset {
        1
    }

    fn first_offset(&self) -> frontdesk_storage::Offset {
        1
    }

    fn read(
        &self,
        _: frontdesk_storage::Offset,
        _: &mut dyn FnMut(frontdesk_storage::Offset, u16, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), frontdesk_storage::LogError> {
        Ok(())
    }

    fn trim(&mut self, _: frontdesk_storage::Offset) -> Result<(), frontdesk_storage::LogError> {
        Ok(())
    }
}
