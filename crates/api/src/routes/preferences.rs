//! What a signed-in user wants to be told by.

use axum::extract::State;
use frontdesk_catalog::Preferences;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::Json,
    principal::SignedIn,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(preferences, set_preferences))
}

/// By which signals the console tells that somebody waits; one choice for all browsers.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of a page of settings")]
struct PreferencesBody {
    /// A sound.
    sound: bool,
    /// A notification of the desktop, where the browser allows it.
    desktop: bool,
    /// The count in the page's title and icon.
    title: bool,
    /// Again and again until somebody answers.
    repeat_until_answered: bool,
}

/// Shows one's own signals
#[utoipa::path(get, path = "/me/preferences", tag = "identity",
    responses((status = 200, body = PreferencesBody), (status = "4XX", body = ProblemBody)))]
async fn preferences(
    State(state): State<ApiState>,
    SignedIn(user): SignedIn,
) -> Answer<Json<PreferencesBody>> {
    let chosen = state.catalog().preferences(user.access.user).await?;
    Ok(Json(PreferencesBody {
        sound: chosen.sound,
        desktop: chosen.desktop,
        title: chosen.title,
        repeat_until_answered: chosen.repeat_until_answered,
    }))
}

/// Chooses one's own signals
#[utoipa::path(put, path = "/me/preferences", tag = "identity", request_body = PreferencesBody,
    responses((status = 200, body = PreferencesBody), (status = "4XX", body = ProblemBody)))]
async fn set_preferences(
    State(state): State<ApiState>,
    SignedIn(user): SignedIn,
    Json(body): Json<PreferencesBody>,
) -> Answer<Json<PreferencesBody>> {
    let chosen = Preferences {
        sound: body.sound,
        desktop: body.desktop,
        title: body.title,
        repeat_until_answered: body.repeat_until_answered,
    };
    state.catalog().set_preferences(user.access.user, chosen).await?;
    Ok(Json(body))
}
