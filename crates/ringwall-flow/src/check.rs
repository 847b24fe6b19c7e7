//! Decides whether a draft is a workflow, and if so makes it one.
//! Promises: every problem is found in one pass and reported in the order of the definition: the workflow itself,
//! its nodes, its connections, its inputs, ports left unfed, rings.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::builder::Draft;
use crate::error::{BuildErrors, Problem, ProblemCode};
use crate::kind::{AnyNode, NodeKind};
use crate::limits::{CONNECTIONS_MAX, DESCRIPTION_CHARS_MAX, INPUTS_MAX, NODES_MAX, WORKFLOW_NAME_CHARS_MAX};
use crate::name::{NAME_RULE, NodeId, hint, is_name, quoted, split_port};
use crate::registry::Registry;
use crate::schema::fits;
use crate::workflow::{Feed, Step, Workflow, WorkflowInput};

mod connection;
mod node;

/// A connection whose nodes exist; its ports may not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Wire {
    from: usize,
    output: String,
    to: usize,
    input: String,
    /// Whether the output is a record port.
    record: bool,
}

/// A node of the draft, as far as it could be made out.
struct Candidate<'a> {
    text_id: &'a str,
    id: Option<NodeId>,
    kind: Option<&'a NodeKind>,
    node: Option<Arc<dyn AnyNode>>,
    deadline_ms: Option<u64>,
    /// Whether an earlier node has the same id.
    repeats: bool,
}

struct Check<'a> {
    candidates: Vec<Candidate<'a>>,
    by_id: BTreeMap<&'a str, usize>,
    wires: Vec<Wire>,
    inputs: Vec<WorkflowInput>,
    /// The ports that something feeds, and what it is.
    fed: BTreeMap<(usize, String), String>,
    problems: Vec<Problem>,
}

pub(crate) fn build(registry: &Registry, draft: &Draft) -> Result<Workflow, BuildErrors> {
    let mut problems = check_sizes(draft);
    if problems.iter().any(|problem| problem.code() == ProblemCode::LimitExceeded) {
        return Err(BuildErrors::new(problems));
    }
    let (candidates, node_problems) = node::candidates(registry, &draft.nodes);
    problems.extend(node_problems);
    let by_id = candidates.iter().enumerate().filter(|(_, one)| !one.repeats);
    let mut check = Check {
        by_id: by_id.map(|(index, one)| (one.text_id, index)).collect(),
        candidates,
        wires: Vec::new(),
        inputs: Vec::new(),
        fed: BTreeMap::new(),
        problems,
    };
    check.check_connections(&draft.connections);
    check.check_inputs(&draft.inputs);
    check.check_unfed();
    check.check_rings();
    check.finish(draft)
}

fn check_sizes(draft: &Draft) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name_length = draft.name.chars().count();
    if name_length == 0 || draft.name.chars().any(char::is_control) {
        problems.push(Problem::new(
            ProblemCode::InvalidName,
            "the workflow's name is empty or holds control characters",
        ));
    }
    let sizes = [
        ("characters in the workflow's name", name_length, WORKFLOW_NAME_CHARS_MAX),
        ("characters in the description", draft.description.chars().count(), DESCRIPTION_CHARS_MAX),
        ("nodes", draft.nodes.len(), NODES_MAX),
        ("connections", draft.connections.len(), CONNECTIONS_MAX),
        ("inputs", draft.inputs.len(), INPUTS_MAX),
    ];
    problems.extend(sizes.into_iter().filter(|(_, size, limit)| size > limit).map(|(what, size, limit)| {
        Problem::new(ProblemCode::LimitExceeded, format!("{size} {what}, the limit is {limit}"))
    }));
    if draft.nodes.is_empty() {
        problems.push(Problem::new(ProblemCode::EmptyWorkflow, "the workflow has no nodes"));
    }
    problems
}

