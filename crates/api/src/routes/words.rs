//! Words that must not pass: the rules of the account, a text to try them on, and where they found something.

use axum::extract::{DefaultBodyLimit, State};
use frontdesk_catalog::{DOCUMENT_BYTES_MAX, DocumentKind, NewDocument, ScreenHit};
use frontdesk_core::{
    id::{AccountId, ScreenHitId},
    limits::TEXT_BYTES_MAX,
    rights::Right,
};
use frontdesk_protocol::codes;
use frontdesk_router::{
    access::PrincipalKind,
    screen::{Action, Rule, RuleError, Rules, Screen},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Json, Query},
    principal::{Principal, Staff},
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Hits of one page.
const HITS_PER_PAGE: usize = 50;
/// A list of words may be sent with each letter escaped.
const BODY_BYTES_MAX: usize = 4 * DOCUMENT_BYTES_MAX;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(words, change_words))
        .routes(routes!(try_words))
        .routes(routes!(hits))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// What a rule looks for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WordRuleKind {
    Words,
    Pattern,
    Card,
    IdNumber,
}

/// What a rule does with a message that holds what it looks for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WordRuleAction {
    Mask,
    Refuse,
    Flag,
}

/// Whose messages a rule looks at.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WordRuleReach {
    Visitors,
    Team,
    Everyone,
}

/// One rule. The router's own, said here for the document of the API; a test compares both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "says what a rule of the router is made of")]
struct WordRule {
    /// What refusals and hits call it; 1 to 64 bytes, each name once.
    name: String,
    kind: WordRuleKind,
    /// Of the kind `words`: at most 128 bytes each, 10,000 in all rules together.
    #[serde(default)]
    words: Vec<String>,
    /// Of the kind `pattern`: a regular expression in the syntax of Rust's regex crate, at most 512 bytes.
    #[serde(default)]
    pattern: String,
    /// Of the kind `id_number`: numbers of 15 digits too, which have no check digit.
    #[serde(default)]
    old_form: bool,
    action: WordRuleAction,
    applies_to: WordRuleReach,
}

#[derive(Serialize, ToSchema)]
struct WordsBody {
    /// 0 while there were never any.
    revision: u64,
    #[schema(value_type = Vec<WordRule>)]
    rules: Vec<Rule>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WordsChange {
    /// That of what it replaces; 0 where there was never anything.
    revision: u64,
    /// All rules, at most 100, of which 50 may be patterns.
    #[schema(value_type = Vec<WordRule>)]
    rules: Vec<Rule>,
}

/// Who would say it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    Visitor,
    Agent,
    Bot,
    Api,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryWords {
    /// What somebody might write.
    text: String,
    by: Speaker,
}

#[derive(Serialize, ToSchema)]
struct TriedWords {
    /// The text as it would be kept.
    text: String,
    /// Whether it would be refused.
    refused: bool,
    /// The rules that flag it.
    flags: Vec<String>,
    /// All rules that find something in it.
    rules: Vec<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HitsParams {
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Who said it.
#[derive(Serialize, ToSchema)]
struct WordHitBy {
    /// `visitor`, `agent`, `bot` or `api`.
    kind: String,
    id: String,
    /// By the name of that time; empty for a visitor without one.
    name: String,
}

/// One time a rule found something; what it was is kept nowhere.
#[derive(Serialize, ToSchema)]
struct WordHit {
    at_ms: i64,
    /// The rule's name of that time.
    rule: String,
    #[schema(value_type = WordRuleAction)]
    action: String,
    by: WordHitBy,
    conversation: String,
}

#[derive(Serialize, ToSchema)]
struct WordHitsPage {
    /// The newest first.
    hits: Vec<WordHit>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    next: Option<String>,
}

/// Shows the rules for words that must not pass
#[utoipa::path(get, path = "/words", tag = "words",
    responses((status = 200, body = WordsBody), (status = "4XX", body = ProblemBody)))]
async fn words(State(state): State<ApiState>, staff: Staff) -> Answer<Json<WordsBody>> {
    let account = staff.with(Right::SettingsAccount)?;
    let (revision, rules) = stored(&state, account).await?;
    Ok(Json(WordsBody { revision, rules }))
}

/// Changes the rules for words that must not pass
///
/// Holds at once for what is said from then on. A change that somebody else was faster with is refused.
#[utoipa::path(put, path = "/words", tag = "words", request_body = WordsChange,
    responses((status = 200, body = WordsBody), (status = "4XX", body = ProblemBody)))]
