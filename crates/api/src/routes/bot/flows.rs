//! Flows of a bot: YAML with its versions. One that cannot be run is not stored.

use std::collections::BTreeMap;

use axum::extract::{DefaultBodyLimit, State};
use frontdesk_bot::{Flow, Problem as FlowProblem, Severity, flow::FLOW_BYTES_MAX};
use frontdesk_catalog::{Document, DocumentHeading, DocumentKind, DocumentVersion, NewDocument};
use frontdesk_core::rights::Right;
use frontdesk_protocol::codes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{Done, FLOW_REQUEST_BYTES_MAX};
use crate::{
    extract::{Json, Path},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

const FLOW: DocumentKind = DocumentKind::Flow;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(flows))
        .routes(routes!(flow, change_flow, remove_flow))
        .routes(routes!(flow_versions))
        .routes(routes!(roll_back_flow))
        .routes(routes!(check_flow))
        .layer(DefaultBodyLimit::max(FLOW_REQUEST_BYTES_MAX))
}

/// A flow.
#[derive(Serialize, ToSchema)]
struct FlowBody {
    name: String,
    yaml: String,
    /// To be sent with a change.
    version: u64,
    updated_ms: i64,
    /// Who changed it, by the name of that time.
    by: String,
}

impl From<Document> for FlowBody {
    fn from(document: Document) -> Self {
        Self {
            name: document.name,
            yaml: document.document,
            version: document.revision,
            updated_ms: document.updated_ms,
            by: document.by_name,
        }
    }
}

/// A flow in the list.
#[derive(Serialize, ToSchema)]
struct FlowHeading {
    name: String,
    version: u64,
    updated_ms: i64,
    /// Who changed it, by the name of that time.
    by: String,
}

impl From<DocumentHeading> for FlowHeading {
    fn from(heading: DocumentHeading) -> Self {
        let DocumentHeading { name, revision, updated_ms, by_name } = heading;
        Self { name, version: revision, updated_ms, by: by_name }
    }
}

#[derive(Serialize, ToSchema)]
struct FlowsBody {
    /// By name, without what they say.
    flows: Vec<FlowHeading>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FlowChange {
    /// Its `name` is the one in the path.
    yaml: String,
    /// That of what it replaces; 0 where there is none yet.
    version: u64,
}

/// A flow as it was.
#[derive(Serialize, ToSchema)]
struct FlowVersionBody {
    version: u64,
    yaml: String,
    updated_ms: i64,
    /// Who wrote it, by the name of that time.
    by: String,
}

impl From<DocumentVersion> for FlowVersionBody {
    fn from(version: DocumentVersion) -> Self {
        Self {
            version: version.revision,
            yaml: version.document,
            updated_ms: version.at_ms,
            by: version.by_name,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct FlowVersionsBody {
    /// Newest first, at most 50; the first is how it is now.
    versions: Vec<FlowVersionBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RollBack {
    /// What it is to say again.
    version: u64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    yaml: String,
}

/// How bad a problem of a flow is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FlowSeverity {
    /// The flow is refused.
    Error,
    /// The flow can be used.
    Warning,
}

/// What is wrong with a flow.
#[derive(Serialize, ToSchema)]
struct FlowProblemBody {
    /// Stable, for programs.
    code: String,
    severity: FlowSeverity,
    /// From 1; 0 where the place is not known.
    line: u64,
    /// The step it is in; empty for none.
    step: String,
    /// What the words for it name: a step, a limit, a variable.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    params: BTreeMap<String, String>,
    /// The same in English.
    reason: String,
}

impl From<FlowProblem> for FlowProblemBody {
    fn from(problem: FlowProblem) -> Self {
        let severity = match problem.severity {
            Severity::Error => FlowSeverity::Error,
            Severity::Warning => FlowSeverity::Warning,
        };
        let FlowProblem { code, line, step, params, reason, .. } = problem;
        Self { code, severity, line, step, params, reason }
    }
}

#[derive(Serialize, ToSchema)]
struct CheckedFlow {
    /// It can be used.
    ok: bool,
    problems: Vec<FlowProblemBody>,
}

/// Lists the flows of the bot
#[utoipa::path(get, path = "/bot/flows", tag = "bot",
    responses((status = 200, body = FlowsBody), (status = "4XX", body = ProblemBody)))]
async fn flows(State(state): State<ApiState>, staff: Staff) -> Answer<Json<FlowsBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let flows = state.catalog().document_headings(account, FLOW).await?;
    Ok(Json(FlowsBody { flows: flows.into_iter().map(Into::into).collect() }))
}

/// Shows a flow
#[utoipa::path(get, path = "/bot/flows/{name}", tag = "bot",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, body = FlowBody), (status = "4XX", body = ProblemBody)))]
async fn flow(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
) -> Answer<Json<FlowBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let flow = state.catalog().document(account, FLOW, &name).await?;
    Ok(Json(flow.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?.into()))
}

