//! What a bot's acts are on the wire: messages, and what the team reads beside them.

use std::collections::BTreeMap;

use bytes::Bytes;
use frontdesk_bot::{Act, Choice, FormField, Why, flow::FieldKind};
use frontdesk_core::{
    chat::{self, Audience, Content, FormFieldKind, content::Kind},
    id::ConversationId,
    limits::{CHOICE_LABEL_CHARS_MAX, FIELD_ID_BYTES_MAX, FIELD_VALUE_CHARS_MAX, SOURCES_MAX},
};
use frontdesk_knowledge::Found;
use frontdesk_protocol::{texts, wire};

/// Longest parameter of a text for the team, in characters.
const PARAM_CHARS_MAX: usize = 500;

/// What an act says to the visitor; none where it says nothing.
pub(super) fn said(act: &Act, help: &Help) -> Option<Content> {
    let kind = match act {
        Act::Say { text, .. } | Act::TakeMessage { text } => text_kind(text),
        Act::Answer { text, found, .. } => {
            let sources = found.iter().take(SOURCES_MAX).map(|one| help.source(one)).collect();
            let kind = Some(text_kind(text));
            return Some(Content { kind, sources, ..Content::default() });
        }
        Act::Choices { body, choices, .. } | Act::AskBack { body, choices, .. } => {
            let choices = choices.iter().map(choice).collect();
            Kind::Choices(chat::Choices { body: body.clone(), choices })
        }
        Act::Form { title, fields, submit, .. } => Kind::Form(chat::Form {
            title: title.clone(),
            fields: fields.iter().map(field).collect(),
            submit: submit.clone(),
        }),
        Act::Suggest { .. }
        | Act::AskLlm { .. }
        | Act::HandOver { .. }
        | Act::Close
        | Act::Nothing => return None,
    };
    Some(Content { kind: Some(kind), ..Content::default() })
}

pub(super) fn text_kind(text: &str) -> Kind {
    Kind::Text(chat::Text { body: text.to_owned() })
}

fn choice(choice: &Choice) -> chat::Choice {
    chat::Choice { id: choice.id.clone(), label: cut(&choice.label, CHOICE_LABEL_CHARS_MAX) }
}

fn field(field: &FormField) -> chat::FormField {
    let kind = match field.kind {
        FieldKind::Email => FormFieldKind::Email,
        FieldKind::Phone => FormFieldKind::Phone,
        FieldKind::OrderNumber => FormFieldKind::OrderNumber,
        FieldKind::Choice => FormFieldKind::Choice,
        FieldKind::Text => FormFieldKind::Text,
    };
    chat::FormField {
        id: field.id.clone(),
        label: field.label.clone(),
        kind: kind.into(),
        required: field.required,
        options: field.options.iter().map(choice).collect(),
    }
}

/// Where the pages of an inbox's help centre are.
pub(crate) struct Help {
    /// Names the inbox.
    pub(crate) inbox_key: String,
}

impl Help {
    /// An article as the visitor is told of it.
    pub(crate) fn source(&self, found: &Found) -> chat::Source {
        let path = self.path(found);
        chat::Source {
            article: cut(&found.article, FIELD_ID_BYTES_MAX),
            title: cut(&found.title, FIELD_VALUE_CHARS_MAX),
            path,
        }
    }

    /// The page of an article.
    pub(super) fn path(&self, found: &Found) -> String {
        format!("/help/{}/{}/{}", self.inbox_key, found.lang, found.slug)
    }
}

/// Why a bot said something, as the team reads it.
pub(crate) fn why(why: &Why, seq: u64, took_ms: u64, llm: Option<&Used>) -> Content {
    let score = why.score.map(|score| format!("{score:.2}")).unwrap_or_default();
    let mut params = vec![
        ("seq", seq.to_string()),
        ("question", cut(&why.question, PARAM_CHARS_MAX)),
        ("kind", why.kind.as_str().to_owned()),
        ("article", why.article.clone()),
        ("title", cut(&why.title, PARAM_CHARS_MAX)),
        ("score", score),
        ("words", cut(&why.words.join(" "), PARAM_CHARS_MAX)),
        ("took_ms", took_ms.to_string()),
    ];
    if let Some(reason) = why.reason {
        params.push(("reason", reason.as_str().to_owned()));
    }
    if let Some(used) = llm {
        params.push(("model", used.model.clone()));
        params.push(("tokens", used.tokens.to_string()));
    }
    system(&texts::BOT_WHY, params)
}

