//! What a bot may do, each with why.

use frontdesk_knowledge::Found;
use serde::{Deserialize, Serialize};

use crate::flow::FieldKind;

/// One thing to do, in the order of the list it stands in.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Says something to the visitor.
    Say {
        /// Plain text.
        text: String,
        /// Where it comes from, if a flow says it.
        why: Option<Why>,
    },
    /// Shows buttons.
    Choices {
        /// The text above them.
        body: String,
        /// 1 to 10.
        choices: Vec<Choice>,
        /// Which step of a flow.
        why: Option<Why>,
    },
    /// Asks for several things at once.
    Form {
        /// The text above it.
        title: String,
        /// 1 to 10.
        fields: Vec<FormField>,
        /// What the button says; empty for the client's own word.
        submit: String,
        /// Which step of a flow.
        why: Option<Why>,
    },
    /// Answers a question.
    Answer {
        /// Plain text.
        text: String,
        /// The articles it was taken from, the best first.
        found: Vec<Found>,
        /// How sure, and by which words.
        why: Why,
    },
    /// Asks which of several articles is meant. The ids of the choices are of this act only.
    AskBack {
        /// The text above the buttons.
        body: String,
        /// Titles, and one more for "none of these".
        choices: Vec<Choice>,
        /// The best of what was found.
        why: Why,
    },
    /// Proposes an answer to the agent; the visitor does not see it.
    Suggest {
        /// Plain text.
        text: String,
        /// The article.
        found: Found,
        /// How sure, and by which words.
        why: Why,
    },
    /// Asks the LLM. The caller gives what it says to [`Mind::llm_answer`](crate::Mind::llm_answer), with this `turn`.
    AskLlm {
        /// Tells a late answer from one that is still wanted.
        turn: u32,
        /// What the visitor wrote.
        question: String,
        /// The visitor's language, a BCP 47 tag.
        language: String,
        /// What the knowledge base has about it; not sure enough to be an answer.
        passages: Vec<Found>,
        /// What was said before, the oldest first.
        history: Vec<Line>,
    },
    /// Gives the session to people.
    HandOver {
        /// Why.
        reason: Reason,
        /// Whose queue, by the team's name; none for the inbox's own.
        team: Option<String>,
        /// What the person who takes over should know; at most 600 characters.
        brief: String,
        /// The words that decided.
        why: Why,
    },
    /// Says to the visitor that nobody is there and that the message is kept.
    TakeMessage {
        /// Plain text.
        text: String,
    },
    /// Closes the session.
    Close,
    /// Nothing is to be done.
    Nothing,
}

/// Why a session goes to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The visitor asked for a person.
    Asked,
    /// The bot did not understand often enough.
    Unsure,
    /// The visitor complains.
    Complaint,
    /// The visitor is angry.
    Angry,
    /// A step of a flow says so.
    Flow,
    /// The bot broke: its LLM, its own server, or a flow that no longer fits the session.
    BotFailed,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Asked, Self::Unsure, Self::Complaint, Self::Angry, Self::Flow, Self::BotFailed];

    /// The name that is stored and shown to programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Unsure => "unsure",
            Self::Complaint => "complaint",
            Self::Angry => "angry",
            Self::Flow => "flow",
            Self::BotFailed => "bot_failed",
        }
    }
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// At most 64 bytes, unique among the choices.
    pub id: String,
    /// At most 80 characters.
    pub label: String,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// Unique in the form; the variable it is saved as.
    pub id: String,
    /// What stands beside it.
    pub label: String,
    /// What may be filled in.
    pub kind: FieldKind,
    /// Whether the form is refused without it.
    pub required: bool,
    /// Of the kind `choice`; else empty.
    pub options: Vec<Choice>,
}

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The visitor.
    Visitor,
    /// The bot.
    Bot,
}

/// Something that was said, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub by: Speaker,
    /// What.
    pub text: String,
}

/// What kind of decision a [`Why`] explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyKind {
    /// An article.
    Answer,
    /// Several articles.
    AskBack,
    /// A step of a flow.
    Flow,
    /// The LLM.
    Llm,
    /// To people.
    Handover,
    /// For the agent only.
    Suggestion,
}

impl WhyKind {
    /// The name that is stored and shown to programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::AskBack => "ask_back",
            Self::Flow => "flow",
            Self::Llm => "llm",
            Self::Handover => "handover",
            Self::Suggestion => "suggestion",
        }
    }
}

/// Why a bot did something, for the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// What kind of decision.
    pub kind: WhyKind,
    /// What the visitor wrote, shortened.
    pub question: String,
    /// Id of the article; empty for none.
    pub article: String,
    /// Title of the article; of a flow `name / step`.
    pub title: String,
    /// 0 to 1, where something was measured.
    pub score: Option<f32>,
    /// The words that decided.
    pub words: Vec<String>,
    /// Of a handover: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Why {
    pub(crate) fn new(kind: WhyKind, question: &str) -> Self {
        Self {
            kind,
            question: question.to_owned(),
            article: String::new(),
            title: String::new(),
            score: None,
            words: Vec::new(),
            reason: None,
        }
    }

    pub(crate) fn found(kind: WhyKind, question: &str, found: &Found) -> Self {
        Self {
            article: found.article.clone(),
            title: found.title.clone(),
            score: Some(found.score),
            words: found.words.clone(),
            ..Self::new(kind, question)
        }
    }
}

impl Act {
    /// Why, where there is something to say about it.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Say { why, .. } | Self::Choices { why, .. } | Self::Form { why, .. } => {
                why.as_ref()
            }
            Self::Answer { why, .. }
            | Self::AskBack { why, .. }
            | Self::Suggest { why, .. }
            | Self::HandOver { why, .. } => Some(why),
            Self::AskLlm { .. } | Self::TakeMessage { .. } | Self::Close | Self::Nothing => None,
        }
    }
}
