//! A conversation as lists, routing and projections see it: state, not history, so that taking only
//! the newest of several summaries loses nothing.

use frontdesk_core::{
    chat,
    fold::{Conversation, Recent},
    id::ConversationId,
    store,
};

/// The newest state of one conversation, without what only the fold needs.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Which conversation.
    pub conversation: ConversationId,
    /// What its first message created.
    pub origin: store::Origin,
    /// The newest session.
    pub session: Option<chat::Session>,
    /// Who had the session before the current one, or before it was queued again.
    pub last_owner: Option<chat::Participant>,
    /// The newest entry everybody may see.
    pub last: Option<chat::Entry>,
    /// The newest seq.
    pub last_seq: u64,
    /// Entries everybody may see.
    pub visible_entries: u64,
    /// What the newest entries are, for unread counts.
    pub recent: Recent,
    /// Who got and read how far.
    pub cursors: Vec<chat::Cursor>,
    /// Users whom a note mentions that they have not read, each once.
    pub mentioned: Vec<String>,
    /// UTC milliseconds.
    pub created_at_ms: i64,
    /// UTC milliseconds of the newest entry or event.
    pub last_at_ms: i64,
    /// Number of the log it comes from.
    pub log: u16,
    /// Every record of that log up to this offset is contained.
    pub offset: u64,
}

impl Summary {
    /// Messages of the visitor that this user has not read, as the fold counts them.
    pub fn unread(&self, reader: &str) -> u32 {
        let of_reader =
            |cursor: &&chat::Cursor| cursor.actor.as_ref().is_some_and(|actor| actor.id == reader);
        let read_seq = self.cursors.iter().find(of_reader).map_or(0, |cursor| cursor.read_seq);
        self.recent.unread(read_seq, false)
    }

    /// Whether a note mentions this user that the user has not read.
    pub fn mentions(&self, user: &str) -> bool {
        self.mentioned.iter().any(|known| known == user)
    }

    /// Takes the summary of a folded conversation.
    pub fn of(conversation: ConversationId, folded: &Conversation, log: u16, offset: u64) -> Self {
        let state = folded.state();
        Self {
            conversation,
            origin: state.origin.clone().unwrap_or_default(),
            session: state.session.clone(),
            last_owner: state.last_owner.clone(),
            last: state.last_visible.clone(),
            last_seq: state.last_seq,
            visible_entries: state.visible_entries,
            recent: folded.recent().clone(),
            cursors: state.cursors.clone(),
            mentioned: mentioned(&state.mentions),
            created_at_ms: state.created_at_ms,
            last_at_ms: state.last_at_ms,
            log,
            offset,
        }
    }
}

fn mentioned(mentions: &[store::Mention]) -> Vec<String> {
    let mut users: Vec<String> = mentions.iter().map(|mention| mention.user.clone()).collect();
    users.sort_unstable();
    users.dedup();
    users
}
