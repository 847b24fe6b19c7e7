//! The canonical form against examples, against serde_json as a second reader, and against its own laws.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::{MAX_SAFE_INTEGER, check_canonical, to_canonical};

#[track_caller]
fn check(value: &(impl Serialize + ?Sized), expected: &str) {
    let written = to_canonical(value).unwrap();
    assert_eq!(String::from_utf8(written.clone()).unwrap(), expected);
    check_canonical(&written).unwrap();
}

#[track_caller]
fn check_no_form(value: &(impl Serialize + ?Sized), why: &str) {
    let error = to_canonical(value).unwrap_err();
    assert_eq!(error.code(), "not_representable");
    assert!(error.to_string().contains(why), "{error}");
}

#[track_caller]
fn check_refused(text: &str, why: &str) {
    let error = check_canonical(text.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "not_canonical");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn keys_are_sorted_by_utf16_units_not_by_code_points() {
    let crab_before_private_use = json!({
        "\u{e000}": 7, "\u{1f980}": 6, "é": 5, "a": 4, "_": 3, "B": 2, "\n": 1, "": 0, "aa": 45
    });
    check(
        &crab_before_private_use,
        "{\"\":0,\"\\n\":1,\"B\":2,\"_\":3,\"a\":4,\"aa\":45,\"é\":5,\"\u{1f980}\":6,\"\u{e000}\":7}",
    );
    check_refused("{\"\u{e000}\":1,\"\u{1f980}\":2}", "key out of order");
}

#[test]
fn strings_are_escaped_only_where_they_must_be_and_in_the_shortest_way() {
    check(
        "\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{f}\u{10}\u{1f} \"\\/\u{7f}\u{80}\u{2028}é\u{1f980}",
        "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u000f\\u0010\\u001f \\\"\\\\/\u{7f}\u{80}\u{2028}é\u{1f980}\"",
    );
    check(&'"', r#""\"""#);
    for (text, why) in [
        (r#""\/""#, "no such escape"),
        (r#""\u000a""#, "shorter escape"),
        (r#""\u000B""#, "lower-case"),
        (r#""\u0020""#, "control characters"),
        (r#""\u00e9""#, "control characters"),
        (r#""\ud83d\ude00""#, "control characters"),
        ("\"\t\"", "must be escaped"),
        ("\"", "does not end"),
        ("\"\\", "does not end"),
    ] {
        check_refused(text, why);
    }
}

#[test]
fn keys_that_need_escapes_are_sorted_by_what_they_mean() {
    // Written, the quote begins with a backslash, which would sort after `#`.
    check(&json!({"#": 2, "\"": 1}), r##"{"\"":1,"#":2}"##);
}

#[test]
fn integers_are_exact_or_refused() {
    check(
        &json!([0, -1, 1, MAX_SAFE_INTEGER, -(MAX_SAFE_INTEGER as i64)]),
        "[0,-1,1,9007199254740992,-9007199254740992]",
    );
    check_no_form(&(MAX_SAFE_INTEGER + 1), "give it as a string");
    check_no_form(&(-(MAX_SAFE_INTEGER as i64) - 1), "beyond 2^53");
    check_no_form(&u64::MAX, "beyond 2^53");
    check_no_form(&i64::MIN, "beyond 2^53");
    check_no_form(&i128::MIN, "beyond 2^53");
    check_no_form(&u128::MAX, "beyond 2^53");
    for (text, why) in [
        ("-0", "shortest"),
        ("00", "shortest"),
        ("01", "shortest"),
        ("-", "shortest"),
        ("+1", "no value"),
        ("9007199254740993", "beyond 2^53"),
        ("-9007199254740993", "beyond 2^53"),
        ("99999999999999999999999999", "beyond 2^53"),
    ] {
        check_refused(text, why);
    }
}

#[test]
fn floats_are_refused_even_when_they_are_whole() {
    for float in [1.0, 0.5, -0.0, f64::NAN, f64::INFINITY] {
        check_no_form(&float, "float");
        check_no_form(&BTreeMap::from([("risk", [float])]), "float");
    }
    check_no_form(&1.0f32, "float");
    for text in ["1.0", "1e3", "1E3", "-1.5"] {
        check_refused(text, "float");
    }
}

#[test]
fn every_shape_of_serde_has_the_form_that_serde_json_gives_it() {
    #[derive(Serialize)]
    struct Record {
        zone: Option<&'static str>,
        bytes: Vec<u8>,
        action: Kind,
        nested: BTreeMap<u64, Kind>,
        shapes: (Kind, Kind, Kind, Unit, Wrapped),
        c: char,
    }
    #[derive(Serialize)]
    enum Kind {
        Plain,
        Holding(u8),
        Pair(u8, bool),
        Named { z: u8, a: () },
    }
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Wrapped(i8);
    let record = Record {
        zone: None,
        bytes: vec![1, 2],
        action: Kind::Named { z: 1, a: () },
        nested: BTreeMap::from([(10, Kind::Plain), (9, Kind::Holding(3))]),
        shapes: (Kind::Holding(1), Kind::Pair(2, true), Kind::Plain, Unit, Wrapped(-4)),
        c: 'c',
    };
    let expected = concat!(
        r#"{"action":{"Named":{"a":null,"z":1}},"bytes":[1,2],"c":"c","nested":{"10":"Plain","9":{"Holding":3}},"#,
        r#""shapes":[{"Holding":1},{"Pair":[2,true]},"Plain",null,-4],"zone":null}"#
    );
    check(&record, expected);
    check(&serde_json::to_value(&record).unwrap(), expected);
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let twice = Entries(vec![("b".into(), json!(1)), ("a".into(), json!(1)), ("b".into(), json!(2))]);
    check_no_form(&twice, "key `b` comes twice");
    let side_by_side = Entries(vec![("b".into(), json!(1)), ("b".into(), json!(1))]);
    check_no_form(&side_by_side, "key `b` comes twice");
    check_refused(r#"{"a":1,"a":1}"#, "key comes twice");
    check_refused(r#"{"\n":1,"\n":1}"#, "key comes twice");
}

#[test]
fn keys_that_are_not_text_are_refused() {
    check_no_form(&BTreeMap::from([(vec![1u8], 1)]), "must be text");
    check_no_form(&BTreeMap::from([((), 1)]), "must be text");
    check(&BTreeMap::from([(true, 1)]), r#"{"true":1}"#);
}

#[test]
fn a_writer_that_failed_inside_leaves_no_value() {
    check_no_form(&json!({"a": {"c": 1, "b": 1.5}}), "float");
}

#[test]
fn anything_but_the_one_spelling_is_refused() {
    for (text, why) in [
        ("", "too early"),
        (" 1", "blank"),
        ("1 ", "follows"),
        ("1\n", "follows"),
        ("{} {}", "follows"),
        ("[1, 2]", "blank"),
        ("[1,]", "no value"),
        ("[,1]", "no value"),
        ("[1", "expected `]`"),
        ("{\"a\":1", "expected `}`"),
        ("{\"a\" :1}", "expected `:`"),
        ("{a:1}", "expected `\"`"),
        ("{\"b\":1,\"a\":2}", "out of order"),
        ("{\"a\":1,}", "expected `\"`"),
        ("nul", "no value"),
        ("NaN", "no value"),
        ("\u{feff}1", "no value"),
        ("'a'", "no value"),
    ] {
        check_refused(text, why);
    }
    assert_eq!(check_canonical(&[b'"', 0xff, b'"']).unwrap_err().code(), "not_canonical");
}

#[test]
fn nesting_has_a_limit_on_both_ways() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    check_canonical(nested(64).as_bytes()).unwrap();
    check_refused(&nested(65), "nested too deep");
    check_refused(&nested(10_000), "nested too deep");
    check_refused(&"[".repeat(10_000), "nested too deep");
    check_refused(&"{\"a\":".repeat(10_000), "nested too deep");

    check(&Nested(64, Shape::Array), &nested(64));
    assert!(to_canonical(&Nested(64, Shape::Object)).is_ok());
    for shape in [Shape::Array, Shape::Object, Shape::Variant] {
        check_no_form(&Nested(65, shape), "nested deeper than 64");
        check_no_form(&Nested(10_000, shape), "nested deeper than 64");
    }
}

/// So many collections, each in the other.
struct Nested(usize, Shape);

#[derive(Clone, Copy)]
enum Shape {
    Array,
    Object,
    Variant,
}

impl Serialize for Nested {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = self.0.checked_sub(1).filter(|depth| *depth > 0).map(|depth| Self(depth, self.1));
        match self.1 {
            Shape::Array => serializer.collect_seq(inner),
            Shape::Object => serializer.collect_map(inner.map(|inner| ("a", inner))),
            Shape::Variant => serializer.serialize_newtype_variant("", 0, "A", &inner),
        }
    }
}

#[test]
fn the_limit_is_on_depth_not_on_how_much_was_written() {
    let wide: Vec<Value> = (0..200).map(|n| json!({ "b": [n], "a": { "c": n } })).collect();
    let written = to_canonical(&wide).unwrap();
    check_canonical(&written).unwrap();
}

/// A map whose entries come in the given order.
#[derive(Clone, Debug)]
struct Entries(Vec<(String, Value)>);

impl Serialize for Entries {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,3}",
        "[\\x00-\\x22a\\\\\u{7f}é\u{e000}\u{ffff}\u{10000}\u{1f980}]{0,4}",
        any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let safe = MAX_SAFE_INTEGER as i64;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-safe..=safe).prop_map(Value::from),
        (-3i64..=3).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What `check_canonical` promises, said with a second parser: reading and writing again changes nothing.
fn survives_a_round_trip(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes)
        .is_ok_and(|value| to_canonical(&value).is_ok_and(|again| again == bytes))
}

proptest! {
    #[test]
    fn what_is_written_is_canonical_and_means_the_same(value in any_value()) {
        let written = to_canonical(&value).unwrap();
        prop_assert!(check_canonical(&written).is_ok());
        let read: Value = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(to_canonical(&read).unwrap(), written);
    }

    #[test]
    fn the_order_of_keys_does_not_matter(
        (sorted, shuffled) in prop::collection::btree_map(any_text(), any_value(), 0..12)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle()))
    ) {
        prop_assert_eq!(to_canonical(&Entries(sorted)).unwrap(), to_canonical(&Entries(shuffled)).unwrap());
    }

    #[test]
    fn keys_come_out_in_utf16_order(keys in prop::collection::btree_set(any_text(), 0..12)) {
        let mut expected: Vec<String> = keys.iter().cloned().collect();
        expected.sort_by_key(|key| key.encode_utf16().collect::<Vec<_>>());
        let map: BTreeMap<&String, ()> = keys.iter().map(|key| (key, ())).collect();
        let parts: Vec<String> =
            expected.iter().map(|key| format!("{}:null", String::from_utf8(to_canonical(key).unwrap()).unwrap())).collect();
        let written = String::from_utf8(to_canonical(&map).unwrap()).unwrap();
        prop_assert_eq!(written, format!("{{{}}}", parts.join(",")));
    }

    #[test]
    fn the_check_accepts_exactly_what_survives_a_round_trip(
        value in any_value(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), edit_byte()), 0..4)
    ) {
        let mut bytes = to_canonical(&value).unwrap();
        for (at, is_insert, byte) in edits {
            let at = at.index(bytes.len() + 1);
            if is_insert { bytes.insert(at, byte); } else if at < bytes.len() { bytes[at] = byte; }
        }
        prop_assert_eq!(check_canonical(&bytes).is_ok(), survives_a_round_trip(&bytes));
    }

    #[test]
    fn no_bytes_make_the_check_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(check_canonical(&bytes).is_ok(), survives_a_round_trip(&bytes));
    }
}

fn edit_byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"{}[]:,\"\\u0019-. etnf\n".to_vec()), any::<u8>()]
}
