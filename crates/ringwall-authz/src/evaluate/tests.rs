use super::*;
use crate::set::Combining;
use crate::tests::{context, one, set};

#[track_caller]
fn check(policies: &str, request: &str, effect: Effect, code: ReasonCode, decider: Option<&str>) -> Answer {
    let answer = evaluate(&set(policies), &context(request));
    assert_eq!((answer.effect, answer.reason_code), (effect, code), "{}", answer.reason);
    assert_eq!(answer.policy.as_ref().map(PolicyId::as_str), decider);
    assert_eq!(answer.applied.first(), answer.policy.as_ref());
    answer
}

#[test]
fn without_policies_everything_is_denied_and_the_reason_says_so() {
    let answer = evaluate(&PolicySet::empty(), &context("{}"));
    assert_eq!((answer.effect, answer.reason_code), (Effect::Deny, ReasonCode::DefaultDeny));
    assert_eq!(answer.reason, "there are no policies, so nothing is allowed");
}

#[test]
fn what_no_policy_allows_is_denied() {
    let policies = "policies: [{id: a, effect: allow, conditions: {user.role: {equals: admin}}}]";
    let request = r#"{"user": {"role": "intern"}}"#;
    let answer = check(policies, request, Effect::Deny, ReasonCode::DefaultDeny, None);
    assert_eq!((answer.reason.as_str(), answer.undecided), ("no policy allows this", false));
}

#[test]
fn an_undecided_allow_does_not_allow_and_its_lack_is_named() {
    let policies = "policies: [{id: a, effect: allow, conditions: {user.role: {equals: admin}}}]";
    let answer = check(policies, "{}", Effect::Deny, ReasonCode::DefaultDeny, None);
    let expected = "no policy allows this; `a` does not apply because attribute `user.role` is missing";
    assert_eq!((answer.reason.as_str(), answer.undecided), (expected, true));
}

#[test]
fn one_false_condition_settles_a_policy_whatever_else_is_undecided() {
    let conditions = "{user.missing: {equals: x}, user.role: {equals: banned}}";
    let policies = format!(
        "policies: [{{id: a, effect: allow, match_all: true}}, {{id: d, effect: deny, conditions: {conditions}}}]"
    );
    let harmless = r#"{"user": {"role": "clerk"}}"#;
    check(&policies, harmless, Effect::Allow, ReasonCode::PolicyAllow, Some("a"));
    let banned = r#"{"user": {"role": "banned"}}"#;
    check(&policies, banned, Effect::Deny, ReasonCode::DenyUndecided, Some("d"));
    let decided = r#"{"user": {"role": "banned", "missing": "x"}}"#;
    check(&policies, decided, Effect::Deny, ReasonCode::PolicyDeny, Some("d"));
}

const THREE: &str = "
policies:
  - {id: low-deny, effect: deny, priority: 1, conditions: {user.a: {equals: 1}}}
  - {id: high-allow, effect: allow, priority: 9, match_all: true}
  - {id: high-deny, effect: deny, priority: 9, conditions: {user.b: {equals: 1}}}
";

