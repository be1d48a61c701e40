//! Folds a message: the hot path. A visitor's message opens a session where none is open; an answer
//! ends the visitor's wait.

use smallvec::SmallVec;

use super::{
    Earlier, Folded, Refused, Verdict,
    conversation::Conversation,
    dedupe::{Known, content_hash},
    session::{self, is_kind, is_open, is_owner, is_participant, is_pending},
};
use crate::{
    chat::{self, Actor, ActorKind, Audience, FirstAnswered, Pended, session_event::Change},
    id::{MessageId, SessionId},
    limits::CLIENT_MSG_ID_BYTES,
    store,
};

/// The first message of a conversation.
pub(super) fn create(
    slot: &mut Option<Conversation>,
    actor: Actor,
    at_ms: i64,
    mut send: store::Send,
) -> Folded {
    let Some(origin) = send.origin.take() else { return Refused::UnknownConversation.into() };
    let may_create = if is_kind(&actor, ActorKind::Visitor) {
        actor.id == origin.visitor
    } else {
        is_kind(&actor, ActorKind::Api)
    };
    if !may_create {
        return Refused::UnknownConversation.into();
    }
    let mut conversation = Conversation::new(*origin, at_ms);
    match fold(&mut conversation, actor, at_ms, send, None) {
        Ok(folded) => {
            *slot = Some(conversation);
            Folded { created: true, ..folded }
        }
        Err(refused) => refused.into(),
    }
}

pub(super) fn fold(
    state: &mut Conversation,
    actor: Actor,
    at_ms: i64,
    send: store::Send,
    earlier: Option<&Earlier>,
) -> Result<Folded, Refused> {
    let id = MessageId::from_slice(&send.id).map_err(|_| Refused::Malformed("id"))?;
    let content = send.content.ok_or(Refused::Malformed("no content"))?;
    if ![0, CLIENT_MSG_ID_BYTES].contains(&send.client_msg_id.len()) {
        return Err(Refused::Malformed("client_msg_id"));
    }
    let to_team = send.audience == Audience::Team as i32;
    let audience = if to_team { Audience::Team } else { Audience::Everyone };
    let hash = content_hash(audience as i32, &content);
    if let Some(folded) = repeated(state, &actor, &send.client_msg_id, hash, earlier) {
        return folded;
    }
    if content.quote_seq > state.last_seq() {
        return Err(Refused::Quote);
    }
    let new_session = opens_session(state, &actor, to_team)?
        .then(|| SessionId::from_slice(&send.new_session))
        .transpose()
        .map_err(|_| Refused::Malformed("new_session"))?;

    let at_ms = state.tick(at_ms);
    let mut events = Vec::new();
    if let Some(session) = new_session {
        session::open(state, &actor, session.to_string(), send.new_session_team, &mut events);
    }
    if is_kind(&actor, ActorKind::Visitor) {
        asked(state, &actor, at_ms, &mut events);
    } else if !to_team {
        answered(state, &actor, at_ms, &mut events);
    }
    let mut entry = chat::Entry {
        id: id.to_text(),
        audience: audience as i32,
        client_msg_id: send.client_msg_id,
        actor: Some(actor),
        body: Some(chat::entry::Body::Content(content)),
        ..chat::Entry::default()
    };
    state.number(&mut entry);
    if let (true, Some(chat::entry::Body::Content(content))) = (to_team, &entry.body) {
        let author = entry.actor.as_ref().map_or("", |actor| actor.id.as_str());
        state.mention(author, &content.mentions);
    }
    let sender = entry.actor.as_ref().map_or("", |actor| actor.id.as_str());
    state.senders.remember(sender, &entry.client_msg_id, (entry.seq, hash, at_ms, id));
    Ok(Folded {
        entries: SmallVec::from_buf([entry]),
        events,
        content_hash: hash,
        ..Folded::nothing(Verdict::Accepted { seq: state.last_seq(), at_ms, id })
    })
}

