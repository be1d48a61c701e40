//! What people do with a session: take it, hand it on, close it, rate it. One route, one body per
//! command, each of them a `Command` of the wire protocol.

use axum::extract::State;
use frontdesk_core::id::ConversationId;
use frontdesk_protocol::wire;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::{ConversationBody, own, show};
use crate::{
    extract::{Json, Path},
    principal::Caller,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(command))
}

/// What is to happen to the newest session.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "command", rename_all = "snake_case")]
enum CommandBody {
    /// From the queue to the caller.
    Take(Expected),
    /// From another owner to the caller; the other stays as a participant.
    TakeOver(Expected),
    /// To an agent or a team.
    Transfer {
        /// The session version the caller saw; 0 means any.
        #[serde(default)]
        expected_version: u32,
        /// A user's id; or `to_team`.
        #[serde(default)]
        to_agent: String,
        /// A team's id.
        #[serde(default)]
        to_team: String,
        /// A note for the team.
        #[serde(default)]
        note: String,
    },
    /// Ends the session.
    Close(Expected),
    /// Opens the closed session again, for the caller.
    Reopen(Expected),
    /// Back to the queue.
    Requeue(Expected),
    /// Takes part beside the owner.
    Join(Expected),
    /// Stops taking part.
    Leave(Expected),
    /// The visitor's rating.
    Rate {
        /// 1 to 5.
        rating: u32,
        /// In words.
        #[serde(default)]
        comment: String,
    },
    /// Sets the priority.
    Priority {
        /// The session version the caller saw; 0 means any.
        #[serde(default)]
        expected_version: u32,
        /// 1 (low) to 4 (urgent).
        priority: u32,
    },
    /// Sets the labels.
    Labels {
        /// The session version the caller saw; 0 means any.
        #[serde(default)]
        expected_version: u32,
        /// All of them.
        labels: Vec<String>,
    },
    /// Sets the intent.
    Intent {
        /// The session version the caller saw; 0 means any.
        #[serde(default)]
        expected_version: u32,
        /// Its name.
        intent: String,
    },
    /// Sets the session aside.
    Pend {
        /// The session version the caller saw; 0 means any.
        #[serde(default)]
        expected_version: u32,
        /// UTC milliseconds.
        until_ms: i64,
    },
}

/// What every command may carry.
#[derive(Deserialize, ToSchema)]
struct Expected {
    /// The session version the caller saw; 0 means any.
    #[serde(default)]
    expected_version: u32,
}

impl CommandBody {
    fn into_wire(self, conversation: ConversationId) -> wire::Command {
        use wire::command::Command;
        let (expected_version, command) = match self {
            Self::Take(e) => (e.expected_version, Command::Take(wire::Take {})),
            Self::TakeOver(e) => (e.expected_version, Command::TakeOver(wire::TakeOver {})),
            Self::Transfer { expected_version, to_agent, to_team, note } => {
                (expected_version, Command::Transfer(wire::Transfer { to_agent, to_team, note }))
            }
            Self::Close(e) => (e.expected_version, Command::Close(wire::Close {})),
            Self::Reopen(e) => (e.expected_version, Command::Reopen(wire::Reopen {})),
            Self::Requeue(e) => (e.expected_version, Command::Requeue(wire::Requeue {})),
            Self::Join(e) => (e.expected_version, Command::Join(wire::Join {})),
            Self::Leave(e) => (e.expected_version, Command::StepOut(wire::StepOut {})),
            Self::Rate { rating, comment } => (0, Command::Rate(wire::Rate { rating, comment })),
            Self::Priority { expected_version, priority } => {
                (expected_version, Command::SetPriority(wire::SetPriority { priority }))
            }
            Self::Labels { expected_version, labels } => {
                (expected_version, Command::SetLabels(wire::SetLabels { labels }))
            }
            Self::Intent { expected_version, intent } => {
                (expected_version, Command::SetIntent(wire::SetIntent { intent }))
            }
            Self::Pend { expected_version, until_ms } => {
                (expected_version, Command::Pend(wire::Pend { until_ms }))
            }
        };
        wire::Command {
            conversation: conversation.to_string(),
            expected_version,
            command: Some(command),
        }
    }
}

/// Moves a session
#[utoipa::path(post, path = "/conversations/{conversation}/commands", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id")),
    request_body = CommandBody,
    responses((status = 200, body = ConversationBody), (status = "4XX", body = ProblemBody)))]
async fn command(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(conversation): Path<String>,
    Json(body): Json<CommandBody>,
) -> Answer<Json<ConversationBody>> {
    let id = own(&by, &conversation)?;
    state.engine().command(&by, body.into_wire(id)).await?;
    show(State(state), Caller(by), Path(conversation)).await
}
