//! Conversations: lists, one conversation, its timeline and erasure. What happens is the engine's; this
//! file turns HTTP into its calls and back.
//!
//! Messages and rows have the JSON of the wire protocol (protobuf's mapping), so that a client reads
//! one shape from both.

use axum::extract::State;
use frontdesk_core::{
    chat::{self, TimelineItem, content, entry, timeline_item},
    id::ConversationId,
    rights::Right,
};
use frontdesk_protocol::{codes, wire};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    device::Device,
    engine::{
        Contact, ContactChange, Counts, EntriesPage, ListQuery, PageRange, PastSession, View,
    },
    extract::{Json, Path, Query},
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