/// The answer to a message that was stored before.
fn repeated(
    state: &Conversation,
    actor: &Actor,
    client_msg_id: &[u8],
    hash: u64,
    earlier: Option<&Earlier>,
) -> Option<Result<Folded, Refused>> {
    let (seq, content_hash, at_ms, id) = match state.senders.look_up(&actor.id, client_msg_id) {
        Known::New => return None,
        Known::Sent(sent) => (sent.seq, sent.content_hash, sent.at_ms, sent.message),
        Known::AskHistory => match earlier {
            Some(&Earlier::Sent { seq, content_hash, at_ms, id }) => (seq, content_hash, at_ms, id),
            _ => return None,
        },
    };
    if content_hash != hash {
        return Some(Err(Refused::IdReused));
    }
    Some(Ok(Folded::nothing(Verdict::Repeat { seq, at_ms, id })))
}

/// Whether the message opens a session, or why it may not be sent now.
fn opens_session(state: &Conversation, actor: &Actor, to_team: bool) -> Result<bool, Refused> {
    let session = state.session();
    match ActorKind::try_from(actor.kind) {
        Ok(ActorKind::Visitor) if to_team => Err(Refused::Audience),
        Ok(ActorKind::Visitor) => Ok(!session.is_some_and(is_open)),
        Ok(ActorKind::System) => Ok(false),
        // The first message of a conversation may come from a program.
        Ok(ActorKind::Api) if session.is_none() => Ok(true),
        Ok(ActorKind::Agent | ActorKind::Bot | ActorKind::Api) if to_team => Ok(false),
        Ok(ActorKind::Api) if session.is_some_and(is_open) => Ok(false),
        Ok(ActorKind::Agent | ActorKind::Bot) => match session.filter(|session| is_open(session)) {
            None => Err(Refused::Closed),
            Some(session) if is_owner(session, &actor.id) => Ok(false),
            Some(session) if is_participant(session, &actor.id) => Ok(false),
            Some(_) => Err(Refused::NotOwner),
        },
        Ok(ActorKind::Api) => Err(Refused::Closed),
        Ok(ActorKind::Unspecified) | Err(_) => Err(Refused::Malformed("actor kind")),
    }
}

/// The visitor wrote: they wait from now on if they did not before, and a session set aside is back.
fn asked(
    state: &mut Conversation,
    actor: &Actor,
    at_ms: i64,
    events: &mut Vec<chat::SessionEvent>,
) {
    let Some(session) = &mut state.state.session else { return };
    session.last_visitor_at_ms = at_ms;
    session.warned_idle = false;
    if session.waiting_since_ms == 0 {
        session.waiting_since_ms = at_ms;
    }
    if is_pending(session) {
        session.status = chat::SessionStatus::Assigned as i32;
        session.pending_until_ms = 0;
        let back = Change::Pended(Pended { until_ms: 0 });
        events.push(state.record(actor, chat::Cause::Rule as i32, back));
    }
}

/// Somebody answered. It ends the wait if the session has an owner: in a queue the visitor waits for
/// one. Programs and bots beside the owner do not count as answers. A bot that owns the session ends the
/// wait, too, but the first answer is a person's: how fast people are is not a bot's to improve.
fn answered(
    state: &mut Conversation,
    actor: &Actor,
    at_ms: i64,
    events: &mut Vec<chat::SessionEvent>,
) {
    let Some(session) = &mut state.state.session else { return };
    let by_owner = is_owner(session, &actor.id);
    if !is_open(session) || !(by_owner || is_kind(actor, ActorKind::Agent)) {
        return;
    }
    let first_of_owner = session.last_agent_at_ms <= session.assigned_at_ms;
    session.last_agent_at_ms = at_ms;
    session.warned_idle = false;
    if session.owner.is_none() || session.waiting_since_ms == 0 {
        return;
    }
    let waited_ms = at_ms - session.waiting_since_ms;
    session.waiting_since_ms = 0;
    let first_of_session = !is_kind(actor, ActorKind::Bot) && session.first_answer_at_ms == 0;
    if first_of_session {
        session.first_answer_at_ms = at_ms;
    }
    if first_of_owner || first_of_session {
        let change = Change::FirstAnswered(FirstAnswered { waited_ms });
        events.push(state.record(actor, chat::Cause::Manual as i32, change));
    }
}
