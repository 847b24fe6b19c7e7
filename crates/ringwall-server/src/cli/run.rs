//! `ringwall run`: a workflow over a file of events. Nothing is bound and nothing is kept: responses are what would
//! have been done.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use ringwall::audit::{KeyName, SigningKey};
use ringwall::detect::{Format, Parsed, Reading, read_lines};
use ringwall::flow::{
    Cancel, RunId, RunResult, RunStatus, Runtime, Workflow, WorkflowBuilder, WorkflowDefinition,
};
use ringwall::{
    Caller, Clock, Engine, Entropy, Parts, ResponseMode, SystemClock, SystemEntropy, catalogue, hex_id,
    log_options,
};
use ringwall_store::{MemoryStore, Stores};
use ringwall_types::{Severity, SourceName, TenantId};
use serde_json::{Value, json};

use super::log::progress_bar;
use super::{Outcome, runtime, say, table};
use crate::config::Settings;

/// How much is read before the workflow runs over it.
const CHUNK_BYTES: usize = 4 << 20;
/// How many unreadable lines are listed; the others are counted.
const LISTED_MAX: usize = 20;

/// Options of `ringwall run`.
#[derive(Args)]
pub(super) struct Arguments {
    /// The workflow (YAML or JSON).
    workflow: PathBuf,

    /// The file with the events, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,

    /// How the lines are written: `ndjson` or `sshd`.
    #[arg(long, default_value = "ndjson", value_name = "FORMAT")]
    format: String,

    /// Which of the workflow's inputs gets the events. Default: its only one, or `security_events`.
    #[arg(long, value_name = "NAME")]
    input: Option<String>,

    /// Print JSON for machines instead of a table.
    #[arg(long)]
    json: bool,

    /// Exit with 3 when a threat is at least so severe: info, low, medium, high, critical.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
}

/// What the run found, over all chunks.
#[derive(Default)]
struct Findings {
    lines: u64,
    events: u64,
    unrelated: u64,
    rejected: Vec<(u64, String)>,
    rejected_count: u64,
    /// The newest state of each threat, by id.
    threats: BTreeMap<String, Value>,
}

pub(super) fn run(arguments: &Arguments, settings: Settings) -> Result<Outcome, String> {
    let format: Format = arguments.format.parse().map_err(|error| format!("--format: {error}"))?;
    let fail_on = arguments.fail_on.as_deref().map(str::parse::<Severity>).transpose();
    let fail_on = fail_on.map_err(|error| format!("--fail-on: {error}"))?;
    let engine = engine(settings)?;
    let caller = Caller::process(TenantId::initial());
    let workflow = build(&arguments.workflow, &engine, &caller)?;
    let input = input_name(&workflow, arguments.input.as_deref())?;
    let findings = runtime()?.block_on(over_file(arguments, format, &engine, &workflow, &input))?;
    if arguments.json {
        print_json(&workflow, &findings)
    } else {
        print_table(&findings)
    }
    let worst = findings.threats.values().filter_map(severity).max();
    Ok(if fail_on.is_some() && worst >= fail_on { Outcome::No } else { Outcome::Done })
}

/// An engine of its own in memory, which plans and binds nobody.
fn engine(settings: Settings) -> Result<Arc<Engine>, String> {
    let origin = "ringwall/run";
    let seed = SystemEntropy.key_bytes().map_err(|error| error.to_string())?;
    let name = KeyName::parse(origin).map_err(|error| error.to_string())?;
    let signing = SigningKey::from_seed(name, seed).map_err(|error| error.to_string())?;
    let log_key = signing.verifier().clone();
    let options = log_options(origin, signing).map_err(|error| error.to_string())?;
    let store = MemoryStore::open(options).map_err(|error| error.to_string())?;
    let mut config = settings.engine();
    config.response.mode = ResponseMode::DryRun;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let parts = Parts { stores: Stores::of(Arc::new(store)), log_key, clock, entropy, config };
    Engine::new(parts).map_err(|error| error.to_string())
}

fn build(file: &Path, engine: &Arc<Engine>, caller: &Caller) -> Result<Workflow, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let definition = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => WorkflowDefinition::from_json(&text),
        _ => WorkflowDefinition::from_yaml(&text),
    };
    let definition = definition.map_err(|error| format!("{}: {error}", file.display()))?;
    let registry = catalogue(engine, caller).map_err(|error| error.to_string())?;
    let built = WorkflowBuilder::from_definition(&registry, definition).build();
    built.map_err(|errors| format!("{}: the workflow does not build:\n{errors}", file.display()))
}

