//! Who knocks: the API key in `Authorization: Bearer …`, and what it may be used for.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use ringwall::Caller;

use super::App;
use super::error::ApiError;
use crate::keys::{Guest, Scope};

/// A caller with a key; what the key may be used for is checked by [`Authenticated::may`].
pub(super) struct Authenticated(Guest);

impl Authenticated {
    /// The caller, if its key may be used for `scope`.
    pub(super) fn may(self, scope: Scope) -> Result<Caller, ApiError> {
        self.guest(scope).map(|guest| guest.caller)
    }

    /// The whole guest, if its key may be used for `scope`.
    pub(super) fn guest(self, scope: Scope) -> Result<Guest, ApiError> {
        if self.0.may(scope) {
            return Ok(self.0);
        }
        let name = serde_json::to_value(scope).unwrap_or_default();
        let message = format!("this key lacks the scope {name}; use one that has it");
        Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message))
    }
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let key = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = key
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let guest = key.and_then(|(_, key)| app.keys.guest(key.trim()));
        let Some(guest) = guest else {
            Stranger::from_request_parts(parts, app).await?;
            let message = "give an API key: `Authorization: Bearer rw_…`";
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message));
        };
        app.limits.guest(&guest.caller, app.engine.clock().now())?;
        Ok(Self(guest))
    }
}

/// Somebody without a key, who may knock only so often: the limit is taken before a body is read.
pub(super) struct Stranger;

impl FromRequestParts<App> for Stranger {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address);
        // Without an address everybody shares one limit, which is the careful reading.
        let address = address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        app.limits.stranger(address, app.engine.clock().now())?;
        Ok(Self)
    }
}
