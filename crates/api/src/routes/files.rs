//! Uploads to a conversation and downloads from it. The body of an upload is the file itself; what it
//! is its bytes say. Who may read the conversation may read its files, asked anew on every request.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use frontdesk_core::{
    chat,
    id::{ConversationId, InboxId},
};
use frontdesk_protocol::codes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::own;
use crate::{
    client::Client,
    engine::EngineError,
    extract::{Created, Path, Query},
    files::{
        Part, Stored, Upload, name,
        range::{self, Extent},
        uploader,
    },
    headers::CSP_FILE,
    principal::{Caller, Principal},
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(upload))
        .routes(routes!(download))
        .routes(routes!(thumbnail))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadParams {
    /// The file's name; its extension follows the bytes.
    #[serde(default)]
    name: String,
}

/// Stores a file for a message of this conversation
#[utoipa::path(post, path = "/conversations/{conversation}/uploads", tag = "files",
    params(("conversation" = String, Path, description = "The conversation's id"), UploadParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "`File` of the wire protocol", body = Object),
        (status = "4XX", body = ProblemBody)))]
async fn upload(
    State(state): State<ApiState>,
    client: Client,
    Caller(by): Caller,
    Path(conversation): Path<String>,
    Query(params): Query<UploadParams>,
    request: Request,
) -> Answer<Created<chat::File>> {
    let conversation = own(&by, &conversation)?;
    refuse_forms(request.headers())?;
    let inbox = may_read(&state, &by, conversation, true).await?;
    let allowed = state.files().allowed(by.account(), inbox).await?;
    if matches!(by, Principal::Visitor(_)) {
        if !allowed.visitors {
            return Err(Problem::new(&codes::RIGHT_MISSING));
        }
        if let Some(after) = state.limits().upload_ip.count(&client.bucket()).retry_after {
            return Err(Problem::new(&codes::FILE_QUOTA).retry_after(after));
        }
    }
    let declared_bytes = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    // More than one file may hold is refused as such, not as a lack of room.
    let room = declared_bytes.unwrap_or(allowed.file_bytes_max).min(allowed.file_bytes_max);
    if state.files().shares_disk() && !state.engine().has_room(room) {
        return Err(Problem::new(&codes::STORAGE_FULL));
    }
    // It is kept before the message that refers to it is looked at.
    let name = state.engine().screened_name(&by, conversation, &params.name)?;
    let upload = Upload {
        account: by.account(),
        conversation,
        uploader: uploader(uploader_kind(&by), by.id()),
        name: &name,
        declared_bytes,
        allowed,
    };
    let stored = state.files().store(upload, request.into_body().into_data_stream()).await?;
    Ok(Created(stored))
}

/// Serves a file, or the part of it that `Range` asks for
#[utoipa::path(get, path = "/files/{file}", tag = "files",
    params(("file" = String, Path, description = "The file's id"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("If-Range" = Option<String>, Header, description = "The ETag the range is meant for")),
    responses((status = 200, description = "Its bytes", content_type = "application/octet-stream",
        body = Vec<u8>),
        (status = 206, description = "These of its bytes",
            content_type = "application/octet-stream", body = Vec<u8>),
        (status = "4XX", body = ProblemBody)))]
async fn download(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(file): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    serve(&state, &by, &file, Part::Whole, &method, &headers).await
}

/// Serves the small picture of an image
#[utoipa::path(get, path = "/files/{file}/thumbnail", tag = "files",
    params(("file" = String, Path, description = "The file's id")),
    responses((status = 200, description = "Its bytes", content_type = "image/jpeg",
        body = Vec<u8>), (status = "4XX", body = ProblemBody)))]
async fn thumbnail(
    State(state): State<ApiState>,
    Caller(by): Caller,
    Path(file): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    serve(&state, &by, &file, Part::Thumbnail, &method, &headers).await
}

async fn serve(
    state: &ApiState,
    by: &Principal,
    file: &str,
    part: Part,
    method: &Method,
    headers: &HeaderMap,
) -> Answer<Response> {
    let stored = state.files().find(by.account(), file).await?;
    may_read(state, by, stored.conversation, false).await?;
    // Small images have no thumbnail of their own: the picture serves as one.
    let part = if stored.has_thumbnail { part } else { Part::Whole };
    let tag = format!("\"{}{}\"", file, if part == Part::Whole { "" } else { "-t" });
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    // Ranges are of GET and of the file itself: nobody seeks in a thumbnail.
    let extent = if method == Method::GET && part == Part::Whole {
        range::asked(headers, stored.size_bytes, &tag)
    } else {
        Extent::Whole
    };
    let range = match extent {
        Extent::Whole => None,
        Extent::Part(range) => Some(range),
        Extent::Beyond => return Ok(beyond(stored.size_bytes)),
    };
    let (whole, stream) = state.files().read(file, part, range.clone()).await?;
    let mut response = Body::from_stream(stream.map_err(std::io::Error::other)).into_response();
    let sent = range.as_ref().map_or(whole, |range| range.end - range.start);
    describe(response.headers_mut(), &stored, part, sent, &tag);
    if let Some(range) = range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let place = format!("bytes {}-{}/{whole}", range.start, range.end - 1);
        insert(response.headers_mut(), header::CONTENT_RANGE, &place);
    }
    Ok(response)
}

/// Nothing of the file lies there; how much there is tells the client where to look.
fn beyond(bytes: u64) -> Response {
    let mut response = Problem::new(&codes::RANGE_INVALID).into_response();
    insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{bytes}"));
    response
}

fn describe(headers: &mut HeaderMap, stored: &Stored, part: Part, bytes: u64, tag: &str) {
    let inline = stored.is_image();
    let media_type = match part {
        Part::Thumbnail => stored.thumbnail_type(),
        Part::Whole | Part::Incoming => stored.served_type(),
    };
    let ranges = if part == Part::Whole { "bytes" } else { "none" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP_FILE));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // The bytes of an id never change, but the right to see them may end.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static(ranges));
    insert(headers, header::ETAG, tag);
    insert(headers, header::CONTENT_DISPOSITION, &name::disposition(inline, &stored.name));
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Whether the caller may read the conversation, and its inbox. A visitor's own may not be stored yet:
/// its first message may be a file, so the engine is not asked.
async fn may_read(
    state: &ApiState,
    by: &Principal,
    conversation: ConversationId,
    uploading: bool,
) -> Answer<Option<InboxId>> {
    if let Principal::Visitor(visitor) = by {
        return if visitor.conversation == conversation {
            Ok(Some(visitor.inbox))
        } else {
            Err(Problem::new(&codes::NOT_FOUND))
        };
    }
    match state.engine().conversation(by, conversation).await {
        Ok(view) => Ok(view.inbox.parse().ok()),
        Err(EngineError::UnknownConversation) if !uploading => Err(Problem::new(&codes::NOT_FOUND)),
        Err(error) => Err(error.into()),
    }
}

fn uploader_kind(by: &Principal) -> &'static str {
    match by {
        Principal::User(_) => "agent",
        Principal::Key(_) => "api",
        Principal::Visitor(_) => "visitor",
    }
}

/// The body is the file itself. What a form wraps it in would be stored as it stands, and an
/// application that means to send a form gets told.
fn refuse_forms(headers: &HeaderMap) -> Answer<()> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase());
    match kind.as_deref() {
        Some("application/x-www-form-urlencoded" | "multipart/form-data") => {
            Err(Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED)
                .detail("send the file's bytes as the body, as application/octet-stream"))
        }
        _ => Ok(()),
    }
}