fn input_name(workflow: &Workflow, given: Option<&str>) -> Result<String, String> {
    let names: Vec<_> = workflow.inputs().iter().map(|input| input.name()).collect();
    let chosen = match (given, names.as_slice()) {
        (Some(given), _) => names.iter().find(|name| **name == given),
        (None, [only]) => Some(only),
        (None, _) => names.iter().find(|name| **name == "security_events"),
    };
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let wrong = || format!("the workflow has no such input; its inputs are: {known}. Name one with --input");
    chosen.map(|name| (*name).to_owned()).ok_or_else(wrong)
}

async fn over_file(
    arguments: &Arguments,
    format: Format,
    engine: &Arc<Engine>,
    workflow: &Workflow,
    input: &str,
) -> Result<Findings, String> {
    let place = arguments.events.display();
    let failed = |error: std::io::Error| format!("{place}: {error}");
    let (reader, length): (Box<dyn Read>, u64) = if arguments.events == Path::new("-") {
        (Box::new(std::io::stdin()), 0)
    } else {
        let file = std::fs::File::open(&arguments.events).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        (Box::new(file), length)
    };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let bar = progress_bar(length);
    let name = arguments.events.file_name().map(|name| name.to_string_lossy().into_owned());
    let source = name.and_then(|name| SourceName::new(name).ok());
    let reading = Reading { source, ..Reading::new(TenantId::initial(), SystemClock.now()) };
    let mut findings = Findings::default();
    loop {
        let chunk = next_chunk(&mut reader).map_err(failed)?;
        if chunk.is_empty() {
            break;
        }
        bar.inc(chunk.len() as u64);
        let (events, positions) = findings.read(format, &chunk, &reading)?;
        if events.is_empty() {
            continue;
        }
        let result = execute(engine, workflow, input, events, positions).await?;
        findings.take(&result)?;
    }
    bar.finish_and_clear();
    Ok(findings)
}

/// The next whole lines, about [`CHUNK_BYTES`] of them.
fn next_chunk(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::new();
    while chunk.len() < CHUNK_BYTES {
        // A line that never ends is cut into pieces, which the parser refuses one by one.
        let left = (CHUNK_BYTES - chunk.len()) as u64;
        if reader.take(left).read_until(b'\n', &mut chunk)? == 0 {
            break;
        }
    }
    if !chunk.ends_with(b"\n") {
        reader.take(CHUNK_BYTES as u64).read_until(b'\n', &mut chunk)?;
    }
    Ok(chunk)
}

async fn execute(
    engine: &Arc<Engine>,
    workflow: &Workflow,
    input: &str,
    events: Vec<Value>,
    positions: Vec<u64>,
) -> Result<RunResult, String> {
    let id = hex_id("run_", &engine.entropy().id_bytes().map_err(|error| error.to_string())?);
    let run_id = RunId::parse(&id).map_err(|error| error.to_string())?;
    let mut inputs = BTreeMap::from([(input.to_owned(), Value::from(events))]);
    // Where the fed node takes line numbers too, threats name lines of the file.
    let fed = workflow.inputs().iter().find(|known| known.name() == input);
    if let Some(fed) = fed.filter(|fed| fed.port() == "events") {
        inputs.insert(format!("{}.positions", fed.node()), Value::from(positions));
    }
    let result = Runtime::default().execute(workflow, inputs, run_id, &Cancel::new()).await;
    result.map_err(|error| error.to_string())
}

impl Findings {
    /// Reads the lines of a chunk; gives its events and their line numbers.
    fn read(
        &mut self,
        format: Format,
        chunk: &[u8],
        reading: &Reading,
    ) -> Result<(Vec<Value>, Vec<u64>), String> {
        let before = self.lines;
        let (mut events, mut positions) = (Vec::new(), Vec::new());
        for (line, parsed) in read_lines(format, chunk, reading) {
            self.lines = before + line;
            match parsed {
                Ok(Parsed::Event(event)) => {
                    events.push(serde_json::to_value(event).map_err(|error| error.to_string())?);
                    positions.push(self.lines);
                }
                Ok(Parsed::Unrelated) => self.unrelated += 1,
                Err(error) => {
                    self.rejected_count += 1;
                    if self.rejected.len() < LISTED_MAX {
                        self.rejected.push((self.lines, error.error.to_string()));
                    }
                }
            }
        }
        self.events += events.len() as u64;
        Ok((events, positions))
    }

