//! The state of one conversation between two proposals, in memory and as stored in the history.

use prost::Message as _;
use smallvec::SmallVec;

use super::{
    dedupe::{Dedupe, Known, Senders},
    recent::{Kind, Recent},
};
use crate::{
    chat,
    id::{AccountId, UserId},
    limits::{MENTIONS_UNREAD_MAX, PREVIEW_BYTES_MAX},
    store,
};

/// The version of the stored state's meaning that this code writes; it reads no newer one.
pub const FORMAT: u32 = 1;

/// A stored state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no state.
    #[error("conversation state is malformed")]
    Malformed(#[source] prost::DecodeError),
    /// A newer version wrote it.
    #[error("conversation state has format {found}, this version reads up to {FORMAT}")]
    Newer {
        /// The stored format.
        found: u32,
    },
    /// A sender has no 16-byte id.
    #[error("conversation state has a malformed sender")]
    Sender,
}

/// Everything the fold knows about one conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Without `senders` and `recent_kinds`, which are kept in the forms below.
    pub(super) state: store::ConversationState,
    pub(super) senders: Senders,
    pub(super) recent: Recent,
    /// As its origin says: asked for with every message.
    account: Option<AccountId>,
    /// Owner and participants of the newest session that are users: asked for with every message.
    people: SmallVec<[UserId; 2]>,
}

impl Conversation {
    pub(super) fn new(origin: store::Origin, at_ms: i64) -> Self {
        Self {
            account: origin.account.parse().ok(),
            state: store::ConversationState {
                format: FORMAT,
                origin: Some(origin),
                last_at_ms: at_ms,
                created_at_ms: at_ms,
                ..store::ConversationState::default()
            },
            senders: Senders::default(),
            recent: Recent::new(),
            people: SmallVec::new(),
        }
    }

