//! Events: uploaded as lines.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use ringwall::IngestReport;
use ringwall::detect::Format;
use ringwall_types::SourceName;
use serde::Deserialize;

use super::App;
use super::auth::Authenticated;
use super::body::{Parameters, read};
use super::error::ApiError;
use crate::keys::Scope;

/// How the lines are to be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    source: Option<SourceName>,
}

/// Send events, one a line.
///
/// Each line is accepted or rejected for itself; accepted ones are durable and judged when the answer comes.
#[utoipa::path(
    post, path = "/v1/events", tag = "events", security(("api_key" = [])),
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (default) or `sshd`"),
        ("source" = Option<String>, Query, description = "the feed that the lines come from, with a clock of its own"),
    ),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "what became of each line", body = ref("#/components/schemas/IngestReport")),
        (status = 400, description = "unknown format or parameter, or too many lines", body = ref("#/components/schemas/ErrorBody")),
        (status = 503, description = "some lines could not be stored; the report says which", body = ref("#/components/schemas/IngestReport")),
        (status = 413, description = "the body is too long", body = ref("#/components/schemas/ErrorBody")),
    )
)]
pub(super) async fn ingest(
    State(app): State<App>,
    guest: Authenticated,
    Parameters(reading): Parameters<Reading>,
    request: Request,
) -> Result<(StatusCode, Json<IngestReport>), ApiError> {
    let caller = guest.may(Scope::Ingest)?;
    let format = reading.format.as_deref().unwrap_or(Format::Ndjson.as_str());
    let format: Format = format.parse().map_err(|error| ApiError::invalid(format!("{error}")))?;
    let bytes = read(request.into_body(), app.settings.events_body_bytes_max).await?;
    let report = app.engine.ingest(&caller, format, reading.source, &bytes).await?;
    metrics::counter!("ringwall_events_total", "status" => "accepted").increment(report.accepted);
    metrics::counter!("ringwall_events_total", "status" => "rejected").increment(report.rejected);
    let status = if report.fault.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, Json(report)))
}
