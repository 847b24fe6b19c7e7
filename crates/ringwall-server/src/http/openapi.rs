//! The description of the API, made from the code: paths from the handlers, schemas from the types themselves.

use axum::Json;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::routes;

/// The description of this API, OpenAPI 3.1.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "this document", body = Object))
)]
pub(super) async fn openapi() -> Json<Value> {
    Json(document())
}

/// The whole document.
pub(crate) fn document() -> Value {
    let api = routes().into_openapi();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    if let Some(object) = document.as_object_mut() {
        object.insert("info".to_owned(), info());
        let schemes = json!({ "api_key": { "type": "http", "scheme": "bearer" } });
        add_common_errors(object.get_mut("paths"));
        object.insert("components".to_owned(), json!({ "schemas": schemas(), "securitySchemes": schemes }));
    }
    document
}

fn info() -> Value {
    json!({
        "title": "ringwall",
        "description": "Who is this, may they do it, is this an attack, and can we prove afterwards what happened.",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
    })
}

/// What every call that needs a key can answer besides its own errors.
fn add_common_errors(paths: Option<&mut Value>) {
    let errors = [
        ("401", "no valid API key"),
        ("403", "the key lacks the scope"),
        ("429", "too many requests; see `retry-after`"),
        ("503", "the server cannot store or read right now"),
    ];
    let operations = paths
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
        .filter_map(|(_, path)| path.as_object_mut());
    for operation in operations
        .flatten()
        .map(|(_, operation)| operation)
        .filter(|operation| operation.get("security").is_some_and(Value::is_array))
    {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        for (status, description) in errors {
            let schema = json!({ "$ref": "#/components/schemas/ErrorBody" });
            let response = json!({ "description": description, "content": { "application/json": { "schema": schema } } });
            responses.entry(status).or_insert(response);
        }
    }
}

/// Every type that a body can be, with what it is made of.
fn schemas() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    generator.subschema_for::<ringwall_types::AccessRequest>();
    generator.subschema_for::<ringwall::Answer>();
    generator.subschema_for::<ringwall::IngestReport>();
    generator.subschema_for::<ringwall_types::Threat>();
    generator.subschema_for::<ringwall_types::Response>();
    generator.subschema_for::<super::decisions::RecordedDecision>();
    generator.subschema_for::<super::error::ErrorBody>();
    generator.subschema_for::<super::health::Health>();
    generator.subschema_for::<super::keys::KeyCreated>();
    generator.subschema_for::<super::keys::KeyList>();
    generator.subschema_for::<super::keys::KeyRequest>();
    generator.subschema_for::<super::keys::SetupRequest>();
    generator.subschema_for::<super::policies::PolicySummary>();
    generator.subschema_for::<super::threats::ResponseList>();
    generator.subschema_for::<super::threats::ThreatPage>();
    Value::Object(generator.take_definitions(true))
}

#[cfg(test)]
mod tests;
