//! How visitors' messages are sorted: what holds and what the account changes of it, a text to try, and what became of
//! past sessions.

use std::collections::BTreeMap;

use axum::extract::State;
use frontdesk_catalog::Team;
use frontdesk_core::{
    id::{AccountId, InboxId, TeamId},
    rights::Right,
};
use frontdesk_protocol::codes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    engine::{IntentConfig, IntentLead, Intents, SortedPage, SortedQuery, TriedText},
    extract::{Json, Query},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

/// Longest text to try; a visitor's message may be as long.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Days back that past sessions are shown of.
const DAYS_MAX: u32 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Conversations that are looked at for one page of past sessions.
const CONVERSATIONS_MAX: usize = 50;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(intents, change_intents))
        .routes(routes!(try_intent))
        .routes(routes!(intent_sessions))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PlaceParams {
    /// What holds in this inbox; absent: what holds where inboxes say nothing of their own.
    #[param(value_type = Option<String>)]
    inbox: Option<InboxId>,
}

#[derive(Serialize, ToSchema)]
struct IntentsBody {
    /// Absent where messages are not sorted (`intent.enabled`).
    intents: Option<Intents>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IntentsChange {
    /// All that the account says of its own.
    own: IntentConfig,
    /// That of what it replaces; 0 where nothing was ever said.
    revision: u64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryBody {
    /// What a visitor might write.
    text: String,
    /// Whose thresholds and rules hold; absent: those that hold everywhere.
    #[schema(value_type = Option<String>)]
    inbox: Option<InboxId>,
}

#[derive(Serialize, ToSchema)]
struct TriedBody {
    /// Absent where messages are not sorted.
    tried: Option<TriedText>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SessionsParams {
    /// Sessions that began in so many days until now, 1 to 90.
    #[param(minimum = 1, maximum = 90)]
    days: u32,
    /// Only those whose intent a person set.
    #[serde(default)]
    #[param(default = false)]
    corrected: bool,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Shows how visitors' messages are sorted
#[utoipa::path(get, path = "/intents", tag = "inboxes", params(PlaceParams),
    responses((status = 200, body = IntentsBody), (status = "4XX", body = ProblemBody)))]
async fn intents(
    State(state): State<ApiState>,
    staff: Staff,
    Query(place): Query<PlaceParams>,
) -> Answer<Json<IntentsBody>> {
    let account = staff.reads(Right::SettingsInboxes)?;
    let (inbox, name) = place_of(&state, account, place.inbox).await?;
    Ok(Json(body_of(&state, account, (&inbox, &name)).await?))
}

/// Changes what the account says of how messages are sorted
///
/// Holds for messages from five seconds later on. A change that somebody else was faster with is refused.
#[utoipa::path(put, path = "/intents", tag = "inboxes", request_body = IntentsChange,
    responses((status = 200, body = IntentsBody), (status = "4XX", body = ProblemBody)))]
async fn change_intents(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<IntentsChange>,
) -> Answer<Json<IntentsBody>> {
    let account = staff.with(Right::SettingsInboxes)?;
    let catalog = state.catalog();
    let document = checked(&state, account, "own", &body.own).await?;
    let stored = catalog.intent_settings(account).await?;
    if stored.is_some_and(|of| serde_json::from_str::<IntentConfig>(&of.document).is_err()) {
        // A newer version may have said it, and what this one does not know would be gone.
        return Err(Problem::invalid("own", "what is there cannot be read by this version"));
    }
    catalog.set_intent_settings(account, &document, body.revision).await?;
    state.engine().configuration_changed(account).await;
    Ok(Json(body_of(&state, account, ("", "")).await?))
}

/// Tries what a text would be sorted as
///
/// Changes nothing and is not counted.
#[utoipa::path(post, path = "/intents/try", tag = "inboxes", request_body = TryBody,
    responses((status = 200, body = TriedBody), (status = "4XX", body = ProblemBody)))]
async fn try_intent(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<TryBody>,
) -> Answer<Json<TriedBody>> {
    let account = staff.reads(Right::SettingsInboxes)?;
    if body.text.len() > TEXT_BYTES_MAX {
        return Err(Problem::invalid("text", "is longer than a message may be"));
    }
    let (inbox, name) = place_of(&state, account, body.inbox).await?;
    let tried = state.engine().try_intent(account, &body.text, (&inbox, &name)).await?;
    Ok(Json(TriedBody { tried }))
}

