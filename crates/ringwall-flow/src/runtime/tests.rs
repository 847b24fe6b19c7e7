use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Runtime, RuntimeLimits};
use crate::ProblemCode::*;
use crate::limits::NODE_DEADLINE_MS_DEFAULT;
use crate::testing::{Shared, built, codes, executed};
use crate::{
    Cancel, NodeDefinition, NodeId, NodeStatus, ProblemCode, RunError, RunId, RunResult, RunStatus,
    SkipReason, Workflow, WorkflowBuilder,
};

mod guide;

fn workflow(draw: impl FnOnce(&mut WorkflowBuilder<'_>)) -> Workflow {
    built(&Arc::new(Shared::default()), draw).unwrap()
}

fn status<'a>(result: &'a RunResult, node: &str) -> &'a NodeStatus {
    &result.node(node).unwrap().status
}

fn id(text: &str) -> NodeId {
    NodeId::parse(text).unwrap()
}

fn done() -> NodeStatus {
    NodeStatus::Succeeded { outcome: None }
}

fn run_id() -> RunId {
    RunId::parse("run-1").unwrap()
}

/// `trouble` in some way → `after` → `later`, beside `aside` which depends on nothing.
fn trouble(way: &str) -> impl FnOnce(&mut WorkflowBuilder<'_>) {
    let config = json!({ "way": way });
    move |builder| {
        builder.add_node("Relay", "later", Value::Null).add_node("Relay", "after", Value::Null);
        builder.add_node("Trouble", "trouble", config).add_node("Relay", "aside", json!({ "yields": 9 }));
        builder.connect("trouble.trace", "after.in0").connect("after.trace", "later.in0");
        builder.connect("aside.trace", "later.in1");
    }
}

#[track_caller]
fn check_blocked(result: &RunResult) {
    for node in ["after", "later"] {
        assert_eq!(status(result, node), &NodeStatus::Blocked { by: id("trouble") });
        assert_eq!(result.node(node).unwrap().output, None);
    }
    assert_eq!(status(result, "aside"), &done());
    assert_eq!(result.status, RunStatus::Failed);
}

#[tokio::test]
async fn values_flow_from_port_to_port() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "total", Value::Null).add_node("Number", "two", json!({ "value": 2 }));
        builder.connect("two.value", "total.left").input("extra", "total.right");
    });
    let result = executed(&workflow, json!({ "extra": 40 })).await.unwrap();
    assert_eq!(result.node("total").unwrap().value("sum"), Some(&json!(42)));
    let shown = serde_json::to_value(&result).unwrap();
    let expected = json!({
        "run_id": "run-1",
        "workflow": "workflow",
        "status": "succeeded",
        "nodes": [
            { "node": "total", "status": "succeeded", "output": { "sum": 42 } },
            { "node": "two", "status": "succeeded", "output": { "value": 2, "text": "2" } },
        ],
    });
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn an_input_goes_by_its_name_or_by_its_port() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "add", Value::Null).input("first", "add.left");
    });
    for inputs in [json!({ "first": 1, "add.right": 2 }), json!({ "add.left": 1, "add.right": 2 })] {
        let result = executed(&workflow, inputs).await.unwrap();
        assert_eq!(result.node("add").unwrap().value("sum"), Some(&json!(3)));
    }
    let inputs: Vec<_> =
        workflow.inputs().iter().map(|input| (input.name(), input.port(), input.is_required())).collect();
    assert_eq!(inputs, [("first", "left", true)]);
}

