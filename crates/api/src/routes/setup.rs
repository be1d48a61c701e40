//! The first account of an installation, made in the browser with the one-time token that the server
//! printed (S6).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{NewAccount, Password};
use frontdesk_core::secret::Secret128;
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    demo::{self, DemoUser},
    sign_in::{admit_address, begin, refuse_exposed},
};
use crate::{
    client::Client,
    extract::{Created, Json},
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(status, set_up))
}

/// Whether there is something to set up.
#[derive(Serialize, ToSchema)]
struct SetupStatus {
    /// There is no account yet.
    needed: bool,
    /// Whom one may enter the demo as, without a password; empty outside of a demo on this machine.
    demo_users: Vec<DemoUser>,
}

/// Says whether the installation still has to be set up
#[utoipa::path(get, path = "/setup", tag = "identity",
    responses((status = 200, body = SetupStatus), (status = "4XX", body = ProblemBody)))]
async fn status(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
) -> Answer<Json<SetupStatus>> {
    let needed = state.catalog().is_empty().await?;
    Ok(Json(SetupStatus { needed, demo_users: demo::users(&state, &client, &headers).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetupBody {
    /// From the link the server printed.
    token: String,
    /// Name of the account.
    account: String,
    email: String,
    /// The owner's name, as visitors see it.
    display_name: String,
    /// 8 characters or more, 15 advised.
    #[schema(format = Password)]
    password: String,
    /// BCP 47.
    #[serde(default = "english")]
    language: String,
    /// Sites on which the first inbox's widget may appear.
    #[serde(default)]
    origins: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

/// What was made; the owner is signed in.
#[derive(Serialize, ToSchema)]
struct SetUpBody {
    account_id: String,
    user_id: String,
    inbox_id: String,
    /// Names the inbox in `/c/{inbox_key}` and the site's snippet.
    inbox_key: String,
}

/// Creates the first account and signs its owner in
#[utoipa::path(post, path = "/setup", tag = "identity", request_body = SetupBody,
    responses((status = 201, body = SetUpBody), (status = "4XX", body = ProblemBody)))]
async fn set_up(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<SetupBody>,
) -> Answer<Response> {
    refuse_exposed(&state, &client)?;
    admit_address(&state, &client).await?;
    if !state.catalog().is_empty().await? {
        return Err(Problem::new(&codes::SETUP_DONE));
    }
    let token = Secret128::parse(&body.token).map_err(|_| Problem::new(&codes::SETUP_INVALID))?;
    let new = NewAccount {
        name: body.account,
        language: body.language,
        demo: false,
        owner_email: body.email,
        owner_name: body.display_name,
        owner_password: Password::new(body.password),
        origins: body.origins,
    };
    let made = state.catalog().set_up(&token, new, now_ms()).await?;
    state.engine().configuration_changed(made.account).await;
    let mut response = Created(SetUpBody {
        account_id: made.account.to_string(),
        user_id: made.owner.to_string(),
        inbox_id: made.inbox.to_string(),
        inbox_key: made.inbox_key,
    })
    .into_response();
    begin(&state, &client, &headers, made.owner, made.account, response.headers_mut()).await?;
    Ok(response)
}