    /// The account it belongs to.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Reads what [`Conversation::encode`] wrote.
    ///
    /// # Errors
    /// For bytes that are no state, or one of a newer format.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut state = store::ConversationState::decode(bytes).map_err(DecodeError::Malformed)?;
        if state.format > FORMAT {
            return Err(DecodeError::Newer { found: state.format });
        }
        let senders = std::mem::take(&mut state.senders);
        let senders =
            Senders::decode(senders, state.senders_forgotten).ok_or(DecodeError::Sender)?;
        let recent = Recent::decode(state.last_seq, &std::mem::take(&mut state.recent_kinds));
        state.senders_forgotten = false;
        let account = state.origin.as_ref().and_then(|origin| origin.account.parse().ok());
        let people = people_of(state.session.as_ref());
        Ok(Self { state, senders, recent, account, people })
    }

    /// The stored form, a `store::ConversationState`.
    pub fn encode(&self) -> Vec<u8> {
        let (senders, senders_forgotten) = self.senders.encode();
        let rest = store::ConversationState {
            senders,
            senders_forgotten,
            recent_kinds: self.recent.encode().into(),
            ..store::ConversationState::default()
        };
        // Two encodings in a row are one message with the fields of both.
        let mut bytes = Vec::with_capacity(self.state.encoded_len() + rest.encoded_len());
        self.state.encode_raw(&mut bytes);
        rest.encode_raw(&mut bytes);
        bytes
    }

    /// What the state knows about a message's id.
    pub fn dedupe(&self, sender: &str, client_msg_id: &[u8], content_hash: u64) -> Dedupe {
        match self.senders.look_up(sender, client_msg_id) {
            Known::New => Dedupe::New,
            Known::Sent(sent) => {
                let same_content = sent.content_hash == content_hash;
                Dedupe::Repeat { seq: sent.seq, same_content }
            }
            Known::AskHistory => Dedupe::AskHistory,
        }
    }

    /// Gives back memory that the history can stand in for; for conversations that fell idle.
    pub fn forget_recent(&mut self) {
        self.senders.forget_recent();
    }

    /// The state as stored, but for `senders` and `recent_kinds`, which are empty here.
    pub fn state(&self) -> &store::ConversationState {
        &self.state
    }

    /// The newest session, closed or not.
    pub fn session(&self) -> Option<&chat::Session> {
        self.state.session.as_ref()
    }

    /// The users who take part in the newest session: its owner first, then the participants.
    pub fn people(&self) -> &[UserId] {
        &self.people
    }

    /// The newest session if it is open.
    pub fn open_session(&self) -> Option<&chat::Session> {
        self.session().filter(|session| session.status != chat::SessionStatus::Closed as i32)
    }

    /// What its first message created.
    pub fn origin(&self) -> Option<&store::Origin> {
        self.state.origin.as_ref()
    }

    /// The newest seq.
    pub fn last_seq(&self) -> u64 {
        self.state.last_seq
    }

    /// The time of the newest entry or event.
    pub fn last_at_ms(&self) -> i64 {
        self.state.last_at_ms
    }

    /// The cursor of a participant.
    pub fn cursor(&self, actor: &str) -> Option<&chat::Cursor> {
        self.state
            .cursors
            .iter()
            .find(|cursor| cursor.actor.as_ref().is_some_and(|known| known.id == actor))
    }

    /// The kinds of the newest entries, for unread counts of many readers.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Messages this visitor or user has not read, at most one more than `UNREAD_MAX`.
    pub fn unread(&self, reader: &str, visitor: bool) -> u32 {
        let read_seq = self.cursor(reader).map_or(0, |cursor| cursor.read_seq);
        self.recent.unread(read_seq, visitor)
    }

    /// Whether a note mentions the user that the user has not read.
    pub fn is_mentioned(&self, user: &str) -> bool {
        self.state.mentions.iter().any(|mention| mention.user == user)
    }

    /// Remembers whom the newest entry mentions, until they read it. An author knows what it says.
    pub(super) fn mention(&mut self, author: &str, users: &[String]) {
        let seq = self.state.last_seq;
        for user in users.iter().filter(|user| *user != author) {
            if !self.state.mentions.iter().any(|known| known.seq == seq && known.user == *user) {
                self.state.mentions.push(store::Mention { seq, user: user.clone() });
            }
        }
        let over = self.state.mentions.len().saturating_sub(MENTIONS_UNREAD_MAX);
        self.state.mentions.drain(..over);
    }

    /// The user has read up to here.
    pub(super) fn read_mentions(&mut self, user: &str, read_seq: u64) {
        self.state.mentions.retain(|known| known.user != user || known.seq > read_seq);
    }

    /// Lets time rise, never fall.
    pub(super) fn tick(&mut self, at_ms: i64) -> i64 {
        self.state.last_at_ms = self.state.last_at_ms.max(at_ms);
        self.state.last_at_ms
    }

    /// Gives the entry its seq, time and session, and takes it into the state.
    pub(super) fn number(&mut self, entry: &mut chat::Entry) {
        self.state.last_seq += 1;
        entry.seq = self.state.last_seq;
        entry.at_ms = self.state.last_at_ms;
        if let Some(session) = &self.state.session {
            entry.session.clone_from(&session.id);
        }
        let kind = kind_of(entry);
        self.recent.push(kind);
        if matches!(kind, Kind::ByVisitor | Kind::ToVisitor) {
            self.state.visible_entries += 1;
        }
        if entry.audience == chat::Audience::Everyone as i32 && shows_in_lists(entry) {
            preview(self.state.last_visible.get_or_insert_default(), entry);
        }
    }

    /// Writes down a change of the session that has been made: its version, number and place.
    pub(super) fn record(
        &mut self,
        actor: &chat::Actor,
        cause: i32,
        change: chat::session_event::Change,
    ) -> chat::SessionEvent {
        self.state.session_events += 1;
        let session = self.state.session.get_or_insert_default();
        session.version += 1;
        self.people = people_of(Some(session));
        chat::SessionEvent {
            session: session.id.clone(),
            version: session.version,
            actor: Some(actor.clone()),
            cause,
            team: session.team.clone(),
            inbox: session.inbox.clone(),
            at_ms: self.state.last_at_ms,
            number: self.state.session_events,
            change: Some(change),
        }
    }

    /// The content of an entry is gone: lists, unread counts and mentions follow.
    pub(super) fn drop_content(&mut self, tombstone: &chat::Entry) {
        self.recent.clear(tombstone.seq);
        self.state.mentions.retain(|mention| mention.seq != tombstone.seq);
        if let Some(last) = &mut self.state.last_visible
            && last.seq == tombstone.seq
        {
            last.body.clone_from(&tombstone.body);
            last.actor.clone_from(&tombstone.actor);
        }
    }
}

