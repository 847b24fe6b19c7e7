//! What the tests of several files build on, and the promises that only the whole crate can keep.

use proptest::prelude::*;
use ringwall_types::{Attributes, Timestamp, Value};

use super::*;

/// Wednesday noon in winter, UTC.
pub(crate) const NOON: &str = "2024-01-31T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A context from `{user: …, resource: …, environment: …, action: …}`.
#[track_caller]
pub(crate) fn context(json: &str) -> Context {
    Context::new(serde_json::from_str(json).unwrap(), at(NOON))
}

#[track_caller]
pub(crate) fn set(yaml: &str) -> PolicySet {
    PolicySet::from_yaml(yaml).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A set of one policy with these conditions.
#[track_caller]
pub(crate) fn one(effect: &str, conditions: &str) -> PolicySet {
    set(&format!("policies: [{{id: only, effect: {effect}, conditions: {conditions}}}]"))
}

const GUIDE: &str = r#"
policies:
  - id: admin_access
    name: Admin Full Access
    effect: allow
    conditions:
      user.role: {equals: admin}
      resource.type: {not_equals: classified}
      environment.time: {within_hours: [8, 18]}
    priority: 100
  - id: data_scientist_access
    name: Data Scientist Limited Access
    effect: allow
    conditions:
      user.department: {equals: data_science}
      resource.classification: {in: [public, internal]}
      action.type: {equals: read}
    priority: 50
"#;

#[test]
fn the_guides_data_scientist_may_read_what_is_internal() {
    let request = context(
        r#"{"user_attributes": {"id": "user123", "role": "data_scientist", "department": "data_science",
                "clearance_level": 3, "groups": ["analytics", "research"]},
            "resource_attributes": {"id": "dataset456", "type": "dataset", "classification": "internal",
                "owner": "data_team", "sensitive": false},
            "environment_attributes": {"time": "14:30", "location": "office", "network": "corporate",
                "device_type": "laptop"},
            "action_attributes": {"type": "read", "method": "query", "scope": "limited"}}"#,
    );
    let answer = evaluate(&set(GUIDE), &request);
    assert_eq!(answer.effect, Effect::Allow);
    assert_eq!(answer.policy.unwrap().as_str(), "data_scientist_access");
    assert_eq!(answer.reason_code, ReasonCode::PolicyAllow);
    assert!(!answer.undecided);
}

#[test]
fn the_guides_admin_may_not_after_hours() {
    let admin = |time: &str| {
        let json = format!(
            r#"{{"user": {{"role": "admin", "department": "it"}}, "resource": {{"type": "dataset"}},
                "environment": {{"time": "{time}"}}, "action": {{"type": "read"}}}}"#
        );
        evaluate(&set(GUIDE), &context(&json)).effect
    };
    assert_eq!(admin("18:00"), Effect::Allow);
    assert_eq!(admin("18:30"), Effect::Deny);
}

const GUIDE_COMPLEX: &str = r#"
policies:
  - id: dynamic_access
    name: Dynamic Resource Access
    effect: allow
    conditions:
      user.role: {equals: analyst}
      resource.department: {not_equals: hr}
      user.groups: {contains: analysts}
      resource.tags: {intersects: [public, research]}
      action.permissions: {subset_of: [read, query]}
      user.clearance_level: {greater_than: 2}
      resource.sensitivity_score: {less_than_or_equal: 5}
      environment.risk_score: {between: [1, 3]}
      user.email: {starts_with: "analyst@"}
      resource.path: {ends_with: .csv}
      resource.description: {contains: analytics}
      environment.time: {within_hours: [9, 17]}
      user.last_login: {within_days: 7}
    priority: 75
"#;

const ANALYST: &str = r#"{
    "user": {"role": "analyst", "groups": ["analysts"], "clearance_level": 3, "email": "analyst@company.com",
        "last_login": "2024-01-30T09:00:00Z"},
    "resource": {"department": "sales", "tags": ["research", "raw"], "sensitivity_score": 5, "path": "/a/b.csv",
        "description": "for analytics only"},
    "environment": {"risk_score": 2.5, "time": "10:15"},
    "action": {"permissions": ["read"]}}"#;

