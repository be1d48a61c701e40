//! Settings: values of the catalog's registry, for the account, an inbox or a team. What exists, its
//! type, bounds, default and help come from the registry; forms are built from this answer.

use axum::extract::State;
use frontdesk_catalog::settings::{self, At, Kind, Place, Scope, Settings, Spec};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_protocol::codes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::unknown;
use crate::{
    extract::{Json, Path, Query},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(set, reset))
}

/// For an inbox or a team; without either, for the account.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PlaceParams {
    /// An inbox's id.
    inbox: Option<String>,
    /// A team's id.
    team: Option<String>,
}

impl PlaceParams {
    fn place(&self) -> Answer<Place> {
        match (&self.inbox, &self.team) {
            (None, None) => Ok(Place::Account),
            (Some(inbox), None) => Ok(Place::Inbox(unknown(inbox)?)),
            (None, Some(team)) => Ok(Place::Team(unknown(team)?)),
            (Some(_), Some(_)) => Err(Problem::invalid("team", "give either inbox or team")),
        }
    }
}

/// One setting.
#[derive(Serialize, ToSchema)]
struct SettingBody {
    name: &'static str,
    /// The value that holds here.
    #[schema(value_type = Object)]
    value: Value,
    /// It was set here; otherwise it comes from the account or is the default.
    own: bool,
    /// The value where nothing is set.
    #[schema(value_type = Object)]
    default: Value,
    /// `switch` (true or false) or `number` (whole).
    kind: &'static str,
    /// Least number.
    min: Option<i64>,
    /// Most.
    max: Option<i64>,
    /// Where else it may be set: `inbox`, `team`.
    scopes: Vec<&'static str>,
    /// What changing it here takes.
    right: &'static str,
    /// What it does, by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    help: Value,
}

#[derive(Serialize, ToSchema)]
struct SettingsBody {
    settings: Vec<SettingBody>,
}

/// Lists all settings with what holds at a place
#[utoipa::path(get, path = "/settings", tag = "settings", params(PlaceParams),
    responses((status = 200, body = SettingsBody), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<PlaceParams>,
) -> Answer<Json<SettingsBody>> {
    let account = staff.reads(Right::SettingsAccount)?;
    let place = params.place()?;
    exists(&state, account, place).await?;
    let values = state.catalog().settings(account).await?;
    let settings = settings::REGISTRY
        .iter()
        .filter(|spec| place_allowed(spec, place))
        .map(|spec| body(&state, spec, &values, place))
        .collect();
    Ok(Json(SettingsBody { settings }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingInput {
    /// Of the setting's type; null removes the value, as DELETE does.
    #[schema(value_type = Object)]
    value: Value,
}

/// Sets a value at a place
#[utoipa::path(put, path = "/settings/{name}", tag = "settings", request_body = SettingInput,
    params(("name" = String, Path, description = "The setting's name"), PlaceParams),
    responses((status = 200, body = SettingBody), (status = "4XX", body = ProblemBody)))]
async fn set(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
    Query(params): Query<PlaceParams>,
    Json(input): Json<SettingInput>,
) -> Answer<Json<SettingBody>> {
    let (account, spec, place) = target(&staff, &name, &params)?;
    if input.value.is_null() {
        exists(&state, account, place).await?;
        state.catalog().reset_setting(account, place, spec.name).await?;
        return answer(&state, account, spec, place).await;
    }
    if above(state.files().ceiling(spec), &input.value) {
        return Err(Problem::new(&codes::SETTING_INVALID).field(spec.name).detail("too_large"));
    }
    let written = state.catalog().set_setting(account, place, spec.name, &input.value).await;
    written.map_err(|error| setting_problem(error, spec.name))?;
    answer(&state, account, spec, place).await
}

/// Removes a value at a place, so that the one further out holds again
#[utoipa::path(delete, path = "/settings/{name}", tag = "settings",
    params(("name" = String, Path, description = "The setting's name"), PlaceParams),
    responses((status = 200, body = SettingBody), (status = "4XX", body = ProblemBody)))]
