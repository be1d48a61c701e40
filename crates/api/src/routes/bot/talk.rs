//! A talk with the bot that nobody else hears, and past sessions once more with a bot that is otherwise.

use axum::extract::{DefaultBodyLimit, State};
use frontdesk_bot::{
    BotConfig, Flow, Mind, Moment,
    flow::Said,
    replay::{Report, Shown, SortedRow, Sorting},
    talk::{MESSAGES_MAX, Reply, TalkTurn, talk},
};
use frontdesk_catalog::DocumentKind;
use frontdesk_core::{
    id::{AccountId, InboxId},
    limits::TEXT_BYTES_MAX,
    rights::Right,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{FLOW_REQUEST_BYTES_MAX, intents};
use super::flows::usable;
use crate::{
    engine::{IntentConfig, ReplayWish},
    extract::Json,
    llm::PROMPT_CHARS_MAX,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

/// Sessions of one comparison.
const SESSIONS_MAX: usize = 200;
/// Longest name of a language model, as in its settings.
const MODEL_BYTES_MAX: usize = 200;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(talk_to_bot))
        .routes(routes!(replay))
        .layer(DefaultBodyLimit::max(FLOW_REQUEST_BYTES_MAX))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TalkBody {
    /// Whose bot; absent for one that answers and has no flow of its own.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    inbox: Option<InboxId>,
    /// The visitor's language; absent for English.
    #[serde(default)]
    language: String,
    /// What the visitor writes, at most 50; the label of a button is as good as the button.
    messages: Vec<String>,
    /// A flow as YAML, to begin with and in the place of the one of its name.
    #[serde(default)]
    flow: Option<String>,
}

/// A button.
#[derive(Serialize, ToSchema)]
struct TalkChoice {
    id: String,
    label: String,
}

/// A field of a form.
#[derive(Serialize, ToSchema)]
struct TalkField {
    id: String,
    label: String,
    /// `text`, `number`, `email`, `phone`, `date`, `choice`, ...
    kind: String,
    required: bool,
    /// Of a choice; else empty.
    options: Vec<TalkChoice>,
}

/// A form.
#[derive(Serialize, ToSchema)]
struct TalkForm {
    title: String,
    fields: Vec<TalkField>,
}

/// An article an answer was taken from.
#[derive(Serialize, ToSchema)]
struct TalkSource {
    /// Its id.
    article: String,
    slug: String,
    title: String,
}

/// One thing the bot does.
#[derive(Serialize, ToSchema)]
struct TalkReply {
    /// `say`, `choices`, `form`, `answer`, `ask_back`, `suggestion`, `llm`, `handover`, `take_message`, `close`,
    /// `nothing`.
    kind: &'static str,
    /// What is shown; of a handover the brief, of `llm` the question.
    text: String,
    choices: Vec<TalkChoice>,
    /// Absent where there is none.
    form: Option<TalkForm>,
    sources: Vec<TalkSource>,
    /// How sure, 0 to 1; absent where nothing was measured.
    score: Option<f32>,
    /// The words that decided.
    words: Vec<String>,
    /// Why the session goes to people; empty where it does not.
    reason: &'static str,
    /// The team it goes to; empty for the inbox's own queue.
    team: String,
    /// Of a flow `name / step`; else empty.
    step: String,
}

/// A message, and what the bot does.
#[derive(Serialize, ToSchema)]
struct TalkTurnBody {
    visitor: String,
    /// Empty once people have the session.
    replies: Vec<TalkReply>,
    /// Whether people have the session now.
    handed_over: bool,
}

#[derive(Serialize, ToSchema)]
struct TalkedBody {
    turns: Vec<TalkTurnBody>,
}

impl From<frontdesk_bot::Choice> for TalkChoice {
    fn from(choice: frontdesk_bot::Choice) -> Self {
        Self { id: choice.id, label: choice.label }
    }
}

impl From<frontdesk_bot::FormField> for TalkField {
    fn from(field: frontdesk_bot::FormField) -> Self {
        let kind = serde_json::to_value(field.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
        Self {
            id: field.id,
            label: field.label,
            kind: kind.to_owned(),
            required: field.required,
            options: field.options.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Reply> for TalkReply {
    fn from(reply: Reply) -> Self {
        let fields: Vec<TalkField> = reply.form.into_iter().map(Into::into).collect();
        let form = (!fields.is_empty()).then(|| TalkForm { title: reply.text.clone(), fields });
        let sources = reply.sources.into_iter().map(|source| TalkSource {
            article: source.article,
            slug: source.slug,
            title: source.title,
        });
        Self {
            kind: reply.kind,
            text: reply.text,
            choices: reply.choices.into_iter().map(Into::into).collect(),
            form,
            sources: sources.collect(),
            score: reply.score,
            words: reply.words,
            reason: reply.reason,
            team: reply.team,
            step: reply.step,
        }
    }
}

impl From<TalkTurn> for TalkTurnBody {
    fn from(turn: TalkTurn) -> Self {
        Self {
            visitor: turn.visitor,
            replies: turn.replies.into_iter().map(Into::into).collect(),
            handed_over: turn.handed_over,
        }
    }
}

/// Talks with the bot
///
/// Shows what it would do with these messages, one after the other. Nothing is sent, stored or counted, and the language
/// model is not asked: it is shown where it would be.
#[utoipa::path(post, path = "/bot/talk", tag = "bot", request_body = TalkBody,
    responses((status = 200, body = TalkedBody), (status = "4XX", body = ProblemBody)))]
async fn talk_to_bot(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<TalkBody>,
) -> Answer<Json<TalkedBody>> {
    let account = staff.with(Right::SettingsBots)?;
    if body.messages.len() > MESSAGES_MAX {
        return Err(Problem::invalid("messages", format!("are more than {MESSAGES_MAX}")));
    }
    if body.messages.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(Problem::invalid("messages", "one is longer than a message may be"));
    }
    if body.language.len() > 35 {
        return Err(Problem::invalid("language", "is no language"));
    }
    let flow = match body.flow {
        Some(yaml) => Some(usable(yaml).await?),
        None => None,
    };
    let mind = mind(&state, account, body.inbox, flow).await?;
    let said: Vec<Said> = body.messages.into_iter().map(Said::Text).collect();
    let talked = tokio::task::spawn_blocking(move || {
        let moment = Moment {
            now_ms: now_ms(),
            language: &body.language,
            attended: true,
            ..Moment::default()
        };
        talk(&mind, &said, &moment)
    });
    let turns = talked.await.map_err(Problem::internal)?;
    Ok(Json(TalkedBody { turns: turns.into_iter().map(Into::into).collect() }))
}

/// The bot as it is in an inbox, with one flow in the place of the one of its name.
async fn mind(
    state: &ApiState,
    account: AccountId,
    inbox: Option<InboxId>,
    flow: Option<Flow>,
) -> Answer<Mind> {
    let llm = super::super::llm::kept(state, account).await?;
    let llm = llm.document.features.answers && llm.settings().is_some();
    let (_, document) = super::kept(state, account).await?;
    let mut config = match inbox {
        Some(inbox) => {
            state.catalog().inbox(account, inbox).await?;
            document.config(&inbox.to_string(), llm)
        }
        None => None,
    }
    .unwrap_or_else(|| BotConfig {
        name: document.name.clone(),
        handover: document.handover,
        llm,
        texts: document.texts.clone(),
        team_language: document.team_language,
        ..BotConfig::default()
    });
    let mut flows = Vec::new();
    for kept in state.catalog().documents(account, DocumentKind::Flow).await? {
        // What was stored could be run; by another version perhaps no more.
        flows.extend(usable(kept.document).await.ok());
    }
    if let Some(flow) = flow {
        config.flow.clone_from(&flow.name);
        flows.push(flow);
    }
    let base = state.knowledge().get_new(account).await?;
    Ok(Mind::new(config, Some(base.knowledge.clone()), flows))
}

/// A flow to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayFlow {
    name: String,
    yaml: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayBody {
    /// The newest so many, 1 to 200.
    sessions: usize,
    /// In the place of the one of its name.
    #[serde(default)]
    flow: Option<ReplayFlow>,
    /// The score from which an article is the answer, 0 to 1.
    #[serde(default)]
    threshold: Option<f32>,
    /// What the language model is told, at most 4,000 characters.
    #[serde(default)]
    prompt: Option<String>,
    /// Another model of the endpoint that is set up, by its name there.
    #[serde(default)]
    model: Option<String>,
    /// What the account would say of its own about intents, all of it, as `own` of `PUT /intents`: rules, thresholds, and
    /// where intents lead. Whoever sends it must be able to read that, too.
    #[serde(default)]
    intents: Option<IntentConfig>,
}

/// What the bot does with a message.
#[derive(Serialize, ToSchema)]
struct ReplayShown {
    /// As in a talk, and `people` once people have the session.
    kind: String,
    /// What is shown; of a handover the reason.
    text: String,
    /// Id of the article; empty for none.
    article: String,
}

/// A message, before and after.
#[derive(Serialize, ToSchema)]
struct ReplayRow {
    conversation: String,
    session: String,
    question: String,
    before: ReplayShown,
    after: ReplayShown,
    changed: bool,
}

/// What a session is sorted as.
#[derive(Serialize, ToSchema)]
struct ReplaySorting {
    /// Empty where there is no opinion.
    intent: String,
    /// Id of the team it leads to; empty for the inbox's own queue.
    team: String,
}

/// A session that would be sorted otherwise.
#[derive(Serialize, ToSchema)]
struct ReplaySortedRow {
    conversation: String,
    session: String,
    /// What the visitor did first.
    question: String,
    before: ReplaySorting,
    after: ReplaySorting,
}

#[derive(Serialize, ToSchema)]
struct ReplayedBody {
    /// Sessions that were looked at.
    sessions: usize,
    /// How many of them would have gone otherwise.
    changed: usize,
    /// Those that changed before the others.
    rows: Vec<ReplayRow>,
    /// Sessions that `intents` would sort otherwise.
    sorted: Vec<ReplaySortedRow>,
}

impl From<Shown> for ReplayShown {
    fn from(shown: Shown) -> Self {
        Self { kind: shown.kind, text: shown.text, article: shown.article }
    }
}

impl From<Sorting> for ReplaySorting {
    fn from(sorting: Sorting) -> Self {
        Self { intent: sorting.intent.unwrap_or_default(), team: sorting.team }
    }
}

impl From<SortedRow> for ReplaySortedRow {
    fn from(row: SortedRow) -> Self {
        Self {
            conversation: row.conversation,
            session: row.session,
            question: row.question,
            before: row.before.into(),
            after: row.after.into(),
        }
    }
}

impl From<Report> for ReplayedBody {
    fn from(report: Report) -> Self {
        let rows = report.rows.into_iter().map(|row| ReplayRow {
            conversation: row.conversation,
            session: row.session,
            question: row.question,
            before: row.before.into(),
            after: row.after.into(),
            changed: row.changed,
        });
        Self {
            sessions: report.sessions,
            changed: report.changed,
            rows: rows.collect(),
            sorted: report.sorted.into_iter().map(Into::into).collect(),
        }
    }
}

/// Runs past sessions once more with a bot that is otherwise
///
/// Of conversations the caller may read. Nothing is sent or stored. With `prompt` or `model` the language model is asked a
/// few of their questions, as it is and with these; that is paid for out of the day's tokens. With `intents` sessions are
/// sorted by what holds now and by what would, and the bot hears of each.
#[utoipa::path(post, path = "/bot/replay", tag = "bot", request_body = ReplayBody,
    responses((status = 200, body = ReplayedBody), (status = "4XX", body = ProblemBody)))]