    /// Takes the threats out of a run; a run that failed is an error.
    fn take(&mut self, result: &RunResult) -> Result<(), String> {
        if result.status > RunStatus::Stopped {
            let nodes: Vec<_> =
                result.nodes.iter().map(|node| format!("  {}: {:?}", node.node, node.status)).collect();
            return Err(format!("the workflow failed:\n{}", nodes.join("\n")));
        }
        let threats = result.nodes.iter().filter_map(|node| node.value("threats")?.as_array()).flatten();
        for threat in threats {
            if let Some(id) = threat.get("id").and_then(Value::as_str) {
                self.threats.insert(id.to_owned(), threat.clone());
            }
        }
        Ok(())
    }

    /// Threats, most severe first, then by when they were found.
    fn sorted(&self) -> Vec<&Value> {
        let mut threats: Vec<_> = self.threats.values().collect();
        let time = |threat: &Value| text(threat, "detection_time");
        threats.sort_by(|a, b| severity(b).cmp(&severity(a)).then_with(|| time(a).cmp(&time(b))));
        threats
    }
}

fn severity(threat: &Value) -> Option<Severity> {
    threat.get("severity")?.as_str()?.parse().ok()
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn print_json(workflow: &Workflow, findings: &Findings) {
    let rejected: Vec<_> =
        findings.rejected.iter().map(|(line, reason)| json!({ "line": line, "reason": reason })).collect();
    let report = json!({
        "workflow": workflow.name(),
        "lines": {
            "read": findings.lines,
            "events": findings.events,
            "unrelated": findings.unrelated,
            "rejected": findings.rejected_count,
        },
        "rejected": rejected,
        "threats": findings.sorted(),
    });
    say!("{report:#}");
}

fn print_table(findings: &Findings) {
    let rows: Vec<_> = findings.sorted().into_iter().map(row).collect();
    if rows.is_empty() {
        say!("no threats");
    } else {
        table::print(
            ["SEVERITY", "RULE", "SOURCE", "USER", "COUNT", "FIRST", "LAST", "ATT&CK", "RESPONSE (dry run)"],
            &rows,
        );
    }
    say!(
        "\n{} threats in {} events ({} lines read, {} unrelated, {} rejected)",
        rows.len(),
        findings.events,
        findings.lines,
        findings.unrelated,
        findings.rejected_count
    );
    for (line, reason) in &findings.rejected {
        let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
        eprintln!("line {line}: {reason}");
    }
    if findings.rejected_count > findings.rejected.len() as u64 {
        eprintln!("… and {} more", findings.rejected_count - findings.rejected.len() as u64);
    }
}

fn row(threat: &Value) -> [String; 9] {
    let users = threat.get("users").and_then(Value::as_u64).unwrap_or(0);
    let user = match text(threat, "user") {
        user if user.is_empty() && users > 1 => format!("{users} users"),
        user => user,
    };
    let moment = |key: &str| {
        threat.pointer(&format!("/window/{key}")).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    let list = |key: &str| threat.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let attack: Vec<_> = list("attack").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let responses: Vec<_> = list("responses").iter().map(response).collect();
    [
        text(threat, "severity"),
        text(threat, "type"),
        text(threat, "source_ip"),
        user,
        text(threat, "count"),
        moment("start"),
        moment("end"),
        attack.join(" "),
        responses.join(", "),
    ]
}

/// What would be done, in words: `block_ip 203.0.113.9 for 15 min`.
fn response(response: &Value) -> String {
    let mut words = vec![text(response, "action")];
    let target = text(response, "target");
    if !target.is_empty() {
        let secs = response.get("ttl_secs").and_then(Value::as_u64).unwrap_or(0);
        words.push(if secs.is_multiple_of(60) {
            format!("{target} for {} min", secs / 60)
        } else {
            format!("{target} for {secs} s")
        });
    }
    match (text(response, "status").as_str(), text(response, "reason")) {
        ("simulated" | "done", _) => {}
        (status, reason) if reason.is_empty() => words.push(format!("({status})")),
        (status, reason) => words.push(format!("({status}: {reason})")),
    }
    words.join(" ")
}