impl Check<'_> {
    fn check_inputs(&mut self, inputs: &[(String, String)]) {
        let mut names = BTreeSet::new();
        for (name, target) in inputs {
            if !is_name(name) {
                let message = format!("{} cannot name an input", quoted(name));
                self.report(Problem::new(ProblemCode::InvalidName, message).hinting(NAME_RULE.to_owned()));
            }
            if !names.insert(name) {
                let message = format!("input {} is declared twice", quoted(name));
                self.report(Problem::new(ProblemCode::DuplicateInput, message));
            }
            self.check_input(name, target);
        }
    }

    fn check_input(&mut self, name: &str, target: &str) {
        let Some((node, port)) = split_port(target) else {
            return self.report(connection::malformed(target));
        };
        let Some(&index) = self.by_id.get(node) else {
            return self.report_unknown_node(node);
        };
        let Some(kind) = self.kind(index) else { return };
        let Some(found) = kind.input(port).cloned() else {
            return self.report_unknown_port(index, port, connection::Side::Input);
        };
        self.feed(index, port, format!("the input {}", quoted(name)));
        if let Some(id) = self.candidates.get(index).and_then(|one| one.id.clone()) {
            let (schema, required) = (found.schema().clone(), found.is_required());
            let (name, port) = (name.to_owned(), port.to_owned());
            self.inputs.push(WorkflowInput { name, node: id, port, schema, required });
        }
    }

    /// A node that stands alone and is given nothing may be skipped by a run; any other must get what it requires.
    fn check_unfed(&mut self) {
        let mut unfed = Vec::new();
        for (index, candidate) in self.candidates.iter().enumerate().filter(|(_, one)| !one.repeats) {
            let takes_part = self.wires.iter().any(|wire| wire.from == index || wire.to == index)
                || self.fed.keys().any(|(node, _)| *node == index);
            let ports = candidate.kind.map_or(&[][..], NodeKind::inputs).iter();
            let missing = ports.filter(|port| port.is_required()).map(|port| port.name());
            let missing = missing.filter(|port| !self.fed.contains_key(&(index, (*port).to_owned())));
            unfed.extend(missing.filter(|_| takes_part).map(|port| {
                let message =
                    format!("nothing feeds {}, which its node requires", self.port_shown(index, port));
                let cure = "connect an output to it or declare it as an input of the workflow".to_owned();
                Problem::new(ProblemCode::UnfedPort, message).at_port(candidate.text_id, port).hinting(cure)
            }));
        }
        self.problems.extend(unfed);
    }

    fn check_rings(&mut self) {
        let mut graph = DiGraph::<(), ()>::new();
        let indices: Vec<NodeIndex> = self.candidates.iter().map(|_| graph.add_node(())).collect();
        for wire in self.wires.iter().filter(|wire| wire.from != wire.to) {
            if let (Some(from), Some(to)) = (indices.get(wire.from), indices.get(wire.to)) {
                graph.update_edge(*from, *to, ());
            }
        }
        let knots = tarjan_scc(&graph).into_iter().filter(|knot| knot.len() > 1);
        let mut rings: Vec<Vec<usize>> = knots.map(|knot| shortest_ring(&graph, &knot)).collect();
        rings.sort();
        for ring in rings {
            let names: Vec<String> =
                ring.iter().chain(ring.first()).map(|index| self.shown(*index)).collect();
            let message = format!("nodes wait for each other: {}", names.join(" → "));
            let first =
                ring.first().and_then(|index| self.candidates.get(*index)).map_or("", |one| one.text_id);
            self.report(Problem::new(ProblemCode::Cycle, message).at_node(first));
        }
    }

    fn finish(self, draft: &Draft) -> Result<Workflow, BuildErrors> {
        let Self { candidates, wires, inputs, problems, .. } = self;
        if !problems.is_empty() {
            return Err(BuildErrors::new(problems));
        }
        let steps: Option<Vec<Step>> =
            candidates.into_iter().enumerate().map(|(index, one)| step(index, one, &wires)).collect();
        // A candidate without kind, id or node has been reported already; an empty list of errors must not arise.
        let Some(steps) = steps else {
            let problem = Problem::new(ProblemCode::InvalidConfig, "a node could not be made");
            return Err(BuildErrors::new(vec![problem]));
        };
        Ok(Workflow {
            name: draft.name.as_str().into(),
            description: draft.description.clone(),
            steps: steps.into(),
            inputs,
            danger_continue_on_deny: draft.danger_continue_on_deny,
        })
    }

    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn kind(&self, index: usize) -> Option<&NodeKind> {
        self.candidates.get(index).and_then(|one| one.kind)
    }

    fn shown(&self, index: usize) -> String {
        quoted(self.candidates.get(index).map_or("", |one| one.text_id))
    }

    fn port_shown(&self, index: usize, port: &str) -> String {
        quoted(&format!("{}.{port}", self.candidates.get(index).map_or("", |one| one.text_id)))
    }

    fn report_unknown_node(&mut self, node: &str) {
        let hint = hint(node, "the nodes are", self.by_id.keys().copied());
        let message = format!("there is no node {}", quoted(node));
        self.report(Problem::new(ProblemCode::UnknownNode, message).at_node(node).hinting(hint));
    }

    /// Notes that `source` feeds a port; two sources for one port are a problem.
    fn feed(&mut self, index: usize, port: &str, source: String) {
        if let Some(earlier) = self.fed.get(&(index, port.to_owned())) {
            let message = format!("{} is fed by {earlier} and by {source}", self.port_shown(index, port));
            let node = self.candidates.get(index).map_or("", |one| one.text_id);
            let problem = Problem::new(ProblemCode::TwoFeeds, message).at_port(node, port);
            return self.report(
                problem.hinting("a port takes one value: join the two in a node before it".to_owned()),
            );
        }
        self.fed.insert((index, port.to_owned()), source);
    }

    fn check_types(&mut self, wire: &Wire) {
        let output = self.kind(wire.from).and_then(|kind| kind.output(&wire.output));
        let input = self.kind(wire.to).and_then(|kind| kind.input(&wire.input));
        let Some((output, input)) = output.zip(input) else { return };
        let (from, to) = (self.port_shown(wire.from, &wire.output), self.port_shown(wire.to, &wire.input));
        let reason = match fits(output.schema(), input.schema()) {
            Err(misfit) => misfit.to_string(),
            Ok(()) if input.is_required() && !output.is_required() => {
                "it may be missing, but is required".to_owned()
            }
            Ok(()) => return,
        };
        let node = self.candidates.get(wire.to).map_or("", |one| one.text_id);
        let problem = Problem::new(ProblemCode::TypeMismatch, format!("{from} does not fit {to}: {reason}"))
            .at_port(node, &wire.input)
            .hinting("put a node between them that converts the value".to_owned());
        self.report(problem);
    }
}

