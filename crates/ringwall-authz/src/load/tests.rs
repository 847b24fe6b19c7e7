use proptest::prelude::*;
use ringwall_types::Value;

use super::*;
use crate::error::LoadError;
use crate::operator::Test;
use crate::tests::set;

/// Every feature of the format once.
const FULL: &str = r#"
combining: priority
timezone: Europe/Berlin
policies:
  - id: night-shift
    name: Night shift
    description: Operators may restart services at night.
    effect: ALLOW
    priority: -5
    match_all: false
    timezone: America/New_York
    obligations:
      - {type: log_access}
      - {type: mask_fields, fields: [a.b]}
    conditions:
      user.roles: {contains: Operator, ignore_case: true}
      environment.time: {within_hours: ["22:00", 6], timezone: Asia/Tokyo}
      user.risk: {greater_than_or_equal: 0, less_than: 0.5, default: 0.1}
  - {id: freeze, effect: deny}
"#;

#[track_caller]
fn errors(yaml: &str) -> Vec<LoadError> {
    PolicySet::from_yaml(yaml).unwrap_err().iter().cloned().collect()
}

/// The text has exactly one mistake, which is told so.
#[track_caller]
fn refuses(yaml: &str, kind: LoadErrorKind, told: &str) {
    let errors = errors(yaml);
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, told));
}

/// The conditions of one allow have exactly one mistake, which is told so behind its place.
#[track_caller]
fn refuses_condition(conditions: &str, kind: LoadErrorKind, told: &str) {
    let errors = errors(&format!("policies: [{{id: p, effect: allow, conditions: {conditions}}}]"));
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(error.position().is_some(), "{text}");
    assert_eq!(text.split_once("policy `p`: ").unwrap().1, told);
}

#[track_caller]
fn accepts_condition(conditions: &str) -> Policy {
    set(&format!("policies: [{{id: p, effect: allow, conditions: {conditions}}}]")).policies()[0].clone()
}

#[test]
fn a_document_is_read_to_the_last_key() {
    let set = set(FULL);
    assert_eq!((set.combining(), set.timezone().name()), (Combining::Priority, "Europe/Berlin"));
    let [freeze, night] = set.policies() else { panic!("{set:?}") };
    assert_eq!((freeze.id.as_str(), freeze.effect, freeze.priority), ("freeze", Effect::Deny, 0));
    assert_eq!((night.name.as_str(), night.effect, night.priority), ("Night shift", Effect::Allow, -5));
    assert_eq!(night.description, "Operators may restart services at night.");
    assert_eq!(night.timezone.as_ref().unwrap().name(), "America/New_York");
    let masked = Obligation::MaskFields { fields: vec!["a.b".into()] };
    assert_eq!(night.obligations, [Obligation::LogAccess {}, masked]);
    let [roles, time, low, high] = night.conditions.as_slice() else { panic!("{night:?}") };
    assert!(roles.ignore_case && !time.ignore_case);
    assert_eq!(time.timezone.as_ref().unwrap().name(), "Asia/Tokyo");
    assert!(matches!(low.test, Test::GreaterThanOrEqual(_)) && matches!(high.test, Test::LessThan(_)));
    assert_eq!(low.path, high.path);
    assert!(low.default.is_some() && low.default == high.default && roles.default.is_none());
}

#[test]
fn json_is_read_like_yaml() {
    let json = r#"{
	"policies": [{"id": "a", "effect": "allow", "conditions": {"user.role": {"in": ["x", "\u00e9\/\n"]}}}],
	"combining": "deny_overrides"}"#;
    let yaml = "policies: [{id: a, effect: allow, conditions: {user.role: {in: [x, \"é/\\n\"]}}}]";
    assert_eq!(set(json), set(yaml));
}

#[test]
fn a_typo_in_an_operator_is_told_with_its_line_and_the_nearest_name() {
    let yaml = "policies:\n  - id: a\n    effect: allow\n    conditions:\n      user.role: {equal: admin}\n";
    let told = "line 5, column 19: policy `a`: `user.role`: `equal`: operator `equal` is unknown; \
                did you mean `equals`?";
    refuses(yaml, LoadErrorKind::UnknownOperator, told);
    let error = &errors(yaml)[0];
    assert_eq!((error.policy(), error.index(), error.path()), (Some("a"), Some(0), Some("user.role")));
    assert_eq!((error.operator(), error.nearest()), (Some("equal"), Some("equals")));
    assert_eq!(error.position().map(|position| (position.line, position.column)), Some((5, 19)));
}

