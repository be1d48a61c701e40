//! Conversations: lists, one conversation, its timeline, sends and erasure. What happens is
//! the engine's; this file turns HTTP into its calls and back.
//!
//! Messages and rows have the JSON of the wire protocol (protobuf's mapping), so that a client reads
//! one shape from both.

use axum::extract::State;
use frontdesk_core::{
    chat::{self, Audience, Content, Text, TimelineItem, content, entry, timeline_item},
    id::ConversationId,
    rights::Right,
};
use frontdesk_protocol::{codes, wire};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    device::Device,
    engine::{
        Contact, ContactChange, Counts, EntriesPage, ListQuery, NewMessage, PageRange, PastSession,
        View,
    },
    extract::{Created, Json, Path, Query},
    principal::{Caller, Principal, Staff},
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Rows or items in one answer at most.
const PAGE_MAX: usize = frontdesk_core::limits::PAGE_ENTRIES_MAX;
const PAGE_DEFAULT: usize = 50;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(change_contact))
        .routes(routes!(entries))
        .routes(routes!(send))
        .routes(routes!(erase))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Which list.
    #[serde(default = "mine")]
    #[param(inline, default = "mine")]
    view: View,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

fn mine() -> View {
    View::Mine
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
struct ListBody {
    /// `Row` of the wire protocol.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<wire::Row>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many rows each view holds.
    counts: Counts,
}

/// Lists conversations
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(ListParams),
    responses((status = 200, body = ListBody), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(state): State<ApiState>,
    Staff(by): Staff,
    Query(params): Query<ListParams>,
) -> Answer<Json<ListBody>> {
    let limit = limit(params.limit)?;
    if params.cursor.as_ref().is_some_and(|cursor| cursor.len() > 512) {
        return Err(Problem::new(&codes::CURSOR_INVALID));
    }
    let query = ListQuery { view: params.view, cursor: params.cursor, limit };
    let page = state.engine().list(&by, query).await?;
    Ok(Json(ListBody { rows: page.rows, next: page.next, counts: page.counts }))
}

/// One conversation.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationBody {
    /// `Row` of the wire protocol: the conversation with its newest session.
    #[schema(value_type = Object)]
    row: wire::Row,
    /// The inbox.
    inbox: String,
    /// The page the visitor first wrote from; empty towards visitors.
    page_url: String,
    /// The page the visitor came from; empty where it is not known, and towards visitors.
    referrer: String,
    /// What the visitor's browser says of itself; absent towards visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
    /// The person behind the visitor; absent for callers without the right `visitor.read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Contact>,
    /// Earlier sessions that are over, newest first, at most 50; none towards visitors.
    sessions: Vec<PastSession>,
    /// How far everybody got.
    #[schema(value_type = Vec<Object>)]
    cursors: Vec<chat::Cursor>,
    /// UTC milliseconds.
    created_at_ms: i64,
}

/// Shows one conversation
#[utoipa::path(get, path = "/conversations/{conversation}", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id")),
    responses((status = 200, body = ConversationBody), (status = "4XX", body = ProblemBody)))]
pub(super) async fn show(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(conversation): Path<String>,
) -> Answer<Json<ConversationBody>> {
    let conversation = own(&by, &conversation)?;
    let view = state.engine().conversation(&by, conversation).await?;
    let visits = matches!(by, Principal::Visitor(_));
    Ok(Json(ConversationBody {
        row: view.row,
        inbox: view.inbox,
        page_url: view.page_url,
        referrer: view.referrer,
        device: (!visits).then(|| Device::of(&view.user_agent)),
        contact: view.contact,
        sessions: view.sessions,
        cursors: view.cursors,
        created_at_ms: view.created_at_ms,
    }))
}

/// Fields that are absent stay as they are; an empty text forgets what was known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactBody {
    /// What people call the person.
    name: Option<String>,
    /// An address to write to.
    email: Option<String>,
    /// A number to call.
    phone: Option<String>,
    /// What the team keeps in mind about the person, at most 4,000 characters.
    note: Option<String>,
}