/// Of a bot nothing comes: it has no lists of mentions.
pub(super) fn people_of(session: Option<&chat::Session>) -> SmallVec<[UserId; 2]> {
    let all = session.into_iter().flat_map(|s| s.owner.iter().chain(&s.participants));
    all.filter_map(|participant| participant.id.parse().ok()).collect()
}

fn kind_of(entry: &chat::Entry) -> Kind {
    let Some(chat::entry::Body::Content(content)) = &entry.body else { return Kind::Nothing };
    if matches!(content.kind, Some(chat::content::Kind::System(_))) {
        return Kind::Nothing;
    }
    if entry.audience == chat::Audience::Team as i32 {
        return Kind::Note;
    }
    let visitor = chat::ActorKind::Visitor as i32;
    if entry.actor.as_ref().is_some_and(|actor| actor.kind == visitor) {
        Kind::ByVisitor
    } else {
        Kind::ToVisitor
    }
}

/// What people wrote. That somebody joined would hide the question they joined for; a retraction says
/// nothing that a list could show, the tombstone it made does.
fn shows_in_lists(entry: &chat::Entry) -> bool {
    use chat::{content::Kind, entry::Body};
    match &entry.body {
        Some(Body::Content(content)) => !matches!(content.kind, Some(Kind::System(_))),
        Some(Body::Retraction(_)) => false,
        Some(Body::Tombstone(_)) | None => true,
    }
}

/// Copies an entry for lists, its text cut short, into the buffers of the one before.
fn preview(last: &mut chat::Entry, entry: &chat::Entry) {
    use chat::{content::Kind, entry::Body};
    last.seq = entry.seq;
    last.id.clone_from(&entry.id);
    last.actor.clone_from(&entry.actor);
    last.audience = entry.audience;
    last.at_ms = entry.at_ms;
    last.session.clone_from(&entry.session);
    let Some(Body::Content(chat::Content { kind: Some(kind), quote_seq, .. })) = &entry.body else {
        last.body.clone_from(&entry.body);
        return;
    };
    // Lists show what a text with buttons or a form says, as a text.
    let values;
    let said: &str = match kind {
        Kind::Text(text) => &text.body,
        Kind::Choices(choices) => &choices.body,
        Kind::Form(form) => &form.title,
        Kind::FormReply(reply) => {
            let filled = reply.values.iter().map(|of| of.value.trim());
            values = filled.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ");
            &values
        }
        Kind::File(_) | Kind::System(_) => {
            last.body.clone_from(&entry.body);
            return;
        }
    };
    let end = said.floor_char_boundary(PREVIEW_BYTES_MAX);
    if let Some(Body::Content(chat::Content {
        kind: Some(Kind::Text(old)),
        quote_seq: quoted,
        ..
    })) = &mut last.body
    {
        *quoted = *quote_seq;
        old.body.clear();
        old.body.push_str(&said[..end]);
    } else {
        let text = chat::Text { body: said[..end].to_owned() };
        let quote_seq = *quote_seq;
        // Lists show what everybody may see; only notes mention.
        let content =
            chat::Content { kind: Some(Kind::Text(text)), quote_seq, ..chat::Content::default() };
        last.body = Some(Body::Content(content));
    }
}
