//! What a node may know about the run it is part of, and how a run is called off.
//! Promises: nothing here reads a clock or a random source; the run id is the caller's.

use std::sync::Arc;

use tokio::sync::watch;

use crate::name::{NodeId, RunId};

/// The handle that calls a run off. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct Cancel {
    switch: Arc<watch::Sender<bool>>,
}

impl Cancel {
    /// A handle that has not been used.
    pub fn new() -> Self {
        Self { switch: Arc::new(watch::Sender::new(false)) }
    }

    /// Calls the run off: nodes at work are dropped at their next await, nodes not begun do not begin.
    pub fn cancel(&self) {
        self.switch.send_replace(true);
    }

    /// Whether the run was called off.
    pub fn is_cancelled(&self) -> bool {
        *self.switch.borrow()
    }

    /// Waits until the run is called off.
    pub async fn cancelled(&self) {
        // INVARIANT: `self` holds the sender, so the channel cannot close while this waits.
        let _ = self.switch.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

/// The run, as one of its nodes sees it.
#[derive(Clone, Debug)]
pub struct RunContext {
    run_id: RunId,
    workflow: Arc<str>,
    node: NodeId,
    cancel: Cancel,
}

impl RunContext {
    /// The context of `node` in a run; the runtime makes its own, so this is for calling a node outside a workflow.
    pub fn new(run_id: RunId, workflow: impl Into<Arc<str>>, node: NodeId, cancel: Cancel) -> Self {
        Self { run_id, workflow: workflow.into(), node, cancel }
    }

    /// Which run.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// The name of the workflow.
    pub fn workflow(&self) -> &str {
        &self.workflow
    }

    /// Which node this is.
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// The run's cancel handle, for nodes that hand work to something the runtime cannot drop.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}
