//! Policies: read, and replaced all or nothing.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ringwall::PolicyVersion;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::auth::Authenticated;
use super::body::read;
use super::error::ApiError;
use crate::keys::Scope;

/// What is in force after a replacement.
#[derive(JsonSchema, Serialize)]
pub(super) struct PolicySummary {
    /// How often the tenant's policies were replaced; part of every decision.
    epoch: u64,
    /// How many policies are in force.
    policies: usize,
    /// What probably is not meant.
    warnings: Vec<String>,
}

/// Read the policies in force, as they were written.
#[utoipa::path(
    get, path = "/v1/policies", tag = "policies", security(("api_key" = [])),
    responses((status = 200, description = "the document; the header `x-policy-epoch` tells its number", body = String, content_type = "application/yaml"))
)]
pub(super) async fn current(State(app): State<App>, guest: Authenticated) -> Result<Response, ApiError> {
    let caller = guest.may(Scope::Read)?;
    let policies = app.engine.policies(&caller).await?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/yaml".to_owned()),
        ("x-policy-epoch", policies.epoch().to_string()),
    ];
    Ok((headers, policies.text().to_owned()).into_response())
}

/// Replace the policies, all or nothing; they bind on the very next decision.
#[utoipa::path(
    put, path = "/v1/policies", tag = "policies", security(("api_key" = [])),
    request_body(content = String, content_type = "application/yaml"),
    responses(
        (status = 200, description = "they are in force", body = ref("#/components/schemas/PolicySummary")),
        (status = 400, description = "they do not load; the ones before stay in force", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn replace(
    State(app): State<App>,
    guest: Authenticated,
    request: Request,
) -> Result<Json<PolicySummary>, ApiError> {
    let caller = guest.may(Scope::ManagePolicies)?;
    let bytes = read(request.into_body(), ringwall::authz::DOCUMENT_BYTES_MAX).await?;
    let text = String::from_utf8(bytes).map_err(|_| ApiError::invalid("the policies are not UTF-8"))?;
    let policies = app.engine.replace_policies(&caller, &text).await?;
    Ok(Json(summary(&policies)))
}

fn summary(policies: &PolicyVersion) -> PolicySummary {
    PolicySummary {
        epoch: policies.epoch(),
        policies: policies.set().map_or(0, |set| set.len()),
        warnings: policies
            .set()
            .map(|set| set.warnings())
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}
