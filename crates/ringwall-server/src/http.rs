//! The HTTP door: routes, and what every request goes through before it reaches one.

mod auth;
mod body;
mod decisions;
mod error;
mod events;
mod health;
mod keys;
mod limits;
mod log;
mod openapi;
mod policies;
mod serve;
mod telemetry;
mod threats;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use metrics_exporter_prometheus::PrometheusHandle;
use ringwall::Engine;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::ServerSettings;
use crate::keys::Keys;
use limits::Limits;

pub(crate) use openapi::document;
pub(crate) use serve::serve;

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) settings: Arc<ServerSettings>,
    limits: Arc<Limits>,
    metrics: PrometheusHandle,
}

impl App {
    pub(crate) fn new(
        engine: Arc<Engine>,
        keys: Arc<Keys>,
        settings: Arc<ServerSettings>,
        metrics: PrometheusHandle,
    ) -> Self {
        let limits = Arc::new(Limits::new(&settings));
        Self { engine, keys, settings, limits, metrics }
    }
}

/// Every route, with its description.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(decisions::decide))
        .routes(routes!(decisions::decision))
        .routes(routes!(events::ingest))
        .routes(routes!(threats::threats))
        .routes(routes!(threats::threat))
        .routes(routes!(threats::responses))
        .routes(routes!(threats::undo))
        .routes(routes!(policies::current, policies::replace))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::key))
        .routes(routes!(log::proof))
        .routes(routes!(keys::setup))
        .routes(routes!(keys::list, keys::make))
        .routes(routes!(keys::revoke))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(openapi::openapi))
}

/// The whole door.
pub(crate) fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(app.clone(), telemetry::observe))
        .with_state(app)
}
