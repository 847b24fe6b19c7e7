//! API keys, and the first one.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use ringwall_types::{KeyId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::auth::{Authenticated, Stranger};
use super::body::{Named, json};
use super::error::ApiError;
use crate::keys::{KeyInfo, NewKey, Scope};

/// The one-time token that the first start printed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupRequest {
    token: String,
}

/// What a new key should be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRequest {
    /// What it is for, 1 to 128 characters.
    name: String,
    /// What it may be used for; no more than the key that asks.
    scopes: BTreeSet<Scope>,
    /// Whose key it is. Default: the tenant of the key that asks; another one needs the scope `manage_tenants`.
    #[serde(default)]
    tenant: Option<TenantId>,
}

/// A new key. This is the only time that it is shown.
#[derive(JsonSchema, Serialize)]
pub(super) struct KeyCreated {
    /// Give it as `Authorization: Bearer …`.
    api_key: String,
    #[serde(flatten)]
    info: KeyInfo,
}

/// The keys of the tenant, without the keys themselves.
#[derive(JsonSchema, Serialize)]
pub(super) struct KeyList {
    keys: Vec<KeyInfo>,
}

fn created(key: NewKey) -> (StatusCode, Json<KeyCreated>) {
    let api_key = key.secret.expose().clone();
    (StatusCode::CREATED, Json(KeyCreated { api_key, info: key.info }))
}

/// Exchange the setup token for an administrator's key; works once.
#[utoipa::path(
    post, path = "/v1/setup", tag = "keys",
    request_body(content = ref("#/components/schemas/SetupRequest"), content_type = "application/json"),
    responses(
        (status = 201, description = "the key, shown once", body = ref("#/components/schemas/KeyCreated")),
        (status = 403, description = "the token is wrong or was used", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn setup(
    State(app): State<App>,
    _: Stranger,
    request: Request,
) -> Result<(StatusCode, Json<KeyCreated>), ApiError> {
    let request: SetupRequest = json(&app, request).await?;
    Ok(created(app.keys.exchange(&request.token).await?))
}

/// List the tenant's keys.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys", security(("api_key" = [])),
    responses((status = 200, description = "the keys, by id", body = ref("#/components/schemas/KeyList")))
)]
pub(super) async fn list(State(app): State<App>, guest: Authenticated) -> Result<Json<KeyList>, ApiError> {
    let caller = guest.may(Scope::ManageKeys)?;
    Ok(Json(KeyList { keys: app.keys.list(&caller) }))
}

/// Make a key.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", security(("api_key" = [])),
    request_body(content = ref("#/components/schemas/KeyRequest"), content_type = "application/json"),
    responses(
        (status = 201, description = "the key, shown once", body = ref("#/components/schemas/KeyCreated")),
        (status = 403, description = "the asking key cannot grant this", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn make(
    State(app): State<App>,
    guest: Authenticated,
    request: Request,
) -> Result<(StatusCode, Json<KeyCreated>), ApiError> {
    let guest = guest.guest(Scope::ManageKeys)?;
    let request: KeyRequest = json(&app, request).await?;
    let tenant = request.tenant.unwrap_or_else(|| guest.caller.tenant.clone());
    let refused = |message: String| Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    if tenant.is_reserved() {
        return refused(format!(
            "`{tenant}` is reserved; names that begin with `_` belong to ringwall itself"
        ));
    }
    if tenant != guest.caller.tenant && !guest.may(Scope::ManageTenants) {
        return refused("making keys of another tenant needs the scope \"manage_tenants\"".to_owned());
    }
    if !request.scopes.is_subset(&guest.scopes) {
        return refused("a key can grant no scope that it does not have itself".to_owned());
    }
    let name = request.name;
    if request.scopes.is_empty() {
        return Err(ApiError::invalid("scopes: name at least one"));
    }
    if !(1..=128).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(ApiError::invalid("name: give 1 to 128 printable characters"));
    }
    Ok(created(app.keys.make(&guest.caller, tenant, name, request.scopes).await?))
}

/// Revoke a key of the tenant; it is refused from the next request on.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "keys", security(("api_key" = [])),
    params(("id" = String, Path, description = "the key's id")),
    responses(
        (status = 204, description = "revoked"),
        (status = 404, description = "no such key in this tenant", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn revoke(
    State(app): State<App>,
    guest: Authenticated,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    let caller = guest.may(Scope::ManageKeys)?;
    let id = KeyId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.keys.revoke(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
