//! Canned replies: texts an agent inserts by a shortcut.

use axum::extract::State;
use frontdesk_catalog::{NewReply, Reply, Texts};
use frontdesk_core::rights::Right;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, unknown};
use crate::{
    extract::{Created, Json, Path},
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(change, remove))
}

/// A canned reply.
#[derive(Serialize, ToSchema)]
struct ReplyBody {
    id: String,
    /// The team that has it; absent for everybody.
    team: Option<String>,
    /// What an agent types after `/`.
    shortcut: String,
    /// The text by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    texts: Texts,
}

impl From<Reply> for ReplyBody {
    fn from(reply: Reply) -> Self {
        Self {
            id: reply.id.to_string(),
            team: reply.team.map(|team| team.to_string()),
            shortcut: reply.shortcut,
            texts: reply.texts,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct RepliesBody {
    replies: Vec<ReplyBody>,
}

/// Lists the canned replies
#[utoipa::path(get, path = "/canned-replies", tag = "canned replies",
    responses((status = 200, body = RepliesBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<RepliesBody>> {
    let replies = state.catalog().replies(staff.reads(Right::SettingsReplies)?).await?;
    Ok(Json(RepliesBody { replies: replies.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplyInput {
    /// The team that has it; absent for everybody.
    #[serde(default)]
    team: Option<String>,
    /// What an agent types after `/`; without spaces.
    shortcut: String,
    /// The text by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    texts: Texts,
}

impl ReplyInput {
    fn checked(self) -> Answer<NewReply> {
        let team = self.team.map(|team| super::id("team", &team)).transpose()?;
        Ok(NewReply { team, shortcut: self.shortcut, texts: self.texts })
    }
}

/// Creates a canned reply
#[utoipa::path(post, path = "/canned-replies", tag = "canned replies", request_body = ReplyInput,
    responses((status = 201, body = ReplyBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<ReplyInput>,
) -> Answer<Created<ReplyBody>> {
    let account = staff.with(Right::SettingsReplies)?;
    Ok(Created(state.catalog().create_reply(account, &body.checked()?).await?.into()))
}

/// Changes a canned reply
#[utoipa::path(put, path = "/canned-replies/{reply}", tag = "canned replies",
    request_body = ReplyInput,
    params(("reply" = String, Path, description = "The reply's id")),
    responses((status = 200, body = ReplyBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(reply): Path<String>,
    Json(body): Json<ReplyInput>,
) -> Answer<Json<ReplyBody>> {
    let account = staff.with(Right::SettingsReplies)?;
    let reply = state.catalog().update_reply(account, unknown(&reply)?, &body.checked()?).await?;
    Ok(Json(reply.into()))
}

/// Deletes a canned reply
#[utoipa::path(delete, path = "/canned-replies/{reply}", tag = "canned replies",
    params(("reply" = String, Path, description = "The reply's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(reply): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsReplies)?;
    state.catalog().delete_reply(account, unknown(&reply)?).await?;
    Ok(Done)
}
