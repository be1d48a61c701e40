//! The dispatchers of one edge loop: a single one for all of its partitions where the loop has a log of
//! its own, or one for each partition that this node owns for now.

use bytes::Bytes;
use frontdesk_core::{
    chat,
    fold::Conversation,
    id::{AccountId, ConversationId},
    partition_of, store,
};

use crate::{
    dispatch::{Committed, Dispatcher, Overdue},
    error::DispatchError,
    live::Tail,
    summary::Summary,
};

/// Proposals of one partition that may be without an answer: seconds of a busy partition. More are
/// refused, so that a log that is away costs bounded memory.
const UNANSWERED_MAX: usize = 16_384;

/// Finds the dispatcher of a conversation, and tends all of them.
#[derive(Debug)]
pub struct Dispatchers {
    partitions: u16,
    held: Held,
    /// Partitions that take nothing new.
    closed: Vec<u16>,
}

/// A conversation's state as it goes to another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedState {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The fold's state, encoded.
    pub state: Bytes,
    /// The log it comes from.
    pub log: u16,
    /// Every record of that log up to here is contained.
    pub offset: u64,
}

#[derive(Debug)]
enum Held {
    /// One log with the records of all partitions.
    All(Box<Dispatcher>),
    /// A log for each partition; those that are owned here.
    Each(Vec<Option<Box<Dispatcher>>>),
}

impl Dispatchers {
    /// One dispatcher for whatever conversation.
    pub fn all(dispatcher: Dispatcher, partitions: u16) -> Self {
        Self { partitions, held: Held::All(Box::new(dispatcher)), closed: Vec::new() }
    }

    /// One for each partition; none is owned yet.
    pub fn each(partitions: u16) -> Self {
        let held = Held::Each((0..partitions).map(|_| None).collect());
        Self { partitions, held, closed: Vec::new() }
    }

    /// Takes a partition: its dispatcher has folded all there is.
    ///
    /// # Panics
    /// Where a single dispatcher serves all partitions.
    pub fn adopt(&mut self, dispatcher: Box<Dispatcher>) {
        let Held::Each(held) = &mut self.held else { panic!("all partitions have one dispatcher") };
        let place = usize::from(dispatcher.number());
        self.closed.retain(|closed| *closed != dispatcher.number());
        held[place] = Some(dispatcher);
    }

    /// Takes nothing new for a partition, which will be released.
    pub fn close(&mut self, partition: u16) {
        self.closed.push(partition);
    }

    /// Proposals of a partition that have no answer yet.
    pub fn unanswered(&self, partition: u16) -> usize {
        self.iter()
            .find(|dispatcher| dispatcher.number() == partition)
            .map_or(0, Dispatcher::unanswered)
    }

    /// Lets go of a partition; `None` if it is not owned here.
    pub fn release(&mut self, partition: u16) -> Option<Box<Dispatcher>> {
        match &mut self.held {
            Held::All(_) => None,
            Held::Each(held) => held.get_mut(usize::from(partition))?.take(),
        }
    }

