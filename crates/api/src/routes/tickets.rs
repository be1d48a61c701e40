//! Tickets: each opens one socket. A visitor asks with the inbox's key (and its token, once it has
//! one), a user with the login cookie, a program with its API key. Nothing is stored: what a first
//! message will create travels inside the ticket.

mod identify;

use axum::extract::State;
use frontdesk_catalog::{
    Hours, Inbox, InboxText, Look, Questions, Texts,
    settings::{self, At},
};
use frontdesk_core::store::Origin;
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::identify::Identified;
use crate::{
    client::Client,
    engine::Face,
    extract::Json,
    gate::{bounded, language, user_agent},
    identity::HashedIdentity,
    origin,
    principal::{Anyone, Principal},
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
    token::{Subject, Ticket, VisitorToken},
};

/// Bytes kept of a page's address.
const PAGE_BYTES_MAX: usize = frontdesk_core::limits::FIELD_BYTES_MAX;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(issue))
}

/// Whose socket it will be.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum TicketRequest {
    /// A visitor of an inbox.
    Visitor(Box<VisitorRequest>),
    /// The caller: a signed-in user or an API key.
    Agent,
}

#[derive(Deserialize, ToSchema)]
struct VisitorRequest {
    /// Names the inbox.
    inbox_key: String,
    /// From an earlier answer; absent for a new visitor.
    visitor_token: Option<String>,
    /// Origin of the page around the widget, as its message event says; absent for the stand-alone
    /// page and for programs.
    parent_origin: Option<String>,
    /// Address of the page around the widget.
    #[serde(default)]
    page: String,
    /// Where the visitor came from.
    #[serde(default)]
    referrer: String,
    /// BCP 47.
    #[serde(default)]
    language: String,
    /// Who the site says the visitor is: a JSON Web Token (HS256) with `sub`, `exp` and `aud` (the
    /// inbox's key), signed with a secret of the inbox; optional are `name`, `email`, `phone` and
    /// `attributes`.
    identity_token: Option<String>,
    /// Who the site says the visitor is, where it signs no token: a name and its hash. One of the two.
    identity: Option<HashedIdentity>,
}

/// A ticket for the first frame of one socket.
#[derive(Serialize, ToSchema)]
struct TicketBody {
    /// Goes into `Hello.ticket`.
    ticket: String,
    /// UTC milliseconds.
    expires_at_ms: i64,
    /// Cluster: the node that serves whoever has this ticket. In the address of the socket, as `?node=`, it tells a
    /// proxy where to lead it; from any other node the way is longer. Absent where there is one node, or none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u8>,
    /// Visitors: keep it, it is the visitor's identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor_token: Option<String>,
    /// Visitors: the one conversation they have here.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    /// Visitors: what the widget shows before the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<InboxView>,
}

/// An inbox as its visitors see it.
#[derive(Serialize, ToSchema)]
struct InboxView {
    /// Name of the inbox.
    name: String,
    /// Colours and place of the widget.
    #[schema(value_type = Object)]
    look: Look,
    /// `greeting`, `away`, `closed`, `ask_contact`, `title`: each by language.
    #[schema(value_type = std::collections::HashMap<String, std::collections::HashMap<String, String>>)]
    texts: BTreeMap<InboxText, Texts>,
    /// Opening hours.
    #[schema(value_type = Object)]
    hours: Hours,
    /// Opening hours in free words, by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    hours_text: Texts,
    /// Suggested questions, by language.
    questions: Questions,
    /// BCP 47: for visitors whose language is not known.
    language: String,
    /// Who answers here: up to three, those who are online first.
    faces: Vec<Face>,
    /// How long visitors wait for the first answer, in whole minutes: the median of recent sessions.
    /// Absent where too few are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_minutes: Option<u32>,
    /// Whether a bot answers first, by day and by night.
    bot: bool,
    /// While nobody is online, visitors are asked once for an address.
    ask_contact: bool,
    /// Visitors are asked for a rating when a session ends.
    rating: bool,
    /// Visitors may end the session themselves.
    visitor_may_close: bool,
    /// Both sides see that the other one types.
    typing: bool,
    /// A waiting visitor sees the own place.
    queue_place: bool,
    /// `off`, `optional` or `required`: whether visitors come with an identity the site signs.
    identity: &'static str,
    /// Largest file in bytes.
    file_bytes_max: u64,
}

/// Issues a ticket for one socket
#[utoipa::path(post, path = "/tickets", tag = "identity", request_body = TicketRequest,
    responses((status = 200, body = TicketBody), (status = "4XX", body = ProblemBody)))]
async fn issue(
    State(state): State<ApiState>,
    client: Client,
    Anyone(by): Anyone,
    headers: HeaderMap,
    Json(body): Json<TicketRequest>,
) -> Answer<Json<TicketBody>> {
    match body {
        TicketRequest::Visitor(request) => visitor(&state, &client, &headers, *request).await,
        TicketRequest::Agent => agent(&state, by),
    }
}

fn agent(state: &ApiState, by: Option<Principal>) -> Answer<Json<TicketBody>> {
    let by = by.ok_or_else(|| Problem::new(&codes::AUTH_REQUIRED))?;
    let account = by.account();
    let subject = match by {
        Principal::User(user) => Subject::Agent { user: user.access.user, login: user.login },
        Principal::Key(key) => Subject::Key { key: key.id },
        Principal::Visitor(_) => {
            return Err(Problem::invalid("kind", "a visitor asks for kind visitor"));
        }
    };
    let ticket = Ticket::issue(account, subject, now_ms());
    Ok(Json(TicketBody {
        expires_at_ms: ticket.expires_at_ms,
        node: state.engine().node_of_account(account),
        ticket: ticket.sign(state.key()),
        visitor_token: None,
        conversation_id: None,
        inbox: None,
    }))
}

