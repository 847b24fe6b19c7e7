//! A shipped example workflow, run in memory over a log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ringwall::audit::{KeyName, SigningKey};
use ringwall::flow::{Cancel, RunId, RunResult, RunStatus, Runtime, WorkflowBuilder, WorkflowDefinition};
use ringwall::{
    Caller, Config, Engine, Entropy as _, Parts, ResponseMode, SystemClock, SystemEntropy, catalogue,
    log_options,
};
use ringwall_store::{MemoryStore, Stores};
use ringwall_types::TenantId;
use serde_json::Value;

use crate::sshd::Log;

/// The addresses of the threats that the workflow `name` finds in the events of `log`.
pub(crate) fn addresses(name: &str, log: &Log) -> Result<BTreeSet<String>, String> {
    let result = run(name, log)?;
    let mut found = BTreeSet::new();
    for threat in result.nodes.iter().filter_map(|node| node.value("threats")?.as_array()).flatten() {
        found.extend(threat.get("source_ip").and_then(Value::as_str).map(str::to_owned));
    }
    Ok(found)
}

fn run(name: &str, log: &Log) -> Result<RunResult, String> {
    let told = |error: &dyn std::fmt::Display| format!("workflow `{name}`: {error}");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/workflows/{name}.yaml"));
    let text = std::fs::read_to_string(place).map_err(|error| told(&error))?;
    let definition = WorkflowDefinition::from_yaml(&text).map_err(|error| told(&error))?;
    let engine = engine().map_err(|error| told(&error))?;
    let registry = catalogue(&engine, &Caller::process(TenantId::initial())).map_err(|error| told(&error))?;
    let workflow =
        WorkflowBuilder::from_definition(&registry, definition).build().map_err(|error| told(&error))?;
    let events: Result<Vec<_>, _> = log.events.iter().map(|(_, event)| serde_json::to_value(event)).collect();
    let events = Value::from(events.map_err(|error| told(&error))?);
    let inputs = BTreeMap::from([("security_events".to_owned(), events)]);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| told(&error))?;
    let id = RunId::parse("run_1").map_err(|error| told(&error))?;
    let result = runtime.block_on(Runtime::default().execute(&workflow, inputs, id, &Cancel::new()));
    let result = result.map_err(|error| told(&error))?;
    if result.status > RunStatus::Stopped { Err(told(&"the run failed")) } else { Ok(result) }
}

/// An engine of its own in memory, which plans and binds nobody.
fn engine() -> Result<Arc<Engine>, String> {
    let origin = "ringwall/eval";
    let seed = SystemEntropy.key_bytes().map_err(|error| error.to_string())?;
    let name = KeyName::parse(origin).map_err(|error| error.to_string())?;
    let signing = SigningKey::from_seed(name, seed).map_err(|error| error.to_string())?;
    let log_key = signing.verifier().clone();
    let options = log_options(origin, signing).map_err(|error| error.to_string())?;
    let store = MemoryStore::open(options).map_err(|error| error.to_string())?;
    let mut config = Config::default();
    config.response.mode = ResponseMode::DryRun;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let parts = Parts { stores: Stores::of(Arc::new(store)), log_key, clock, entropy, config };
    Engine::new(parts).map_err(|error| error.to_string())
}
