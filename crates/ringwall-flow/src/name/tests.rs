use super::{NodeId, RunId, hint, nearest, quoted, split_port};

#[track_caller]
fn check_nearest(name: &str, expected: Option<&str>) {
    assert_eq!(nearest(name, ["threats", "decisions", "anomalies"]), expected);
}

#[test]
fn a_misspelt_name_finds_the_name_that_was_meant() {
    check_nearest("threads", Some("threats"));
    check_nearest("trheats", Some("threats"));
    check_nearest("Decisions", Some("decisions"));
    check_nearest("anomaly", Some("anomalies"));
}

#[test]
fn a_name_near_to_nothing_finds_nothing() {
    check_nearest("verdict", None);
    check_nearest("", None);
    check_nearest(&"threats".repeat(1000), None);
}

#[test]
fn a_hint_names_the_nearest_or_else_everything_there_is() {
    assert_eq!(hint("lefft", "the inputs are", ["left", "right"]).unwrap(), "did you mean `left`?");
    assert_eq!(hint("x", "the inputs are", ["left", "right"]).unwrap(), "the inputs are: `left`, `right`");
    assert_eq!(hint("x", "the inputs are", []), None);
}

#[test]
fn a_node_id_has_no_dot_and_no_surprise() {
    for good in ["a", "threat_detector", "step-2", "9lives", &"a".repeat(64)] {
        assert_eq!(NodeId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", ".", "a.b", "_a", "a b", "ä", "a\n", &"a".repeat(65)] {
        assert!(NodeId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_run_id_is_visible_and_short() {
    for good in ["1", "2026-11-22/a.b:c", &"r".repeat(128)] {
        assert_eq!(RunId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "a b", "a\n", "ä", &"r".repeat(129)] {
        assert!(RunId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_port_is_written_with_its_node() {
    assert_eq!(split_port("a.b"), Some(("a", "b")));
    for bad in ["a", "a.", ".b", "."] {
        assert_eq!(split_port(bad), None);
    }
}

#[test]
fn a_quoted_text_is_short_and_cannot_forge_a_line() {
    assert_eq!(quoted("a\nb\u{1b}[0m"), "`a\\nb\\u{1b}[0m`");
    assert!(quoted(&"x".repeat(10_000)).chars().count() < 70);
}