/// Changes what is known of the person behind a visitor
#[utoipa::path(patch, path = "/conversations/{conversation}/contact", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id")),
    request_body = ContactBody,
    responses((status = 200, body = Contact), (status = "4XX", body = ProblemBody)))]
async fn change_contact(
    State(state): State<ApiState>,
    Staff(by): Staff,
    Path(conversation): Path<String>,
    Json(body): Json<ContactBody>,
) -> Answer<Json<Contact>> {
    let conversation = parse_id(&conversation)?;
    let ContactBody { name, email, phone, note } = body;
    let change = ContactChange { name, email, phone, note };
    Ok(Json(state.engine().change_contact(&by, conversation, change).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EntriesParams {
    /// The newest below this seq.
    before: Option<u64>,
    /// The oldest above this seq; not together with `before`.
    after: Option<u64>,
    /// Items, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `epoch:seq` of an ack: the answer knows of it, or is 503 `position.ahead` after a second.
    min_position: Option<String>,
}

/// One page of a timeline, ascending.
#[derive(Serialize, ToSchema)]
struct EntriesBody {
    /// `TimelineItem`s of the wire protocol.
    #[schema(value_type = Vec<Object>)]
    items: Vec<TimelineItem>,
    /// Life of the log, a 64-bit number as text.
    epoch: String,
    /// Where the conversation stands.
    last_seq: u64,
    /// Older items exist (with `after`: newer ones).
    more_before: bool,
    /// Newer items exist; only with `after`.
    more_after: bool,
}

/// Reads a page of a timeline
#[utoipa::path(get, path = "/conversations/{conversation}/entries", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id"), EntriesParams),
    responses((status = 200, body = EntriesBody), (status = "4XX", body = ProblemBody)))]
async fn entries(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(conversation): Path<String>,
    Query(params): Query<EntriesParams>,
) -> Answer<Json<EntriesBody>> {
    let conversation = own(&by, &conversation)?;
    let range = match (params.before, params.after) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("before", "give either before or after"));
        }
        (Some(seq), None) => PageRange::Before(seq),
        (None, Some(seq)) => PageRange::After(seq),
        (None, None) => PageRange::Newest,
    };
    let min_position = params.min_position.as_deref().map(position).transpose()?;
    let page = EntriesPage { range, limit: limit(params.limit)?, min_position };
    let found = state.engine().entries(&by, conversation, page).await?;
    let after = matches!(range, PageRange::After(_));
    Ok(Json(EntriesBody {
        items: found.items,
        epoch: found.epoch.to_string(),
        last_seq: found.last_seq,
        more_before: !after && found.more,
        more_after: after && found.more,
    }))
}

/// A message: text or a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessageBody {
    /// What it says; or `file`.
    text: Option<String>,
    /// Id of a file uploaded to this conversation by the caller.
    file: Option<String>,
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
}

#[derive(Deserialize, ToSchema, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum AudienceBody {
    #[default]
    Everyone,
    Team,
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
    let kind = match (body.text, body.file) {
        (Some(text), None) => content::Kind::Text(Text { body: text }),
        (None, Some(file)) => content::Kind::File(
            state.files().describe(by.account(), conversation, &by.id(), &file).await.map_err(
                |error| match error {
                    crate::files::FileError::Unknown => Problem::new(&codes::FILE_UNKNOWN),
                    other => other.into(),
                },
            )?,
        ),
        (None, None) => return Err(Problem::new(&codes::MESSAGE_EMPTY)),
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("file", "a message is either a text or a file"));
        }
    };
    let audience = match body.audience {
        AudienceBody::Everyone => Audience::Everyone,
        AudienceBody::Team => Audience::Team,
    };
    let (quote_seq, mentions) = (body.quote_seq, body.mentions);
    let content = Content { kind: Some(kind), quote_seq, mentions, ..Content::default() };
    let message = NewMessage { client_msg_id, content, audience };
    let ack = state.engine().send(&by, conversation, message).await?;
    Ok(Created(AckBody {
        id: ack.id.to_string(),
        epoch: ack.epoch.to_string(),
        seq: ack.seq,
        at_ms: ack.at_ms,
    }))
}

