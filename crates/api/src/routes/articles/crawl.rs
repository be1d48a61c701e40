//! The pages of a help centre elsewhere, taken over as articles ([`crate::crawl`]).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_core::rights::Right;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{super::Done, import::FileProblem};
use crate::{
    crawl::{CrawlPhase, CrawlState, PAGES_MAX},
    extract::Json,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
    trouble::Trouble,
};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(crawl, start_crawl, stop_crawl))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CrawlBody {
    /// Address of the site's sitemap.
    sitemap: String,
    /// At most so many pages, 1 to 500; absent for 200.
    pages_max: Option<usize>,
}

/// How far it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CrawlPhaseBody {
    /// There was none since the server started.
    Idle,
    Running,
    Done,
    Failed,
}

#[derive(Serialize, ToSchema)]
struct CrawlStateBody {
    state: CrawlPhaseBody,
    /// Pages that were read.
    pages: u64,
    /// Articles that were added or changed.
    added: u64,
    /// Pages that were left out, and why.
    problems: Vec<FileProblem>,
    /// Why it ended early, in English; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Trouble>,
}

impl From<CrawlState> for CrawlStateBody {
    fn from(state: CrawlState) -> Self {
        let phase = match state.phase {
            CrawlPhase::Idle => CrawlPhaseBody::Idle,
            CrawlPhase::Running => CrawlPhaseBody::Running,
            CrawlPhase::Done => CrawlPhaseBody::Done,
            CrawlPhase::Failed => CrawlPhaseBody::Failed,
        };
        Self {
            state: phase,
            pages: state.pages,
            added: state.added,
            problems: state
                .problems
                .into_iter()
                .map(|(file, trouble)| FileProblem { file, line: None, trouble })
                .collect(),
            error: state.ended.as_ref().map(|ended| ended.reason.clone()),
            ended: state.ended,
        }
    }
}

/// Shows how far the last crawl is
#[utoipa::path(get, path = "/articles/crawl", tag = "articles",
    responses((status = 200, body = CrawlStateBody), (status = "4XX", body = ProblemBody)))]
async fn crawl(State(state): State<ApiState>, staff: Staff) -> Answer<Json<CrawlStateBody>> {
    let account = staff.with(Right::SettingsKnowledge)?;
    Ok(Json(state.crawls().state(account).into()))
}

/// Takes over the pages of a site as articles
///
/// Reads the pages its sitemap names, of the same site alone and as its robots.txt allows. New articles are drafts;
/// drafts of an earlier crawl of this site are changed. What is published, written or changed here, or from another
/// source is left alone and told. One at a time for each account; it goes on without whoever started it, and ends with
/// the server.
#[utoipa::path(post, path = "/articles/crawl", tag = "articles", request_body = CrawlBody,
    responses((status = 202, body = CrawlStateBody), (status = "4XX", body = ProblemBody)))]
async fn start_crawl(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<CrawlBody>,
) -> Answer<Response> {
    let account = staff.with(Right::SettingsKnowledge)?;
    let pages_max = body.pages_max.unwrap_or(200);
    if !(1..=PAGES_MAX).contains(&pages_max) {
        return Err(Problem::invalid("pages_max", format!("must lie between 1 and {PAGES_MAX}")));
    }
    let sitemap = Url::parse(body.sitemap.trim())
        .map_err(|_| Problem::invalid("sitemap", "is no address"))?;
    let guard = state.outgoing().guard();
    guard
        .check_url(&sitemap)
        .map_err(|refused| Problem::invalid("sitemap", refused.to_string()).because(refused))?;
    let started = state.crawls().start(account, sitemap, pages_max)?;
    Ok((StatusCode::ACCEPTED, Json(CrawlStateBody::from(started))).into_response())
}

/// Stops the crawl; what was taken over stays
#[utoipa::path(delete, path = "/articles/crawl", tag = "articles",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn stop_crawl(State(state): State<ApiState>, staff: Staff) -> Answer<Done> {
    let account = staff.with(Right::SettingsKnowledge)?;
    state.crawls().stop(account);
    Ok(Done)
}