    /// The partitions owned here, where each has its own dispatcher.
    pub fn owned(&self) -> impl Iterator<Item = u16> + '_ {
        let held = match &self.held {
            Held::All(_) => &[][..],
            Held::Each(held) => &held[..],
        };
        held.iter().flatten().map(|dispatcher| dispatcher.number())
    }

    /// Partitions whose log or history takes nothing more: whoever owns them opens them anew.
    pub fn broken(&self) -> impl Iterator<Item = u16> + '_ {
        let held = match &self.held {
            Held::All(_) => &[][..],
            Held::Each(held) => &held[..],
        };
        held.iter().flatten().filter(|one| one.is_broken()).map(|one| one.number())
    }

    /// The log all records lie in, and how far it is folded; `None` where each partition has its own.
    pub fn single(&self) -> Option<(u16, u64)> {
        match &self.held {
            Held::All(dispatcher) => Some((dispatcher.number(), dispatcher.folded())),
            Held::Each(_) => None,
        }
    }

    /// Changes whenever anything was folded.
    pub fn folded(&self) -> u64 {
        self.iter().map(Dispatcher::folded).fold(0, u64::wrapping_add)
    }

    /// Whether a conversation is of a partition owned here.
    pub fn holds(&self, conversation: ConversationId) -> bool {
        match &self.held {
            Held::All(_) => true,
            Held::Each(held) => {
                held[usize::from(partition_of(&conversation, self.partitions))].is_some()
            }
        }
    }

    /// Adds a proposal to this turn; `tag` comes back with its result.
    ///
    /// # Errors
    /// When the conversation is of no partition owned here, or too much waits for the log.
    pub fn stage(
        &mut self,
        tag: u64,
        conversation: ConversationId,
        proposal: store::Proposal,
    ) -> Result<(), DispatchError> {
        let is_shared = matches!(self.held, Held::All(_));
        let partition = partition_of(&conversation, self.partitions);
        if self.closed.contains(&partition) {
            return Err(DispatchError::Elsewhere { partition });
        }
        let dispatcher = self.of(conversation)?;
        let waiting = dispatcher.unanswered();
        if !is_shared && waiting >= UNANSWERED_MAX {
            return Err(DispatchError::Waiting { log: dispatcher.number(), proposals: waiting });
        }
        dispatcher.stage(tag, conversation, proposal);
        Ok(())
    }

    /// Whether there is anything to commit, or to hear of from a log.
    pub fn has_work(&self) -> bool {
        self.iter().any(Dispatcher::has_work)
    }

    /// See [`Dispatcher::commit`].
    pub fn commit(&mut self, now_ms: i64, results: &mut Vec<Committed>) {
        for dispatcher in self.iter_mut().filter(|dispatcher| dispatcher.has_work()) {
            dispatcher.commit(now_ms, results);
        }
    }

    /// See [`Dispatcher::overdue`]; of all partitions together at most `limit`.
    pub fn overdue(&mut self, now_ms: i64, patience_ms: i64, limit: usize) -> Vec<Overdue> {
        let mut overdue = Vec::new();
        for dispatcher in self.iter_mut() {
            let room = limit - overdue.len();
            overdue.extend(dispatcher.overdue(now_ms, patience_ms, room));
        }
        overdue
    }

    /// See [`Dispatcher::tend`]. Logs on other machines are not trimmed here: it takes too long for a loop.
    pub fn tend(&mut self, now_ms: i64, trim_to: u64) -> bool {
        let trim_to = if matches!(self.held, Held::All(_)) { trim_to } else { 0 };
        self.iter_mut().fold(false, |again, dispatcher| dispatcher.tend(now_ms, trim_to) | again)
    }

    /// See [`Dispatcher::finish`]; the first error, after all have been finished.
    pub fn finish(self) -> Result<(), DispatchError> {
        let all: Vec<Dispatcher> = match self.held {
            Held::All(dispatcher) => vec![*dispatcher],
            Held::Each(held) => held.into_iter().flatten().map(|one| *one).collect(),
        };
        let mut outcome = Ok(());
        for dispatcher in all {
            let finished = dispatcher.finish().map(drop);
            outcome = outcome.and(finished);
        }
        outcome
    }

    /// See [`Dispatcher::state`].
    pub fn state(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<&Conversation>, DispatchError> {
        self.of(conversation)?.state(conversation, now_ms)
    }

    /// See [`Dispatcher::state_in_memory`].
    pub fn state_in_memory(&self, conversation: ConversationId) -> Option<&Conversation> {
        let dispatcher = match &self.held {
            Held::All(dispatcher) => dispatcher,
            Held::Each(held) => {
                held[usize::from(partition_of(&conversation, self.partitions))].as_ref()?
            }
        };
        dispatcher.state_in_memory(conversation)
    }

    /// See [`Dispatcher::summary`].
    pub fn summary(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<Summary>, DispatchError> {
        self.of(conversation)?.summary(conversation, now_ms)
    }

    /// The newest state with the account it belongs to; `None` for an unknown conversation.
    pub fn encoded(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<(AccountId, EncodedState)>, DispatchError> {
        let dispatcher = self.of(conversation)?;
        let (log, offset) = (dispatcher.number(), dispatcher.folded());
        let Some(state) = dispatcher.state(conversation, now_ms)? else { return Ok(None) };
        let Some(account) = state.account() else { return Ok(None) };
        let state = Bytes::from(state.encode());
        Ok(Some((account, EncodedState { conversation, state, log, offset })))
    }

    /// See [`Dispatcher::since`].
    pub fn since(
        &mut self,
        conversation: ConversationId,
        after: u64,
        limit: usize,
        now_ms: i64,
    ) -> Result<Option<Vec<chat::Entry>>, DispatchError> {
        self.of(conversation)?.since(conversation, after, limit, now_ms)
    }

    /// See [`Dispatcher::page`].
    pub fn page(
        &mut self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<chat::Entry>, DispatchError> {
        self.of(conversation)?.page(conversation, before, limit, now_ms)
    }

    /// See [`Dispatcher::tail`].
    pub fn tail(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Tail, DispatchError> {
        self.of(conversation)?.tail(conversation, now_ms)
    }

    /// The conversations in memory: all whose newest state the history may not have.
    pub fn live_conversations(&self) -> Vec<ConversationId> {
        self.iter().flat_map(Dispatcher::in_memory).collect()
    }

    fn of(&mut self, conversation: ConversationId) -> Result<&mut Dispatcher, DispatchError> {
        let partition = partition_of(&conversation, self.partitions);
        match &mut self.held {
            Held::All(dispatcher) => Ok(dispatcher),
            Held::Each(held) => held[usize::from(partition)]
                .as_deref_mut()
                .ok_or(DispatchError::Elsewhere { partition }),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Dispatcher> {
        let (one, each) = match &self.held {
            Held::All(dispatcher) => (Some(&**dispatcher), &[][..]),
            Held::Each(held) => (None, &held[..]),
        };
        one.into_iter().chain(each.iter().flatten().map(|dispatcher| &**dispatcher))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Dispatcher> {
        let (one, each) = match &mut self.held {
            Held::All(dispatcher) => (Some(&mut **dispatcher), &mut [][..]),
            Held::Each(held) => (None, &mut held[..]),
        };
        one.into_iter().chain(each.iter_mut().flatten().map(|dispatcher| &mut **dispatcher))
    }
}