#[test]
fn all_errors_are_told_at_once_each_with_its_place() {
    let yaml = r#"
combinig: priority
timezone: Europe/Berlni
policies:
  - id: a
    effect: alow
    conditions:
      usr.role: {equals: admin}
      user.role: {equls: admin, in: []}
      user.age: {between: [3, 1]}
  - id: a
    effect: deny
    priority: high
    conditions:
      user.x: {equals: null}
      user.y: {starts_with: 3}
  - effect: allow
    effect: allow
  - 7
  - id: open
    effect: allow
"#;
    let found: Vec<_> = errors(yaml)
        .iter()
        .map(|error| (error.position().unwrap().line, error.kind(), error.nearest().map(str::to_owned)))
        .collect();
    use LoadErrorKind as K;
    let near = |name: &str| Some(name.to_owned());
    let expected = vec![
        (2, K::UnknownKey, near("combining")),
        (3, K::UnknownZone, near("Europe/Berlin")),
        (6, K::UnknownEffect, near("allow")),
        (8, K::UnknownRoot, near("user")),
        (9, K::UnknownOperator, near("equals")),
        (9, K::InvalidOperand, None),
        (10, K::InvalidOperand, None),
        (11, K::DuplicatePolicy, None),
        (13, K::WrongType, None),
        (15, K::NullOperand, None),
        (16, K::InvalidOperand, None),
        (18, K::DuplicateKey, None),
        (17, K::MissingKey, None),
        (19, K::WrongType, None),
        (20, K::UnguardedAllow, None),
    ];
    assert_eq!(found, expected);
}

#[test]
fn operands_without_a_meaning_are_refused() {
    use LoadErrorKind::{InvalidOperand, NullOperand};
    let operand = |conditions: &str, told: &str| refuses_condition(conditions, InvalidOperand, told);
    refuses_condition(
        "{user.a: {equals: null}}",
        NullOperand,
        "`user.a`: `equals`: null is no operand; ask with `exists`",
    );
    refuses_condition(
        "{user.a: {in: [a, ~]}}",
        NullOperand,
        "`user.a`: `in`: null is no operand; ask with `exists`",
    );
    operand("{user.a: {in: []}}", "`user.a`: `in`: operand: an empty list is never met");
    operand("{user.a: {in: a}}", "`user.a`: `in`: operand: must be a list, not text");
    operand("{user.a: {in: [a, 1]}}", "`user.a`: `in`: operand: the list mixes kinds: a number beside text");
    operand("{user.a: {contains: ''}}", "`user.a`: `contains`: operand: every text contains the empty text");
    operand(
        "{user.a: {contains: [a]}}",
        "`user.a`: `contains`: operand: must be one number, text, or true or false, not a list",
    );
    operand("{user.a: {between: [2, 1]}}", "`user.a`: `between`: operand: the low end is above the high end");
    operand("{user.a: {between: [1]}}", "`user.a`: `between`: operand: must be a list of exactly two ends");
    operand("{user.a: {exists: 1}}", "`user.a`: `exists`: operand: must be true or false, not a number");
    operand(
        "{user.a: {within_hours: [24, 6]}}",
        "`user.a`: `within_hours`: operand: 24 is the end of a day; start at 0",
    );
    operand(
        "{user.a: {within_hours: [8, 8]}}",
        "`user.a`: `within_hours`: operand: start and end are the same; the whole day is [0, 24]",
    );
    operand(
        "{user.a: {equals: 99999999999999999999}}",
        "`user.a`: `equals`: the number is not finite or beyond 64-bit integers; give it as text",
    );
    operand(
        "{user.a: {less_than: .nan}}",
        "`user.a`: `less_than`: the number is not finite or beyond 64-bit integers; give it as text",
    );
    operand(
        "{user.a: {ip_in: 10.0.0.1/8}}",
        "`user.a`: `ip_in`: network: `10.0.0.1/8` has bits beyond its prefix; the network is `10.0.0.0/8`",
    );
}

