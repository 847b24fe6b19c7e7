use proptest::prelude::*;

use super::*;

#[track_caller]
fn read(json: &str) -> Attributes {
    serde_json::from_str(json).unwrap()
}

#[track_caller]
fn refuses(json: &str, message: &str) {
    let error = serde_json::from_str::<Attributes>(json).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn null_is_the_same_as_absent() {
    assert_eq!(read(r#"{"a":null,"b":1}"#), read(r#"{"b":1}"#));
    refuses(r#"{"a":[null]}"#, "`null` is no value of a list");
}

#[test]
fn a_name_given_twice_is_refused() {
    refuses(r#"{"role":"admin","role":"user"}"#, "attribute `role` is given twice");
    refuses(r#"{"role":null,"role":"user"}"#, "attribute `role` is given twice");
    refuses(r#"{"a":{"b":1,"b":1}}"#, "attribute `b` is given twice");
}

#[test]
fn what_nests_too_deep_is_refused_and_its_neighbour_is_read() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    read(&nested(ATTRIBUTE_DEPTH_MAX - 1));
    refuses(&nested(ATTRIBUTE_DEPTH_MAX), "nested deeper than 32");
    assert!(serde_json::from_str::<Attributes>(&nested(10_000)).is_err());
}

#[test]
fn what_is_too_large_is_refused_and_its_neighbour_is_read() {
    let list = |entries: usize| format!("{{\"a\":[{}]}}", vec!["1"; entries].join(","));
    read(&list(ATTRIBUTE_ENTRIES_MAX));
    refuses(&list(ATTRIBUTE_ENTRIES_MAX + 1), "more than 4096 entries");
    let text = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes));
    read(&text(TEXT_BYTES_MAX));
    refuses(&text(TEXT_BYTES_MAX + 1), "the limit is 65536");
}

#[test]
fn numbers_are_exact_or_refused() {
    refuses(r#"{"a":18446744073709551615}"#, "above the largest 64-bit signed integer");
    refuses(r#"{"a":18446744073709551616}"#, "does not fit into 64 bits");
    refuses(r#"{"a":1e999}"#, "number out of range");
    refuses(r#"{"a":NaN}"#, "expected value");
    assert_eq!(read(r#"{"a":3.0}"#), read(r#"{"a":3}"#));
    let big = Number::Integer(9_007_199_254_740_993);
    assert!(big > Number::from_f64(9_007_199_254_740_992.0).unwrap());
    assert!(Number::Integer(i64::MAX) < Number::from_f64(9.3e18).unwrap());
    assert!(Number::Integer(i64::MIN) > Number::from_f64(-9.3e18).unwrap());
    assert!(Number::from_f64(f64::NAN).is_err() && Number::from_f64(f64::INFINITY).is_err());
}

#[test]
fn a_path_goes_through_maps_only() {
    let attributes = read(r#"{"a":{"b":{"c":1}},"d":[1]}"#);
    assert_eq!(attributes.at(["a", "b", "c"]), Some(&Value::from(1)));
    assert_eq!(attributes.at(["a", "b", "c", "e"]), None);
    assert_eq!(attributes.at(["d", "0"]), None);
    assert_eq!(attributes.at([]), None);
}

proptest! {
    #[test]
    fn integers_and_fractions_are_ordered_like_numbers(a: i32, b in -1e9_f64..1e9) {
        let exact = f64::from(a).partial_cmp(&b).unwrap();
        prop_assert_eq!(Number::Integer(a.into()).cmp(&Number::from_f64(b).unwrap()), exact);
    }

    #[test]
    fn reading_any_text_never_panics(text in ".{0,200}") {
        let _ = serde_json::from_str::<Attributes>(&text);
    }
}
