use super::*;
use crate::tests::set;

fn policy(id: &str, effect: Effect) -> Policy {
    Policy { match_all: true, ..Policy::new(id.parse().unwrap(), effect) }
}

#[test]
fn built_policies_keep_the_rules_of_loaded_ones() {
    let twice = vec![policy("a", Effect::Deny), policy("a", Effect::Allow)];
    let errors = PolicySet::new(twice, Combining::default()).unwrap_err();
    assert_eq!(errors.to_string(), "policy `a`: this policy id is given twice");
    let open = vec![Policy { match_all: false, ..policy("a", Effect::Allow) }];
    let errors = PolicySet::new(open, Combining::default()).unwrap_err();
    assert_eq!(errors.iter().next().unwrap().kind(), LoadErrorKind::UnguardedAllow);
    let kill_switch = vec![Policy { match_all: false, ..policy("a", Effect::Deny) }];
    assert_eq!(PolicySet::new(kill_switch, Combining::default()).unwrap().len(), 1);
}

#[test]
fn a_built_set_can_be_given_a_zone() {
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    let set = PolicySet::empty().with_timezone(berlin.clone());
    assert_eq!((set.is_empty(), set.timezone()), (true, &berlin));
    assert!("Etc/Unknown".parse::<Zone>().is_err() && "../etc/passwd".parse::<Zone>().is_err());
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let codes = |yaml: &str| set(yaml).warnings().iter().map(Warning::code).collect::<Vec<_>>();
    assert_eq!(codes("policies: []"), ["no_policies"]);
    let deny =
        |condition: &str| codes(&format!("policies: [{{id: d, effect: deny, conditions: {{{condition}}}}}]"));
    assert_eq!(deny("user.country: {equals: X, not_in: [Y]}"), ["deny_without_default"]);
    assert_eq!(deny("user.country: {equals: X, default: Y}"), [""; 0]);
    assert_eq!(deny("user.country: {exists: true}"), [""; 0]);
    assert_eq!(deny("user.id: {equals: x}"), [""; 0]);
    assert_eq!(deny("environment.time: {within_hours: [8, 18]}"), [""; 0]);
    assert_eq!(deny("user.roles: {intersects: []}"), ["empty_list"]);
    let warning = &set("policies: [{id: d, effect: deny, conditions: {user.a: {equals: 1}}}]").warnings()[0];
    assert_eq!(
        warning.to_string(),
        "deny `d` reads `user.a` without a `default`, so it denies whoever lacks that attribute"
    );
}
