//! What is said and done in a conversation. Of people and programs with an account it becomes a frame, which the loop
//! handles as if it came by a socket. A visitor's frame would need what its socket knows of it, such as its inbox: that
//! is looked up here, rights are checked, and the loop gets the proposals.

use bytes::Bytes;
use frontdesk_api::{
    engine::{Ack, EngineError, NewMessage},
    principal::Principal as Caller,
};
use frontdesk_core::{arena::Arena, chat, id::ConversationId, store};
use frontdesk_protocol::{
    codes,
    wire::{self, client_frame::Frame},
};
use frontdesk_router::{
    Rejection,
    access::{self, Allowed, Principal, Subject},
    propose::{Around, Beside, Proposer},
};

use super::{
    NodeEngine,
    errors::{refused, rejected, unavailable},
};
use crate::node::{now_ms, principals};

impl NodeEngine {
    /// Appends one message.
    pub(super) async fn write_message(
        &self,
        by: &Caller,
        conversation: ConversationId,
        message: NewMessage,
    ) -> Result<Ack, EngineError> {
        let NewMessage { client_msg_id, content, audience } = message;
        let client_msg_id = Bytes::copy_from_slice(&client_msg_id);
        let placed = if let Caller::Visitor(visitor) = by {
            if visitor.conversation != conversation {
                return Err(EngineError::UnknownConversation);
            }
            let inbox = self
                .catalog
                .inbox(visitor.account, visitor.inbox)
                .await
                .map_err(|_| refused(&codes::INBOX_UNKNOWN))?;
            let file = match &content.kind {
                Some(chat::content::Kind::File(file)) => Some(file.clone()),
                _ => None,
            };
            let around = Around {
                origin: Some(Box::new(visitor.origin.clone())),
                team: inbox.default_team,
                file,
                ..Around::default()
            };
            let send = wire::Send {
                client_msg_id,
                content: Some(content),
                audience: audience.into(),
                ..wire::Send::default()
            };
            let by = principals::of(by);
            let message =
                self.proposed(&by, |proposer| proposer.send(&by, conversation, send, around))?;
            self.propose(conversation, message.proposal).await?
        } else {
            let send = wire::Send {
                conversation: conversation.to_string(),
                client_msg_id,
                content: Some(content),
                audience: audience.into(),
            };
            self.frame(principals::of(by), conversation, Frame::Send(send)).await?
        };
        let placed = placed.ok_or_else(unavailable)?;
        let position = placed.position;
        Ok(Ack {
            id: placed.id.parse().map_err(|_| unavailable())?,
            epoch: position.epoch,
            seq: position.seq,
            at_ms: placed.at_ms,
        })
    }

    /// Moves a session.
    pub(super) async fn carry_out(
        &self,
        by: &Caller,
        command: wire::Command,
    ) -> Result<(), EngineError> {
        let conversation: ConversationId =
            command.conversation.parse().map_err(|_| EngineError::UnknownConversation)?;
        if let Caller::Visitor(visitor) = by {
            if visitor.conversation != conversation {
                return Err(EngineError::UnknownConversation);
            }
            let by = principals::of(by);
            let (state, _) = self.readable_state(conversation).await?;
            let deed = access::Deed::of(&Frame::Command(command.clone())).map_err(rejected)?;
            let inbox = self.gate.inbox(visitor.account, visitor.inbox).await.map_err(refused)?;
            inbox.rules.check(deed).map_err(rejected)?;
            let account = by.account;
            let subject = Subject { conversation, account, session: state.session() };
            let allowed: Allowed = access::check(&by, deed, Some(&subject)).map_err(rejected)?;
            let beside = Beside { allowed, session: state.session(), target: None };
            let proposals = self
                .proposed(&by, |proposer| proposer.command(&by, conversation, command, beside))?;
            for proposal in proposals {
                self.propose(conversation, proposal).await?;
            }
        } else {
            self.frame(principals::of(by), conversation, Frame::Command(command)).await?;
        }
        Ok(())
    }

    /// Removes the content of entries.
    pub(super) async fn erase_entries(
        &self,
        by: &Caller,
        conversation: ConversationId,
        from_seq: u64,
        to_seq: u64,
    ) -> Result<(), EngineError> {
        self.readable(by, conversation).await?;
        let proposal = store::Proposal {
            conversation: Bytes::copy_from_slice(conversation.as_bytes()),
            actor: Some(principals::of(by).actor()),
            at_ms: now_ms(),
            body: Some(store::proposal::Body::Erase(store::Erase { from_seq, to_seq })),
        };
        self.propose(conversation, proposal).await?;
        Ok(())
    }

    /// A text as it may be passed on under the rules of its account.
    pub(in crate::node) fn screened(
        &self,
        by: &Caller,
        text: String,
    ) -> Result<String, EngineError> {
        let screen = self.words.screens().of(by.account());
        let passed = screen.screen_text(text, principals::of(by).kind).map_err(rejected)?;
        Ok(passed.content)
    }

    /// The name of a file as it may be kept.
    pub(super) fn screened_file_name(
        &self,
        by: &Caller,
        conversation: ConversationId,
        name: &str,
    ) -> Result<String, EngineError> {
        let by = principals::of(by);
        self.proposed(&by, |proposer| proposer.name(&by, conversation, name.to_owned()))
    }

    /// Makes proposals of somebody under the rules of its account.
    fn proposed<T>(
        &self,
        by: &Principal,
        propose: impl FnOnce(&mut Proposer<'_>) -> Result<T, Rejection>,
    ) -> Result<T, EngineError> {
        let screen = self.words.screens().of(by.account);
        let mut hits = Vec::new();
        let proposed = propose(&mut Proposer {
            ids: &mut self.ids.lock(),
            arena: &mut Arena::default(),
            screen: &screen,
            hits: &mut hits,
            now_ms: now_ms(),
        });
        self.words.note(hits);
        proposed.map_err(rejected)
    }
}