#[test]
fn a_deny_overrides_at_any_priority_and_the_highest_is_cited() {
    let both = r#"{"user": {"a": 1, "b": 1}}"#;
    let answer = check(THREE, both, Effect::Deny, ReasonCode::PolicyDeny, Some("high-deny"));
    let applied: Vec<_> = answer.applied.iter().map(PolicyId::as_str).collect();
    assert_eq!(applied, ["high-deny", "low-deny", "high-allow"]);
    check(THREE, r#"{"user": {"a": 1, "b": 2}}"#, Effect::Deny, ReasonCode::PolicyDeny, Some("low-deny"));
    check(THREE, r#"{"user": {"a": 2, "b": 2}}"#, Effect::Allow, ReasonCode::PolicyAllow, Some("high-allow"));
}

#[test]
fn of_equal_priorities_the_first_id_is_cited() {
    let policies = "policies: [{id: b, effect: deny}, {id: a, effect: deny}]";
    check(policies, "{}", Effect::Deny, ReasonCode::PolicyDeny, Some("a"));
}

#[test]
fn by_priority_the_highest_decides_and_a_deny_goes_before_an_allow() {
    let by_priority = format!("combining: priority\n{THREE}");
    let check = |request, effect, code, decider| check(&by_priority, request, effect, code, Some(decider));
    check(r#"{"user": {"a": 1, "b": 2}}"#, Effect::Allow, ReasonCode::PolicyAllow, "high-allow");
    check(r#"{"user": {"a": 1, "b": 1}}"#, Effect::Deny, ReasonCode::PolicyDeny, "high-deny");
    check(r#"{"user": {"a": 2}}"#, Effect::Deny, ReasonCode::DenyUndecided, "high-deny");
}

#[test]
fn obligations_come_from_every_policy_with_the_answers_effect_and_each_once() {
    let policies = "
policies:
  - {id: a, effect: allow, match_all: true, obligations: [{type: log_access}]}
  - {id: b, effect: allow, match_all: true, obligations: [{type: encrypt, fields: [x]}, {type: log_access}]}
  - {id: c, effect: deny, obligations: [{type: notify, channel: soc}], conditions: {user.bad: {equals: true}}}
";
    let allowed =
        check(policies, r#"{"user": {"bad": false}}"#, Effect::Allow, ReasonCode::PolicyAllow, Some("a"));
    assert_eq!(
        allowed.obligations,
        [Obligation::LogAccess {}, Obligation::Encrypt { fields: vec!["x".into()] }]
    );
    let denied =
        check(policies, r#"{"user": {"bad": true}}"#, Effect::Deny, ReasonCode::PolicyDeny, Some("c"));
    assert_eq!(denied.obligations, [Obligation::Notify { channel: "soc".into() }]);
}

#[test]
fn a_default_stands_for_what_is_missing_and_never_for_a_wrong_type() {
    let deny = one("deny", "{user.suspended: {equals: true, default: false}}");
    let code = |request: &str| evaluate(&deny, &context(request)).reason_code;
    assert_eq!(code("{}"), ReasonCode::DefaultDeny);
    assert_eq!(code(r#"{"user": {"suspended": null}}"#), ReasonCode::DefaultDeny);
    assert_eq!(code(r#"{"user": {"suspended": "no"}}"#), ReasonCode::DenyUndecided);
    let nested = one("deny", "{user.account.suspended: {equals: true, default: false}}");
    let through_text = evaluate(&nested, &context(r#"{"user": {"account": "x"}}"#));
    assert_eq!(through_text.reason_code, ReasonCode::DenyUndecided);
    assert_eq!(
        evaluate(&nested, &context(r#"{"user": {"account": {}}}"#)).reason_code,
        ReasonCode::DefaultDeny
    );
}

#[test]
fn existence_is_always_decided_except_behind_what_is_no_map() {
    let given = one("allow", "{user.a.b: {exists: true}}");
    let absent = one("allow", "{user.a.b: {exists: false}}");
    for (request, is_given, is_absent) in [
        (r#"{"user": {"a": {"b": 0}}}"#, true, false),
        (r#"{"user": {"a": {}}}"#, false, true),
        (r#"{"user": {"a": {"b": null}}}"#, false, true),
        ("{}", false, true),
        (r#"{"user": {"a": [1]}}"#, false, false),
    ] {
        let allows = |set| evaluate(set, &context(request)).effect == Effect::Allow;
        assert_eq!((allows(&given), allows(&absent)), (is_given, is_absent), "{request}");
    }
}

#[test]
fn only_the_time_of_the_request_may_be_missing_and_is_then_now() {
    // The context's clock shows noon.
    let allows =
        |conditions: &str| evaluate(&one("allow", conditions), &context("{}")).effect == Effect::Allow;
    assert!(allows("{environment.time: {within_hours: [11, 12]}}"));
    assert!(!allows("{environment.time: {within_hours: [13, 14]}}"));
    assert!(allows("{environment.time: {after: 2024-01-31}}"));
    assert!(!allows("{environment.time: {before: 2024-01-31}}"));
    assert!(!allows("{environment.start: {within_hours: [0, 24]}}"));
    assert!(!allows("{user.time: {within_hours: [0, 24]}}"));
    assert!(!allows("{environment.time: {equals: '12:00'}}"));
    assert!(!allows("{environment.time: {exists: true}}"));
}

#[test]
fn the_nearest_zone_counts() {
    // Noon UTC is 13:00 in Berlin, 07:00 in New York and 21:00 in Tokyo.
    let answer = |document: &str, policy: &str, condition: &str| {
        let yaml = format!(
            "{document}\npolicies: [{{id: a, effect: allow, {policy} conditions: \
             {{environment.time: {{within_hours: ['13:00', '13:01'], {condition}}}}}}}]"
        );
        evaluate(&set(&yaml), &context("{}")).effect == Effect::Allow
    };
    let (berlin, tokyo) = ("timezone: Europe/Berlin", "timezone: Asia/Tokyo");
    assert!(!answer("", "", ""));
    assert!(answer(berlin, "", ""));
    assert!(answer(tokyo, "timezone: Europe/Berlin,", ""));
    assert!(answer(tokyo, "timezone: Asia/Tokyo,", berlin));
    assert!(!answer(berlin, "", tokyo));
}

#[test]
fn combining_has_the_contracts_names() {
    for combining in [Combining::DenyOverrides, Combining::Priority] {
        assert_eq!(serde_json::to_value(combining).unwrap(), combining.as_str());
    }
    for code in
        [ReasonCode::PolicyAllow, ReasonCode::PolicyDeny, ReasonCode::DenyUndecided, ReasonCode::DefaultDeny]
    {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}
