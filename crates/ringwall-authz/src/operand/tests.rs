use ringwall_types::IpNetwork;

use super::*;

#[track_caller]
fn block(text: &str, shown: &str) {
    assert_eq!(text.parse::<IpNetwork>().unwrap().to_string(), shown);
}

#[track_caller]
fn no_block(text: &str) {
    assert!(text.parse::<IpNetwork>().is_err(), "{text}");
}

#[test]
fn an_address_block_has_one_spelling() {
    block("10.0.0.0/8", "10.0.0.0/8");
    block("10.0.0.1", "10.0.0.1/32");
    block("2001:DB8::/32", "2001:db8::/32");
    block("::ffff:10.0.0.0/104", "10.0.0.0/8");
    block("::ffff:10.0.0.1", "10.0.0.1/32");
    block("::ffff:0:0/96", "0.0.0.0/0");
    block("::/0", "::/0");
}

#[test]
fn what_is_no_address_block_is_refused() {
    for text in ["", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/8/8", "host/8"] {
        no_block(text);
    }
    // The mapped block of ninety-five bits would reach beyond IPv4.
    no_block("::ffff:0:0/95");
    no_block("10.0.0.1/8");
    no_block("2001:db8::1/32");
}

#[test]
fn elapsed_time_is_above_zero_and_bounded() {
    let days = |count: f64| Elapsed::new(Number::from_f64(count).unwrap(), 86_400);
    assert_eq!(days(0.5).unwrap().as_micros(), 43_200_000_000);
    assert!(days(3_652_500.0).is_ok());
    for count in [0.0, -1.0, 1e-12, 3_652_501.0, 1e300, -1e300] {
        assert!(days(count).is_err(), "{count}");
    }
}

#[test]
fn hours_are_whole_or_written_out() {
    let window = |start: &Value, end: &Value| HourWindow::new(start, end);
    assert!(window(&Value::from("08:30"), &Value::from(24)).is_ok());
    assert!(window(&Value::from("8:30"), &Value::from("24:00")).is_ok());
    let half = Value::Number(Number::from_f64(8.5).unwrap());
    for wrong in [half, Value::from(-1), Value::from(25), Value::from(true), Value::from("24:01")] {
        assert!(window(&wrong, &Value::from(9)).is_err(), "{wrong:?}");
        assert!(window(&Value::from(9), &wrong).is_err(), "{wrong:?}");
    }
    assert!(window(&Value::from("08:00:00"), &Value::from(9)).is_err());
    assert!(window(&Value::from("24:00"), &Value::from(9)).is_err());
    assert!(window(&Value::from("08:00"), &Value::from(8)).is_err());
}

#[test]
fn a_range_holds_one_kind_and_is_not_upside_down() {
    let number = |value: i64| Bound::Number(Number::Integer(value));
    let instant = Bound::from_value(&Value::from("2024-01-31T00:00:00Z")).unwrap();
    assert!(Range::new(number(1), number(1)).is_ok());
    assert!(Range::new(number(2), number(1)).is_err());
    assert!(Range::new(number(1), instant).is_err());
}