/// Lists past sessions with what was read of them and what was decided
///
/// Of conversations the caller may read: to try other thresholds, rules or another model on them, and to train on what
/// people corrected.
#[utoipa::path(get, path = "/intents/sessions", tag = "inboxes", params(SessionsParams),
    responses((status = 200, body = SortedPage), (status = "4XX", body = ProblemBody)))]
async fn intent_sessions(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<SessionsParams>,
) -> Answer<Json<SortedPage>> {
    staff.reads(Right::SettingsInboxes)?;
    if !(1..=DAYS_MAX).contains(&params.days) {
        return Err(Problem::invalid("days", format!("must lie between 1 and {DAYS_MAX}")));
    }
    if params.cursor.as_ref().is_some_and(|cursor| cursor.len() > 512) {
        return Err(Problem::new(&codes::CURSOR_INVALID));
    }
    let query = SortedQuery {
        since_ms: now_ms() - i64::from(params.days) * DAY_MS,
        corrected: params.corrected,
        cursor: params.cursor,
        limit: CONVERSATIONS_MAX,
    };
    Ok(Json(state.engine().sorted_sessions(&staff.0, query).await?))
}

/// What holds in a place. What is said of inboxes and teams that are gone meanwhile is left out, so that it can be sent
/// back.
async fn body_of(state: &ApiState, account: AccountId, place: (&str, &str)) -> Answer<IntentsBody> {
    let mut intents = state.engine().intents(account, place).await?;
    if let Some(Intents { own, .. }) = &mut intents
        && *own != IntentConfig::default()
    {
        let inboxes = state.catalog().inboxes(account).await?;
        let teams = state.catalog().teams(account).await?;
        own.inboxes.retain(|inbox, _| inboxes.iter().any(|of| of.id.to_string() == *inbox));
        let sections = own.inboxes.values_mut().map(|section| &mut section.intents);
        for lead in sections.chain([&mut own.intents]).flat_map(BTreeMap::values_mut) {
            lead.team.take_if(|team| !is_team(team, &teams));
        }
    }
    Ok(IntentsBody { intents })
}

/// Id and name of an inbox of the account; both empty where none is named.
async fn place_of(
    state: &ApiState,
    account: AccountId,
    inbox: Option<InboxId>,
) -> Answer<(String, String)> {
    let Some(inbox) = inbox else { return Ok((String::new(), String::new())) };
    let name = state.catalog().inbox(account, inbox).await?.name.clone();
    Ok((inbox.to_string(), name))
}

/// What an account would say of its own, as the document that is kept, once it is known that it can hold. `field` is
/// where it stands in the request.
pub(super) async fn checked(
    state: &ApiState,
    account: AccountId,
    field: &str,
    own: &IntentConfig,
) -> Answer<String> {
    let teams = state.catalog().teams(account).await?;
    let inboxes = state.catalog().inboxes(account).await?;
    targets_exist(&format!("{field}.intents"), &own.intents, &teams)?;
    for (inbox, section) in &own.inboxes {
        let field = format!("{field}.inboxes.{inbox}");
        if !inboxes.iter().any(|known| known.id.to_string() == *inbox) {
            return Err(Problem::invalid(&field, "is no inbox of the account"));
        }
        targets_exist(&format!("{field}.intents"), &section.intents, &teams)?;
    }
    let document = serde_json::to_string(own).map_err(Problem::internal)?;
    let checked = state.engine().check_intents(&document).await;
    checked.map_err(|reason| Problem::invalid(field, reason))?;
    Ok(document)
}

fn targets_exist(
    field: &str,
    targets: &BTreeMap<String, IntentLead>,
    teams: &[Team],
) -> Result<(), Problem> {
    for (intent, target) in targets {
        let Some(team) = &target.team else { continue };
        if !is_team(team, teams) {
            return Err(Problem::invalid(
                &format!("{field}.{intent}.team"),
                "is no team of the account",
            ));
        }
    }
    Ok(())
}

fn is_team(team: &str, teams: &[Team]) -> bool {
    team.parse::<TeamId>().is_ok_and(|id| teams.iter().any(|known| known.id == id))
}