/// Changes or adds a flow
///
/// One that cannot be run is refused. A change that somebody else was faster with is refused, too.
#[utoipa::path(put, path = "/bot/flows/{name}", tag = "bot", request_body = FlowChange,
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, body = FlowBody), (status = "4XX", body = ProblemBody)))]
async fn change_flow(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
    Json(body): Json<FlowChange>,
) -> Answer<Json<FlowBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let flow = usable(body.yaml.clone()).await?;
    if flow.name != name {
        let detail = format!("its name is {}, not the one of the path", flow.name);
        return Err(Problem::invalid("yaml", detail));
    }
    let new = NewDocument { document: &body.yaml, sealed: None, by_name: staff.0.name() };
    let set = state.catalog().set_document(account, FLOW, &name, new, body.version).await?;
    state.engine().configuration_changed(account).await;
    Ok(Json(set.into()))
}

/// Deletes a flow with its versions; sessions that are in it go on without it
#[utoipa::path(delete, path = "/bot/flows/{name}", tag = "bot",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove_flow(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsBots)?;
    state.catalog().delete_document(account, FLOW, &name).await?;
    state.engine().configuration_changed(account).await;
    Ok(Done)
}

/// Lists what a flow said before
#[utoipa::path(get, path = "/bot/flows/{name}/versions", tag = "bot",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, body = FlowVersionsBody), (status = "4XX", body = ProblemBody)))]
async fn flow_versions(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
) -> Answer<Json<FlowVersionsBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let versions = state.catalog().document_versions(account, FLOW, &name).await?;
    Ok(Json(FlowVersionsBody { versions: versions.into_iter().map(Into::into).collect() }))
}

/// Makes a flow say again what it said before, as a new version
#[utoipa::path(post, path = "/bot/flows/{name}/rollback", tag = "bot", request_body = RollBack,
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, body = FlowBody), (status = "4XX", body = ProblemBody)))]
async fn roll_back_flow(
    State(state): State<ApiState>,
    staff: Staff,
    Path(name): Path<String>,
    Json(body): Json<RollBack>,
) -> Answer<Json<FlowBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let by = staff.0.name();
    let back = state.catalog().rollback_document(account, FLOW, &name, body.version, by).await?;
    state.engine().configuration_changed(account).await;
    Ok(Json(back.into()))
}

/// Checks a flow without storing it
#[utoipa::path(post, path = "/bot/flows/check", tag = "bot", request_body = CheckBody,
    responses((status = 200, body = CheckedFlow), (status = "4XX", body = ProblemBody)))]
async fn check_flow(staff: Staff, Json(body): Json<CheckBody>) -> Answer<Json<CheckedFlow>> {
    staff.with(Right::SettingsBots)?;
    let (flow, problems) = checked(body.yaml).await?;
    let problems = problems.into_iter().map(Into::into).collect();
    Ok(Json(CheckedFlow { ok: flow.is_some(), problems }))
}

/// Reads a flow and says what is wrong with it.
pub(super) async fn checked(yaml: String) -> Answer<(Option<Flow>, Vec<FlowProblem>)> {
    if yaml.len() > FLOW_BYTES_MAX {
        let kib = FLOW_BYTES_MAX >> 10;
        return Err(Problem::invalid("yaml", format!("has more than {kib} KiB")));
    }
    // Hundreds of steps with patterns take a while.
    let read = tokio::task::spawn_blocking(move || Flow::check(&yaml));
    read.await.map_err(Problem::internal)
}

/// Reads a flow that can be run, or says the first thing that is wrong.
pub(super) async fn usable(yaml: String) -> Answer<Flow> {
    let (flow, problems) = checked(yaml).await?;
    flow.ok_or_else(|| {
        let first = problems.iter().find(|problem| problem.severity == Severity::Error);
        let detail = first.or(problems.first()).map(ToString::to_string).unwrap_or_default();
        Problem::invalid("yaml", detail)
    })
}
