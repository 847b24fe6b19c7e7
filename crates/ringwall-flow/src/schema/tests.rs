use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{explain, fits};

fn given<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn taken<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>().to_value()
}

#[track_caller]
fn accepts<From: JsonSchema, To: JsonSchema>() {
    if let Err(misfit) = fits(&given::<From>(), &taken::<To>()) {
        panic!("{misfit}\n{:#}\n{:#}", given::<From>(), taken::<To>());
    }
}

#[track_caller]
fn refuses<From: JsonSchema, To: JsonSchema>(reason: &str) {
    let misfit = fits(&given::<From>(), &taken::<To>()).expect_err("should not fit");
    assert!(misfit.to_string().contains(reason), "{misfit}");
}

#[track_caller]
fn check(source: Value, target: Value, expected: bool) {
    let answer = fits(&source, &target);
    assert_eq!(answer.is_ok(), expected, "{source} to {target}: {answer:?}");
}

#[allow(dead_code, reason = "only their schemas are used")]
mod types {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Event {
        /// Who.
        pub(super) who: String,
        pub(super) severity: Severity,
        pub(super) note: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum Severity {
        /// Not much.
        Low,
        High,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum WiderSeverity {
        Low,
        High,
        Critical,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Named {
        pub(super) who: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub(super) struct OnlyNamed {
        pub(super) who: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Numbered {
        pub(super) who: u32,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub(super) enum Shape {
        Circle { radius: f64 },
        Square { side: f64 },
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub(super) enum RoundShape {
        Circle { radius: f64 },
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Tree {
        pub(super) label: String,
        pub(super) children: Vec<Tree>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct OtherTree {
        pub(super) label: String,
        pub(super) children: Vec<OtherTree>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct NumberTree {
        pub(super) label: u8,
        pub(super) children: Vec<NumberTree>,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct MayLack {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) who: Option<String>,
    }

    /// A wrapper, so that the tree is reached through a reference.
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Holds<T> {
        pub(super) inner: T,
    }
}

use types::*;

#[test]
fn numbers_fit_where_every_value_has_room() {
    accepts::<i32, i64>();
    accepts::<u8, u16>();
    accepts::<u32, i64>();
    accepts::<u64, f64>();
    accepts::<f64, f32>();
    refuses::<i64, i32>("may be below");
    refuses::<i64, u64>("may be below 0");
    refuses::<u64, i64>("may be above");
    refuses::<u16, u8>("may be above 255");
    refuses::<f64, i64>("found `number`, expected `integer`");
}

#[test]
fn null_fits_only_where_null_is_accepted() {
    accepts::<Option<String>, Option<String>>();
    accepts::<String, Option<String>>();
    refuses::<Option<String>, String>("found `null`, expected `string`");
    accepts::<Option<Event>, Option<Event>>();
    refuses::<Option<Event>, Event>("found `null`");
}

#[test]
fn anything_accepts_everything_and_fits_nothing_narrower() {
    accepts::<Event, Value>();
    accepts::<Value, Value>();
    refuses::<Value, Event>("may be any value");
    refuses::<Vec<Value>, Vec<String>>("at `[]`: may be any value, expected `string`");
    accepts::<Vec<String>, Vec<Value>>();
}

#[test]
fn records_fit_by_the_fields_that_are_needed() {
    accepts::<Event, Event>();
    accepts::<Event, Named>();
    refuses::<Event, OnlyNamed>("is not accepted here");
    refuses::<Named, Event>("`.severity`: is missing");
    refuses::<Named, Numbered>("`.who`: found `string`, expected `integer`");
    refuses::<MayLack, Named>("`.who`: may be missing");
    accepts::<Vec<Event>, Vec<Named>>();
    refuses::<Vec<Named>, Vec<Numbered>>("at `[].who`");
}

#[test]
fn maps_fit_by_their_values() {
    accepts::<BTreeMap<String, u8>, BTreeMap<String, u32>>();
    refuses::<BTreeMap<String, String>, BTreeMap<String, u32>>("at `.*`");
    accepts::<Named, BTreeMap<String, String>>();
    refuses::<Event, BTreeMap<String, String>>("");
    refuses::<BTreeMap<String, String>, Named>("may be missing");
    refuses::<BTreeMap<String, String>, OnlyNamed>("");
}

#[test]
fn an_enum_fits_where_each_of_its_cases_does() {
    accepts::<Severity, WiderSeverity>();
    refuses::<WiderSeverity, Severity>("");
    accepts::<Severity, String>();
    refuses::<String, Severity>("");
    accepts::<Shape, Shape>();
    accepts::<RoundShape, Shape>();
    refuses::<Shape, RoundShape>("");
}

#[test]
fn tuples_fit_by_place() {
    accepts::<(u8, String), (u32, String)>();
    accepts::<(u8, u8), Vec<u32>>();
    refuses::<(u8, String), (String, u8)>("at `[0]`");
    refuses::<(u8, u8), (u8, u8, u8)>("may be below 3");
    refuses::<Vec<u8>, (u8, u8)>("may be below 2");
}

#[test]
fn recursive_types_are_compared_once_around() {
    accepts::<Holds<Tree>, Holds<OtherTree>>();
    refuses::<Holds<Tree>, Holds<NumberTree>>("found `string`, expected `integer`");
    accepts::<Tree, Value>();
}

#[test]
fn bounds_fit_when_they_are_at_least_as_narrow() {
    let text = |low: u64, high: u64| json!({ "type": "string", "minLength": low, "maxLength": high });
    check(text(2, 3), text(1, 4), true);
    check(text(1, 4), text(2, 3), false);
    check(json!({ "type": "string" }), text(0, 4), false);
    check(json!({ "type": "string" }), json!({ "type": "string", "minLength": 0 }), true);
    check(json!({ "const": "abc" }), text(3, 3), true);
    check(json!({ "const": "abcd" }), text(3, 3), false);
    check(json!({ "const": 7 }), json!({ "type": "integer", "format": "uint8", "minimum": 7 }), true);
}

#[test]
fn what_cannot_be_decided_is_no_fit_unless_both_say_the_same() {
    let dated = json!({ "type": "string", "format": "date-time" });
    check(dated.clone(), json!({ "type": "string" }), true);
    check(dated.clone(), dated.clone(), true);
    check(json!({ "type": "string" }), dated, false);
    let not = json!({ "type": "string", "not": { "const": "x" } });
    check(not.clone(), not.clone(), true);
    check(json!({ "type": "string" }), not, false);
    check(json!({ "type": "string" }), json!({ "$ref": "#/$defs/nowhere" }), false);
    check(json!({ "$ref": "#/$defs/nowhere" }), json!(true), true);
}

#[test]
fn a_failed_alternative_leaves_no_trace_in_the_next() {
    let looping = json!({ "$defs": { "L": { "anyOf": [{ "$ref": "#/$defs/L" }, { "type": "string" }] } },
                          "$ref": "#/$defs/L" });
    check(json!({ "type": "string" }), looping.clone(), true);
    check(json!({ "type": "integer" }), looping, false);
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let snake = json!({ "$defs": { "S": { "$ref": "#/$defs/S" } }, "$ref": "#/$defs/S" });
    check(json!({ "type": "string" }), snake.clone(), false);
    check(snake, json!({ "type": "string" }), false);
}

#[test]
fn an_explanation_names_the_place_and_never_the_value() {
    let value = json!({ "who": "hunter2", "severity": "hunter2", "note": null });
    let told = explain(&value, &taken::<Event>()).unwrap().to_string();
    assert!(told.contains(".severity") && !told.contains("hunter2"), "{told}");
    let value = json!({ "who": "hunter2", "severity": "low", "note": ["hunter2"] });
    let told = explain(&value, &taken::<Event>()).unwrap().to_string();
    assert!(told.contains(".note") && !told.contains("hunter2"), "{told}");
    assert_eq!(explain(&json!({ "who": "a", "severity": "low" }), &taken::<Event>()), None);
}
