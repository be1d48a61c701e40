//! Frames of visitors: their one conversation, on the loop that owns it.

use std::sync::Arc;

use frontdesk_core::{id::ConversationId, limits, store};
use frontdesk_protocol::{
    Encoded, codes,
    wire::{self, client_frame::Frame as In, server_frame::Frame as Out},
};
use frontdesk_router::{access::Deed, propose::Around};
use prost::Message as _;

use super::{
    Chat, Subscribers,
    act::{Act, Asker},
    conn::{State, VisitorConn},
    frames,
    port::ConnRef,
};
use crate::edge::{ConnId, Io};

impl Chat {
    fn visitor(&self, conn: ConnId) -> Option<&VisitorConn> {
        match &self.conns.get(conn.index())?.as_ref()?.state {
            State::Visitor(visitor) => Some(visitor),
            _ => None,
        }
    }

    /// One frame of a live visitor.
    pub(super) fn visitor_frame(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        frame: In,
    ) {
        let message = if let In::Send(send) = &frame { Some(send) } else { None };
        if !self.admit(io, conn, reference, message) {
            return;
        }
        let to = self.own(conn);
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        if let Ok(deed) = Deed::of(&frame)
            && let Err(rejection) = visitor.inbox.rules.check(deed)
        {
            let refusal = frames::rejected(&rejection);
            self.answer(io, to, reference, Out::Refusal(refusal));
            return;
        }
        match frame {
            In::Send(_) | In::Retract(_) | In::Command(_) => {
                let around = Around {
                    // Encoded by us a moment ago.
                    origin: visitor
                        .origin
                        .as_deref()
                        .and_then(|origin| store::Origin::decode(origin).ok())
                        .map(Box::new),
                    team: visitor.inbox.team,
                    ..Around::default()
                };
                let principal = Arc::clone(&visitor.principal);
                let asker = Asker::Visitor(to);
                self.count_in_flight(io, conn);
                let act = Act { asker, reference, conversation, principal, around };
                self.act(io, act, frame);
            }
            In::Draft(draft) => self.visitor_draft(io, conn, reference, draft),
            In::Cursor(cursor) => {
                let actor = visitor.principal.actor();
                self.move_cursor(io.now_ms(), conversation, actor, &cursor);
            }
            In::Sync(sync) => {
                let held = sync.held.first().and_then(|held| held.position);
                self.visitor_sync(io, conn, reference, held);
            }
            _ => self.refuse(io, to, reference, &codes::RIGHT_MISSING),
        }
    }

    /// What the visitor types: agents see it where sneak peek is on, otherwise that they type.
    fn visitor_draft(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, draft: wire::Draft) {
        let Some(visitor) = self.visitor(conn) else { return };
        let (conversation, peek) = (visitor.conversation, visitor.inbox.drafts);
        let shown = peek || visitor.inbox.typing;
        let (account, kind) = (visitor.inbox.account, visitor.principal.kind);
        let actor = visitor.principal.actor();
        if draft.text.len() > limits::DRAFT_BYTES_MAX {
            let to = self.own(conn);
            self.refuse(io, to, reference, &codes::DRAFT_TOO_LARGE);
            return;
        }
        if !shown {
            return;
        }
        let update = wire::DraftUpdate {
            conversation: conversation.to_string(),
            actor: Some(actor),
            typing: draft.typing,
            text: if peek {
                self.screens.of(account).screen_draft(draft.text, kind)
            } else {
                String::new()
            },
        };
        self.bring_in(io, conversation);
        let team = self.team_of(conversation);
        self.push(io, &team, &Encoded::push(Out::Draft(update)), None);
    }

    /// "Is this still where it stands?" The missing items go first, then the answer.
    fn visitor_sync(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        held: Option<wire::Position>,
    ) {
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        let to = self.own(conn);
        self.sync(io, to, conversation, held, false);
        self.answer(io, to, reference, Out::Done(wire::Done {}));
    }

    /// Sends what a connection misses; a position of another life gets a whole new page.
    pub(super) fn sync(
        &mut self,
        io: &mut Io<'_>,
        to: ConnRef,
        conversation: ConversationId,
        held: Option<wire::Position>,
        team: bool,
    ) {
        let now_ms = io.now_ms();
        let state = self.dispatchers.state(conversation, now_ms);
        let last_seq = match state {
            Ok(state) => state.map_or(0, frontdesk_core::fold::Conversation::last_seq),
            Err(_) => return,
        };
        let Some(held) = held else { return };
        if held.epoch == self.options.epoch && held.seq == last_seq {
            return;
        }
        // What cannot be read now is found missing again by the next check.
        let Ok(mut opened) = self.opened(io, conversation, Some(held), team) else { return };
        let frame = if opened.recovered {
            let conversation = if team { opened.conversation } else { String::new() };
            Out::Entries(wire::Entries {
                conversation,
                epoch: self.options.epoch,
                items: opened.items,
            })
        } else {
            if !team {
                opened.conversation.clear();
            }
            Out::Opened(Box::new(opened))
        };
        self.answer(io, to, 0, frame);
    }

    /// A visitor's connection is gone.
    pub(super) fn visitor_gone(&mut self, io: &mut Io<'_>, conn: ConnId, visitor: &VisitorConn) {
        let conversation = visitor.conversation;
        let Some(subscribers) = self.subscribers.get_mut(&conversation) else { return };
        subscribers.visitors.retain(|other| *other != conn);
        let last = subscribers.visitors.is_empty();
        self.forget_if_empty(conversation);
        if last && visitor.origin.is_none() {
            self.visitor_presence(io, visitor.inbox.account, conversation, false);
        }
    }

    pub(super) fn forget_if_empty(&mut self, conversation: ConversationId) {
        let empty = |subscribers: &Subscribers| {
            subscribers.visitors.is_empty() && subscribers.viewers.is_empty()
        };
        if self.subscribers.get(&conversation).is_some_and(empty) {
            self.subscribers.remove(&conversation);
        }
    }
}
