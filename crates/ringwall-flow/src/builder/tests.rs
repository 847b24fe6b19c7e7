use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::WorkflowBuilder;
use crate::ProblemCode::*;
use crate::limits::{CONFIG_BYTES_MAX, CONFIG_DEPTH_MAX, CONNECTIONS_MAX, NODE_DEADLINE_MS_MAX, NODES_MAX};
use crate::testing::{Shared, built, codes, registry};
use crate::{NodeDefinition, Problem, ProblemCode, WorkflowDefinition};

fn problems(draw: impl FnOnce(&mut WorkflowBuilder<'_>)) -> Vec<Problem> {
    built(&Arc::new(Shared::default()), draw)
        .map(|_| Vec::new())
        .unwrap_or_else(|errors| errors.problems().to_vec())
}

/// Builds, and expects exactly one problem with that code, whose text contains every part.
#[track_caller]
fn check_one(draw: impl FnOnce(&mut WorkflowBuilder<'_>), code: ProblemCode, parts: &[&str]) {
    let found = problems(draw);
    assert_eq!(codes(&found), [code], "{found:#?}");
    let text = found[0].to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[track_caller]
fn check_builds(draw: impl FnOnce(&mut WorkflowBuilder<'_>)) {
    assert_eq!(problems(draw), []);
}

fn number() -> Value {
    json!({ "value": 1 })
}

/// A number `n` and an adder `a`.
fn pair(builder: &mut WorkflowBuilder<'_>) {
    builder.add_node("Number", "n", number()).add_node("Add", "a", Value::Null);
}

#[test]
fn a_workflow_in_order_builds() {
    check_builds(|builder| {
        pair(builder);
        builder.connect("n.value", "a.left").input("extra", "a.right");
    });
}

#[test]
fn an_empty_workflow_is_refused() {
    check_one(|_| {}, EmptyWorkflow, &["no nodes"]);
}

#[test]
fn a_workflow_has_a_printable_name() {
    for name in ["", "a\nb"] {
        let draw = |builder: &mut WorkflowBuilder<'_>| {
            builder.name(name).add_node("Number", "n", number());
        };
        check_one(draw, InvalidName, &["name"]);
    }
    check_builds(|builder| {
        builder.name("Nachtschicht, zweite").add_node("Number", "n", number());
    });
}

#[test]
fn an_unknown_kind_is_refused_with_the_nearest_one() {
    let parts = ["`Nmuber`", "did you mean `Number`?"];
    check_one(
        |builder| {
            builder.add_node("Nmuber", "n", number());
        },
        UnknownKind,
        &parts,
    );
}

#[test]
fn a_malformed_or_repeated_id_is_refused() {
    check_one(
        |builder| {
            builder.add_node("Number", "a.b", number());
        },
        InvalidName,
        &["`a.b`"],
    );
    let twice = |builder: &mut WorkflowBuilder<'_>| {
        builder.add_node("Number", "n", number()).add_node("Number", "n", number());
    };
    check_one(twice, DuplicateNode, &["`n` is declared twice"]);
}

#[test]
fn every_wrong_configuration_key_is_named() {
    let found = problems(|builder| {
        builder.add_node("Number", "n", json!({ "valeu": 1, "other": 2 }));
    });
    assert_eq!(codes(&found), [UnknownConfigKey, UnknownConfigKey, InvalidConfig]);
    let ports: Vec<_> =
        found.iter().map(|problem| (problem.node().unwrap(), problem.port().unwrap())).collect();
    assert_eq!(ports, [("n", "other"), ("n", "valeu"), ("n", "value")]);
    assert_eq!(found[1].hint(), Some("did you mean `value`?"));
}

#[test]
fn a_configuration_that_its_kind_refuses_is_refused_without_repeating_it() {
    let config = |config: Value| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Number", "n", config);
        }
    };
    check_one(config(json!({ "value": "hunter2" })), InvalidConfig, &["at `.value`", "expected `integer`"]);
    let found = problems(config(json!({ "value": "hunter2" })));
    assert!(!found[0].to_string().contains("hunter2"));
    check_one(config(json!({ "value": 13 })), InvalidConfig, &["`n`", "thirteen is not served"]);
    check_one(config(json!([1])), InvalidConfig, &["no map of keys"]);
    check_builds(config(json!({ "value": 14 })));
}

#[test]
fn a_configuration_beyond_its_limits_is_refused_before_it_is_read() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let with = |value: Value| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Number", "n", json!({ "value": value }));
        }
    };
    check_one(with(nested(CONFIG_DEPTH_MAX)), LimitExceeded, &["deeper than"]);
    check_one(with(nested(CONFIG_DEPTH_MAX - 2)), InvalidConfig, &["found `array`"]);
    check_one(with(json!("x".repeat(CONFIG_BYTES_MAX))), LimitExceeded, &["larger than"]);
}

