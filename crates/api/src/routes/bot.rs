//! The account's bot: where it works and as whom, its flows, a talk with it that nobody else hears, the time machine,
//! and what became of its sessions.

mod figures;
mod flows;
mod talk;

use std::collections::BTreeMap;

use axum::extract::State;
use frontdesk_bot::{BUILT_IN, BotDocument, HandoverRules, InboxBot, InboxMode, Language, TextKey};
use frontdesk_catalog::{DocumentKind, NewDocument};
use frontdesk_core::{id::AccountId, rights::Right};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::Json,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(settings, change))
        .merge(flows::router())
        .merge(talk::router())
        .merge(figures::router())
}

/// Texts by language.
type ByLanguage = BTreeMap<String, String>;

/// What a bot does in an inbox.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum InboxModeBody {
    #[default]
    Off,
    /// Answers visitors.
    Answer,
    /// Suggests answers to the agents.
    Suggest,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InboxBotBody {
    mode: InboxModeBody,
    /// `built_in`, or the id of a bot's API key.
    who: String,
    /// Name of the flow that begins a session; empty for none.
    #[serde(default)]
    flow: String,
}

/// When the bot gives the session to people by itself.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandoverBody {
    /// At a complaint.
    on_complaint: bool,
    /// At an angry message.
    on_anger: bool,
    /// After so many messages in a row that were not understood, 1 to 10.
    misses_max: u32,
}

#[derive(Serialize, ToSchema)]
struct BotBody {
    /// 0 where nothing was ever said.
    revision: u64,
    /// What the bot calls itself, by language.
    name: ByLanguage,
    /// By the inbox's id; one that is not named is off.
    inboxes: BTreeMap<String, InboxBotBody>,
    /// What it says where it did not understand, by language.
    fallback: ByLanguage,
    /// What else it says in the place of its own texts, by language: `greeting`, `thanks`, `handover`, ...
    #[schema(value_type = std::collections::HashMap<String, std::collections::HashMap<String, String>>)]
    texts: BTreeMap<TextKey, ByLanguage>,
    handover: HandoverBody,
    /// The language briefs are written in: `en` or `zh-CN`.
    #[schema(value_type = String)]
    team_language: Language,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BotChange {
    /// That of what it replaces; 0 where nothing was ever said.
    revision: u64,
    #[serde(default)]
    name: ByLanguage,
    #[serde(default)]
    inboxes: BTreeMap<String, InboxBotBody>,
    #[serde(default)]
    fallback: ByLanguage,
    /// Absent: as they are.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::HashMap<String, std::collections::HashMap<String, String>>>)]
    texts: Option<BTreeMap<TextKey, ByLanguage>>,
    handover: HandoverBody,
    /// Absent: as it is.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_language: Option<Language>,
}

/// Shows what the bot does in which inbox
#[utoipa::path(get, path = "/bot", tag = "bot",
    responses((status = 200, body = BotBody), (status = "4XX", body = ProblemBody)))]
async fn settings(State(state): State<ApiState>, staff: Staff) -> Answer<Json<BotBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let (revision, document) = kept(&state, account).await?;
    Ok(Json(shown(revision, without_gone(&state, account, document).await?)))
}

