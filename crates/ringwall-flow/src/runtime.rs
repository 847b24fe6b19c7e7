//! Runs workflows: whatever is ready runs, a bounded number at once, each with a deadline.
//! Promises: a node runs after everything it depends on; results do not depend on who finishes first; a node that
//! fails, panics, denies or is too slow holds up what depends on it and nothing else; dropping the future or using
//! the cancel handle stops the run. Keeps nothing: a run that is lost with the process is lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use crate::context::{Cancel, RunContext};
use crate::error::RunError;
use crate::kind::{Answer, PortValues};
use crate::limits::{NODE_DEADLINE_MS_DEFAULT, PARALLEL_NODES_MAX_DEFAULT};
use crate::name::{NodeId, RunId};
use crate::node::NodeError;
use crate::result::{NodeResult, NodeStatus, RunResult, RunStatus, SkipReason};
use crate::workflow::{Step, Workflow};

mod inputs;

/// What one run may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RuntimeLimits {
    /// Nodes at work at once.
    pub parallel_nodes_max: NonZeroUsize,
    /// How long a node may take that asks for no deadline of its own.
    pub node_deadline_ms: u64,
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self {
            parallel_nodes_max: NonZeroUsize::new(PARALLEL_NODES_MAX_DEFAULT).unwrap_or(NonZeroUsize::MIN),
            node_deadline_ms: NODE_DEADLINE_MS_DEFAULT,
        }
    }
}

/// Runs workflows inside a tokio runtime with its timer switched on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runtime {
    limits: RuntimeLimits,
}

impl Runtime {
    /// A runtime that keeps to `limits`.
    pub fn new(limits: RuntimeLimits) -> Self {
        Self { limits }
    }

    /// Runs `workflow` once.
    ///
    /// `inputs` go by the workflow's names for them or by `node.port`. Wrong or missing inputs are the only errors;
    /// whatever happens to nodes is in the result.
    pub async fn execute(
        &self,
        workflow: &Workflow,
        inputs: BTreeMap<String, Value>,
        run_id: RunId,
        cancel: &Cancel,
    ) -> Result<RunResult, RunError> {
        let given = inputs::assign(workflow, inputs)?;
        let mut run = Run::new(workflow, given, run_id, cancel, self.limits);
        run.work_through().await;
        Ok(run.into_result())
    }
}

/// One run under way.
struct Run<'a> {
    workflow: &'a Workflow,
    run_id: RunId,
    cancel: &'a Cancel,
    limits: RuntimeLimits,
    /// By step: what the run was given for it.
    given: Vec<PortValues>,
    /// By step: how many steps it still waits for.
    waiting: Vec<usize>,
    /// By step: how it went, once that is known.
    settled: Vec<Option<NodeResult>>,
    /// Steps that wait for nothing; the first of the definition goes first.
    ready: BTreeSet<usize>,
    tasks: JoinSet<Result<Answer, NodeStatus>>,
    step_of_task: HashMap<Id, usize>,
}

type Finished = Result<(Id, Result<Answer, NodeStatus>), JoinError>;

enum Next {
    Finished(Finished),
    CalledOff,
    NothingLeft,
}

impl<'a> Run<'a> {
    fn new(
        workflow: &'a Workflow,
        given: Vec<PortValues>,
        run_id: RunId,
        cancel: &'a Cancel,
        limits: RuntimeLimits,
    ) -> Self {
        let waiting: Vec<usize> = workflow.steps.iter().map(Step::waits_for).collect();
        let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
        Self {
            ready: free.map(|(index, _)| index).collect(),
            settled: vec![None; waiting.len()],
            tasks: JoinSet::new(),
            step_of_task: HashMap::new(),
            workflow,
            run_id,
            cancel,
            limits,
            given,
            waiting,
        }
    }

    async fn work_through(&mut self) {
        loop {
            if !self.cancel.is_cancelled() {
                self.start_ready();
            }
            match self.next().await {
                Next::Finished(finished) => self.finish(finished),
                Next::CalledOff => return self.call_off().await,
                Next::NothingLeft => return,
            }
        }
    }

    /// Waits for a task or for the run to be called off, which goes first.
    async fn next(&mut self) -> Next {
        let mut cancelled = pin!(self.cancel.cancelled());
        poll_fn(|context| {
            if cancelled.as_mut().poll(context).is_ready() {
                return Poll::Ready(Next::CalledOff);
            }
            let finished = self.tasks.poll_join_next_with_id(context);
            finished.map(|finished| finished.map_or(Next::NothingLeft, Next::Finished))
        })
        .await
    }

    /// Starts what is ready; what turns out to be blocked or skipped may make more steps ready.
    fn start_ready(&mut self) {
        while self.tasks.len() < self.limits.parallel_nodes_max.get()
            && let Some(index) = self.ready.pop_first()
        {
            let steps = Arc::clone(&self.workflow.steps);
            let Some(step) = steps.get(index) else { continue };
            if let Some(by) = self.blocker(step) {
                self.settle(index, NodeStatus::Blocked { by }, None);
            } else if self.has_no_input(index, step) {
                self.settle(index, NodeStatus::Skipped { reason: SkipReason::NoInput }, None);
            } else {
                self.start(index, step);
            }
        }
    }

