//! The account's language model: where it is, what it may be asked for, and what that costs.

use axum::extract::State;
use frontdesk_catalog::{DocumentKind, NewDocument};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_llm::{Invalid, Key, Settings, VISITOR_WAIT_MS, VISITOR_WAIT_MS_MAX, origin};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{DAY_MS, date};
use crate::{
    engine::LlmTest,
    extract::{Json, Query},
    llm::{self, LlmDocument, LlmFeatures, LlmKept, PROMPT_CHARS_MAX},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    sealed::Purpose,
    state::{ApiState, now_ms},
};

/// Days that are shown at most.
const DAYS_MAX: u32 = 365;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(settings, change))
        .routes(routes!(spend))
        .routes(routes!(test))
}

#[derive(Serialize, ToSchema)]
struct LlmBody {
    /// 0 where nothing was ever said.
    revision: u64,
    /// The endpoint up to and without `/chat/completions`; empty where there is no model.
    base_url: String,
    /// The model's name there.
    model: String,
    /// Whether a key is kept.
    has_key: bool,
    /// The last characters of the key; empty without one, or for a short one.
    hint: String,
    features: LlmFeatures,
    /// Tokens one conversation may take.
    conversation_tokens_max: u64,
    /// Tokens of one day (UTC).
    day_tokens_max: u64,
    /// From a question to the end of its answer.
    timeout_ms: u64,
    /// How long a visitor goes without a word of the answer before people get the session.
    visitor_wait_ms: u64,
    /// What the team tells the model beside what the product does.
    prompt: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LlmChange {
    /// That of what it replaces; 0 where nothing was ever said.
    revision: u64,
    /// The endpoint up to and without `/chat/completions`; empty for none.
    base_url: String,
    model: String,
    features: LlmFeatures,
    conversation_tokens_max: u64,
    day_tokens_max: u64,
    /// 1 to 300,000.
    timeout_ms: u64,
    /// How long a visitor goes without a word of the answer before people get the session: from the message to the first
    /// word, and from one to the next. 1 to 30,000, and no longer than `timeout_ms`; absent for 2,000, or `timeout_ms`
    /// if that is less.
    #[serde(default)]
    visitor_wait_ms: Option<u64>,
    /// At most 4,000 characters.
    #[serde(default)]
    prompt: String,
    /// The key, which nobody reads again. Absent: the one that is kept stays, unless `base_url` leads to another
    /// scheme, host or port; empty: it goes.
    #[serde(default)]
    key: Option<String>,
}

impl From<LlmKept> for LlmBody {
    fn from(kept: LlmKept) -> Self {
        let LlmKept { document, revision, key, .. } = kept;
        Self {
            revision,
            base_url: document.base_url,
            model: document.model,
            has_key: key.is_some(),
            hint: key.map(|key| key.hint().to_owned()).unwrap_or_default(),
            features: document.features,
            conversation_tokens_max: document.conversation_tokens_max,
            day_tokens_max: document.day_tokens_max,
            timeout_ms: document.timeout_ms,
            // As it holds: it may have been kept before there were these limits.
            visitor_wait_ms: document
                .visitor_wait_ms
                .min(VISITOR_WAIT_MS_MAX)
                .min(document.timeout_ms),
            prompt: document.prompt,
        }
    }
}

/// Shows what is said of the language model
#[utoipa::path(get, path = "/llm", tag = "language model",
    responses((status = 200, body = LlmBody), (status = "4XX", body = ProblemBody)))]
async fn settings(State(state): State<ApiState>, staff: Staff) -> Answer<Json<LlmBody>> {
    let account = staff.with(Right::SettingsBots)?;
    Ok(Json(kept(&state, account).await?.into()))
}

/// Changes what is said of the language model
///
/// The key is kept encrypted, and sent to the host it was given for and nowhere else. A change that somebody else was
/// faster with is refused.
#[utoipa::path(put, path = "/llm", tag = "language model", request_body = LlmChange,
    responses((status = 200, body = LlmBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<LlmChange>,
) -> Answer<Json<LlmBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let before = kept(&state, account).await?;
    let (new, key) = checked(&state, body, &before)?;
    let sealed = match &key {
        // As it lies there already, where it is the same one.
        Some(key) if before.key.as_ref() == Some(key) => before.sealed.clone(),
        Some(key) => {
            let purpose = Purpose::LlmKey { origin: key.origin() };
            Some(state.key().seal(account, purpose, key.reveal()))
        }
        None => None,
    };
    let revision = new.revision;
    let text = serde_json::to_string(&new.document).map_err(Problem::internal)?;
    let by_name = staff.0.name();
    let document = NewDocument { document: &text, sealed: sealed.as_deref(), by_name };
    let set = state.catalog().set_document(account, DocumentKind::Llm, "", document, revision);
    let revision = set.await?.revision;
    state.engine().configuration_changed(account).await;
    Ok(Json(LlmKept { document: new.document, revision, key, sealed }.into()))
}

/// A document that was checked, and the revision it replaces.
struct Checked {
    document: LlmDocument,
    revision: u64,
}

