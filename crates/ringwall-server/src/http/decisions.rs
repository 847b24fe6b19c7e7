//! Decisions: asked for, and looked up.

use axum::Json;
use axum::extract::{Request, State};
use ringwall::Answer;
use ringwall_types::{AccessRequest, DecisionId, DecisionRecord};
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::auth::Authenticated;
use super::body::{Named, json};
use super::error::ApiError;
use crate::keys::Scope;

/// Ask whether a principal may do an action to a resource.
///
/// A denial is an answer with status 200. The answer is in the audit log before it is given.
#[utoipa::path(
    post, path = "/v1/decide", tag = "decisions", security(("api_key" = [])),
    request_body(content = ref("#/components/schemas/AccessRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "the verdict", body = ref("#/components/schemas/Answer")),
        (status = 400, description = "the request is malformed", body = ref("#/components/schemas/ErrorBody")),
        (status = 401, description = "no valid API key", body = ref("#/components/schemas/ErrorBody")),
        (status = 403, description = "the key lacks the scope `decide`", body = ref("#/components/schemas/ErrorBody")),
        (status = 409, description = "the idempotency key was used for another request", body = ref("#/components/schemas/ErrorBody")),
        (status = 413, description = "the body is too long", body = ref("#/components/schemas/ErrorBody")),
        (status = 429, description = "too many requests", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn decide(
    State(app): State<App>,
    guest: Authenticated,
    request: Request,
) -> Result<Json<Answer>, ApiError> {
    let caller = guest.may(Scope::Decide)?;
    let request: AccessRequest = json(&app, request).await?;
    let answer = app.engine.decide(&caller, request).await?;
    metrics::counter!("ringwall_decisions_total", "decision" => answer.verdict.decision().as_str())
        .increment(1);
    Ok(Json(answer))
}

/// A decision as it stands in the audit log.
#[derive(JsonSchema, Serialize)]
pub(super) struct RecordedDecision {
    /// Its place in the log.
    log_index: u64,
    /// The record.
    #[serde(flatten)]
    record: DecisionRecord,
}

/// Look up a decision.
#[utoipa::path(
    get, path = "/v1/decisions/{id}", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "the decision's id")),
    responses(
        (status = 200, description = "the recorded decision", body = ref("#/components/schemas/RecordedDecision")),
        (status = 404, description = "no such decision in this tenant", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn decision(
    State(app): State<App>,
    guest: Authenticated,
    Named(id): Named,
) -> Result<Json<RecordedDecision>, ApiError> {
    let caller = guest.may(Scope::Read)?;
    let id = DecisionId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    let (log_index, record) = app.engine.decision(&caller, &id).await?;
    Ok(Json(RecordedDecision { log_index, record }))
}