#[test]
fn a_deadline_is_within_its_limits() {
    let with = |deadline_ms: u64| {
        move |builder: &mut WorkflowBuilder<'_>| {
            let node =
                NodeDefinition { kind: "Number".into(), config: number(), deadline_ms: Some(deadline_ms) };
            builder.add_node_definition("n", node);
        }
    };
    check_builds(with(1));
    check_builds(with(NODE_DEADLINE_MS_MAX));
    check_one(with(0), LimitExceeded, &["deadline of `n`"]);
    check_one(with(NODE_DEADLINE_MS_MAX + 1), LimitExceeded, &["deadline of `n`"]);
}

#[test]
fn an_unknown_node_is_refused_with_the_nearest_one() {
    let draw = |from: &'static str, to: &'static str| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder
                .add_node("Relay", "first", Value::Null)
                .add_node("Relay", "second", Value::Null)
                .connect(from, to);
        }
    };
    check_builds(draw("first.trace", "second.in0"));
    check_one(draw("frist.trace", "second.in0"), UnknownNode, &["`frist`", "did you mean `first`?"]);
    check_one(draw("first.trace", "secondd.in0"), UnknownNode, &["`secondd`", "did you mean `second`?"]);
    check_one(draw("first.trace", "second"), MalformedPort, &["`second`", "node.port"]);
}

#[test]
fn an_unknown_port_is_refused_with_the_nearest_one() {
    let draw = |from: &'static str, to: &'static str| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Relay", "a", Value::Null).add_node("Relay", "b", Value::Null).connect(from, to);
        }
    };
    check_one(draw("a.tarce", "b.in0"), UnknownPort, &["`a` has no output `tarce`", "did you mean `trace`?"]);
    check_one(draw("a.trace", "b.in9"), UnknownPort, &["`b` has no input `in9`", "did you mean `in0`?"]);
    check_one(draw("a.trace", "b.trace"), UnknownPort, &["no input `trace`", "`in0`, `in1`, `in2`, `in3`"]);
}

#[test]
fn a_connection_is_drawn_once_and_a_port_fed_once() {
    let relays = |connections: &'static [(&'static str, &'static str)]| {
        move |builder: &mut WorkflowBuilder<'_>| {
            for id in ["a", "b", "c"] {
                builder.add_node("Relay", id, Value::Null);
            }
            connections.iter().for_each(|(from, to)| {
                builder.connect(from, to);
            });
        }
    };
    check_builds(relays(&[
        ("a.trace", "c.in0"),
        ("b.trace", "c.in1"),
        ("a.trace", "c.in2"),
        ("a.trace", "b.in0"),
    ]));
    check_one(
        relays(&[("a.trace", "c.in0"), ("a.trace", "c.in0")]),
        DuplicateEdge,
        &["`a.trace`", "`c.in0` twice"],
    );
    let two = ["`c.in0` is fed by `a.trace` and by `b.trace`"];
    check_one(relays(&[("a.trace", "c.in0"), ("b.trace", "c.in0")]), TwoFeeds, &two);
}

#[test]
fn types_that_do_not_fit_are_refused_with_the_place() {
    let draw = |from: &'static str, to: &'static str| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Number", "n", number()).add_node("Add", "a", Value::Null).input("x", "a.left");
            builder.connect(from, to);
        }
    };
    check_builds(draw("n.value", "a.right"));
    let parts = ["`n.text` does not fit `a.right`", "found `string`", "converts"];
    check_one(draw("n.text", "a.right"), TypeMismatch, &parts);
    check_builds(draw("n.remainder", "a.right"));
    let nullable = |builder: &mut WorkflowBuilder<'_>| {
        pair(builder);
        builder.connect("n.remainder", "a.left");
    };
    check_one(nullable, TypeMismatch, &["`n.remainder` does not fit `a.left`"]);
}

#[test]
fn a_required_port_is_fed_by_a_connection_or_an_input() {
    check_one(
        |builder| {
            pair(builder);
            builder.connect("n.value", "a.right");
        },
        UnfedPort,
        &["`a.left`"],
    );
    check_one(
        |builder| {
            builder.add_node("Add", "a", Value::Null).input("right", "a.right");
        },
        UnfedPort,
        &["`a.left`"],
    );
    check_builds(|builder| {
        builder.add_node("Add", "a", Value::Null).input("left", "a.left");
    });
}

#[test]
fn a_node_that_takes_no_part_may_be_left_unfed_for_a_run_to_skip() {
    check_builds(pair);
}

