//! The audit log: checkpoint, key, proofs.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;
use super::auth::Authenticated;
use super::body::Named;
use super::error::ApiError;
use crate::keys::Scope;

const PLAIN: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// The newest signed checkpoint, a C2SP signed note.
#[utoipa::path(
    get, path = "/v1/log/checkpoint", tag = "log", security(("api_key" = [])),
    responses(
        (status = 200, description = "origin, size and root, signed", body = String, content_type = "text/plain"),
        (status = 404, description = "the log is still empty", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn checkpoint(
    State(app): State<App>,
    guest: Authenticated,
) -> Result<impl IntoResponse, ApiError> {
    guest.may(Scope::Read)?;
    Ok((PLAIN, app.engine.checkpoint().await?))
}

/// The public key that verifies checkpoints and proofs, a C2SP vkey.
#[utoipa::path(
    get, path = "/v1/log/key", tag = "log", security(("api_key" = [])),
    responses((status = 200, description = "the key", body = String, content_type = "text/plain"))
)]
pub(super) async fn key(State(app): State<App>, guest: Authenticated) -> Result<impl IntoResponse, ApiError> {
    guest.may(Scope::Read)?;
    Ok((PLAIN, format!("{}\n", app.engine.log_key())))
}

/// A proof that a record is in the log, to be verified offline with `ringwall log check`.
#[utoipa::path(
    get, path = "/v1/log/proof/{index}", tag = "log", security(("api_key" = [])),
    params(("index" = u64, Path, description = "the record's place in the log")),
    responses(
        (status = 200, description = "a C2SP tlog-proof with the record in it", body = String, content_type = "text/plain"),
        (status = 404, description = "no such record in this tenant", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn proof(
    State(app): State<App>,
    guest: Authenticated,
    Named(index): Named,
) -> Result<impl IntoResponse, ApiError> {
    let caller = guest.may(Scope::Read)?;
    let index = index.parse().map_err(|_| ApiError::invalid("index: give a number from 0 on"))?;
    Ok((PLAIN, app.engine.prove(&caller, index).await?.text))
}