#[test]
fn operators_of_later_versions_are_refused_by_name() {
    for name in ["matches_pattern", "satisfies_expression", "custom_function", "glob"] {
        refuses_condition(
            &format!("{{user.a: {{{name}: x}}}}"),
            LoadErrorKind::UnsupportedOperator,
            &format!("`user.a`: `{name}`: operator `{name}` is not supported in this version"),
        );
    }
}

#[test]
fn a_path_is_a_root_and_names() {
    accepts_condition(&format!("{{user{}: {{exists: true}}}}", ".a".repeat(16)));
    refuses_condition(
        &format!("{{user{}: {{exists: true}}}}", ".a".repeat(17)),
        LoadErrorKind::InvalidName,
        &format!("`user{}`: attribute path: has 17 names, the limit is 16", ".a".repeat(17)),
    );
    for path in ["user", "user.", "user..a", "user.a."] {
        let told = format!("`{path}`: attribute path: needs a name behind `user` and behind every dot");
        refuses_condition(&format!("{{{path}: {{exists: true}}}}"), LoadErrorKind::InvalidName, &told);
    }
    refuses_condition(
        "{User.a: {exists: true}}",
        LoadErrorKind::UnknownRoot,
        "`User.a`: root `User` is unknown; a path begins with user, resource, environment, action; \
         did you mean `user`?",
    );
}

#[test]
fn a_modifier_needs_an_operator_that_can_use_it() {
    use LoadErrorKind::InvalidModifier;
    accepts_condition("{user.a: {greater_than: 1, equals: 2, ignore_case: true}}");
    refuses_condition(
        "{user.a: {greater_than: 1, ignore_case: true}}",
        InvalidModifier,
        "`user.a`: `ignore_case`: no operator beside it compares text",
    );
    refuses_condition(
        "{user.a: {before: 2024-01-01, timezone: UTC}}",
        InvalidModifier,
        "`user.a`: `timezone`: no operator beside it reads a wall clock",
    );
    refuses_condition(
        "{user.a: {exists: true, default: 1}}",
        InvalidModifier,
        "`user.a`: `default`: `exists` asks for the attribute itself, so a default has no use",
    );
    refuses_condition(
        "{user.a: {equals: admin, default: 1}}",
        InvalidModifier,
        "`user.a`: `default`: the default is of a kind that `equals` cannot take",
    );
    refuses_condition(
        "{user.a: {default: 1}}",
        LoadErrorKind::MissingKey,
        "`user.a`: has no operator, so it would always hold",
    );
    refuses_condition(
        "{user.a: {}}",
        LoadErrorKind::MissingKey,
        "`user.a`: has no operator, so it would always hold",
    );
    let mixed = accepts_condition("{user.a: {exists: true, equals: x, default: x}}");
    assert!(mixed.conditions[0].default.is_none() && mixed.conditions[1].default.is_some());
}