#[tokio::test]
async fn wrong_and_missing_inputs_are_all_named_before_anything_runs() {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, |builder| {
        builder.add_node("Relay", "relay", Value::Null).add_node("Number", "two", json!({ "value": 2 }));
        builder
            .add_node("Add", "add", Value::Null)
            .connect("two.value", "add.right")
            .input("first", "add.left");
    });
    let inputs = json!({ "frist": 1, "add.right": 2, "relay.trace": [], "nowhere": 1 });
    let errors = executed(&workflow.unwrap(), inputs).await.unwrap_err();
    assert_eq!(
        codes(errors.problems()),
        [UnknownInput, UnknownInput, UnknownInput, UnknownInput, MissingInput]
    );
    assert!(errors.problems()[0].message().contains("fed by node `two` already"), "{errors}");
    assert_eq!(errors.problems()[1].hint(), Some("did you mean `first`?"));
    assert_eq!(errors.problems()[4].message(), "the input `first` for `add.left` is missing");
    assert_eq!(*shared.begun.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_port_is_given_once() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "add", Value::Null).input("first", "add.left");
    });
    let check = async |inputs: Value, expected: &[ProblemCode]| {
        let problems = executed(&workflow, inputs).await.err().map(|errors| codes(errors.problems()));
        assert_eq!(problems.unwrap_or_default(), expected);
    };
    check(json!({ "first": 1 }), &[]).await;
    check(json!({ "first": 1, "add.left": 1 }), &[DuplicateInput]).await;
}

#[tokio::test]
async fn a_node_that_stands_alone_without_input_is_skipped_and_half_an_input_is_an_error() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "alone", Value::Null).add_node("Number", "source", json!({ "value": 1 }));
    });
    let result = executed(&workflow, json!({})).await.unwrap();
    assert_eq!(status(&result, "alone"), &NodeStatus::Skipped { reason: SkipReason::NoInput });
    assert_eq!(status(&result, "source"), &done());
    assert_eq!(result.status, RunStatus::Succeeded);
    let result = executed(&workflow, json!({ "alone.left": 1 })).await.unwrap();
    assert_eq!(status(&result, "alone"), &done());
    let errors: RunError = executed(&workflow, json!({ "alone.right": 1 })).await.unwrap_err();
    assert_eq!(codes(errors.problems()), [MissingInput]);
}

#[tokio::test]
async fn a_wrong_input_fails_its_node_without_repeating_the_value() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "add", Value::Null).input("first", "add.left");
    });
    let result = executed(&workflow, json!({ "first": "hunter2" })).await.unwrap();
    let message = "the input is not accepted: at `.left`: found `string`, expected `integer`".to_owned();
    assert_eq!(status(&result, "add"), &NodeStatus::Failed { code: "invalid_input".to_owned(), message });
}

#[tokio::test]
async fn a_failing_node_blocks_what_depends_on_it_and_nothing_else() {
    let result = executed(&workflow(trouble("fail")), json!({})).await.unwrap();
    let (code, message) = ("out_of_order".to_owned(), "the other side is out of order".to_owned());
    assert_eq!(status(&result, "trouble"), &NodeStatus::Failed { code, message });
    check_blocked(&result);
}

#[tokio::test]
async fn a_panicking_node_is_a_failed_node() {
    let result = executed(&workflow(trouble("panic")), json!({})).await.unwrap();
    let (code, message) = ("panicked".to_owned(), "the node panicked".to_owned());
    assert_eq!(status(&result, "trouble"), &NodeStatus::Failed { code, message });
    check_blocked(&result);
}

#[tokio::test(start_paused = true)]
async fn a_node_beyond_its_deadline_is_dropped_and_blocks_like_a_failure() {
    let begun = tokio::time::Instant::now();
    let result = executed(&workflow(trouble("hang")), json!({})).await.unwrap();
    let deadline_ms = NODE_DEADLINE_MS_DEFAULT;
    assert_eq!(status(&result, "trouble"), &NodeStatus::DeadlineExceeded { deadline_ms });
    assert_eq!(begun.elapsed().as_millis(), u128::from(deadline_ms));
    check_blocked(&result);
}

#[tokio::test(start_paused = true)]
async fn a_node_may_ask_for_a_deadline_of_its_own() {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, |builder| {
        let config = json!({ "way": "hang" });
        let node = NodeDefinition { kind: "Trouble".to_owned(), config, deadline_ms: Some(250) };
        builder.add_node_definition("slow", node);
    });
    let begun = tokio::time::Instant::now();
    let result = executed(&workflow.unwrap(), json!({})).await.unwrap();
    assert_eq!(status(&result, "slow"), &NodeStatus::DeadlineExceeded { deadline_ms: 250 });
    assert_eq!(begun.elapsed().as_millis(), 250);
}