#[test]
fn an_input_has_one_name_and_one_port_that_exists() {
    let draw = |inputs: &'static [(&'static str, &'static str)]| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Add", "add", Value::Null);
            inputs.iter().for_each(|(name, port)| {
                builder.input(name, port);
            });
        }
    };
    check_builds(draw(&[("x", "add.left"), ("y", "add.right")]));
    check_one(draw(&[("x", "add.left"), ("x", "add.right")]), DuplicateInput, &["`x` is declared twice"]);
    check_one(draw(&[("x", "add.left"), ("y", "add.left")]), TwoFeeds, &["the input `x`", "the input `y`"]);
    check_one(draw(&[("x.y", "add.left")]), InvalidName, &["`x.y`"]);
    check_one(draw(&[("x", "add.left"), ("y", "add.rigth")]), UnknownPort, &["did you mean `right`?"]);
    check_one(draw(&[("x", "add.left"), ("y", "adds.right")]), UnknownNode, &["did you mean `add`?"]);
    check_one(draw(&[("x", "add.left"), ("y", "right")]), MalformedPort, &["`right`"]);
    let fed = |builder: &mut WorkflowBuilder<'_>| {
        pair(builder);
        builder.connect("n.value", "a.left").input("x", "a.left");
    };
    check_one(fed, TwoFeeds, &["`n.value`", "the input `x`"]);
}

#[test]
fn a_node_does_not_feed_itself() {
    let draw = |builder: &mut WorkflowBuilder<'_>| {
        builder.add_node("Relay", "a", Value::Null).connect("a.trace", "a.in0");
    };
    check_one(draw, SelfEdge, &["`a` feeds itself"]);
}

#[test]
fn a_ring_is_refused_and_named_in_its_order() {
    let relays = |connections: &'static [(&'static str, &'static str)]| {
        move |builder: &mut WorkflowBuilder<'_>| {
            for id in ["a", "b", "c", "d"] {
                builder.add_node("Relay", id, Value::Null);
            }
            connections.iter().for_each(|(from, to)| {
                builder.connect(from, to);
            });
        }
    };
    let chain = &[("c.trace", "a.in0"), ("a.trace", "d.in0"), ("d.trace", "b.in0")];
    check_builds(relays(chain));
    let ring = &[("c.trace", "a.in0"), ("a.trace", "d.in0"), ("d.trace", "c.in0"), ("d.trace", "b.in0")];
    check_one(relays(ring), Cycle, &["`a` → `d` → `c` → `a`"]);
    let two = &[("a.trace", "b.in0"), ("b.trace", "a.in0"), ("c.trace", "d.in0"), ("d.trace", "c.in0")];
    let found = problems(relays(two));
    assert_eq!(codes(&found), [Cycle, Cycle]);
    assert!(
        found[0].message().ends_with("`a` → `b` → `a`") && found[1].message().ends_with("`c` → `d` → `c`")
    );
}

#[test]
fn a_workflow_beyond_its_limits_is_refused() {
    let nodes = |count: usize| {
        move |builder: &mut WorkflowBuilder<'_>| {
            (0..count).for_each(|index| {
                builder.add_node("Number", &format!("n{index}"), number());
            });
        }
    };
    check_builds(nodes(NODES_MAX));
    check_one(nodes(NODES_MAX + 1), LimitExceeded, &["257 nodes, the limit is 256"]);
    let connections = |builder: &mut WorkflowBuilder<'_>| {
        pair(builder);
        (0..=CONNECTIONS_MAX).for_each(|_| {
            builder.connect("n.value", "a.left");
        });
    };
    check_one(connections, LimitExceeded, &["1025 connections"]);
}

#[test]
fn both_orders_of_four_names_are_understood() {
    let orders = [
        ["first", "second", "first.trace", "second.in0"],
        ["first", "trace", "second", "in0"],
        ["first", "second", "trace", "in0"],
        ["first", "first.trace", "second", "second.in0"],
    ];
    for [a, b, c, d] in orders {
        check_builds(|builder| {
            // The connection comes first: what it names may be declared later.
            builder.add_connection(a, b, c, d);
            builder.add_node("Relay", "first", Value::Null).add_node("Relay", "second", Value::Null);
        });
    }
}

#[test]
fn four_names_with_two_readings_are_refused_with_both() {
    // Two nodes are called what ports of `hub` are called.
    let draw = |names: [&'static str; 4]| {
        move |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("Gate", "hub", json!({ "answer": "allow" }));
            for id in ["trace", "decisions"] {
                builder.add_node("Relay", id, Value::Null);
            }
            let [a, b, c, d] = names;
            builder.add_connection(a, b, c, d);
        }
    };
    let parts =
        ["reads as `hub.decisions` to `trace.in0`, and as `hub.trace` to `decisions.in0`", "node.port"];
    check_one(draw(["hub", "trace", "decisions", "in0"]), AmbiguousConnection, &parts);
    check_builds(draw(["hub", "trace", "hub.decisions", "trace.in0"]));
    check_builds(draw(["hub", "hub.trace", "decisions", "in0"]));
}