/// Checks a change, and says which key is kept with it.
fn checked(state: &ApiState, body: LlmChange, before: &LlmKept) -> Answer<(Checked, Option<Key>)> {
    if body.prompt.chars().count() > PROMPT_CHARS_MAX {
        let detail = format!("has more than {PROMPT_CHARS_MAX} characters");
        return Err(Problem::invalid("prompt", detail));
    }
    let mut document = LlmDocument {
        base_url: body.base_url.trim().to_owned(),
        model: body.model.trim().to_owned(),
        features: body.features,
        conversation_tokens_max: body.conversation_tokens_max,
        day_tokens_max: body.day_tokens_max,
        timeout_ms: body.timeout_ms,
        visitor_wait_ms: body.visitor_wait_ms.unwrap_or(VISITOR_WAIT_MS.min(body.timeout_ms)),
        prompt: body.prompt,
        key_origin: String::new(),
    };
    let revision = body.revision;
    if document.base_url.is_empty() {
        if document.features.any() {
            return Err(Problem::invalid("base_url", "a model that may be asked has an address"));
        }
        return Ok((Checked { document, revision }, None));
    }
    let url = Url::parse(&document.base_url)
        .map_err(|_| Problem::invalid("base_url", "is no address"))?;
    let key = match body.key.as_deref().map(str::trim) {
        None => before.key.clone().filter(|key| key.origin() == origin(&url)),
        Some("") => None,
        Some(secret) => Some(Key::new(secret, &url).map_err(refused)?),
    };
    let kept = LlmKept { document: document.clone(), key: key.clone(), ..LlmKept::default() };
    let settings = kept.settings().ok_or_else(|| Problem::invalid("base_url", "is no address"))?;
    let settings = Settings { visitor_wait_ms: document.visitor_wait_ms, ..settings };
    settings.check(state.outgoing().guard()).map_err(refused)?;
    // Nobody would wait for longer than the answer may take.
    if settings.visitor_wait_ms > settings.timeout_ms {
        return Err(Problem::invalid(
            "visitor_wait_ms",
            format!("is more than timeout_ms, {}", settings.timeout_ms),
        ));
    }
    if let Some(key) = &key {
        key.origin().clone_into(&mut document.key_origin);
    }
    Ok((Checked { document, revision }, key))
}

fn refused(invalid: Invalid) -> Problem {
    let (field, detail) = match &invalid {
        Invalid::BaseUrl(refused) => ("base_url", refused.to_string()),
        Invalid::Model => ("model", invalid.to_string()),
        Invalid::Key | Invalid::KeyInClear => ("key", invalid.to_string()),
        Invalid::Timeout => ("timeout_ms", invalid.to_string()),
        Invalid::VisitorWait => ("visitor_wait_ms", invalid.to_string()),
        Invalid::Temperature | Invalid::Limits => ("model", invalid.to_string()),
    };
    Problem::invalid(field, detail).because(invalid)
}

pub(super) async fn kept(state: &ApiState, account: AccountId) -> Answer<LlmKept> {
    match llm::read(state.catalog(), state.key(), account).await {
        Ok(kept) => Ok(kept),
        Err(llm::LlmUnreadable::Catalog(error)) => Err(error.into()),
        Err(error @ llm::LlmUnreadable::Document(_)) => {
            let detail = "what is there cannot be read by this version";
            Err(Problem::invalid("base_url", detail).because(error))
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SpendParams {
    /// So many days until today, 1 to 365; absent for 30.
    #[param(minimum = 1, maximum = 365)]
    days: Option<u32>,
}

/// What one day cost.
#[derive(Serialize, ToSchema)]
struct SpendDayBody {
    /// `2026-11-30`, UTC.
    date: String,
    tokens_in: u64,
    tokens_out: u64,
    requests: u64,
    /// Requests without a useful answer.
    failures: u64,
}

#[derive(Serialize, ToSchema)]
struct SpendBody {
    /// By date; days without any are absent.
    days: Vec<SpendDayBody>,
    today_tokens: u64,
    day_tokens_max: u64,
}

/// Shows what the language model cost, day by day
#[utoipa::path(get, path = "/llm/spend", tag = "language model", params(SpendParams),
    responses((status = 200, body = SpendBody), (status = "4XX", body = ProblemBody)))]
async fn spend(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<SpendParams>,
) -> Answer<Json<SpendBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let days = params.days.unwrap_or(30);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::invalid("days", format!("must lie between 1 and {DAYS_MAX}")));
    }
    let today = now_ms().div_euclid(DAY_MS);
    let spent = state.catalog().llm_spend(account, today - i64::from(days) + 1).await?;
    let today_tokens = spent
        .iter()
        .find(|of| of.day == today)
        .map_or(0, |of| of.spend.tokens_in + of.spend.tokens_out);
    let day_tokens_max = kept(&state, account).await?.document.day_tokens_max;
    let days = spent.into_iter().map(|of| SpendDayBody {
        date: date(of.day),
        tokens_in: of.spend.tokens_in,
        tokens_out: of.spend.tokens_out,
        requests: of.spend.requests,
        failures: of.spend.failures,
    });
    Ok(Json(SpendBody { days: days.collect(), today_tokens, day_tokens_max }))
}

/// Asks the language model for a word
///
/// Says whether it answers with what is said of it now; that costs a few tokens.
#[utoipa::path(post, path = "/llm/test", tag = "language model",
    responses((status = 200, body = LlmTest), (status = "4XX", body = ProblemBody)))]
async fn test(State(state): State<ApiState>, staff: Staff) -> Answer<Json<LlmTest>> {
    let account = staff.with(Right::SettingsBots)?;
    Ok(Json(state.engine().llm_test(account).await?))
}
