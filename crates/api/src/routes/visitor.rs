//! A visitor about itself: name, e-mail address and telephone number, so that somebody can answer when
//! the chat is closed.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Done;
use crate::{
    engine::ContactChange,
    extract::Json,
    principal::{AsVisitor, Principal},
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// What is known of the visitor; empty where nothing is.
#[derive(Serialize, ToSchema)]
struct VisitorContact {
    /// What people call the visitor.
    name: String,
    /// An address to write to.
    email: String,
    /// A number to call.
    phone: String,
}

/// Shows what is known of the visitor, so that it is asked once
#[utoipa::path(get, path = "/visitor/contact", tag = "visitors",
    operation_id = "show_visitor_contact",
    responses((status = 200, body = VisitorContact), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    AsVisitor(by): AsVisitor,
) -> Answer<Json<VisitorContact>> {
    let conversation = by.conversation;
    let by = Principal::Visitor(Box::new(by));
    let contact = state.engine().contact(&by, conversation).await?;
    Ok(Json(VisitorContact { name: contact.name, email: contact.email, phone: contact.phone }))
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisitorContactInput)]
struct ContactInput {
    /// What people call the visitor.
    name: Option<String>,
    /// An address to write to.
    email: Option<String>,
    /// A number to call.
    phone: Option<String>,
}

/// Keeps how to reach the visitor, once it has written
#[utoipa::path(put, path = "/visitor/contact", tag = "visitors", request_body = ContactInput,
    operation_id = "change_visitor_contact",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    AsVisitor(by): AsVisitor,
    Json(input): Json<ContactInput>,
) -> Answer<Done> {
    let conversation = by.conversation;
    let by = Principal::Visitor(Box::new(by));
    let ContactInput { name, email, phone } = input;
    let change = ContactChange { name, email, phone, note: None };
    state.engine().change_contact(&by, conversation, change).await?;
    Ok(Done)
}