async fn change_words(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<WordsChange>,
) -> Answer<Json<WordsBody>> {
    let account = staff.with(Right::SettingsAccount)?;
    // A newer version may have said it, and what this one does not know would be gone.
    stored(&state, account).await?;
    // Making thousands of words ready takes a while.
    let checked = tokio::task::spawn_blocking(move || {
        Screen::new(&body.rules)?;
        Ok::<_, RuleError>(body.rules)
    });
    let rules = checked.await.map_err(Problem::internal)?;
    let rules = rules.map_err(|error| Problem::invalid(&error.field, error.reason))?;
    let document = Rules { rules };
    let text = serde_json::to_string(&document).map_err(Problem::internal)?;
    if text.len() > DOCUMENT_BYTES_MAX {
        let kib = DOCUMENT_BYTES_MAX >> 10;
        return Err(Problem::invalid("rules", format!("have more than {kib} KiB altogether")));
    }
    let by_name = match &staff.0 {
        Principal::User(user) => user.access.display_name.clone(),
        Principal::Key(key) => key.name.clone(),
        Principal::Visitor(_) => String::new(),
    };
    let new = NewDocument { document: &text, sealed: None, by_name: &by_name };
    let set = state.catalog().set_document(account, DocumentKind::Words, "", new, body.revision);
    let revision = set.await?.revision;
    state.engine().configuration_changed(account).await;
    Ok(Json(WordsBody { revision, rules: document.rules }))
}

/// Tries what would become of a text
///
/// Changes nothing and is told nowhere.
#[utoipa::path(post, path = "/words/try", tag = "words", request_body = TryWords,
    responses((status = 200, body = TriedWords), (status = "4XX", body = ProblemBody)))]
async fn try_words(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<TryWords>,
) -> Answer<Json<TriedWords>> {
    let account = staff.with(Right::SettingsAccount)?;
    if body.text.len() > TEXT_BYTES_MAX {
        return Err(Problem::invalid("text", "is longer than a message may be"));
    }
    let by = match body.by {
        Speaker::Visitor => PrincipalKind::Visitor,
        Speaker::Agent => PrincipalKind::Agent,
        Speaker::Bot => PrincipalKind::Bot,
        Speaker::Api => PrincipalKind::Api,
    };
    let tried = state.engine().screen(account).try_out(body.text, by);
    let flags = tried.by.iter().filter(|hit| hit.action == Action::Flag);
    Ok(Json(TriedWords {
        text: tried.text,
        refused: tried.is_refused,
        flags: flags.map(|hit| hit.rule.clone()).collect(),
        rules: tried.by.into_iter().map(|hit| hit.rule).collect(),
    }))
}

/// Lists where the rules found something
///
/// The newest 10,000 of the account are kept. What was found is kept nowhere.
#[utoipa::path(get, path = "/words/hits", tag = "words", params(HitsParams),
    responses((status = 200, body = WordHitsPage), (status = "4XX", body = ProblemBody)))]
async fn hits(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<HitsParams>,
) -> Answer<Json<WordHitsPage>> {
    let account = staff.with(Right::SettingsAccount)?;
    let before: Option<ScreenHitId> = params
        .cursor
        .map(|cursor| cursor.parse().map_err(|_| Problem::new(&codes::CURSOR_INVALID)))
        .transpose()?;
    let mut found = state.catalog().screen_hits(account, before, HITS_PER_PAGE + 1).await?;
    let more = found.len() > HITS_PER_PAGE;
    found.truncate(HITS_PER_PAGE);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(WordHitsPage { hits: found.into_iter().map(shown).collect(), next }))
}

fn shown(ScreenHit { hit, .. }: ScreenHit) -> WordHit {
    WordHit {
        at_ms: hit.at_ms,
        rule: hit.rule,
        action: hit.action,
        by: WordHitBy { kind: hit.by_kind, id: hit.by_id, name: hit.by_name },
        conversation: hit.conversation,
    }
}

/// The rules as they are kept, with their revision.
async fn stored(state: &ApiState, account: AccountId) -> Answer<(u64, Vec<Rule>)> {
    let document = state.catalog().document(account, DocumentKind::Words, "").await?;
    let Some(document) = document else { return Ok((0, Vec::new())) };
    let rules: Rules = serde_json::from_str(&document.document)
        .map_err(|_| Problem::invalid("rules", "what is there cannot be read by this version"))?;
    Ok((document.revision, rules.rules))
}

#[cfg(test)]
mod tests {
    use frontdesk_router::screen::{AppliesTo, Kind};

    use super::*;

    #[test]
    fn the_document_of_the_api_knows_every_part_of_a_rule() {
        for kind in [Kind::Words, Kind::Pattern, Kind::Card, Kind::IdNumber] {
            for (action, applies_to) in [
                (Action::Mask, AppliesTo::Visitors),
                (Action::Refuse, AppliesTo::Team),
                (Action::Flag, AppliesTo::Everyone),
            ] {
                let rule = Rule {
                    name: "rule".to_owned(),
                    kind,
                    words: vec!["word".to_owned()],
                    pattern: "x".to_owned(),
                    old_form: true,
                    action,
                    applies_to,
                };
                let written = serde_json::to_string(&rule).expect("it is written");
                let read: Result<WordRule, _> = serde_json::from_str(&written);
                assert!(read.is_ok(), "{written}: {:?}", read.err());
            }
        }
    }
}
