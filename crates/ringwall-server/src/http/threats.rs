//! Threats and responses.

use axum::Json;
use axum::extract::State;
use ringwall_types::{Response, ResponseId, Threat, ThreatId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::auth::Authenticated;
use super::body::{Named, Parameters};
use super::error::ApiError;
use crate::keys::Scope;

/// How many threats a page has unless the caller says otherwise, and at most.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1000;

/// Which page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

/// A page of threats.
#[derive(JsonSchema, Serialize)]
pub(super) struct ThreatPage {
    threats: Vec<Threat>,
    /// Give it as `after` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List threats.
#[utoipa::path(
    get, path = "/v1/threats", tag = "threats", security(("api_key" = [])),
    params(
        ("after" = Option<String>, Query, description = "the `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "1 to 1000, default 100"),
    ),
    responses((status = 200, description = "threats in order of their ids", body = ref("#/components/schemas/ThreatPage")))
)]
pub(super) async fn threats(
    State(app): State<App>,
    guest: Authenticated,
    Parameters(page): Parameters<Page>,
) -> Result<Json<ThreatPage>, ApiError> {
    let caller = guest.may(Scope::Read)?;
    let limit = page.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!("limit: {limit} is not in 1 to {PAGE_MAX}")));
    }
    let threats = app.engine.threats(&caller, page.after.as_deref(), limit).await?;
    let next = (threats.len() == limit).then(|| threats.last().map(|threat| threat.id.to_string())).flatten();
    Ok(Json(ThreatPage { threats, next }))
}

/// Look up a threat.
#[utoipa::path(
    get, path = "/v1/threats/{id}", tag = "threats", security(("api_key" = [])),
    params(("id" = String, Path, description = "the threat's id")),
    responses(
        (status = 200, description = "the threat", body = ref("#/components/schemas/Threat")),
        (status = 404, description = "no such threat in this tenant", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn threat(
    State(app): State<App>,
    guest: Authenticated,
    Named(id): Named,
) -> Result<Json<Threat>, ApiError> {
    let caller = guest.may(Scope::Read)?;
    let id = ThreatId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(Json(app.engine.threat(&caller, &id).await?))
}

/// List the responses in force.
#[utoipa::path(
    get, path = "/v1/responses", tag = "threats", security(("api_key" = [])),
    responses((status = 200, description = "responses that bind somebody now", body = ref("#/components/schemas/ResponseList")))
)]
pub(super) async fn responses(
    State(app): State<App>,
    guest: Authenticated,
) -> Result<Json<ResponseList>, ApiError> {
    let caller = guest.may(Scope::Read)?;
    Ok(Json(ResponseList { responses: app.engine.responses(&caller).await? }))
}

/// Responses that bind somebody now.
#[derive(JsonSchema, Serialize)]
pub(super) struct ResponseList {
    responses: Vec<Response>,
}

/// Lift a response before its time.
#[utoipa::path(
    post, path = "/v1/responses/{id}/undo", tag = "threats", security(("api_key" = [])),
    params(("id" = String, Path, description = "the response's id")),
    responses(
        (status = 200, description = "the response as it is now", body = ref("#/components/schemas/Response")),
        (status = 404, description = "no such response in force in this tenant", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn undo(
    State(app): State<App>,
    guest: Authenticated,
    Named(id): Named,
) -> Result<Json<Response>, ApiError> {
    let caller = guest.may(Scope::Respond)?;
    let id = ResponseId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(Json(app.engine.undo(&caller, &id).await?))
}