#[test]
fn texts_of_other_makers_are_read_alike() {
    let plain = set(FULL);
    assert_eq!(set(&FULL.replace('\n', "\r\n")), plain);
    assert_eq!(set(&format!("\u{feff}{FULL}")), plain);
    let escaped = accepts_condition(r#"{"user.a": {"equals": "\ud83d\ude00"}}"#);
    assert_eq!(escaped, accepts_condition("{user.a: {equals: \u{1f600}}}"));
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_its_key() {
    for (key, told) in [
        ("effect: 7", "`effect` must be text, not a number"),
        ("effect: deny, name: [x]", "`name` must be text, not a list"),
        ("effect: deny, description: ~", "`description` must be text, not null"),
        ("effect: deny, priority: 1.5", "`priority` must be a whole number of 32 bits, not a number"),
        ("effect: deny, priority: 2147483648", "`priority` must be a whole number of 32 bits, not a number"),
        ("effect: deny, match_all: 'yes'", "`match_all` must be true or false, not text"),
        ("effect: deny, timezone: 1", "`timezone` must be text, not a number"),
        ("effect: deny, obligations: {}", "`obligations` must be a list, not a map"),
    ] {
        let errors = errors(&format!("policies: [{{id: a, {key}}}]"));
        assert_eq!(errors.iter().map(LoadError::message).collect::<Vec<_>>(), [told]);
    }
    assert_eq!(errors("policies: []\ncombining: 1")[0].message(), "`combining` must be text, not a number");
}

#[test]
fn errors_cross_a_door_as_json() {
    let errors = PolicySet::from_yaml("policies: [{id: a, effect: alow}]").unwrap_err();
    let expected = serde_json::json!({"omitted": 0, "errors": [{
        "kind": "unknown_effect", "message": "effect `alow` is neither allow nor deny", "nearest": "allow",
        "policy": "a", "index": 0, "line": 1, "column": 28
    }]});
    assert_eq!(serde_json::to_value(errors).unwrap(), expected);
}

#[test]
fn an_allow_for_everybody_must_be_meant_and_a_kill_switch_need_not() {
    let told = "line 1, column 12: policy `p`: an allow without conditions allows everything; \
                say `match_all: true` if that is meant";
    refuses("policies: [{id: p, effect: allow}]", LoadErrorKind::UnguardedAllow, told);
    refuses("policies: [{id: p, effect: allow, conditions: {}}]", LoadErrorKind::UnguardedAllow, told);
    set("policies: [{id: p, effect: allow, match_all: true}]");
    set("policies: [{id: p, effect: deny}]");
}

#[test]
fn a_document_is_one_map_with_policies() {
    use LoadErrorKind::{MissingKey, WrongType};
    let missing = "`policies` is missing; a set without policies says `policies: []`";
    refuses("{}", MissingKey, &format!("line 1, column 1: {missing}"));
    refuses("[]", WrongType, "line 1, column 1: a policy document must be a map, not a list");
    assert_eq!(errors("")[0].kind(), WrongType);
    refuses("policies: {}", WrongType, "line 1, column 11: `policies` must be a list, not a map");
    assert!(set("policies: []").is_empty());
    assert_eq!(errors("policies: []\n---\npolicies: []")[0].kind(), LoadErrorKind::Syntax);
}

#[test]
fn a_key_given_twice_is_refused_at_any_depth() {
    for yaml in [
        "policies: []\npolicies: []",
        "policies: [{id: a, id: b, effect: deny}]",
        "policies: [{id: a, effect: deny, conditions: {user.a: {exists: true}, user.a: {exists: false}}}]",
        "policies: [{id: a, effect: deny, conditions: {user.a: {equals: 1, equals: 2}}}]",
        "policies: [{id: a, effect: deny, conditions: {user.a: {equals: {x: [{y: 1, y: 2}]}}}}]",
        r#"{"policies": [{"id": "a", "effect": "deny", "effect": "deny"}]}"#,
    ] {
        let errors = errors(yaml);
        assert_eq!(
            errors.iter().map(LoadError::kind).collect::<Vec<_>>(),
            [LoadErrorKind::DuplicateKey],
            "{yaml}"
        );
    }
}

#[test]
fn what_yaml_would_guess_stays_text() {
    for (written, value) in [
        ("no", Value::from("no")),
        ("on", Value::from("on")),
        ("007", Value::from("007")),
        ("1_000", Value::from("1_000")),
        ("12:30", Value::from("12:30")),
        ("'3'", Value::from("3")),
        ("3.0", Value::from(3)),
        ("true", Value::from(true)),
        ("2024-01-31", Value::from("2024-01-31")),
    ] {
        let policy = accepts_condition(&format!("{{user.a: {{equals: {written}}}}}"));
        assert_eq!(policy.conditions[0].test, Test::Equals(value), "{written}");
    }
}

#[test]
fn an_obligation_that_is_not_known_is_refused() {
    let yaml = |obligation: &str| format!("policies: [{{id: a, effect: deny, obligations: [{obligation}]}}]");
    set(&yaml("{type: reauthenticate, age_secs_max: 300}"));
    let misspelt = errors(&yaml("{type: log_acces}"));
    assert_eq!(misspelt[0].kind(), LoadErrorKind::InvalidObligation);
    assert_eq!(misspelt[0].nearest(), Some("log_access"));
    for wrong in ["{type: log_access, extra: 1}", "{type: notify}", "7"] {
        assert_eq!(errors(&yaml(wrong))[0].kind(), LoadErrorKind::InvalidObligation, "{wrong}");
    }
}

#[test]
fn what_is_too_large_is_refused_and_its_neighbour_is_read() {
    let conditions = |count: usize| {
        let paths: Vec<_> = (0..count).map(|i| format!("user.a{i}: {{exists: true}}")).collect();
        format!("policies: [{{id: a, effect: deny, conditions: {{{}}}}}]", paths.join(", "))
    };
    set(&conditions(64));
    assert_eq!(errors(&conditions(65))[0].message(), "65 conditions, the limit is 64");
    let operators = (0..65).map(|_| "exists: true").collect::<Vec<_>>().join(", ");
    let one_path = format!("policies: [{{id: a, effect: deny, conditions: {{user.a: {{{operators}}}}}}}]");
    assert!(errors(&one_path).iter().any(|error| error.kind() == LoadErrorKind::Limit));
    let list = |count: usize| {
        let values = vec!["x"; count].join(", ");
        format!("policies: [{{id: a, effect: deny, conditions: {{user.a: {{in: [{values}]}}}}}}]")
    };
    set(&list(10_000));
    assert_eq!(errors(&list(10_001))[0].message(), "10001 entries, the limit is 10000");
    let padded = |bytes: usize| format!("policies: []\n#{}", "x".repeat(bytes - 14));
    set(&padded(16 * 1024 * 1024));
    assert_eq!(errors(&padded(16 * 1024 * 1024 + 1))[0].kind(), LoadErrorKind::Limit);
}

#[test]
fn more_policies_than_the_limit_are_one_error() {
    let yaml = format!("policies:\n{}", "- {}\n".repeat(POLICIES_MAX + 1));
    let errors = errors(&yaml);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message(), "100001 policies, the limit is 100000");
}

#[test]
fn a_flood_of_errors_is_counted_and_listed_up_to_a_limit() {
    let yaml = format!("policies:\n{}", "- 7\n".repeat(1500));
    let errors = PolicySet::from_yaml(&yaml).unwrap_err();
    assert_eq!((errors.iter().count(), errors.count()), (1000, 1500));
    assert!(errors.to_string().ends_with("\nand 500 more"));
    assert_eq!((errors.code(), errors.is_retryable()), ("policies_invalid", false));
}

#[test]
fn ten_thousand_nested_lists_are_a_clean_error() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let yaml = format!("policies:\n {}{}", open.repeat(10_000), close.repeat(10_000));
        assert_eq!(errors(&yaml).len(), 1, "{open}");
    }
    let blocks: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(errors(&blocks).len(), 1);
}

