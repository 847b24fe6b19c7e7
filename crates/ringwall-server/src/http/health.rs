//! Alive, ready, measured. None of the three shows secrets, tenants or places.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;

/// Whether the server is well.
#[derive(JsonSchema, Serialize)]
pub(super) struct Health {
    status: &'static str,
    /// What keeps it from being ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<&'static str>,
}

/// Whether the process answers at all.
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    responses((status = 200, description = "alive", body = ref("#/components/schemas/Health")))
)]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "alive", faults: Vec::new() })
}

/// Whether requests will be answered as they should.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "ready", body = ref("#/components/schemas/Health")),
        (status = 503, description = "not ready, with reasons", body = ref("#/components/schemas/Health")),
    )
)]
pub(super) async fn readyz(State(app): State<App>) -> impl IntoResponse {
    let faults = app.engine.faults().await;
    let (code, status) = if faults.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    (code, Json(Health { status, faults }))
}

/// Figures in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "counters, gauges and histograms", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let found = app.engine.detection_metrics();
    for (name, value) in [
        ("ringwall_log_records", *app.engine.stores().log.size().borrow()),
        ("ringwall_detection_lag_records", app.engine.detection_lag()),
        ("ringwall_detection_events", found.observed),
        ("ringwall_detection_late_events", found.late),
        ("ringwall_detection_clamped_events", found.clamped),
        ("ringwall_detection_duplicate_events", found.duplicates),
        ("ringwall_detection_evicted_subjects", found.evicted),
        ("ringwall_detection_threats_opened", found.opened),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a double")]
        metrics::gauge!(name).set(value as f64);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render())
}
