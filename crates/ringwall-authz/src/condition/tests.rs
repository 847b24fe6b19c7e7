use super::Truth::{False, True};
use super::*;
use crate::operator::Operator;
use crate::tests::{NOON, at};

const MISTYPED: Truth = Truth::Undecided(Why::TypeError);
const OUT_OF_RANGE: Truth = Truth::Undecided(Why::OutOfRange);

/// Asks `operator` with the JSON `operand` of the JSON `value`, at noon UTC.
#[track_caller]
fn check(operator: &str, operand: &str, value: &str, expected: Truth) {
    check_in(Zone::UTC, operator, operand, value, expected);
}

#[track_caller]
fn check_in(zone: Zone, operator: &str, operand: &str, value: &str, expected: Truth) {
    let asked = ask(&test(operator, operand), &json(value), Case::Exact, &zone, at(NOON));
    assert_eq!(asked, expected, "{value} {operator} {operand}");
}

#[track_caller]
fn check_ignoring_case(operator: &str, operand: &str, value: &str, expected: Truth) {
    let asked = ask(&test(operator, operand), &json(value), Case::Ignore, &Zone::UTC, at(NOON));
    assert_eq!(asked, expected, "{value} {operator} {operand}");
}

#[track_caller]
fn test(operator: &str, operand: &str) -> Test {
    Test::new(Operator::from_name(operator).unwrap(), json(operand)).unwrap()
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn equals_compares_values_of_one_kind_exactly() {
    check("equals", r#""admin""#, r#""admin""#, True);
    check("equals", r#""admin""#, r#""non-admin""#, False);
    check("equals", "3", "3.0", True);
    check("equals", "9007199254740993", "9007199254740992", False);
    check("equals", "true", "1", MISTYPED);
    check("equals", "1", "true", MISTYPED);
    check("equals", "3", r#""3""#, MISTYPED);
    check("equals", r#""a""#, r#"["a"]"#, MISTYPED);
    check("equals", "true", "true", True);
}

#[test]
fn equals_compares_code_points_without_folding_or_normalizing() {
    check("equals", r#""Admin""#, r#""admin""#, False);
    check("equals", "\"\u{e9}\"", "\"e\u{301}\"", False);
    check("equals", r#""a""#, r#""a ""#, False);
    check("equals", r#""a""#, r#""a\n""#, False);
}

#[test]
fn equals_compares_lists_by_order_and_maps_by_name() {
    check("equals", r#"["a", "b"]"#, r#"["a", "b"]"#, True);
    check("equals", r#"["a", "b"]"#, r#"["b", "a"]"#, False);
    check("equals", r#"["a", 1]"#, r#"["a", "1"]"#, False);
    check("equals", r#"{"a": 1, "b": [2]}"#, r#"{"b": [2], "a": 1.0}"#, True);
    check("equals", r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, False);
}

#[test]
fn not_equals_needs_a_value_of_the_same_kind() {
    check("not_equals", r#""hr""#, r#""it""#, True);
    check("not_equals", r#""hr""#, r#""hr""#, False);
    check("not_equals", r#""hr""#, r#"["hr"]"#, MISTYPED);
    check("not_equals", "1", "true", MISTYPED);
    check("not_equals", "3", r#""3""#, MISTYPED);
    check("not_equals", "3", "4", True);
}

#[test]
fn in_takes_a_scalar_of_the_kind_of_its_list() {
    check("in", r#"["public", "internal"]"#, r#""internal""#, True);
    check("in", r#"["public", "internal"]"#, r#""intern""#, False);
    check("in", r#"["public"]"#, r#"["public"]"#, MISTYPED);
    check("in", r#"["3"]"#, "3", MISTYPED);
    check("in", "[1, 2]", "2.0", True);
    check("in", "[1, 2]", "true", MISTYPED);
    check("not_in", r#"["KP", "IR"]"#, r#""DE""#, True);
    check("not_in", r#"["KP", "IR"]"#, r#""IR""#, False);
    check("not_in", r#"["KP", "IR"]"#, r#"["IR"]"#, MISTYPED);
    check("not_in", r#"["3"]"#, "3", MISTYPED);
}

#[test]
fn contains_asks_a_list_for_an_element_and_a_text_for_a_part() {
    check("contains", r#""admin""#, r#"["admin", "ops"]"#, True);
    check("contains", r#""admin""#, r#"["non-admin"]"#, False);
    check("contains", r#""admin""#, "[]", False);
    check("contains", "3", r#"["3", 3.0]"#, True);
    check("contains", "3", r#"["3", true]"#, False);
    check("contains", r#""lytic""#, r#""analytics""#, True);
    check("contains", r#""Lytic""#, r#""analytics""#, False);
    check("contains", "3", r#""1234""#, MISTYPED);
    check("contains", r#""a""#, r#"{"a": 1}"#, MISTYPED);
    check("contains", "1", "12", MISTYPED);
    check("contains", "true", "true", MISTYPED);
}

#[test]
fn not_contains_needs_something_that_could_contain() {
    check("not_contains", r#""admin""#, r#"["non-admin"]"#, True);
    check("not_contains", r#""admin""#, r#"["admin"]"#, False);
    check("not_contains", r#""a""#, r#""xyz""#, True);
    check("not_contains", r#""a""#, r#"{"b": 1}"#, MISTYPED);
    check("not_contains", "3", r#""124""#, MISTYPED);
}

#[test]
fn intersects_never_wraps_a_text_in_a_list() {
    check("intersects", r#"["public", "research"]"#, r#"["raw", "research"]"#, True);
    check("intersects", r#"["public"]"#, r#"["raw"]"#, False);
    check("intersects", r#"["public"]"#, "[]", False);
    check("intersects", "[]", r#"["public"]"#, False);
    check("intersects", r#"["public"]"#, r#""public""#, MISTYPED);
    check("intersects", r#"[1]"#, r#"["1", true]"#, False);
    check("disjoint_from", r#"["public"]"#, r#"["raw"]"#, True);
    check("disjoint_from", r#"["public"]"#, "[]", True);
    check("disjoint_from", r#"["public"]"#, r#"["raw", "public"]"#, False);
    check("disjoint_from", r#"["public"]"#, r#""raw""#, MISTYPED);
}

#[test]
fn subset_and_superset_ignore_duplicates() {
    check("subset_of", r#"["read", "query"]"#, r#"["read", "read"]"#, True);
    check("subset_of", r#"["read", "query"]"#, "[]", True);
    check("subset_of", r#"["read", "query"]"#, r#"["read", "write"]"#, False);
    check("subset_of", r#"["read"]"#, r#""read""#, MISTYPED);
    check("superset_of", r#"["mfa", "vpn", "vpn"]"#, r#"["vpn", "mfa", "x"]"#, True);
    check("superset_of", r#"["mfa", "vpn"]"#, r#"["vpn"]"#, False);
    check("superset_of", r#"["mfa"]"#, r#""mfa""#, MISTYPED);
}

#[test]
fn order_compares_numbers_exactly_and_never_converts() {
    check("greater_than", "2", "3", True);
    check("greater_than", "2", "2", False);
    check("greater_than", "2", "2.0000001", True);
    check("greater_than", "2", r#""5""#, MISTYPED);
    check("greater_than", "0", "true", MISTYPED);
    check("greater_than", "9007199254740992", "9007199254740993", True);
    check("greater_than", "9223372036854775806", "9223372036854775807", True);
    check("less_than_or_equal", "5", "5", True);
    check("less_than_or_equal", "5", "5.1", False);
    check("less_than_or_equal", "5", "[5]", MISTYPED);
    check("less_than", "5", "5", False);
    check("less_than", "5", "-1", True);
    check("greater_than_or_equal", "5", "5.0", True);
    check("greater_than_or_equal", "5", "4.9", False);
}

#[test]
fn order_compares_moments_whatever_their_offset() {
    check("greater_than", r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T00:30:00+01:00""#, False);
    check("greater_than", r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T01:30:00+01:00""#, True);
    check("less_than_or_equal", r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T01:00:00+01:00""#, True);
    check("greater_than", r#""2024-01-01T00:00:00Z""#, "5", MISTYPED);
    check("greater_than", "5", r#""2024-01-01T00:00:00Z""#, MISTYPED);
    check("greater_than", r#""2024-01-01T00:00:00Z""#, r#""2024-01-02T00:00:00""#, MISTYPED);
}

#[test]
fn between_includes_both_ends() {
    for (value, expected) in [("1", True), ("3", True), ("2.5", True), ("0.99", False), ("3.01", False)] {
        check("between", "[1, 3]", value, expected);
    }
    check("between", "[2, 2]", "2", True);
    check("between", "[1, 3]", r#""2""#, MISTYPED);
    check("between", "[1, 3]", "true", MISTYPED);
    let january = r#"["2024-01-01T00:00:00Z", "2024-01-31T23:59:59Z"]"#;
    check("between", january, r#""2024-01-31T23:59:59Z""#, True);
    check("between", january, r#""2024-02-01T00:00:00Z""#, False);
    check("between", january, "7", MISTYPED);
}

#[test]
fn prefixes_and_suffixes_are_case_sensitive() {
    check("starts_with", r#""analyst@""#, r#""analyst@x.com""#, True);
    check("starts_with", r#""analyst@""#, r#""Analyst@x.com""#, False);
    check("ends_with", r#"".csv""#, r#""a.csv""#, True);
    check("ends_with", r#"".csv""#, r#""a.CSV""#, False);
    check("ends_with", r#"".csv""#, r#""a.csv\n""#, False);
    check("starts_with", r#""a""#, r#"["a"]"#, MISTYPED);
    check("ends_with", r#""3""#, "3", MISTYPED);
}

#[test]
fn ignoring_case_folds_text_at_any_depth_and_nothing_else() {
    check_ignoring_case("equals", r#""Admin""#, r#""aDMIN""#, True);
    check_ignoring_case("not_equals", r#""Admin""#, r#""ADMIN""#, False);
    check_ignoring_case("in", r#"["KP", "IR"]"#, r#""ir""#, True);
    check_ignoring_case("not_in", r#"["KP", "IR"]"#, r#""ir""#, False);
    check_ignoring_case("contains", r#""admin""#, r#"["ADMIN"]"#, True);
    check_ignoring_case("contains", r#""admin""#, r#"["NON-ADMIN"]"#, False);
    check_ignoring_case("ends_with", r#"".csv""#, r#""A.CSV""#, True);
    check_ignoring_case("starts_with", "\"\u{3a3}\"", "\"\u{3c3}x\"", True);
    check_ignoring_case("starts_with", "\"a\u{3a3}\"", "\"A\u{3a3}B\"", True);
    check_ignoring_case("equals", r#"{"a": ["X"]}"#, r#"{"a": ["x"]}"#, True);
    check_ignoring_case("equals", r#"{"a": 1}"#, r#"{"A": 1}"#, False);
    check_ignoring_case("equals", "3", r#""3""#, MISTYPED);
}

#[test]
fn hours_include_both_ends_to_the_second() {
    for (time, expected) in [
        ("08:00:00", True),
        ("8:00", True),
        ("18:00:00", True),
        ("18:00", True),
        ("18:00:01", False),
        ("18:30", False),
        ("07:59:59", False),
        ("2024-01-31T18:00:00Z", True),
        ("2024-01-31T18:00:00.000001Z", False),
    ] {
        check("within_hours", "[8, 18]", &format!("\"{time}\""), expected);
    }
}

#[test]
fn hours_wrap_over_midnight_when_they_end_before_they_start() {
    for (time, expected) in [
        ("22:00", True),
        ("23:30", True),
        ("00:00", True),
        ("06:00", True),
        ("06:00:01", False),
        ("12:00", False),
    ] {
        check("within_hours", "[22, 6]", &format!("\"{time}\""), expected);
    }
    check("within_hours", r#"["22:30", "06:15"]"#, r#""22:29:59""#, False);
    check("within_hours", r#"["22:30", "06:15"]"#, r#""06:15""#, True);
}

#[test]
fn zero_to_twenty_four_hours_is_always() {
    for time in ["00:00", "12:00", "23:59:59", "2024-01-31T23:59:59.999999Z"] {
        check("within_hours", "[0, 24]", &format!("\"{time}\""), True);
    }
    check("within_hours", "[22, 24]", r#""23:59:59""#, True);
    check("within_hours", "[22, 24]", r#""00:00""#, False);
    check("within_hours", "[22, 0]", r#""00:00""#, True);
}

#[test]
fn what_is_no_time_of_day_is_mistyped() {
    for value in ["9", "true", r#""noon""#, r#""24:00""#, r#""9""#, r#""12:60""#, r#""12:5""#, r#""+9:00""#] {
        check("within_hours", "[0, 24]", value, MISTYPED);
    }
    check("within_hours", "[0, 24]", r#""12:00:00:00""#, MISTYPED);
    check("within_hours", "[0, 24]", r#""2024-01-31T12:00:00""#, MISTYPED);
    check("within_hours", "[0, 24]", r#"["12:00"]"#, MISTYPED);
}

#[test]
fn moments_are_converted_to_the_zone_and_clock_times_are_taken_in_it() {
    let berlin = || "Europe/Berlin".parse::<Zone>().unwrap();
    check_in(berlin(), "within_hours", "[8, 18]", r#""2024-01-31T07:00:00Z""#, True);
    check_in(berlin(), "within_hours", "[8, 18]", r#""2024-01-31T06:59:59Z""#, False);
    check_in(berlin(), "within_hours", "[8, 18]", r#""2024-01-31T17:00:01Z""#, False);
    check_in(berlin(), "within_hours", "[8, 18]", r#""08:00""#, True);
    check_in(berlin(), "within_hours", "[8, 18]", r#""07:00""#, False);
}

#[test]
fn hours_follow_the_wall_clock_through_summer_time() {
    let berlin = || "Europe/Berlin".parse::<Zone>().unwrap();
    // The same 07:00 of the wall clock lies an hour earlier in summer.
    check_in(berlin(), "within_hours", "[7, 8]", r#""2024-03-30T06:00:00Z""#, True);
    check_in(berlin(), "within_hours", "[7, 8]", r#""2024-03-31T05:00:00Z""#, True);
    check_in(berlin(), "within_hours", "[7, 8]", r#""2024-03-30T05:00:00Z""#, False);
    // 02:30 happens twice when summer time ends, and not at all when it begins.
    check_in(berlin(), "within_hours", r#"["02:15", "02:45"]"#, r#""2024-10-27T00:30:00Z""#, True);
    check_in(berlin(), "within_hours", r#"["02:15", "02:45"]"#, r#""2024-10-27T01:30:00Z""#, True);
    check_in(berlin(), "within_hours", r#"["02:15", "02:45"]"#, r#""2024-03-31T01:30:00Z""#, False);
}

#[test]
fn days_are_total_elapsed_time_with_the_last_moment_included() {
    check("within_days", "7", r#""2024-01-24T12:00:00Z""#, True);
    check("within_days", "7", r#""2024-01-24T11:59:59.999999Z""#, False);
    check("within_days", "7", r#""2024-01-24T13:00:00+01:00""#, True);
    check("within_days", "0.5", r#""2024-01-31T00:00:00Z""#, True);
    check("within_days", "0.5", r#""2024-01-31""#, True);
    check("within_days", "0.4", r#""2024-01-31""#, False);
    check("within_minutes", "15", r#""2024-01-31T11:45:00Z""#, True);
    check("within_minutes", "15", r#""2024-01-31T11:44:59Z""#, False);
    check("within_minutes", "15", r#""2024-01-30T11:50:00Z""#, False);
}

#[test]
fn a_minute_ahead_is_now_and_later_is_undecided() {
    check("within_days", "7", r#""2024-01-31T12:01:00Z""#, True);
    check("within_days", "7", r#""2024-01-31T12:01:00.000001Z""#, OUT_OF_RANGE);
    check("within_minutes", "1", r#""2024-01-31T12:00:30Z""#, True);
    check("within_minutes", "1", r#""2025-01-31T12:00:00Z""#, OUT_OF_RANGE);
}

#[test]
fn what_is_no_moment_is_mistyped() {
    let values = [
        "1706700000",
        "true",
        r#""12:00""#,
        r#""2024-01-31T10:00:00""#,
        r#""20240131""#,
        r#""2024-13-01""#,
        "[]",
    ];
    for value in values {
        check("within_days", "7", value, MISTYPED);
        check("within_minutes", "7", value, MISTYPED);
        check("before", r#""2030-01-01""#, value, MISTYPED);
    }
}

#[test]
fn before_and_after_leave_their_own_moment_out() {
    let noon = r#""2024-01-31T12:00:00Z""#;
    check("before", noon, r#""2024-01-31T11:59:59Z""#, True);
    check("before", noon, noon, False);
    check("after", noon, noon, False);
    check("after", noon, r#""2024-01-31T13:00:01+01:00""#, True);
    check("after", r#""2024-01-31""#, r#""2024-01-31T00:00:00Z""#, False);
    check("after", r#""2024-01-31""#, r#""2024-01-31T00:00:01Z""#, True);
    check("after", r#""2024-01-31""#, r#""2024-02-01""#, True);
}

#[test]
fn an_address_has_one_spelling() {
    check("ip_in", r#""10.0.0.0/8""#, r#""10.255.0.1""#, True);
    check("ip_in", r#""10.0.0.0/8""#, r#""11.0.0.1""#, False);
    check("ip_in", r#""10.0.0.0/8""#, r#""::ffff:10.1.2.3""#, True);
    check("ip_in", r#""::ffff:10.0.0.0/104""#, r#""10.1.2.3""#, True);
    check("ip_in", r#"["192.0.2.7", "2001:db8::/32"]"#, r#""2001:DB8:0::1""#, True);
    check("ip_in", r#"["192.0.2.7", "2001:db8::/32"]"#, r#""192.0.2.7""#, True);
    check("ip_in", r#"["192.0.2.7", "2001:db8::/32"]"#, r#""192.0.2.8""#, False);
    check("ip_in", r#""0.0.0.0/0""#, r#""203.0.113.9""#, True);
    check("ip_in", r#""0.0.0.0/0""#, r#""2001:db8::1""#, False);
    check("ip_in", r#""::/0""#, r#""203.0.113.9""#, False);
    check("ip_in", r#""::/0""#, r#""::ffff:203.0.113.9""#, False);
    check("ip_in", r#""::/0""#, r#""2001:db8::1""#, True);
    for value in [r#""10.0.0.1/32""#, r#""010.0.0.1""#, r#""localhost""#, "1", r#"["10.0.0.1"]"#, r#""10.1""#]
    {
        check("ip_in", r#""10.0.0.0/8""#, value, MISTYPED);
    }
}