async fn reset(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
    Query(params): Query<PlaceParams>,
) -> Answer<Json<SettingBody>> {
    let (account, spec, place) = target(&staff, &name, &params)?;
    exists(&state, account, place).await?;
    state.catalog().reset_setting(account, place, spec.name).await?;
    answer(&state, account, spec, place).await
}

fn target(
    staff: &Staff,
    name: &str,
    params: &PlaceParams,
) -> Answer<(AccountId, &'static Spec, Place)> {
    let place = params.place()?;
    // Who may not change any setting does not learn which ones exist.
    let spec = settings::spec(name).map_err(|_| Problem::new(&codes::SETTING_UNKNOWN))?;
    let account = staff.with(place.right(spec))?;
    Ok((account, spec, place))
}

async fn answer(
    state: &ApiState,
    account: AccountId,
    spec: &'static Spec,
    place: Place,
) -> Answer<Json<SettingBody>> {
    state.engine().configuration_changed(account).await;
    let values = state.catalog().settings(account).await?;
    Ok(Json(body(state, spec, &values, place)))
}

/// An inbox or a team of another account is unknown.
async fn exists(state: &ApiState, account: AccountId, place: Place) -> Answer<()> {
    match place {
        Place::Account => {}
        Place::Inbox(inbox) => {
            state.catalog().inbox(account, inbox).await?;
        }
        Place::Team(team) => {
            state.catalog().team(account, team).await?;
        }
    }
    Ok(())
}

fn setting_problem(error: frontdesk_catalog::Error, name: &str) -> Problem {
    match error {
        frontdesk_catalog::Error::Invalid { reason, .. } => {
            Problem::new(&codes::SETTING_INVALID).field(name).detail(reason)
        }
        other => other.into(),
    }
}

fn place_allowed(spec: &Spec, place: Place) -> bool {
    match place {
        Place::Account => true,
        Place::Inbox(_) => spec.scopes.contains(&Scope::Inbox),
        Place::Team(_) => spec.scopes.contains(&Scope::Team),
    }
}

/// Whether a number is more than the configuration allows. Anything else is the catalog's to judge.
fn above(ceiling: Option<i64>, value: &Value) -> bool {
    matches!((ceiling, value.as_i64()), (Some(ceiling), Some(number)) if number > ceiling)
}

fn body(state: &ApiState, spec: &'static Spec, values: &Settings, place: Place) -> SettingBody {
    let at = match place {
        Place::Account => At::ACCOUNT,
        Place::Inbox(inbox) => At { inbox: Some(inbox), team: None },
        Place::Team(team) => At { inbox: None, team: Some(team) },
    };
    let (kind, min, mut max) = match spec.kind {
        Kind::Switch { .. } => ("switch", None, None),
        Kind::Number { min, max, .. } => ("number", Some(min), Some(max)),
    };
    let (mut value, mut default) = (values.value(spec, at), spec.default_value());
    // Where the configuration bounds a setting, that is what holds while nothing is set.
    if let Some(ceiling) = state.files().ceiling(spec) {
        max = max.map(|max| max.min(ceiling));
        default = ceiling.into();
        if !values.is_set(spec, at) || above(Some(ceiling), &value) {
            value = ceiling.into();
        }
    }
    SettingBody {
        name: spec.name,
        value,
        own: values.own(spec, place).is_some(),
        default,
        kind,
        min,
        max,
        scopes: spec
            .scopes
            .iter()
            .map(|scope| match scope {
                Scope::Inbox => "inbox",
                Scope::Team => "team",
            })
            .collect(),
        right: Right::code(place.right(spec)),
        help: serde_json::json!({ "en": spec.help_en, "zh-CN": spec.help_zh }),
    }
}
