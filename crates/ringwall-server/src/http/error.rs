//! Errors as the door tells them: a stable code, a message for a person, the request id. What went wrong inside stays
//! in the server's log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringwall::Error;
use schemars::JsonSchema;
use serde::Serialize;

/// An error on its way out.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<String>,
    retry_secs: Option<u64>,
}

/// The body of every error.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, JsonSchema, Serialize)]
struct ErrorDetail {
    /// Stable, machine-readable.
    code: String,
    /// For a person: what is wrong, where, and how to mend it.
    message: String,
    /// One entry for each mistake, where there can be several.
    details: Vec<String>,
    /// The id of the request, as in the header `x-request-id`.
    request_id: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), retry_secs: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(super) fn too_many(retry_secs: u64) -> Self {
        let message = format!("too many requests; try again in {retry_secs} s");
        Self {
            retry_secs: Some(retry_secs),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
        }
    }

    fn with_details(self, details: impl Iterator<Item = String>) -> Self {
        Self { details: details.collect(), ..self }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let code = error.code();
        match &error {
            Error::Invalid(message) => Self::new(StatusCode::BAD_REQUEST, code, message),
            Error::ClockSkew { .. } => Self::new(StatusCode::BAD_REQUEST, code, error.to_string()),
            Error::IdempotencyConflict => Self::new(StatusCode::CONFLICT, code, error.to_string()),
            Error::NotFound(message) => Self::new(StatusCode::NOT_FOUND, code, message),
            Error::Forbidden(message) => Self::new(StatusCode::FORBIDDEN, code, message),
            Error::Policies(message) => {
                let summary = "the policies do not load; the ones before stay in force";
                let lines = message.lines().map(str::to_owned).collect::<Vec<_>>();
                Self::new(StatusCode::BAD_REQUEST, code, summary).with_details(lines.into_iter())
            }
            Error::Store(ringwall_store::Error::Conflict { .. }) => {
                Self::new(StatusCode::CONFLICT, code, "somebody else changed it at the same time; try again")
            }
            Error::Store(ringwall_store::Error::Limit(message)) => {
                Self::new(StatusCode::BAD_REQUEST, code, format!("over the limit: {message}"))
            }
            Error::Store(_) => {
                tracing::error!(code, %error, "a call failed in storage");
                let message = "the server cannot store or read right now; nothing acknowledged is lost";
                let retry_secs = error.is_retryable().then_some(1);
                Self { retry_secs, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message) }
            }
            _ => {
                tracing::error!(code, %error, "a call failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    code,
                    "the server could not do this; its log says why",
                )
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = super::telemetry::current_request_id();
        let detail = ErrorDetail {
            code: self.code.to_owned(),
            message: self.message,
            details: self.details,
            request_id,
        };
        let mut response = (self.status, Json(ErrorBody { error: detail })).into_response();
        if let Some(secs) = self.retry_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(super) async fn no_such_route() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such path; GET /openapi.json lists them all",
    )
}

pub(super) async fn no_such_method() -> ApiError {
    let message = "this path does not take that method; GET /openapi.json lists them all";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
