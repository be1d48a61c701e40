//! How the engine asks the loop of a conversation, by a command, and the desk, by a query. Both carry a channel for the
//! reply; whoever does not reply in time is unavailable.

use std::{sync::Arc, time::Duration};

use frontdesk_api::engine::EngineError;
use frontdesk_core::{id::ConversationId, store};
use frontdesk_gateway::chat::port::{Answer, Command, Placed, Reply};
use frontdesk_protocol::{
    codes,
    wire::{self, client_frame::Frame},
};
use frontdesk_router::access::Principal;
use tokio::{sync::oneshot, time::timeout};

use super::{NodeEngine, errors::unavailable};
use crate::node::desk::DeskQuery;

/// How long a request waits for a loop or the desk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

impl NodeEngine {
    /// Sends the loop of a conversation a command and waits for the reply.
    pub(super) async fn ask_loop<T>(
        &self,
        conversation: &ConversationId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        let owner = self.loops.owner_of(conversation).ok_or_else(unavailable)?;
        self.loops.send(owner, command(reply)).map_err(|_| unavailable())?;
        wait(answer).await
    }

    /// Sends the desk a query and waits for the reply.
    pub(super) async fn ask_desk<T>(
        &self,
        query: impl FnOnce(oneshot::Sender<T>) -> DeskQuery,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.queries.send(query(reply)).await.map_err(|_| unavailable())?;
        wait(answer).await
    }

    /// One frame of somebody with an account, handled as if it came by a socket.
    pub(in crate::node) async fn frame(
        &self,
        principal: Principal,
        conversation: ConversationId,
        frame: Frame,
    ) -> Result<Option<Placed>, EngineError> {
        let frame = Box::new(wire::ClientFrame { r#ref: 1, frame: Some(frame) });
        let principal = Arc::new(principal);
        let answer = self
            .ask_loop(&conversation, |reply| Command::Request { principal, frame, reply })
            .await?;
        placed(answer)
    }

    /// One proposal that has been checked.
    pub(super) async fn propose(
        &self,
        conversation: ConversationId,
        proposal: store::Proposal,
    ) -> Result<Option<Placed>, EngineError> {
        let answer = self
            .ask_loop(&conversation, |reply| Command::Propose {
                conversation,
                proposal: Box::new(proposal),
                reply: Reply::Once(reply),
            })
            .await?;
        placed(answer)
    }
}

async fn wait<T>(answer: oneshot::Receiver<T>) -> Result<T, EngineError> {
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        _ => Err(unavailable()),
    }
}

/// The end of a proposal as HTTP says it.
fn placed(answer: Answer) -> Result<Option<Placed>, EngineError> {
    match answer {
        Answer::Done(placed) => Ok(placed),
        Answer::Refused(refusal) => {
            let code = codes::find(&refusal.code).unwrap_or(&codes::INTERNAL);
            if code.code == codes::CONVERSATION_UNKNOWN.code {
                return Err(EngineError::UnknownConversation);
            }
            Err(EngineError::Refused {
                code: code.code,
                message: refusal.message,
                detail: refusal.detail,
                retry_after: refusal
                    .retry_after_ms
                    .map(|wait| Duration::from_millis(u64::from(wait))),
            })
        }
    }
}