    fn start(&mut self, index: usize, step: &Step) {
        let values = self.values_for(index, step);
        let context = RunContext::new(
            self.run_id.clone(),
            Arc::clone(&self.workflow.name),
            step.id.clone(),
            self.cancel.clone(),
        );
        let node = Arc::clone(&step.node);
        let deadline_ms = step.deadline_ms.unwrap_or(self.limits.node_deadline_ms);
        let task = self.tasks.spawn(async move {
            match timeout(Duration::from_millis(deadline_ms), node.run(&context, values)).await {
                Ok(answer) => answer.map_err(failure),
                Err(_) => Err(NodeStatus::DeadlineExceeded { deadline_ms }),
            }
        });
        self.step_of_task.insert(task.id(), index);
    }

    fn finish(&mut self, finished: Finished) {
        let (task, answer) = match finished {
            Ok((task, answer)) => (task, answer),
            Err(error) => (error.id(), Err(lost(&error))),
        };
        let Some(index) = self.step_of_task.remove(&task) else { return };
        match answer {
            Ok(Answer { values, outcome: Some(outcome) }) if outcome.stops() => {
                self.settle(index, NodeStatus::Stopped { outcome: outcome.name().to_owned() }, Some(values));
            }
            Ok(Answer { values, outcome }) => {
                let outcome = outcome.map(|outcome| outcome.name().to_owned());
                self.settle(index, NodeStatus::Succeeded { outcome }, Some(values));
            }
            Err(status) => self.settle(index, status, None),
        }
    }

    /// Notes how a step went and tells those that wait for it.
    fn settle(&mut self, index: usize, status: NodeStatus, output: Option<PortValues>) {
        let steps = Arc::clone(&self.workflow.steps);
        let (Some(step), Some(place)) = (steps.get(index), self.settled.get_mut(index)) else { return };
        *place = Some(NodeResult { node: step.id.clone(), status, output });
        for dependent in &step.dependents {
            let Some(count) = self.waiting.get_mut(*dependent) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.ready.insert(*dependent);
            }
        }
    }

    /// The node that keeps a step from running: the first, in the order of the definition, whose value does not come.
    fn blocker(&self, step: &Step) -> Option<NodeId> {
        let in_the_way = step.feeds.iter().filter_map(|feed| {
            let source = self.settled.get(feed.source)?.as_ref()?;
            match &source.status {
                NodeStatus::Succeeded { .. } => None,
                NodeStatus::Stopped { .. } if feed.record || self.workflow.danger_continue_on_deny => None,
                NodeStatus::Blocked { by } => Some((feed.source, by.clone())),
                _ => Some((feed.source, source.node.clone())),
            }
        });
        in_the_way.min_by_key(|(source, _)| *source).map(|(_, by)| by)
    }

    fn has_no_input(&self, index: usize, step: &Step) -> bool {
        step.stands_alone()
            && step.kind.inputs().iter().any(|port| port.is_required())
            && self.given.get(index).is_none_or(BTreeMap::is_empty)
    }

    fn values_for(&mut self, index: usize, step: &Step) -> PortValues {
        let mut values = self.given.get_mut(index).map(std::mem::take).unwrap_or_default();
        for feed in &step.feeds {
            let source = self.settled.get(feed.source).and_then(Option::as_ref);
            let value =
                source.and_then(|result| result.output.as_ref()).and_then(|ports| ports.get(&feed.output));
            if let Some(value) = value {
                values.insert(feed.input.clone(), Arc::clone(value));
            }
        }
        values
    }

    /// Drops what is at work; a node that was done before it could be dropped keeps its result.
    async fn call_off(&mut self) {
        self.tasks.abort_all();
        while let Some(finished) = self.tasks.join_next_with_id().await {
            self.finish(finished);
        }
    }

    fn into_result(self) -> RunResult {
        let settled = self.settled.into_iter().zip(self.workflow.steps.iter());
        let nodes: Vec<NodeResult> = settled
            .map(|(result, step)| {
                let unsettled =
                    || NodeResult { node: step.id.clone(), status: NodeStatus::Cancelled, output: None };
                result.unwrap_or_else(unsettled)
            })
            .collect();
        let status = nodes.iter().map(|result| result.status.weight()).max().unwrap_or(RunStatus::Succeeded);
        RunResult { run_id: self.run_id, workflow: self.workflow.name.to_string(), status, nodes }
    }
}

fn failure(error: NodeError) -> NodeStatus {
    NodeStatus::Failed { code: error.code().to_owned(), message: error.message().to_owned() }
}

/// What became of a task that gave no answer. The text of a panic is not repeated: it may hold anything.
fn lost(error: &JoinError) -> NodeStatus {
    if error.is_panic() {
        NodeStatus::Failed { code: "panicked".to_owned(), message: "the node panicked".to_owned() }
    } else {
        NodeStatus::Cancelled
    }
}

#[cfg(test)]
mod tests;
