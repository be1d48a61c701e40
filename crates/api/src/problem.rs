//! The error envelope: every failure leaves as `application/problem+json` (RFC 9457) with a code of
//! `frontdesk_protocol::codes`. What the client reads and what the log says are kept apart.

use std::{error::Error, time::Duration};

use axum::response::{IntoResponse, Response};
use frontdesk_catalog::Error as CatalogError;
use frontdesk_protocol::codes::{self, ErrorCode};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{engine::EngineError, files::FileError, token::TokenError};

/// What a handler returns.
pub(crate) type Answer<T> = Result<T, Problem>;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// `urn:frontdesk:error:` and the code.
    #[schema(example = "urn:frontdesk:error:not_found")]
    r#type: String,
    /// What happened, the same for every problem of this code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code clients decide by; docs/protocol.md lists all of them.
    #[schema(example = "not_found")]
    code: &'static str,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The field or setting that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Seconds to wait before trying again; also in the Retry-After header.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// A failure on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem {
    code: &'static ErrorCode,
    detail: Option<String>,
    field: Option<String>,
    retry_after: Option<Duration>,
    /// For the log only.
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl From<&'static ErrorCode> for Problem {
    fn from(code: &'static ErrorCode) -> Self {
        Self { code, detail: None, field: None, retry_after: None, cause: None }
    }
}

impl Problem {
    pub(crate) fn new(code: &'static ErrorCode) -> Self {
        code.into()
    }

    /// Says what happened this time; the client reads it.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// A failure of ours: the client learns nothing but that.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(&codes::INTERNAL).because(cause)
    }

    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(&codes::REQUEST_INVALID).field(field).detail(detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).expect("the table holds error statuses")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Some(cause) = &self.cause {
            let mut chain = cause.to_string();
            let mut next = cause.source();
            while let Some(source) = next {
                chain.push_str(": ");
                chain.push_str(&source.to_string());
                next = source.source();
            }
            if status.is_server_error() {
                tracing::error!(error.code = self.code.code, error.chain = chain, "request failed");
            } else {
                tracing::debug!(
                    error.code = self.code.code,
                    error.chain = chain,
                    "request refused"
                );
            }
        }
        // A second at least, rounded up: a client that waits as told is let in.
        let retry_after =
            self.retry_after.map(|after| after.as_millis().div_ceil(1000).max(1) as u64);
        let body = ProblemBody {
            r#type: format!("urn:frontdesk:error:{}", self.code.code),
            title: self.code.text,
            status: status.as_u16(),
            code: self.code.code,
            detail: self.detail,
            field: self.field,
            retry_after,
        };
        let bytes = serde_json::to_vec(&body).expect("a body of texts and numbers");
        let mut response = (status, bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::new(&codes::TOKEN_INVALID),
            TokenError::Expired => Self::new(&codes::TICKET_EXPIRED),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::UnknownConversation => Self::new(&codes::CONVERSATION_UNKNOWN),
            EngineError::Invalid { field, reason } => Self::invalid(&field, reason),
            EngineError::NotYet => {
                Self::new(&codes::POSITION_AHEAD).retry_after(Duration::from_secs(1))
            }
            EngineError::Unavailable { retry_after } => {
                Self::new(&codes::OVERLOADED).retry_after(retry_after)
            }
            EngineError::Refused { code, message, detail, retry_after } => {
                let Some(line) = codes::find(code) else {
                    return Self::internal(format!(
                        "the engine refused with the unknown code {code}"
                    ));
                };
                let detail = if detail.is_empty() { message } else { detail };
                Self { code: line, detail: Some(detail), field: None, retry_after, cause: None }
            }
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let error = match error {
            FileError::Catalog(error) => return error.into(),
            other => other,
        };
        let code = match &error {
            FileError::Unknown => &codes::NOT_FOUND,
            FileError::Empty => &codes::FILE_EMPTY,
            FileError::TooLarge { .. } | FileError::TooManyPixels { .. } => &codes::FILE_TOO_LARGE,
            FileError::Type => &codes::FILE_TYPE,
            FileError::Quota { .. } => &codes::FILE_QUOTA,
            FileError::Unreadable(_) => &codes::FILE_UNREADABLE,
            FileError::Busy => {
                return Self::new(&codes::OVERLOADED).retry_after(Duration::from_secs(1));
            }
            FileError::Aborted(_) => &codes::REQUEST_MALFORMED,
            FileError::Full(_) => &codes::STORAGE_FULL,
            FileError::Store { .. } => &codes::STORAGE_UNAVAILABLE,
            FileError::Catalog(_) => &codes::INTERNAL,
        };
        Self::new(code).detail(error.to_string()).because(error)
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error.root() {
            CatalogError::NotFound { what } => {
                Self::new(&codes::NOT_FOUND).detail(format!("{what} is unknown"))
            }
            CatalogError::Conflict { what, reason } => {
                let code = match (*what, *reason) {
                    ("email", _) => &codes::EMAIL_TAKEN,
                    ("invitation", "too_many") => &codes::INVITATIONS_FULL,
                    (_, "in_use") => &codes::IN_USE,
                    (_, "changed") => &codes::PRECONDITION_FAILED,
                    (_, "too_many") => &codes::TOO_MANY,
                    _ => &codes::NAME_TAKEN,
                };
                Self::new(code).field(*what).detail(*reason)
            }
            CatalogError::Invalid { field, reason } => {
                let code = if field == "password" {
                    &codes::PASSWORD_WEAK
                } else {
                    &codes::REQUEST_INVALID
                };
                Self::new(code).field(field.clone()).detail(*reason)
            }
            CatalogError::Forbidden { right } => {
                Self::new(&codes::RIGHT_MISSING).detail(format!("the right {right} is missing"))
            }
            CatalogError::LastOwner => Self::new(&codes::LAST_OWNER),
            CatalogError::SignInFailed => Self::new(&codes::AUTH_FAILED),
            CatalogError::SessionOver => Self::new(&codes::AUTH_REQUIRED),
            CatalogError::InvitationOver => Self::new(&codes::INVITATION_INVALID),
            CatalogError::SetupOver => Self::new(&codes::SETUP_INVALID),
            CatalogError::Overloaded => {
                Self::new(&codes::OVERLOADED).retry_after(Duration::from_secs(1))
            }
            CatalogError::ReadOnly { .. }
            | CatalogError::Locked { .. }
            | CatalogError::WritesStopped { .. } => {
                Self::new(&codes::STORAGE_UNAVAILABLE).because(error)
            }
            // Its database is away, which the log says once.
            CatalogError::Unavailable { .. } => {
                Self::new(&codes::STORAGE_UNAVAILABLE).retry_after(Duration::from_secs(1))
            }
            _ => Self::internal(error),
        }
    }
}
