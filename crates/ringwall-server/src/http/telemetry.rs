//! What is known of every request: its id, how long it took, how it ended.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use ringwall_types::RequestId;

use super::App;

const REQUEST_ID: &str = "x-request-id";

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of the request that this task serves.
pub(super) fn current_request_id() -> String {
    CURRENT.try_with(ToString::to_string).unwrap_or_default()
}

/// Names the request, and counts and times it.
#[expect(clippy::disallowed_methods, reason = "measures how long a request took, decides nothing")]
pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = given.and_then(|id| RequestId::new(id).ok()).unwrap_or_else(|| fresh_id(&app));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method_label(request.method());
    let mut response = CURRENT.scope(id.clone(), next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16().to_string();
    metrics::histogram!("ringwall_http_request_seconds", "route" => route.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!("ringwall_http_requests_total", "route" => route.clone(), "method" => method, "status" => status.clone())
        .increment(1);
    tracing::debug!(%id, method, route, status, "request");
    response
}

/// The method as a label; a client can send any word, and labels must not grow with clients' ideas.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn fresh_id(app: &App) -> RequestId {
    let text = ringwall::hex_id("req_", &app.engine.entropy().id_bytes().unwrap_or_default());
    #[expect(clippy::expect_used, reason = "a prefix and 32 hexadecimal digits are a request id")]
    RequestId::new(text).expect("a well-formed id")
}
