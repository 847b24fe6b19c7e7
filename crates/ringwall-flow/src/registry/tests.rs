use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Registry;
use crate::testing::{Add, Gate, NoFields, Shared, registry};
use crate::{Effect, Node, NodeError, NodeKind, Outcome, Port, RunContext};

#[derive(Deserialize, JsonSchema, Serialize)]
struct Dotted {
    #[serde(rename = "a.b")]
    value: u8,
}

/// A node whose output is `O` and whose record ports and outcomes are wrong if `WRONG`.
struct Odd<O, const WRONG: bool>(std::marker::PhantomData<fn() -> O>);

impl<O: Serialize + JsonSchema + Send + 'static, const WRONG: bool> Node for Odd<O, WRONG> {
    const KIND: &'static str = "Odd";
    const DESCRIPTION: &'static str = "Is not in order";
    const EFFECT: Effect = Effect::Pure;
    const OUTCOMES: &'static [Outcome] =
        if WRONG { &[Outcome::passing("deny"), Outcome::stopping("deny")] } else { &[] };
    type Config = NoFields;
    type Input = NoFields;
    type Output = O;

    async fn run(&self, _: &RunContext, _: NoFields) -> Result<O, NodeError> {
        Err(NodeError::new("never", "never runs"))
    }
}

#[track_caller]
fn check_odd<O: Serialize + JsonSchema + Send + 'static, const WRONG: bool>(expected: &str) {
    let kind = NodeKind::of::<Odd<O, WRONG>>(|_| Ok(Odd(std::marker::PhantomData)));
    let answer = Registry::new().register(kind);
    assert_eq!(answer.map_err(|error| error.to_string()).err().as_deref().unwrap_or("fine"), expected);
}

#[test]
fn a_kind_that_does_not_hold_together_is_refused() {
    check_odd::<std::collections::BTreeMap<String, u8>, false>("fine");
    check_odd::<u8, false>("node kind `Odd`: the output must be a record, whose fields are the ports");
    check_odd::<Vec<Dotted>, false>(
        "node kind `Odd`: the output must be a record, whose fields are the ports",
    );
    check_odd::<std::collections::BTreeMap<String, u8>, true>(
        "node kind `Odd`: outcome `deny` is declared twice",
    );
    let port = "node kind `Odd`: port `a.b` is malformed: \
        use letters, digits, `_` and `-`, at most 64, beginning with a letter or digit";
    check_odd::<Dotted, false>(port);
}

#[test]
fn a_second_kind_of_one_name_is_refused() {
    let mut registry = Registry::new();
    registry.register(NodeKind::of::<Add>(|_| Ok(Add))).unwrap();
    let error = registry.register(NodeKind::of::<Add>(|_| Ok(Add))).unwrap_err();
    assert_eq!(error.to_string(), "node kind `Add`: is already registered");
    assert_eq!(registry.kinds().count(), 1);
}

#[test]
fn a_misspelt_kind_finds_the_one_that_was_meant() {
    let registry = registry(&Arc::new(Shared::default()));
    assert_eq!(registry.nearest("relais"), Some("Relay"));
    assert_eq!(registry.nearest("Encrypt"), None);
    assert!(registry.kind("relay").is_none());
}

#[test]
fn ports_are_the_fields_of_input_and_output() {
    let registry = registry(&Arc::new(Shared::default()));
    let names = |ports: &[Port]| -> Vec<(String, bool, bool)> {
        ports.iter().map(|port| (port.name().to_owned(), port.is_required(), port.is_record())).collect()
    };
    let add = registry.kind("Add").unwrap();
    assert_eq!(names(add.inputs()), [("left".to_owned(), true, false), ("right".to_owned(), false, false)]);
    assert_eq!(add.inputs()[0].schema()["type"], json!("integer"));
    let gate = registry.kind(Gate::KIND).unwrap();
    assert_eq!(
        names(gate.outputs()),
        [("decisions".to_owned(), true, true), ("trace".to_owned(), true, false)]
    );
    let number = registry.kind("Number").unwrap();
    let optional: Vec<&str> =
        number.outputs().iter().filter(|port| !port.is_required()).map(Port::name).collect();
    assert_eq!(optional, ["remainder"]);
    assert_eq!((number.effect(), number.inputs().len()), (Effect::Pure, 0));
}