fn step(index: usize, candidate: Candidate<'_>, wires: &[Wire]) -> Option<Step> {
    let kind = candidate.kind?.clone();
    let dependents: BTreeSet<usize> =
        wires.iter().filter(|wire| wire.from == index).map(|wire| wire.to).collect();
    let feeds = wires.iter().filter(|wire| wire.to == index).map(|wire| Feed {
        source: wire.from,
        output: wire.output.clone(),
        record: wire.record,
        input: wire.input.clone(),
    });
    Some(Step {
        id: candidate.id?,
        node: candidate.node?,
        deadline_ms: candidate.deadline_ms,
        feeds: feeds.collect(),
        dependents: dependents.into_iter().collect(),
        kind,
    })
}

/// A ring through the first node of a knot, as short as any.
fn shortest_ring(graph: &DiGraph<(), ()>, knot: &[NodeIndex]) -> Vec<usize> {
    let inside: BTreeSet<usize> = knot.iter().map(|node| node.index()).collect();
    let Some(&start) = inside.first() else { return Vec::new() };
    let mut reached_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(current) = queue.pop_front() {
        let next: BTreeSet<usize> = graph.neighbors(NodeIndex::new(current)).map(NodeIndex::index).collect();
        if next.contains(&start) {
            let back = |from: &usize| reached_from.get(from).copied();
            let mut ring: Vec<usize> = std::iter::successors(Some(current), back).collect();
            ring.reverse();
            return ring;
        }
        for node in next.into_iter().filter(|node| inside.contains(node)) {
            if let Entry::Vacant(place) = reached_from.entry(node) {
                place.insert(current);
                queue.push_back(node);
            }
        }
    }
    inside.into_iter().collect()
}