#[test]
fn the_guides_native_conditions_allow_together_and_not_with_any_one_falsified_or_dropped() {
    let set = set(GUIDE_COMPLEX);
    assert_eq!(evaluate(&set, &context(ANALYST)).effect, Effect::Allow);
    let falsified = [
        ("user", "role", r#""intern""#),
        ("resource", "department", r#""hr""#),
        ("user", "groups", r#"["non-analysts"]"#),
        ("resource", "tags", r#"["secret"]"#),
        ("action", "permissions", r#"["read", "write"]"#),
        ("user", "clearance_level", "2"),
        ("resource", "sensitivity_score", "5.1"),
        ("environment", "risk_score", "3.01"),
        ("user", "email", r#""Analyst@company.com""#),
        ("resource", "path", r#""/a/b.CSV""#),
        ("resource", "description", r#""for sales""#),
        ("environment", "time", r#""17:00:01""#),
        ("user", "last_login", r#""2024-01-24T11:59:59Z""#),
    ];
    for (root, name, value) in falsified {
        let mut json: serde_json::Value = serde_json::from_str(ANALYST).unwrap();
        json[root][name] = serde_json::from_str(value).unwrap();
        let answer = evaluate(&set, &context(&json.to_string()));
        assert_eq!(answer.reason_code, ReasonCode::DefaultDeny, "{root}.{name} = {value}");
        // A missing time is the clock's, which shows noon here.
        json[root].as_object_mut().unwrap().remove(name);
        let dropped = evaluate(&set, &context(&json.to_string()));
        let expected = if name == "time" { Effect::Allow } else { Effect::Deny };
        assert_eq!(dropped.effect, expected, "without {root}.{name}");
    }
}

#[test]
fn a_deny_with_a_missing_attribute_denies_and_names_it() {
    let set = set("
policies:
  - {id: open, effect: allow, match_all: true}
  - {id: embargo, effect: deny, conditions: {user.country: {in: [KP, IR]}}}
");
    let answer = |user: &str| evaluate(&set, &context(&format!(r#"{{"user": {user}}}"#)));
    assert_eq!(answer(r#"{"country": "DE"}"#).effect, Effect::Allow);
    assert_eq!(answer(r#"{"country": "IR"}"#).reason_code, ReasonCode::PolicyDeny);
    for (user, why) in [("{}", "is missing"), (r#"{"country": 7}"#, "has the wrong type")] {
        let denied = answer(user);
        assert_eq!((denied.effect, denied.reason_code), (Effect::Deny, ReasonCode::DenyUndecided));
        assert!(denied.undecided);
        let expected = format!("policy `embargo` denies this because attribute `user.country` {why}");
        assert_eq!(denied.reason, expected);
    }
}

#[test]
fn a_role_that_only_contains_the_word_admin_gets_nothing() {
    for operator in ["equals", "contains"] {
        let set = one("allow", &format!("{{user.roles: {{{operator}: admin}}}}"));
        let single = one("allow", "{user.role: {equals: admin}}");
        for role in ["non-admin", "badminton_club", "Admin", "admin "] {
            let list = context(&format!(r#"{{"user": {{"roles": ["{role}"]}}}}"#));
            assert_eq!(evaluate(&set, &list).effect, Effect::Deny, "{operator} {role}");
            let text = context(&format!(r#"{{"user": {{"role": "{role}"}}}}"#));
            assert_eq!(evaluate(&single, &text).effect, Effect::Deny, "{role}");
        }
    }
    let listed = context(r#"{"user": {"roles": ["admin"], "role": "admin"}}"#);
    assert_eq!(evaluate(&one("allow", "{user.roles: {contains: admin}}"), &listed).effect, Effect::Allow);
    assert_eq!(evaluate(&one("allow", "{user.role: {equals: admin}}"), &listed).effect, Effect::Allow);
}

#[test]
fn five_rows_allowed_never_allow_ten_million() {
    let set = one("allow", "{action.rows: {less_than_or_equal: 100}}");
    let rows = |rows: i64| evaluate(&set, &context(&format!(r#"{{"action": {{"rows": {rows}}}}}"#))).effect;
    assert_eq!((rows(5), rows(10_000_000)), (Effect::Allow, Effect::Deny));
}

// Small worlds, so that random policies and contexts meet often: three attributes, few values of several kinds.

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..3_i64).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec("[abc]", 0..3).prop_map(Value::from),
        Just(Value::from("2024-01-31T11:00:00Z")),
        Just(Value::from("2024-02-28T11:00:00Z")),
        Just(Value::from("10.0.0.9")),
    ]
}

fn operand(operator: Operator) -> BoxedStrategy<Value> {
    match operator {
        Operator::Between => (0..2_i64, 2..4_i64).prop_map(|(a, b)| Value::from(vec![a, b])).boxed(),
        Operator::WithinHours => (0..24_i64, 0..25_i64).prop_map(|(a, b)| Value::from(vec![a, b])).boxed(),
        Operator::WithinDays | Operator::WithinMinutes => (1..99_i64).prop_map(Value::from).boxed(),
        Operator::IpIn => Just(Value::from("10.0.0.0/8")).boxed(),
        Operator::Exists => any::<bool>().prop_map(Value::from).boxed(),
        _ => value().boxed(),
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    let tests = prop::sample::select(Operator::ALL)
        .prop_flat_map(|operator| operand(operator).prop_map(move |value| Test::new(operator, value)))
        .prop_filter_map("operand without a meaning", Result::ok);
    let path = prop::sample::select(vec!["user.a", "user.b", "resource.a", "environment.time"]);
    (path, tests, prop::option::weighted(0.2, value()), any::<bool>()).prop_map(
        |(path, test, default, ignore_case)| Condition {
            default,
            ignore_case,
            ..Condition::new(path.parse().unwrap(), test)
        },
    )
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let policy = (any::<bool>(), 0..3_i32, prop::collection::vec(condition(), 0..3));
    prop::collection::vec(policy, 0..6).prop_map(|drafts| {
        let policy = |(index, (allows, priority, conditions)): (usize, (bool, i32, Vec<Condition>))| Policy {
            priority,
            conditions,
            match_all: true,
            ..Policy::new(
                format!("p{index}").parse().unwrap(),
                if allows { Effect::Allow } else { Effect::Deny },
            )
        };
        drafts.into_iter().enumerate().map(policy).collect()
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let names = prop::sample::select(vec!["a", "b", "time"]);
    prop::collection::vec((names, value()), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn contexts() -> impl Strategy<Value = Context> {
    (attributes(), attributes(), attributes()).prop_map(|(user, resource, environment)| Context {
        user,
        resource,
        environment,
        action: Attributes::new(),
        now: at(NOON),
    })
}

fn combinings() -> impl Strategy<Value = Combining> {
    prop::sample::select(vec![Combining::DenyOverrides, Combining::Priority])
}

/// The effect that a trace stands for, found without an order: by looking for what nothing outranks.
fn effect_of(trace: &Trace, set: &PolicySet) -> Effect {
    let applies = |policy: &PolicyTrace| match policy.effect {
        Effect::Allow => policy.matched == Matched::Yes,
        Effect::Deny => policy.matched != Matched::No,
    };
    let priority = |id| set.policies().iter().find(|policy| &policy.id == id).unwrap().priority;
    let applying: Vec<_> = trace.policies.iter().filter(|policy| applies(policy)).collect();
    let highest = applying.iter().map(|policy| priority(&policy.policy)).max();
    let deciding = applying.iter().filter(|policy| match set.combining() {
        Combining::DenyOverrides => true,
        Combining::Priority => Some(priority(&policy.policy)) == highest,
    });
    deciding.map(|policy| policy.effect).max().unwrap_or(Effect::Deny)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, max_global_rejects: 16_384, ..ProptestConfig::default() })]

    #[test]
    fn a_trace_agrees_with_the_answer(policies in policies(), context in contexts(), by in combinings()) {
        let set = PolicySet::new(policies, by).unwrap();
        prop_assert_eq!(effect_of(&trace(&set, &context), &set), evaluate(&set, &context).effect);
    }

    #[test]
    fn adding_a_deny_never_turns_a_deny_into_an_allow(
        policies in policies(), context in contexts(), by in combinings(),
        conditions in prop::collection::vec(condition(), 0..3), priority in 0..3_i32,
    ) {
        let before = evaluate(&PolicySet::new(policies.clone(), by).unwrap(), &context);
        let id = "added".parse().unwrap();
        let deny = Policy { conditions, priority, ..Policy::new(id, Effect::Deny) };
        let more = policies.into_iter().chain([deny]).collect();
        let after = evaluate(&PolicySet::new(more, by).unwrap(), &context);
        prop_assert!(before.effect == Effect::Allow || after.effect == Effect::Deny);
    }

    #[test]
    fn removing_an_allow_never_grants(
        policies in policies(), context in contexts(), by in combinings(), which: prop::sample::Index,
    ) {
        let before = evaluate(&PolicySet::new(policies.clone(), by).unwrap(), &context);
        let allows: Vec<_> = policies.iter().filter(|policy| policy.effect == Effect::Allow).collect();
        prop_assume!(!allows.is_empty());
        let removed = which.get(&allows).id.clone();
        let fewer = policies.into_iter().filter(|policy| policy.id != removed).collect();
        let after = evaluate(&PolicySet::new(fewer, by).unwrap(), &context);
        prop_assert!(before.effect == Effect::Allow || after.effect == Effect::Deny);
    }

    #[test]
    fn the_answer_does_not_depend_on_the_order_of_the_policies(
        (policies, shuffled) in policies().prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())),
        context in contexts(), by in combinings(),
    ) {
        let answer = |policies| evaluate(&PolicySet::new(policies, by).unwrap(), &context);
        prop_assert_eq!(answer(policies), answer(shuffled));
    }

    #[test]
    fn a_missing_attribute_never_makes_an_allow_apply(
        conditions in prop::collection::vec(condition(), 1..8), context in contexts(),
    ) {
        // `exists: false`, defaults and the clock are the three ways to say what absence means.
        let speaks_of_absence = |c: &Condition| {
            c.default.is_some() || c.test.operator() == Operator::Exists || c.path.to_string() == "environment.time"
        };
        let conditions: Vec<_> = conditions.into_iter().filter(|c| !speaks_of_absence(c)).collect();
        prop_assume!(!conditions.is_empty());
        let set = PolicySet::new(
            vec![Policy { conditions, ..Policy::new("only".parse().unwrap(), Effect::Allow) }],
            Combining::default(),
        ).unwrap();
        let full = evaluate(&set, &context).effect;
        for root in 0..2 {
            let mut less = context.clone();
            *[&mut less.user, &mut less.resource][root] = Attributes::new();
            let answer = evaluate(&set, &less);
            prop_assert!(full == Effect::Allow || answer.effect == Effect::Deny);
        }
        let nothing = Context { user: Attributes::new(), resource: Attributes::new(), ..context };
        prop_assert_eq!(evaluate(&set, &nothing).effect, Effect::Deny);
    }
}
