//! How the bot of this server speaks and acts in a conversation: by the same frames as a program with a socket.

use std::{sync::Arc, time::Duration};

use frontdesk_api::engine::EngineError;
use frontdesk_core::{
    chat::{Audience, Content},
    id::{ConversationId, TeamId},
    limits::DRAFT_BYTES_MAX,
};
use frontdesk_protocol::wire::{self, client_frame::Frame, command::Command as Order};
use frontdesk_router::access::Principal;
use tokio::time::sleep;

use super::deeds;
use crate::node::engine::{NodeEngine, unavailable};

/// How long it waits before it hands over again, should that fail: a visitor has been told that a person comes.
const TRIED_AGAIN_AFTER: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1_600),
    Duration::from_millis(6_400),
];

/// The bot in one conversation.
#[derive(Clone)]
pub(super) struct Voice {
    pub(super) engine: Arc<NodeEngine>,
    pub(super) principal: Principal,
    pub(super) conversation: ConversationId,
}

impl Voice {
    /// Says something `about` the visitor's message with a seq, as the so-manieth thing; returns the seq of its entry.
    pub(super) async fn say(
        &self,
        content: Content,
        audience: Audience,
        about: (u64, u16),
    ) -> Result<u64, EngineError> {
        let (seq, number) = about;
        let id = deeds::client_msg_id(self.conversation, seq, number);
        let send = deeds::send(self.conversation, id, content, audience);
        let placed = self.frame(Frame::Send(send)).await?;
        Ok(placed.map_or(0, |placed| placed.position.seq))
    }

    /// Tells the team something. A visitor waits for none of it: where it fails, it is not there.
    pub(super) async fn tell_team(&self, content: Content, about: (u64, u16)) {
        if let Err(error) = self.say(content, Audience::Team, about).await {
            tracing::debug!(conversation.id = %self.conversation, %error, "the team is not told");
        }
    }

    /// The same as a text.
    pub(super) async fn note(&self, text: &str, about: (u64, u16)) {
        let kind = Some(deeds::text_kind(text));
        self.tell_team(Content { kind, ..Content::default() }, about).await;
    }

    /// Shows what the bot is about to say; with an empty text that it is about to say something, or, not `typing`,
    /// nothing any more. One that gets lost is followed by the next.
    pub(super) async fn draft(&self, typing: bool, text: &str) {
        let end = text.floor_char_boundary(DRAFT_BYTES_MAX);
        let draft = wire::Draft {
            conversation: self.conversation.to_string(),
            typing,
            text: text[..end].to_owned(),
        };
        if let Err(error) = self.frame(Frame::Draft(draft)).await {
            tracing::debug!(conversation.id = %self.conversation, %error, "a draft is not shown");
        }
    }

    /// To the queue of a team, or to the one where the session would stand without a bot: whatever happens on the way,
    /// to some queue. With `stays` the bot waits there, too.
    pub(super) async fn hand_over(
        &self,
        team: Option<TeamId>,
        stays: bool,
    ) -> Result<(), EngineError> {
        let transfer = team.map(|team| {
            let to_team = team.to_string();
            Order::Transfer(wire::Transfer { to_team, ..wire::Transfer::default() })
        });
        let mut order = transfer.unwrap_or(Order::Requeue(wire::Requeue {}));
        let mut waits = TRIED_AGAIN_AFTER.into_iter();
        while let Err(error) = self.order(order).await {
            // A team may be gone, a loop busy. Who is refused for another reason does not own it any more.
            let Some(wait) = waits.next() else { return Err(error) };
            order = Order::Requeue(wire::Requeue {});
            sleep(wait).await;
        }
        if stays {
            self.order(Order::Join(wire::Join {})).await?;
        }
        Ok(())
    }

    pub(super) async fn order(&self, order: Order) -> Result<(), EngineError> {
        let command = wire::Command {
            conversation: self.conversation.to_string(),
            expected_version: 0,
            command: Some(order),
        };
        self.frame(Frame::Command(command)).await.map(drop)
    }

    async fn frame(
        &self,
        frame: Frame,
    ) -> Result<Option<frontdesk_gateway::chat::port::Placed>, EngineError> {
        // Whose node it is by now speaks there.
        if !is_here(&self.engine, self.conversation) {
            return Err(unavailable());
        }
        self.engine.frame(self.principal.clone(), self.conversation, frame).await
    }
}

/// Whether this node has the conversation's partition: the bot speaks there, and nowhere else.
pub(super) fn is_here(engine: &NodeEngine, conversation: ConversationId) -> bool {
    engine.loops.owner_of(&conversation).is_some_and(|owner| engine.loops.is_local(owner))
}
