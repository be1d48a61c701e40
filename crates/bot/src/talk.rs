//! A conversation to try: what a bot would do with a list of messages, without a visitor. The console's box and the tests
//! inside flows use it.

use serde::Serialize;

use crate::flow::Said;
use crate::{Act, Choice, FormField, Heard, Mind, Moment, State};

/// Messages of one conversation; further ones are left out.
pub const MESSAGES_MAX: usize = 50;

/// A message, and what the bot does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TalkTurn {
    /// What the visitor does.
    pub visitor: String,
    /// What the bot does; empty once people have the session.
    pub replies: Vec<Reply>,
    /// Whether people have the session now.
    pub handed_over: bool,
}

/// One thing a bot does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reply {
    /// `say`, `choices`, `form`, `answer`, `ask_back`, `suggestion`, `llm`, `handover`, `take_message`, `close`, `nothing`.
    pub kind: &'static str,
    /// What is shown; of a handover the brief, of `llm` the question.
    pub text: String,
    /// Buttons.
    pub choices: Vec<Choice>,
    /// Fields.
    pub form: Vec<FormField>,
    /// The articles it was taken from.
    pub sources: Vec<Source>,
    /// How sure, where something was measured.
    pub score: Option<f32>,
    /// The words that decided.
    pub words: Vec<String>,
    /// Why the session goes to people; empty where it does not.
    pub reason: &'static str,
    /// The team it goes to; empty for the inbox's own queue.
    pub team: String,
    /// Of a flow `name / step`; else empty.
    pub step: String,
}

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its id.
    pub article: String,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
}

/// Lets a visitor say one thing after the other. Where the LLM would be asked, that is shown, and the conversation goes on
/// as if it had answered.
pub fn talk(mind: &Mind, messages: &[Said], moment: &Moment<'_>) -> Vec<TalkTurn> {
    let mut state = State::default();
    let mut turns = Vec::new();
    let mut closed = false;
    for said in messages.iter().take(MESSAGES_MAX) {
        let visitor = said.to_string();
        if state.handed_over().is_some() {
            turns.push(TalkTurn { visitor, replies: Vec::new(), handed_over: true });
            continue;
        }
        if std::mem::take(&mut closed) {
            // A message after the end begins a new session.
            state = State::default();
        }
        let acts = said.hear(mind, &mut state, moment);
        Mind::forget_llm(&mut state);
        closed = acts.iter().any(|act| matches!(act, Act::Close));
        let replies = acts.iter().map(Reply::from).collect();
        turns.push(TalkTurn { visitor, replies, handed_over: state.handed_over().is_some() });
    }
    turns
}

impl Said {
    pub(crate) fn hear(&self, mind: &Mind, state: &mut State, moment: &Moment<'_>) -> Vec<Act> {
        let heard = Heard { moment: *moment, ..Heard::default() };
        let heard = match self {
            Self::Text(text) => Heard { text, ..heard },
            Self::Choose(id) => Heard { choice: Some(id), ..heard },
            Self::Form(values) => Heard { form: values, ..heard },
        };
        mind.hear(state, &heard)
    }
}

impl From<&Act> for Reply {
    fn from(act: &Act) -> Self {
        let why = act.why();
        let base = Self {
            score: why.and_then(|why| why.score),
            words: why.map(|why| why.words.clone()).unwrap_or_default(),
            step: why
                .filter(|why| why.article.is_empty())
                .map(|why| why.title.clone())
                .unwrap_or_default(),
            ..Self::default()
        };
        match act {
            Act::Say { text, .. } => Self { kind: "say", text: text.clone(), ..base },
            Act::Choices { body, choices, .. } => {
                Self { kind: "choices", text: body.clone(), choices: choices.clone(), ..base }
            }
            Act::Form { title, fields, .. } => {
                Self { kind: "form", text: title.clone(), form: fields.clone(), ..base }
            }
            Act::Answer { text, found, .. } => {
                let sources = found.iter().map(Source::from).collect();
                Self { kind: "answer", text: text.clone(), sources, ..base }
            }
            Act::AskBack { body, choices, .. } => {
                Self { kind: "ask_back", text: body.clone(), choices: choices.clone(), ..base }
            }
            Act::Suggest { text, found, .. } => {
                let sources = vec![Source::from(found)];
                Self { kind: "suggestion", text: text.clone(), sources, ..base }
            }
            Act::AskLlm { question, passages, .. } => {
                let sources = passages.iter().map(Source::from).collect();
                Self { kind: "llm", text: question.clone(), sources, ..base }
            }
            Act::HandOver { reason, team, brief, .. } => Self {
                kind: "handover",
                text: brief.clone(),
                reason: reason.as_str(),
                team: team.clone().unwrap_or_default(),
                ..base
            },
            Act::TakeMessage { text } => Self { kind: "take_message", text: text.clone(), ..base },
            Act::Close => Self { kind: "close", ..base },
            Act::Nothing => Self { kind: "nothing", ..base },
        }
    }
}

impl From<&frontdesk_knowledge::Found> for Source {
    fn from(found: &frontdesk_knowledge::Found) -> Self {
        Self {
            article: found.article.clone(),
            slug: found.slug.clone(),
            title: found.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BotConfig;

    #[test]
    fn a_conversation_goes_on_until_people_have_it() {
        let mind = Mind::new(BotConfig { llm: true, ..BotConfig::default() }, None, Vec::new());
        let said =
            ["hello", "qwertz uiop", "human", "are you there"].map(|text| Said::Text(text.into()));
        let moment = Moment { language: "en", attended: true, ..Moment::default() };
        let turns = talk(&mind, &said, &moment);
        let kinds: Vec<(Vec<&str>, bool)> = turns
            .iter()
            .map(|turn| (turn.replies.iter().map(|reply| reply.kind).collect(), turn.handed_over))
            .collect();
        assert_eq!(
            kinds,
            [
                (vec!["say"], false),
                (vec!["llm"], false),
                (vec!["say", "handover"], true),
                (vec![], true),
            ]
        );
        assert_eq!(turns[2].replies[1].reason, "asked");
        assert_eq!(turns[2].replies[1].words, ["human"]);
        let many = vec![Said::Text("hi".into()); 1_000];
        assert_eq!(talk(&mind, &many, &moment).len(), MESSAGES_MAX);
    }
}
