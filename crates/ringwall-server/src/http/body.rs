//! Bodies: how long they may be, and what is said when they are not what they should be.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::App;
use super::error::ApiError;

/// A JSON body. An error names the place in it.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let media =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let media = media.split(';').next().unwrap_or("").trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::invalid("send `content-type: application/json`"));
        }
        let bytes = read(request.into_body(), app.settings.body_bytes_max).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads a body of at most `bytes_max`.
pub(super) async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {bytes_max} bytes; send it in parts");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message))
        }
        Err(_) => Err(ApiError::invalid("the body ended early")),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." {
            ApiError::invalid(inner.to_string())
        } else {
            ApiError::invalid(format!("{path}: {inner}"))
        }
    })?;
    deserializer.end().map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(value)
}