/// What a language model was used for an answer.
pub(crate) struct Used {
    pub(super) model: String,
    pub(super) tokens: u64,
}

/// An answer for the agent alone.
pub(super) fn suggestion(text: &str, found: &Found, help: &Help) -> Content {
    let params = vec![
        ("text", text.to_owned()),
        ("article", found.article.clone()),
        ("title", cut(&found.title, PARAM_CHARS_MAX)),
        ("path", help.path(found)),
        ("score", format!("{:.2}", found.score)),
    ];
    system(&texts::BOT_SUGGESTION, params)
}

fn system(line: &texts::SystemTextKey, params: Vec<(&str, String)>) -> Content {
    let params: BTreeMap<String, String> =
        params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let text = chat::SystemText { key: line.key.to_owned(), params };
    Content { kind: Some(Kind::System(text)), ..Content::default() }
}

/// Numbers of what is said where no message asks for it, far behind those of any answer: after the session has left the
/// bot, and when it was found out what the visitor wants.
pub(super) const LEFT: u16 = 1_000;
pub(super) const SORTED: u16 = 2_000;
/// Of notes about a whole session.
pub(super) const SUMMARY: u16 = 3_000;

/// A frame that says something.
pub(super) fn send(
    conversation: ConversationId,
    client_msg_id: Bytes,
    content: Content,
    audience: Audience,
) -> wire::Send {
    wire::Send {
        conversation: conversation.to_string(),
        client_msg_id,
        content: Some(content),
        audience: audience.into(),
    }
}

/// The id of the `number`th thing a bot says about the visitor's message `seq`. Whoever answers the same message
/// again, after a failure, says it with the same id, and it is there once. Ids rise as clients' should.
pub(super) fn client_msg_id(conversation: ConversationId, seq: u64, number: u16) -> Bytes {
    let mut id = Vec::with_capacity(16);
    id.extend_from_slice(&seq.to_be_bytes()[2..]);
    id.extend_from_slice(&number.to_be_bytes());
    id.extend_from_slice(&conversation.as_bytes()[4..]);
    id.into()
}

/// The visitor's message that something a bot said is about, and its number, by its id; none for an id of another kind.
pub(super) fn about(conversation: ConversationId, client_msg_id: &[u8]) -> Option<(u64, u16)> {
    let (head, tail) = client_msg_id.split_first_chunk::<8>()?;
    let [seq @ .., high, low] = *head;
    let seq = seq.iter().fold(0, |seq, byte| seq << 8 | u64::from(*byte));
    let number = u16::from_be_bytes([high, low]);
    (tail == &conversation.as_bytes()[4..]).then_some((seq, number))
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_with_what_is_answered_and_are_the_same_again() {
        let conversation = ConversationId::from_bytes([7; 12]);
        let ids: Vec<Bytes> = [(1, 0), (1, 1), (2, 0), (300, 0), (70_000, 3)]
            .into_iter()
            .map(|(seq, number)| client_msg_id(conversation, seq, number))
            .collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 16), "{ids:?}");
        assert_eq!(client_msg_id(conversation, 2, 0), ids[2]);
        let read: Vec<_> = ids.iter().filter_map(|id| about(conversation, id)).collect();
        assert_eq!(read, [(1, 0), (1, 1), (2, 0), (300, 0), (70_000, 3)]);
        assert_eq!(about(ConversationId::from_bytes([8; 12]), &ids[0]), None, "of another one");
        assert_eq!(about(conversation, b"short"), None);
    }
}