/// `gate` → `after` by an ordinary port and → `log` by a record port.
fn gated(answer: &'static str, danger: bool) -> impl FnOnce(&mut WorkflowBuilder<'_>) {
    move |builder| {
        builder.add_node("Gate", "gate", json!({ "answer": answer }));
        builder.add_node("Relay", "after", Value::Null).add_node("Relay", "log", Value::Null);
        builder.connect("gate.trace", "after.in0").connect("gate.decisions", "log.in0");
        if danger {
            builder.danger_continue_on_deny();
        }
    }
}

#[tokio::test]
async fn an_outcome_that_stops_holds_back_all_but_the_record() {
    let result = executed(&workflow(gated("deny", false)), json!({})).await.unwrap();
    assert_eq!(status(&result, "gate"), &NodeStatus::Stopped { outcome: "deny".to_owned() });
    assert_eq!(status(&result, "after"), &NodeStatus::Blocked { by: id("gate") });
    assert_eq!(result.node("log").unwrap().value("trace"), Some(&json!(["deny", "log"])));
    assert_eq!(result.status, RunStatus::Stopped);
}

#[tokio::test]
async fn an_outcome_that_passes_holds_back_nothing() {
    let result = executed(&workflow(gated("allow", false)), json!({})).await.unwrap();
    assert_eq!(status(&result, "gate"), &NodeStatus::Succeeded { outcome: Some("allow".to_owned()) });
    assert_eq!(status(&result, "after"), &done());
    assert_eq!(result.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn going_on_after_a_denial_is_asked_for_and_still_shows() {
    let result = executed(&workflow(gated("deny", true)), json!({})).await.unwrap();
    assert_eq!(status(&result, "after"), &done());
    assert_eq!(result.status, RunStatus::Stopped);
}

#[tokio::test]
async fn an_answer_without_a_declared_outcome_is_a_failure_even_where_denials_are_passed_over() {
    for answer in ["silence", "denied-but-misspelt"] {
        let result = executed(&workflow(gated(answer, true)), json!({})).await.unwrap();
        assert!(
            matches!(status(&result, "gate"), NodeStatus::Failed { code, .. } if code == "undeclared_outcome")
        );
        assert_eq!(status(&result, "after"), &NodeStatus::Blocked { by: id("gate") });
        assert_eq!(status(&result, "log"), &NodeStatus::Blocked { by: id("gate") });
    }
}

#[tokio::test]
async fn a_run_that_is_called_off_drops_what_is_at_work_and_reports_what_was_done() {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, |builder| {
        builder.add_node("Number", "done", json!({ "value": 1 }));
        builder.add_node("Trouble", "at_work", json!({ "way": "hang" }));
        builder.add_node("Relay", "after", Value::Null).connect("at_work.trace", "after.in0");
    });
    let (workflow, cancel) = (workflow.unwrap(), Cancel::new());
    let limits = RuntimeLimits { parallel_nodes_max: NonZeroUsize::MIN, ..Default::default() };
    let runtime = Runtime::new(limits);
    let run = runtime.execute(&workflow, BTreeMap::new(), run_id(), &cancel);
    let call_off = async {
        shared.waiting.notified().await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(run, call_off);
    let result = result.unwrap();
    shared.dropped.notified().await;
    assert_eq!(status(&result, "done"), &done());
    assert_eq!(status(&result, "at_work"), &NodeStatus::Cancelled);
    assert_eq!(status(&result, "after"), &NodeStatus::Cancelled);
    assert_eq!(result.status, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_run_that_was_called_off_before_it_began_begins_nothing() {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, gated("allow", false)).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let result = Runtime::default().execute(&workflow, BTreeMap::new(), run_id(), &cancel).await.unwrap();
    assert!(result.nodes.iter().all(|node| node.status == NodeStatus::Cancelled));
    assert_eq!(*shared.begun.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn dropping_the_run_drops_its_nodes() {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, trouble("hang")).unwrap();
    let run = tokio::spawn(async move { executed(&workflow, json!({})).await });
    shared.waiting.notified().await;
    run.abort();
    shared.dropped.notified().await;
}

#[tokio::test]
async fn no_more_nodes_work_at_once_than_allowed() {
    for limit in [1, 3, 8] {
        let shared = Arc::new(Shared::default());
        let workflow = built(&shared, |builder| {
            (0..12).for_each(|index| {
                builder.add_node("Relay", &format!("n{index}"), json!({ "yields": 3 }));
            });
        });
        let limits =
            RuntimeLimits { parallel_nodes_max: NonZeroUsize::new(limit).unwrap(), ..Default::default() };
        let run =
            Runtime::new(limits).execute(&workflow.unwrap(), BTreeMap::new(), run_id(), &Cancel::new()).await;
        assert_eq!(run.unwrap().status, RunStatus::Succeeded);
        assert_eq!(shared.at_work.lock().unwrap().1, limit);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_workflow_runs_many_times_at_once() {
    let workflow = workflow(|builder| {
        builder.add_node("Add", "add", Value::Null).input("left", "add.left");
    });
    let runs = (0..50).map(|left| {
        let workflow = workflow.clone();
        tokio::spawn(async move { executed(&workflow, json!({ "left": left })).await.unwrap() })
    });
    for (left, run) in runs.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(run.await.unwrap().node("add").unwrap().value("sum"), Some(&json!(left)));
    }
}

/// A random graph without rings: for each node, how long it takes and which earlier nodes feed it.
fn graphs() -> impl Strategy<Value = Vec<(u8, BTreeSet<usize>)>> {
    let node = (0..6_u8, proptest::collection::btree_set(0..20_usize, 0..4));
    proptest::collection::vec(node, 1..20).prop_map(|nodes| {
        let earlier =
            |index: usize, feeds: BTreeSet<usize>| feeds.into_iter().filter(|feed| *feed < index).collect();
        nodes
            .into_iter()
            .enumerate()
            .map(|(index, (yields, feeds))| (yields, earlier(index, feeds)))
            .collect()
    })
}

/// Runs a graph, its nodes declared last first, and gives what came out and the order in which nodes began.
fn run_graph(
    graph: &[(u8, BTreeSet<usize>)],
    yields: impl Fn(u8) -> u8,
    parallel: usize,
) -> (RunResult, Vec<String>) {
    let shared = Arc::new(Shared::default());
    let workflow = built(&shared, |builder| {
        for (index, (own, feeds)) in graph.iter().enumerate().rev() {
            builder.add_node("Relay", &format!("n{index}"), json!({ "yields": yields(*own) }));
            for (port, feed) in feeds.iter().enumerate() {
                builder.connect(&format!("n{feed}.trace"), &format!("n{index}.in{port}"));
            }
        }
    });
    let limits =
        RuntimeLimits { parallel_nodes_max: NonZeroUsize::new(parallel).unwrap(), ..Default::default() };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let workflow = workflow.unwrap();
    let cancel = Cancel::new();
    let runtime = Runtime::new(limits);
    let run = runtime.execute(&workflow, BTreeMap::new(), run_id(), &cancel);
    let result = tokio.block_on(run).unwrap();
    let begun = shared.begun.lock().unwrap().clone();
    (result, begun)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_graph_without_rings_runs_in_an_order_that_respects_it(graph in graphs(), parallel in 1..5_usize) {
        let (result, begun) = run_graph(&graph, |own| own, parallel);
        prop_assert_eq!(result.status, RunStatus::Succeeded);
        prop_assert_eq!(begun.len(), graph.len());
        let place = |index: usize| begun.iter().position(|name| *name == format!("n{index}")).unwrap();
        for (index, (_, feeds)) in graph.iter().enumerate() {
            prop_assert!(feeds.iter().all(|feed| place(*feed) < place(index)));
        }
    }

    #[test]
    fn results_do_not_depend_on_who_finishes_first(graph in graphs(), parallel in 1..5_usize) {
        let (expected, _) = run_graph(&graph, |_| 0, 1);
        prop_assert_eq!(&run_graph(&graph, |own| own, parallel).0, &expected);
        prop_assert_eq!(&run_graph(&graph, |own| 6 - own, parallel).0, &expected);
        let order: Vec<String> = expected.nodes.iter().map(|result| result.node.to_string()).collect();
        let declared: Vec<String> = (0..graph.len()).rev().map(|index| format!("n{index}")).collect();
        prop_assert_eq!(order, declared);
    }
}