/// Changes what the bot does in which inbox
///
/// Holds for sessions that begin from then on. A change that somebody else was faster with is refused.
#[utoipa::path(put, path = "/bot", tag = "bot", request_body = BotChange,
    responses((status = 200, body = BotBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<BotChange>,
) -> Answer<Json<BotBody>> {
    let account = staff.with(Right::SettingsBots)?;
    let (_, before) = kept(&state, account).await?;
    let revision = body.revision;
    let document = document(body, before);
    document.check().map_err(|wrong| Problem::invalid(&wrong.field, wrong.reason))?;
    all_exist(&state, account, &document).await?;
    let text = serde_json::to_string(&document).map_err(Problem::internal)?;
    let new = NewDocument { document: &text, sealed: None, by_name: staff.0.name() };
    let set = state.catalog().set_document(account, DocumentKind::Bot, "", new, revision);
    let revision = set.await?.revision;
    state.engine().configuration_changed(account).await;
    Ok(Json(shown(revision, document)))
}

/// What is kept, with its revision.
async fn kept(state: &ApiState, account: AccountId) -> Answer<(u64, BotDocument)> {
    let document = state.catalog().document(account, DocumentKind::Bot, "").await?;
    let Some(document) = document else { return Ok((0, BotDocument::default())) };
    // A newer version may have said it, and what this one does not know would be gone.
    let read = serde_json::from_str(&document.document).map_err(|error| {
        let detail = "what is there cannot be read by this version";
        Problem::invalid("bot", detail).because(error)
    })?;
    Ok((document.revision, read))
}

fn document(body: BotChange, before: BotDocument) -> BotDocument {
    let said = |texts: ByLanguage| -> ByLanguage {
        texts.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect()
    };
    let mut texts: BTreeMap<TextKey, ByLanguage> = body
        .texts
        .unwrap_or(before.texts)
        .into_iter()
        .map(|(key, texts)| (key, said(texts)))
        .filter(|(_, texts)| !texts.is_empty())
        .collect();
    let fallback = said(body.fallback);
    if fallback.is_empty() {
        texts.remove(&TextKey::Rephrase);
    } else {
        texts.insert(TextKey::Rephrase, fallback);
    }
    let inboxes = body.inboxes.into_iter().map(|(inbox, of)| {
        let mode = match of.mode {
            InboxModeBody::Off => InboxMode::Off,
            InboxModeBody::Answer => InboxMode::Answer,
            InboxModeBody::Suggest => InboxMode::Suggest,
        };
        (inbox, InboxBot { mode, who: of.who, flow: of.flow })
    });
    let HandoverBody { on_complaint, on_anger, misses_max } = body.handover;
    BotDocument {
        name: said(body.name),
        inboxes: inboxes.collect(),
        handover: HandoverRules { on_complaint, on_anger, misses_max },
        texts,
        team_language: body.team_language.unwrap_or(before.team_language),
    }
}

fn shown(revision: u64, document: BotDocument) -> BotBody {
    let BotDocument { name, inboxes, handover, mut texts, team_language } = document;
    let fallback = texts.remove(&TextKey::Rephrase).unwrap_or_default();
    let inboxes = inboxes.into_iter().map(|(inbox, of)| {
        let mode = match of.mode {
            InboxMode::Off => InboxModeBody::Off,
            InboxMode::Answer => InboxModeBody::Answer,
            InboxMode::Suggest => InboxModeBody::Suggest,
        };
        (inbox, InboxBotBody { mode, who: of.who, flow: of.flow })
    });
    let HandoverRules { on_complaint, on_anger, misses_max } = handover;
    BotBody {
        revision,
        name,
        inboxes: inboxes.collect(),
        fallback,
        texts,
        handover: HandoverBody { on_complaint, on_anger, misses_max },
        team_language,
    }
}

/// What an inbox's bot may name.
struct Known {
    inboxes: Vec<String>,
    bots: Vec<String>,
    flows: Vec<String>,
}

impl Known {
    async fn of(state: &ApiState, account: AccountId) -> Answer<Self> {
        let catalog = state.catalog();
        let inboxes = catalog.inboxes(account).await?;
        let keys = catalog.api_keys(account).await?;
        let flows = catalog.document_names(account, DocumentKind::Flow).await?;
        Ok(Self {
            inboxes: inboxes.into_iter().map(|inbox| inbox.id.to_string()).collect(),
            bots: keys.into_iter().filter(|key| key.bot).map(|key| key.id.to_string()).collect(),
            flows,
        })
    }

    fn is_who(&self, who: &str) -> bool {
        who == BUILT_IN || self.bots.iter().any(|bot| bot == who)
    }

    fn is_flow(&self, flow: &str) -> bool {
        flow.is_empty() || self.flows.iter().any(|known| known == flow)
    }
}

async fn all_exist(state: &ApiState, account: AccountId, document: &BotDocument) -> Answer<()> {
    let known = Known::of(state, account).await?;
    for (inbox, of) in &document.inboxes {
        let field = format!("inboxes.{inbox}");
        if !known.inboxes.contains(inbox) {
            return Err(Problem::invalid(&field, "is no inbox of the account"));
        }
        if !known.is_who(&of.who) {
            let detail = "is neither built_in nor the key of a bot of the account";
            return Err(Problem::invalid(&format!("{field}.who"), detail));
        }
        if !known.is_flow(&of.flow) {
            return Err(Problem::invalid(&format!("{field}.flow"), "is no flow of the account"));
        }
    }
    Ok(())
}

/// Leaves out what is gone meanwhile, so that it can be sent back.
async fn without_gone(
    state: &ApiState,
    account: AccountId,
    mut document: BotDocument,
) -> Answer<BotDocument> {
    if document.inboxes.is_empty() {
        return Ok(document);
    }
    let known = Known::of(state, account).await?;
    document.inboxes.retain(|inbox, _| known.inboxes.contains(inbox));
    for of in document.inboxes.values_mut() {
        if !known.is_who(&of.who) {
            // Its sessions go to people, as the bot that is gone answers none.
            *of = InboxBot { flow: std::mem::take(&mut of.flow), ..InboxBot::default() };
        }
        if !known.is_flow(&of.flow) {
            of.flow.clear();
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_where_nothing_was_understood_is_one_of_the_bots_texts() {
        let by = |text: &str| ByLanguage::from([("en".to_owned(), text.to_owned())]);
        let change = |fallback, texts| BotChange {
            revision: 0,
            name: by("Dot"),
            inboxes: BTreeMap::new(),
            fallback,
            texts,
            handover: HandoverBody { on_complaint: true, on_anger: false, misses_max: 3 },
            team_language: None,
        };
        let texts = BTreeMap::from([(TextKey::Bye, by("Bye!")), (TextKey::Thanks, by(" "))]);
        let first = document(change(by("What?"), Some(texts)), BotDocument::default());
        assert_eq!(first.texts.len(), 2, "an empty text is none");
        assert_eq!(first.texts[&TextKey::Rephrase], by("What?"));
        let body = shown(1, first.clone());
        assert_eq!((body.fallback, body.texts.len()), (by("What?"), 1));
        let second = document(change(ByLanguage::new(), None), first);
        assert_eq!(second.texts, BTreeMap::from([(TextKey::Bye, by("Bye!"))]));
        assert_eq!(second.check(), Ok(()));
    }
}