async fn replay(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<ReplayBody>,
) -> Answer<Json<ReplayedBody>> {
    let account = staff.with(Right::SettingsBots)?;
    if !(1..=SESSIONS_MAX).contains(&body.sessions) {
        return Err(Problem::invalid("sessions", format!("must lie between 1 and {SESSIONS_MAX}")));
    }
    if body.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err(Problem::invalid("threshold", "must lie between 0 and 1"));
    }
    if body.prompt.as_ref().is_some_and(|prompt| prompt.chars().count() > PROMPT_CHARS_MAX) {
        let detail = format!("has more than {PROMPT_CHARS_MAX} characters");
        return Err(Problem::invalid("prompt", detail));
    }
    let flow = match body.flow {
        Some(ReplayFlow { name, yaml }) => {
            let flow = usable(yaml.clone()).await?;
            if flow.name != name {
                return Err(Problem::invalid("flow.name", "is not the name in the YAML"));
            }
            Some(yaml)
        }
        None => None,
    };
    let model = body.model.map(|model| model.trim().to_owned());
    if model.as_ref().is_some_and(|model| model.is_empty() || model.len() > MODEL_BYTES_MAX) {
        return Err(Problem::invalid("model", format!("has 1 to {MODEL_BYTES_MAX} bytes")));
    }
    let intents = match &body.intents {
        Some(own) => {
            staff.reads(Right::SettingsInboxes)?;
            Some(intents::checked(&state, account, "intents", own).await?)
        }
        None => None,
    };
    let (sessions, threshold, prompt) = (body.sessions, body.threshold, body.prompt);
    let wish = ReplayWish { sessions, flow, threshold, prompt, model, intents };
    Ok(Json(state.engine().bot_replay(&staff.0, wish).await?.into()))
}