#[test]
fn aliases_cannot_blow_a_document_up() {
    let bomb: String =
        (1..30).map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{}, ", i - 1).repeat(9))).collect();
    assert_eq!(errors(&format!("a0: &a0 [x]\n{bomb}")).len(), 1);
    let shared =
        "policies: [{id: a, effect: deny, conditions: {user.a: {in: &list [x]}, user.b: {in: *list}}}]";
    assert_eq!(set(shared).policies()[0].conditions.len(), 2);
}

#[test]
fn tags_and_merge_keys_are_refused() {
    for yaml in ["policies: !vault []", "a: &a {x: 1}\npolicies: [{<<: *a}]"] {
        assert_eq!(errors(yaml)[0].kind(), LoadErrorKind::Syntax, "{yaml}");
    }
}

#[test]
fn what_an_error_shows_is_short_and_cannot_forge_a_line() {
    let id = format!("x\\n{}", "y".repeat(10_000));
    let errors = PolicySet::from_yaml(&format!("policies: [{{id: \"{id}\", effect: deny}}]")).unwrap_err();
    assert!(errors.to_string().len() < 1000 && !errors.to_string().contains('\n'), "{errors}");
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "\\PC{0,200}") {
        let _ = PolicySet::from_yaml(&text);
    }

    #[test]
    fn no_yaml_shaped_text_makes_the_loader_panic(text in "[-a-z0-9:{}\\[\\], \n&*!|>'\"#?%.~<]{0,200}") {
        let _ = PolicySet::from_yaml(&text);
    }

    #[test]
    fn a_mutated_document_loads_or_is_refused_with_a_reason(
        at: prop::sample::Index, len in 0..20_usize, put in "[-a-z0-9:{}\\[\\], \n'\"]{0,5}",
    ) {
        let start = at.index(FULL.len());
        let end = (start + len).min(FULL.len());
        let part = |range: std::ops::Range<usize>| FULL.get(range).unwrap();
        let mutated = format!("{}{put}{}", part(0..start), part(end..FULL.len()));
        if let Err(errors) = PolicySet::from_yaml(&mutated) {
            prop_assert!(errors.count() > 0 && !errors.to_string().is_empty());
        }
    }
}
