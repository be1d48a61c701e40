//! A question to try: what the articles have to say about it, and how sure that is.

use std::time::Instant;

use axum::extract::State;
use frontdesk_core::rights::Right;
use frontdesk_knowledge::{Found, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::Json,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Longest question; a visitor's is read no further either.
const QUESTION_CHARS_MAX: usize = 1_000;
/// Articles shown where none is sure enough.
const NEAR_MAX: usize = 5;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(try_question))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryQuestion {
    /// What a visitor might ask, at most 1,000 characters.
    question: String,
    /// The language the visitor reads; absent for English.
    #[serde(default)]
    language: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OutcomeBody {
    /// The first article is the answer.
    Answer,
    /// One of them may be: the bot asks back.
    Between,
    /// None is sure enough; what was found is shown all the same.
    Nothing,
}

/// An article that was found.
#[derive(Serialize, ToSchema)]
struct FoundBody {
    /// Its id.
    article: String,
    slug: String,
    title: String,
    /// The language of the text that was found.
    language: String,
    /// How likely it answers the question, 0 to 1.
    score: f32,
    /// The part of the text that says most of it.
    passage: String,
    /// The question's words it has.
    words: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct TriedQuestion {
    outcome: OutcomeBody,
    /// The best first.
    found: Vec<FoundBody>,
    /// From the question to the answer.
    took_us: u64,
}

impl From<Found> for FoundBody {
    fn from(found: Found) -> Self {
        Self {
            article: found.article,
            slug: found.slug,
            title: found.title,
            language: found.lang,
            score: found.score,
            passage: found.passage,
            words: found.words,
        }
    }
}

/// Tries what the published articles answer to a question
///
/// Changes nothing and is not counted.
#[utoipa::path(post, path = "/articles/try", tag = "articles", request_body = TryQuestion,
    responses((status = 200, body = TriedQuestion), (status = "4XX", body = ProblemBody)))]
async fn try_question(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<TryQuestion>,
) -> Answer<Json<TriedQuestion>> {
    let account = staff.reads(Right::SettingsKnowledge)?;
    if body.question.chars().count() > QUESTION_CHARS_MAX {
        let detail = format!("has more than {QUESTION_CHARS_MAX} characters");
        return Err(Problem::invalid("question", detail));
    }
    if body.language.len() > 35 {
        return Err(Problem::invalid("language", "is no language"));
    }
    let base = state.knowledge().get_new(account).await?;
    let started = Instant::now();
    let outcome = base.knowledge.answer(&body.question, &body.language);
    let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (outcome, found) = match outcome {
        Outcome::Answer(answer) => {
            (OutcomeBody::Answer, std::iter::once(answer.found).chain(answer.also).collect())
        }
        Outcome::Between(found) => (OutcomeBody::Between, found),
        Outcome::Nothing => {
            (OutcomeBody::Nothing, base.knowledge.find(&body.question, &body.language, NEAR_MAX))
        }
    };
    let found = found.into_iter().map(Into::into).collect();
    Ok(Json(TriedQuestion { outcome, found, took_us }))
}