#[test]
fn four_names_whose_readings_agree_are_no_riddle() {
    check_builds(|builder| {
        for id in ["hub", "trace"] {
            builder.add_node("Relay", id, Value::Null);
        }
        builder.add_connection("hub", "trace", "trace", "in0");
    });
}

#[test]
fn four_names_without_a_reading_are_explained_by_the_likelier_one() {
    let draw = |names: [&'static str; 4]| {
        move |builder: &mut WorkflowBuilder<'_>| {
            for id in ["first", "second"] {
                builder.add_node("Relay", id, Value::Null);
            }
            let [a, b, c, d] = names;
            builder.add_connection(a, b, c, d);
        }
    };
    check_one(
        draw(["first", "second", "first.tarce", "second.in0"]),
        UnknownPort,
        &["did you mean `trace`?"],
    );
    check_one(draw(["first", "tarce", "second", "in0"]), UnknownPort, &["did you mean `trace`?"]);
    check_one(
        draw(["first", "secnod", "first.trace", "secnod.in0"]),
        UnknownNode,
        &["did you mean `second`?"],
    );
    check_one(draw(["first", "second", "second.trace", "second.in0"]), UnknownPort, &["`second.trace`"]);
}

#[test]
fn seven_different_mistakes_are_seven_problems_in_the_order_of_the_definition() {
    let definition = WorkflowDefinition::from_yaml(
        "
name: broken
nodes:
  one: { kind: Number, config: { value: 1 } }
  odd: { kind: Nubmer }
  two: { kind: Number, config: { value: 2, vlaue: 3 } }
  add: { kind: Add }
  a: { kind: Relay }
  b: { kind: Relay }
connections:
  - { from: one.vlue, to: add.left }
  - { from: one.text, to: add.right }
  - { from: a.trace, to: b.in0 }
  - { from: b.trace, to: a.in0 }
  - { from: a.trace, to: a.in1 }
inputs:
  extra: adder.left
",
    );
    let registry = registry(&Arc::new(Shared::default()));
    let builder = WorkflowBuilder::from_definition(&registry, definition.unwrap());
    let errors = builder.build().unwrap_err();
    let expected = [UnknownKind, UnknownConfigKey, UnknownPort, TypeMismatch, SelfEdge, UnknownNode, Cycle];
    assert_eq!(codes(errors.problems()), expected, "{errors}");
    assert_eq!(builder.validate(), errors.problems());
    let shown = errors.to_string();
    assert!(
        shown.starts_with("the workflow cannot be built:\n  1. unknown_kind: there is no kind `Nubmer`"),
        "{shown}"
    );
    assert!(shown.contains("\n  7. cycle: nodes wait for each other: `a` → `b` → `a`"), "{shown}");
    let first = serde_json::to_value(&errors).unwrap()["problems"][0].clone();
    assert_eq!((&first["code"], &first["node"]), (&json!("unknown_kind"), &json!("odd")));
}

#[test]
fn a_code_is_spelt_the_same_everywhere() {
    for code in [EmptyWorkflow, TwoFeeds, AmbiguousConnection, UnknownConfigKey, MissingInput] {
        assert_eq!(serde_json::to_value(code).unwrap(), json!(code.as_str()));
    }
}

proptest! {
    #[test]
    fn a_graph_with_a_ring_is_never_built(
        count in 3..12_usize,
        ring in 2..12_usize,
        extra in proptest::collection::vec((0..12_usize, 0..12_usize), 0..20),
        order in any::<u64>(),
    ) {
        let ring = ring.min(count);
        // The ring runs through nodes in an order of its own; further edges go wherever there is a free port.
        let start = usize::try_from(order % 7).unwrap();
        let node = |index: usize| format!("n{}", (index * 5 + start) % 61);
        let found = problems(|builder| {
            (0..count).for_each(|index| { builder.add_node("Relay", &node(index), Value::Null); });
            (0..ring).for_each(|index| {
                builder.connect(&format!("{}.trace", node(index)), &format!("{}.in0", node((index + 1) % ring)));
            });
            for (port, (from, to)) in extra.iter().enumerate() {
                let (from, to) = (from % count, to % count);
                builder.connect(&format!("{}.trace", node(from)), &format!("{}.in{}", node(to), 1 + port % 3));
            }
        });
        prop_assert!(codes(&found).contains(&Cycle), "{:?}", found);
    }

    #[test]
    fn no_names_make_the_builder_panic(names in proptest::array::uniform4(".{0,12}"), id in ".{0,12}", kind in ".{0,12}") {
        let [a, b, c, d] = &names;
        let found = problems(|builder| {
            builder.add_node("Relay", "hub", Value::Null).add_node(&kind, &id, Value::Null);
            builder.add_connection(a, b, c, d).connect(a, b).input(c, d).name(&id);
        });
        prop_assert!(!found.is_empty());
    }
}
