//! What became of the sessions the bot had: by day, and one by one.

use std::collections::BTreeMap;

use axum::extract::State;
use frontdesk_catalog::{BotOutcome, BotSession};
use frontdesk_core::{id::SessionId, rights::Right};
use frontdesk_protocol::codes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{DAY_MS, date};
use crate::{
    extract::{Json, Query},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

/// Days that are shown at most.
const DAYS_MAX: u32 = 365;
/// Sessions of one page.
const PAGE: usize = 50;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(figures)).routes(routes!(sessions))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FiguresParams {
    /// So many days until today, 1 to 365; absent for 30.
    #[param(minimum = 1, maximum = 365)]
    days: Option<u32>,
}

/// Sessions of one day.
#[derive(Serialize, ToSchema)]
struct BotDayBody {
    /// `2026-11-30`, UTC.
    date: String,
    /// All the bot had.
    sessions: u64,
    /// Ended without a person.
    contained: u64,
    /// A person got them.
    handed_over: u64,
}

#[derive(Serialize, ToSchema)]
struct BotFiguresBody {
    /// By date; days without any are absent.
    days: Vec<BotDayBody>,
    sessions: u64,
    contained: u64,
    handed_over: u64,
    /// Ended, and the bot had no answer.
    no_answer: u64,
    /// Why sessions were handed over.
    by_reason: BTreeMap<String, u64>,
}

/// Shows what became of the bot's sessions, day by day
#[utoipa::path(get, path = "/bot/figures", tag = "bot", params(FiguresParams),
    responses((status = 200, body = BotFiguresBody), (status = "4XX", body = ProblemBody)))]
async fn figures(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<FiguresParams>,
) -> Answer<Json<BotFiguresBody>> {
    let account = staff.with(Right::SettingsBots).or_else(|_| staff.with(Right::ReportRead))?;
    let days = params.days.unwrap_or(30);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::invalid("days", format!("must lie between 1 and {DAYS_MAX}")));
    }
    let since = now_ms().div_euclid(DAY_MS) - i64::from(days) + 1;
    let figures = state.catalog().bot_figures(account, since * DAY_MS).await?;
    let mut body = BotFiguresBody {
        days: Vec::new(),
        sessions: 0,
        contained: 0,
        handed_over: 0,
        no_answer: 0,
        by_reason: figures.by_reason,
    };
    for day in figures.days {
        body.sessions += day.sessions;
        body.contained += day.contained;
        body.handed_over += day.handed_over;
        body.no_answer += day.no_answer;
        body.days.push(BotDayBody {
            date: date(day.day),
            sessions: day.sessions,
            contained: day.contained,
            handed_over: day.handed_over,
        });
    }
    Ok(Json(body))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SessionsParams {
    /// Only `open`, `contained`, `handed_over` or `no_answer`.
    outcome: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A session the bot had.
#[derive(Serialize, ToSchema)]
struct BotSessionBody {
    conversation: String,
    session: String,
    inbox: String,
    at_ms: i64,
    /// `open`, `contained`, `handed_over` or `no_answer`.
    outcome: &'static str,
    /// Why it was handed over; empty where it was not.
    reason: String,
    /// Messages of the visitor while the bot had it.
    turns: u64,
    /// How many of them the bot answered.
    answered: u64,
    /// How many it did not.
    misses: u64,
}

#[derive(Serialize, ToSchema)]
struct BotSessionsBody {
    /// Newest first.
    sessions: Vec<BotSessionBody>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    next: Option<String>,
}

/// Lists the sessions the bot had
#[utoipa::path(get, path = "/bot/sessions", tag = "bot", params(SessionsParams),
    responses((status = 200, body = BotSessionsBody), (status = "4XX", body = ProblemBody)))]
async fn sessions(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<SessionsParams>,
) -> Answer<Json<BotSessionsBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let outcome = given(params.outcome).map(|word| word.parse::<BotOutcome>()).transpose()?;
    let before = given(params.cursor).map(|cursor| place(&cursor)).transpose()?;
    let mut sessions = state.catalog().bot_sessions(account, outcome, before, PAGE + 1).await?;
    let more = sessions.len() > PAGE;
    sessions.truncate(PAGE);
    let next = sessions.last().filter(|_| more);
    let next = next.map(|last| format!("{}.{}", last.at_ms, last.session));
    Ok(Json(BotSessionsBody { sessions: sessions.into_iter().map(shown).collect(), next }))
}

fn place(cursor: &str) -> Answer<(i64, SessionId)> {
    let parts = cursor.split_once('.');
    let place = parts.and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    place.ok_or_else(|| Problem::new(&codes::CURSOR_INVALID))
}

fn shown(session: BotSession) -> BotSessionBody {
    BotSessionBody {
        conversation: session.conversation.to_string(),
        session: session.session.to_string(),
        inbox: session.inbox.to_string(),
        at_ms: session.at_ms,
        outcome: session.outcome.code(),
        reason: session.reason,
        turns: session.turns,
        answered: session.answered,
        misses: session.turns.saturating_sub(session.answered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_time_and_a_session() {
        let id = SessionId::from_bytes([7; 12]);
        assert_eq!(place(&format!("-5.{id}")).expect("it is one"), (-5, id));
        for bad in ["", "5", "5.x", "x.00000000000000000000"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