async fn visitor(
    state: &ApiState,
    client: &Client,
    headers: &HeaderMap,
    request: VisitorRequest,
) -> Answer<Json<TicketBody>> {
    let inbox =
        state.catalog().inbox_by_key(&request.inbox_key).await.map_err(|error| match error {
            frontdesk_catalog::Error::NotFound { .. } => Problem::new(&codes::INBOX_UNKNOWN),
            other => other.into(),
        })?;
    let parent = check_parent(client, &inbox, request.parent_origin.as_deref());
    note_site(state, &inbox, &request, parent.is_err()).await;
    parent?;
    let device = request.visitor_token.as_deref().map(|text| known(state, &inbox, text));
    let proof = identify::proof(request.identity_token.as_deref(), request.identity.as_ref())?;
    let Identified { token, identified } =
        identify::visitor(state, &inbox, device.transpose()?, proof).await?;
    let tag = bounded(&request.language, 35);
    let origin = Origin {
        account: inbox.account.to_string(),
        inbox: inbox.id.to_string(),
        visitor: token.visitor.to_string(),
        language: if tag.is_empty() { language(headers) } else { tag },
        page_url: web_address(&request.page),
        referrer: web_address(&request.referrer),
        user_agent: user_agent(headers),
        secret_hash: token.secret_hash().to_vec().into(),
    };
    let subject = Subject::Visitor {
        inbox: inbox.id,
        visitor: token.visitor,
        conversation: token.conversation,
        origin: Box::new(origin),
        identified,
    };
    let ticket = Ticket::issue(inbox.account, subject, now_ms());
    Ok(Json(TicketBody {
        expires_at_ms: ticket.expires_at_ms,
        node: state.engine().node_of_conversation(&token.conversation),
        ticket: ticket.sign(state.key()),
        visitor_token: Some(token.sign(state.key())),
        conversation_id: Some(token.conversation.to_string()),
        inbox: Some(view(state, inbox).await?),
    }))
}

/// The inbox as the widget shows it.
async fn view(state: &ApiState, inbox: Inbox) -> Answer<InboxView> {
    let (account, at) = (inbox.account, At { team: None, inbox: Some(inbox.id) });
    let settings = state.catalog().settings(account).await?;
    let staff = state.engine().inbox_staff(account, inbox.id).await?;
    let language = if inbox.language.is_empty() {
        state.catalog().account(account).await?.language
    } else {
        inbox.language
    };
    Ok(InboxView {
        name: inbox.name,
        look: inbox.look,
        texts: inbox.texts,
        hours: inbox.hours,
        hours_text: inbox.hours_text,
        questions: inbox.questions,
        language,
        faces: staff.faces,
        answer_minutes: staff.answer_minutes,
        bot: staff.has_bot,
        ask_contact: settings.get(settings::ASK_CONTACT, at),
        rating: settings.get(settings::RATING, at),
        visitor_may_close: settings.get(settings::VISITOR_MAY_CLOSE, at),
        typing: settings.get(settings::TYPING, at),
        queue_place: settings.get(settings::QUEUE_PLACE, at),
        identity: inbox.identity.code(),
        file_bytes_max: state.files().size_max(&settings, at),
    })
}

/// A token of this very inbox; one of another inbox is as good as none.
fn known(state: &ApiState, inbox: &Inbox, text: &str) -> Answer<VisitorToken> {
    let token = VisitorToken::open(text, state.key())?;
    if token.account != inbox.account || token.inbox != inbox.id {
        return Err(Problem::new(&codes::TOKEN_INVALID));
    }
    Ok(token)
}

/// The site's own list: the page around the widget must be on it, or be one of ours.
fn check_parent(client: &Client, inbox: &Inbox, parent: Option<&str>) -> Answer<()> {
    let Some(parent) = parent else { return Ok(()) };
    let refused = || {
        Problem::new(&codes::ORIGIN_REFUSED)
            .field("parent_origin")
            .detail("the site is not on the inbox's list")
    };
    let parent = origin::parse(parent).ok_or_else(refused)?;
    if parent == client.origin || origin::is_listed(&parent, &inbox.origins) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Notes where the snippet stands, or where it stands and may not.
async fn note_site(state: &ApiState, inbox: &Inbox, request: &VisitorRequest, refused: bool) {
    let parent = request.parent_origin.as_deref().and_then(origin::parse);
    if let Some(parent) = parent {
        let whose = (inbox.account, inbox.id);
        state.sightings().note(state.catalog(), whose, &parent, &request.page, refused).await;
    }
}

/// Only web addresses are kept: agents will see them as links.
fn web_address(text: &str) -> String {
    let text = bounded(text.trim(), PAGE_BYTES_MAX);
    let lower = text.get(..8.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") { text } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::web_address;

    #[test]
    fn only_web_addresses_are_kept() {
        for (given, kept) in [
            ("https://a.example/x?y=1", "https://a.example/x?y=1"),
            ("HTTP://a.example", "HTTP://a.example"),
            ("javascript:alert(1)", ""),
            ("data:text/html,x", ""),
            ("中文中文中文", ""),
            ("", ""),
        ] {
            assert_eq!(web_address(given), kept, "{given}");
        }
    }
}
