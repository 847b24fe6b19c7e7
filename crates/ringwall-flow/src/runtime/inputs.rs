//! What a run is given, sorted by the step and port it is for.
//! Promises: every wrong name and every missing input is reported at once, before anything runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Problem, ProblemCode, RunError};
use crate::kind::PortValues;
use crate::name::{hint, quoted, split_port};
use crate::workflow::{Step, Workflow};

pub(super) fn assign(
    workflow: &Workflow,
    inputs: BTreeMap<String, Value>,
) -> Result<Vec<PortValues>, RunError> {
    let mut given = vec![PortValues::new(); workflow.steps.len()];
    let mut problems = Vec::new();
    for (name, value) in inputs {
        match place(workflow, &name) {
            Ok((index, port)) => {
                let Some(values) = given.get_mut(index) else { continue };
                if values.insert(port.to_owned(), Arc::new(value)).is_some() {
                    let message = format!("the port that {} feeds is given twice", quoted(&name));
                    problems.push(Problem::new(ProblemCode::DuplicateInput, message));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    let steps = workflow.steps.iter().zip(&given);
    problems.extend(steps.flat_map(|(step, values)| missing(workflow, step, values)));
    if problems.is_empty() { Ok(given) } else { Err(RunError::new(problems)) }
}

/// The step and port that an input is for: by the workflow's name for it, or by `node.port`.
fn place<'a>(workflow: &'a Workflow, name: &'a str) -> Result<(usize, &'a str), Problem> {
    let declared = workflow.inputs.iter().find(|input| input.name == name);
    let (node, port) = match declared {
        Some(input) => (input.node.as_str(), input.port.as_str()),
        None => split_port(name).ok_or_else(|| unknown(workflow, name))?,
    };
    let steps = workflow.steps.iter().enumerate();
    let (index, step) = steps
        .into_iter()
        .find(|(_, step)| step.id.as_str() == node)
        .ok_or_else(|| unknown(workflow, name))?;
    if step.kind.input(port).is_none() {
        return Err(unknown(workflow, name));
    }
    if let Some(feed) = step.feeds.iter().find(|feed| feed.input == port) {
        let source = workflow.steps.get(feed.source).map_or("", |source| source.id.as_str());
        let message = format!("{} is fed by node {} already", quoted(name), quoted(source));
        return Err(Problem::new(ProblemCode::UnknownInput, message).at_port(node, port));
    }
    Ok((index, port))
}

fn unknown(workflow: &Workflow, name: &str) -> Problem {
    let declared = workflow.inputs.iter().map(|input| input.name.clone());
    let ports = workflow.steps.iter().flat_map(|step| {
        let open = step.kind.inputs().iter().filter(|port| !step.is_fed(port.name()));
        open.map(|port| format!("{}.{}", step.id, port.name()))
    });
    let known: Vec<String> = declared.chain(ports).collect();
    let hint = hint(name, "the inputs are", known.iter().map(String::as_str));
    Problem::new(ProblemCode::UnknownInput, format!("there is no input {}", quoted(name))).hinting(hint)
}

/// The required ports of a step that get nothing; none for a step that stands alone and may be skipped.
fn missing(workflow: &Workflow, step: &Step, values: &PortValues) -> Vec<Problem> {
    if step.stands_alone() && values.is_empty() {
        return Vec::new();
    }
    let required = step.kind.inputs().iter().filter(|port| port.is_required()).map(|port| port.name());
    let absent = required.filter(|port| !values.contains_key(*port) && !step.is_fed(port));
    absent
        .map(|port| {
            let declared = workflow.inputs.iter().find(|input| input.node == step.id && input.port == port);
            let shown = quoted(&format!("{}.{port}", step.id));
            let message = match declared {
                Some(input) => format!("the input {} for {shown} is missing", quoted(&input.name)),
                None => format!("an input for {shown} is missing"),
            };
            Problem::new(ProblemCode::MissingInput, message).at_port(step.id.as_str(), port)
        })
        .collect()
}
