//! Sends a message: a text, a file, buttons, a form, or what a visitor filled in. Who may send which, and what each may
//! hold, is the router's to say, of a socket's messages and of these alike.
//!
//! What a message says has the JSON of the wire protocol, as it is read back; unlike on the socket, a field that nobody
//! knows is refused, since a misspelt `required` would go unseen.

use axum::extract::State;
use frontdesk_core::chat::{self, Audience, Content, FormFieldKind, content::Kind};
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::own;
use crate::{
    engine::NewMessage,
    extract::{Created, Json, Path},
    files::FileError,
    principal::Caller,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(send))
}

/// A message: exactly one of `text`, `file`, `choices`, `form` and `form_reply`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessageBody {
    /// What it says.
    text: Option<String>,
    /// Id of a file uploaded to this conversation by the caller.
    file: Option<String>,
    /// A text with buttons; not from visitors.
    choices: Option<ChoicesBody>,
    /// Asks for several things at once; not from visitors.
    form: Option<FormBody>,
    /// What was filled in, for the form at `quote_seq`; only from visitors.
    form_reply: Option<FormReplyBody>,
    /// 16 bytes in hexadecimal, unique for this sender here. Without it the Idempotency-Key header
    /// gives one; without both a repeated request is a second message.
    #[schema(example = "0199f0c2a5d07c1f9e3b6a4d2c5e8f01")]
    client_msg_id: Option<String>,
    /// `team` makes it a note.
    #[serde(default)]
    audience: AudienceBody,
    /// The seq it answers.
    #[serde(default)]
    quote_seq: u64,
    /// Ids of users a note is addressed to: members of the account who may read the conversation.
    #[serde(default)]
    mentions: Vec<String>,
    /// The id of the choice that this text picks, among those at `quote_seq`; only from visitors.
    #[serde(default)]
    choice: String,
    /// The articles that the answer was taken from, the best first, at most 3; only from API keys.
    #[serde(default)]
    sources: Vec<SourceBody>,
}

#[derive(Deserialize, ToSchema, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum AudienceBody {
    #[default]
    Everyone,
    Team,
}

/// A text with buttons under it. Whoever reads it may write something else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChoicesBody {
    /// What it says.
    body: String,
    /// The buttons, 1 to 10.
    #[schema(min_items = 1, max_items = 10)]
    choices: Vec<ChoiceBody>,
}

/// A button, or an option of a field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChoiceBody {
    /// 1 to 64 bytes, unique among its neighbours.
    id: String,
    /// What it says, at most 80 characters.
    label: String,
}

/// Fields to fill in. Whoever reads it may write something else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormBody {
    /// What it is about.
    title: String,
    /// 1 to 10.
    #[schema(min_items = 1, max_items = 10)]
    fields: Vec<FormFieldBody>,
    /// What its button says, at most 80 characters; empty for the widget's own word.
    #[serde(default)]
    submit: String,
}

/// A field of a form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormFieldBody {
    /// 1 to 64 bytes, unique in the form.
    id: String,
    /// What it is called, at most 500 characters.
    label: String,
    /// What may be written into it.
    kind: FormFieldKindBody,
    /// It may not stay empty.
    #[serde(default)]
    required: bool,
    /// 1 to 10, of a field of kind `FORM_FIELD_KIND_CHOICE` alone.
    #[serde(default)]
    #[schema(max_items = 10)]
    options: Vec<ChoiceBody>,
}

/// What may be written into a field, by its name in the wire protocol.
#[derive(Deserialize, ToSchema, Clone, Copy)]
enum FormFieldKindBody {
    #[serde(rename = "FORM_FIELD_KIND_TEXT")]
    Text,
    #[serde(rename = "FORM_FIELD_KIND_EMAIL")]
    Email,
    #[serde(rename = "FORM_FIELD_KIND_PHONE")]
    Phone,
    #[serde(rename = "FORM_FIELD_KIND_ORDER_NUMBER")]
    OrderNumber,
    #[serde(rename = "FORM_FIELD_KIND_CHOICE")]
    Choice,
}

/// What was filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormReplyBody {
    /// 1 to 10.
    #[schema(min_items = 1, max_items = 10)]
    values: Vec<FieldValueBody>,
}

/// What was filled into a field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FieldValueBody {
    /// The field's id.
    id: String,
    /// What the form called it.
    label: String,
    /// At most 500 characters; of a choice its label; empty for none.
    #[serde(default)]
    value: String,
}

/// An article that an answer was taken from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SourceBody {
    /// The article's id; empty where it has none here.
    #[serde(default)]
    article: String,
    /// What readers see of it.
    title: String,
    /// Its page in the help centre, from `/help/` on; empty where it has none.
    #[serde(default)]
    path: String,
}

/// Where the message stands; it is on disk.
#[derive(Serialize, ToSchema)]
struct AckBody {
    /// The entry's id.
    id: String,
    /// Life of the log, a 64-bit number as text.
    epoch: String,
    /// Its place.
    seq: u64,
    /// UTC milliseconds.
    at_ms: i64,
}

