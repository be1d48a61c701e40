//! Extractors whose failures are problems like all others: JSON bodies, queries, paths.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path as AxumPath, Query as AxumQuery, Request,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use frontdesk_protocol::codes;
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::Problem;

/// A JSON body. Other content types are refused: a form cannot send JSON across sites unasked (S9).
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED)
                .detail("send the body as application/json"));
        }
        let body = Bytes::from_request(request, state);
        let bytes = in_time(body).await?.map_err(body_problem)?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

/// A new thing, with its place.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::CREATED, &self.0)
    }
}

/// A query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        AxumQuery::<T>::from_request_parts(parts, state)
            .await
            .map(|AxumQuery(query)| Self(query))
            .map_err(|error: QueryRejection| {
                Problem::new(&codes::REQUEST_MALFORMED).detail(error.body_text())
            })
    }
}

/// Parts of the path. One that is no id names nothing, so the answer is 404.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        AxumPath::<T>::from_request_parts(parts, state)
            .await
            .map(|AxumPath(path)| Self(path))
            .map_err(|error: PathRejection| Problem::new(&codes::NOT_FOUND).because(error))
    }
}

/// A body that trickles in holds a connection and nothing else: it gets this long.
const BODY_TIMEOUT: Duration = Duration::from_millis(frontdesk_core::limits::BODY_TIMEOUT_MS);

/// Waits for a body as long as any client may need.
pub(crate) async fn in_time<F: Future>(body: F) -> Result<F::Output, Problem> {
    tokio::time::timeout(BODY_TIMEOUT, body).await.map_err(|elapsed| {
        Problem::new(&codes::REQUEST_MALFORMED).detail("the body took too long").because(elapsed)
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = match error.classify() {
            serde_json::error::Category::Data => &codes::REQUEST_INVALID,
            _ => &codes::REQUEST_MALFORMED,
        };
        Problem::new(code).detail(error.to_string())
    })
}

/// Says why a body could not be read.
pub(crate) fn body_problem(error: BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(&codes::REQUEST_TOO_LARGE)
    } else {
        Problem::new(&codes::REQUEST_MALFORMED).because(error)
    }
}

/// `application/json`, with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn json_response<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = (status, bytes).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}
