//! One connection of a draft: which reading of its names makes sense, and what is wrong if none does.

use std::collections::BTreeSet;

use super::{Check, Wire};
use crate::builder::DraftConnection;
use crate::error::{Problem, ProblemCode};
use crate::kind::Port;
use crate::name::{hint, quoted, split_port};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Input,
    Output,
}

/// One way to understand a connection.
#[derive(Clone, Copy)]
struct Reading<'a> {
    from: &'a str,
    output: &'a str,
    to: &'a str,
    input: &'a str,
}

impl Reading<'_> {
    fn shown(&self) -> String {
        let port = |node: &str, port: &str| {
            quoted(&format!(
                "{node}.{}",
                port.strip_prefix(node).and_then(|rest| rest.strip_prefix('.')).unwrap_or(port)
            ))
        };
        format!("{} to {}", port(self.from, self.output), port(self.to, self.input))
    }
}

impl Check<'_> {
    pub(super) fn check_connections(&mut self, connections: &[DraftConnection]) {
        let mut drawn = BTreeSet::new();
        for connection in connections {
            let Some(wire) = self.wire(connection) else { continue };
            if wire.from == wire.to {
                let message = format!("node {} feeds itself", self.shown(wire.from));
                let node = self.candidates.get(wire.from).map_or("", |one| one.text_id);
                self.report(Problem::new(ProblemCode::SelfEdge, message).at_port(node, &wire.input));
            }
            let (from, to) =
                (self.port_shown(wire.from, &wire.output), self.port_shown(wire.to, &wire.input));
            if !drawn.insert(wire.clone()) {
                let node = self.candidates.get(wire.to).map_or("", |one| one.text_id);
                let message = format!("{from} is connected to {to} twice");
                self.report(Problem::new(ProblemCode::DuplicateEdge, message).at_port(node, &wire.input));
                continue;
            }
            if self.has_port(wire.to, &wire.input, Side::Input) {
                self.feed(wire.to, &wire.input, from);
            }
            self.check_types(&wire);
            self.wires.push(wire);
        }
    }

    /// The wire that a connection means, if its nodes exist; reports what is wrong with it.
    fn wire(&mut self, connection: &DraftConnection) -> Option<Wire> {
        match connection {
            DraftConnection::Ports { from, to } => {
                let (from, to) = (self.halves(from), self.halves(to));
                let ((from, output), (to, input)) = from.zip(to)?;
                self.read(Reading { from, output, to, input })
            }
            DraftConnection::Names([first, second, third, fourth]) => {
                let nodes_first = Reading { from: first, output: third, to: second, input: fourth };
                let ports_between = Reading { from: first, output: second, to: third, input: fourth };
                let reading = self.choose(nodes_first, ports_between)?;
                self.read(reading)
            }
        }
    }

    fn halves<'t>(&mut self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let halves = split_port(text);
        if halves.is_none() {
            self.report(malformed(text));
        }
        halves
    }

    /// The reading that makes sense; if neither does, the one whose mistakes are worth reporting.
    fn choose<'t>(&mut self, nodes_first: Reading<'t>, ports_between: Reading<'t>) -> Option<Reading<'t>> {
        match (self.makes_sense(nodes_first), self.makes_sense(ports_between)) {
            (true, true) if nodes_first.shown() == ports_between.shown() => Some(nodes_first),
            (true, true) => {
                let (one, other) = (nodes_first.shown(), ports_between.shown());
                let problem =
                    Problem::new(ProblemCode::AmbiguousConnection, format!("reads as {one}, and as {other}"))
                        .at_node(nodes_first.from)
                        .hinting("write the ports as `node.port`".to_owned());
                self.report(problem);
                None
            }
            (true, false) => Some(nodes_first),
            (false, true) => Some(ports_between),
            (false, false) => {
                let is_node = |name: &str| self.by_id.contains_key(name);
                let nodes_are_first = match (is_node(nodes_first.to), is_node(ports_between.to)) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => nodes_first.output.contains('.'),
                };
                Some(if nodes_are_first { nodes_first } else { ports_between })
            }
        }
    }

    fn makes_sense(&self, reading: Reading<'_>) -> bool {
        let has = |node: &str, port: &str, side| {
            let index = self.by_id.get(node).copied();
            index.zip(own_port(node, port)).is_some_and(|(index, port)| self.has_port(index, port, side))
        };
        has(reading.from, reading.output, Side::Output) && has(reading.to, reading.input, Side::Input)
    }

    fn read(&mut self, reading: Reading<'_>) -> Option<Wire> {
        let from = self.half(reading.from, reading.output, Side::Output);
        let to = self.half(reading.to, reading.input, Side::Input);
        let ((from, output), (to, input)) = from.zip(to)?;
        let record = self.kind(from).and_then(|kind| kind.output(&output)).is_some_and(Port::is_record);
        Some(Wire { from, output, to, input, record })
    }

    /// One end of a wire, if its node exists; reports an unknown node or port.
    fn half(&mut self, node: &str, port: &str, side: Side) -> Option<(usize, String)> {
        let Some(&index) = self.by_id.get(node) else {
            self.report_unknown_node(node);
            return None;
        };
        let port = own_port(node, port).unwrap_or(port);
        if !self.has_port(index, port, side) {
            self.report_unknown_port(index, port, side);
        }
        Some((index, port.to_owned()))
    }

    /// Whether a node has a port; a node of unknown kind is given the benefit of the doubt.
    fn has_port(&self, index: usize, port: &str, side: Side) -> bool {
        self.kind(index).is_none_or(|kind| match side {
            Side::Input => kind.input(port).is_some(),
            Side::Output => kind.output(port).is_some(),
        })
    }

    pub(super) fn report_unknown_port(&mut self, index: usize, port: &str, side: Side) {
        let Some(kind) = self.kind(index) else { return };
        let (what, listing, ports) = match side {
            Side::Input => ("input", "the inputs are", kind.inputs()),
            Side::Output => ("output", "the outputs are", kind.outputs()),
        };
        let hint = hint(port, listing, ports.iter().map(Port::name));
        let message = format!("node {} has no {what} {}", self.shown(index), quoted(port));
        let node = self.candidates.get(index).map_or("", |one| one.text_id);
        self.report(Problem::new(ProblemCode::UnknownPort, message).at_port(node, port).hinting(hint));
    }
}

pub(super) fn malformed(text: &str) -> Problem {
    Problem::new(ProblemCode::MalformedPort, format!("{} is no port", quoted(text)))
        .hinting("write `node.port`".to_owned())
}

/// The port in `text`, which may carry its own node's id before a dot, and no other node's.
fn own_port<'t>(node: &str, text: &'t str) -> Option<&'t str> {
    match text.split_once('.') {
        None => Some(text),
        Some((owner, port)) => (owner == node).then_some(port),
    }
}