/// Which entries lose their content.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseBody {
    /// First seq.
    from_seq: u64,
    /// Last seq.
    to_seq: u64,
}

/// What was erased.
#[derive(Serialize, ToSchema)]
struct ErasedBody {
    /// Files removed with the entries.
    files: usize,
}

/// Removes the content of entries, and their files, for good
#[utoipa::path(post, path = "/conversations/{conversation}/erase", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id")),
    request_body = EraseBody,
    responses((status = 200, body = ErasedBody), (status = "4XX", body = ProblemBody)))]
async fn erase(
    State(state): State<ApiState>,
    Staff(by): Staff,
    Path(conversation): Path<String>,
    Json(body): Json<EraseBody>,
) -> Answer<Json<ErasedBody>> {
    by.require(Right::ConversationErase)?;
    let id = parse_id(&conversation)?;
    if body.from_seq == 0 || body.to_seq < body.from_seq {
        return Err(Problem::invalid("from_seq", "1 or more, and not above to_seq"));
    }
    let files = files_of(&state, &by, id, body.from_seq, body.to_seq).await?;
    state.engine().erase(&by, id, body.from_seq, body.to_seq).await?;
    state.files().remove(by.account(), &files).await?;
    Ok(Json(ErasedBody { files: files.len() }))
}

/// The files that entries in the range carry; read before they are erased.
async fn files_of(
    state: &ApiState,
    by: &Principal,
    conversation: ConversationId,
    from_seq: u64,
    to_seq: u64,
) -> Answer<Vec<String>> {
    let mut files = Vec::new();
    let mut after = from_seq - 1;
    while after < to_seq {
        let page =
            EntriesPage { range: PageRange::After(after), limit: PAGE_MAX, min_position: None };
        let found = state.engine().entries(by, conversation, page).await?;
        let Some(last) = found.items.last().and_then(last_seq) else { break };
        files.extend(found.items.iter().filter_map(|item| file_of(item, to_seq)));
        if last <= after || !found.more {
            break;
        }
        after = last;
    }
    Ok(files)
}

fn last_seq(item: &TimelineItem) -> Option<u64> {
    match item.item.as_ref()? {
        timeline_item::Item::Entry(entry) => Some(entry.seq),
        timeline_item::Item::Skip(skip) => Some(skip.to_seq),
    }
}

fn file_of(item: &TimelineItem, to_seq: u64) -> Option<String> {
    let timeline_item::Item::Entry(entry) = item.item.as_ref()? else { return None };
    let entry::Body::Content(content) = entry.body.as_ref()? else { return None };
    match content.kind.as_ref()? {
        content::Kind::File(file) if entry.seq <= to_seq => Some(file.id.clone()),
        _ => None,
    }
}

/// The conversation a caller names. A visitor may only name its own; any other does not exist.
pub(crate) fn own(by: &Principal, conversation: &str) -> Answer<ConversationId> {
    let id = parse_id(conversation)?;
    match by {
        Principal::Visitor(visitor) if visitor.conversation != id => {
            Err(Problem::new(&codes::CONVERSATION_UNKNOWN))
        }
        _ => Ok(id),
    }
}

fn parse_id(conversation: &str) -> Answer<ConversationId> {
    conversation.parse().map_err(|_| Problem::new(&codes::CONVERSATION_UNKNOWN))
}

fn limit(wanted: Option<usize>) -> Answer<usize> {
    match wanted {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid("limit", format!("1 to {PAGE_MAX}"))),
    }
}

fn position(text: &str) -> Answer<(u64, u64)> {
    text.split_once(':')
        .and_then(|(epoch, seq)| Some((epoch.parse().ok()?, seq.parse().ok()?)))
        .ok_or_else(|| Problem::invalid("min_position", "write it as epoch:seq"))
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