/// Sends a message
#[utoipa::path(post, path = "/conversations/{conversation}/messages", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating safe")),
    request_body = MessageBody,
    responses((status = 201, body = AckBody), (status = "4XX", body = ProblemBody)))]
async fn send(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(conversation): Path<String>,
    headers: HeaderMap,
    Json(body): Json<MessageBody>,
) -> Answer<Created<AckBody>> {
    let conversation = own(&by, &conversation)?;
    let client_msg_id = message_id(body.client_msg_id.as_deref(), &headers)?;
    let said = [
        body.text.map(Said::Text),
        body.file.map(Said::File),
        body.choices.map(Said::Choices),
        body.form.map(Said::Form),
        body.form_reply.map(Said::FormReply),
    ];
    let mut said = said.into_iter().flatten();
    let first = said.next().ok_or(Problem::new(&codes::MESSAGE_EMPTY))?;
    if let Some(second) = said.next() {
        return Err(Problem::invalid(second.field(), "a message is one thing"));
    }
    let kind = match first {
        Said::Text(body) => Kind::Text(chat::Text { body }),
        Said::File(file) => Kind::File(
            state.files().describe(by.account(), conversation, &by.id(), &file).await.map_err(
                |error| match error {
                    FileError::Unknown => Problem::new(&codes::FILE_UNKNOWN),
                    other => other.into(),
                },
            )?,
        ),
        Said::Choices(choices) => Kind::Choices(choices.into()),
        Said::Form(form) => Kind::Form(form.into()),
        Said::FormReply(reply) => Kind::FormReply(reply.into()),
    };
    let audience = match body.audience {
        AudienceBody::Everyone => Audience::Everyone,
        AudienceBody::Team => Audience::Team,
    };
    let content = Content {
        kind: Some(kind),
        quote_seq: body.quote_seq,
        mentions: body.mentions,
        choice: body.choice,
        sources: body.sources.into_iter().map(Into::into).collect(),
    };
    let message = NewMessage { client_msg_id, content, audience };
    let ack = state.engine().send(&by, conversation, message).await?;
    Ok(Created(AckBody {
        id: ack.id.to_string(),
        epoch: ack.epoch.to_string(),
        seq: ack.seq,
        at_ms: ack.at_ms,
    }))
}

/// What a message says, as it came.
enum Said {
    Text(String),
    File(String),
    Choices(ChoicesBody),
    Form(FormBody),
    FormReply(FormReplyBody),
}

impl Said {
    /// The field of the body that says it.
    fn field(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::File(_) => "file",
            Self::Choices(_) => "choices",
            Self::Form(_) => "form",
            Self::FormReply(_) => "form_reply",
        }
    }
}

impl From<ChoicesBody> for chat::Choices {
    fn from(ChoicesBody { body, choices }: ChoicesBody) -> Self {
        Self { body, choices: choices.into_iter().map(Into::into).collect() }
    }
}

impl From<ChoiceBody> for chat::Choice {
    fn from(ChoiceBody { id, label }: ChoiceBody) -> Self {
        Self { id, label }
    }
}

impl From<FormBody> for chat::Form {
    fn from(FormBody { title, fields, submit }: FormBody) -> Self {
        Self { title, fields: fields.into_iter().map(Into::into).collect(), submit }
    }
}

impl From<FormFieldBody> for chat::FormField {
    fn from(FormFieldBody { id, label, kind, required, options }: FormFieldBody) -> Self {
        let kind = match kind {
            FormFieldKindBody::Text => FormFieldKind::Text,
            FormFieldKindBody::Email => FormFieldKind::Email,
            FormFieldKindBody::Phone => FormFieldKind::Phone,
            FormFieldKindBody::OrderNumber => FormFieldKind::OrderNumber,
            FormFieldKindBody::Choice => FormFieldKind::Choice,
        };
        let options = options.into_iter().map(Into::into).collect();
        Self { id, label, kind: kind.into(), required, options }
    }
}

impl From<FormReplyBody> for chat::FormReply {
    fn from(FormReplyBody { values }: FormReplyBody) -> Self {
        let values = values.into_iter();
        let value = |FieldValueBody { id, label, value }| chat::FieldValue { id, label, value };
        Self { values: values.map(value).collect() }
    }
}

impl From<SourceBody> for chat::Source {
    fn from(SourceBody { article, title, path }: SourceBody) -> Self {
        Self { article, title, path }
    }
}

/// The message's id: as given, or made of the idempotency key, or new.
fn message_id(given: Option<&str>, headers: &HeaderMap) -> Answer<[u8; 16]> {
    if let Some(text) = given {
        let mut id = [0; 16];
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Problem::new(&codes::MESSAGE_ID_INVALID).field("client_msg_id"));
        }
        for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16)
                .map_err(|_| Problem::new(&codes::MESSAGE_ID_INVALID).field("client_msg_id"))?;
        }
        return Ok(id);
    }
    let mut id = [0; 16];
    match headers.get("idempotency-key") {
        Some(key) => id.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]),
        None => getrandom::fill(&mut id).expect("the operating system gives random bytes"),
    }
    Ok(id)
}
