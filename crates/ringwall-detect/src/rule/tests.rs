use super::*;
use crate::{DEFAULT_RULES, Error};

const GOOD: &str = r#"{"rules":[{"id":"r","title":"R","subject":"source_ip","quiet_secs":3600,
    "conditions":[{"select":{"kinds":["login"]},"per":"principal","measure":{"distinct":"host"},
        "distinct_at_least":{"field":"attributes.method","n":1},
        "levels":[{"at_least":3,"within_secs":60,"severity":"low"}]}],
    "followed_by":{"select":{"kinds":["login"]},"same":["principal"],"within_secs":5,"severity":"high"}}]}"#;

#[track_caller]
fn refused(from: &str, to: &str, why: &str) {
    assert!(GOOD.contains(from), "{from}");
    let error = RuleSet::from_json(&GOOD.replace(from, to)).expect_err(to).to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn a_rule_that_could_never_fire_or_always_would_is_refused_when_it_is_loaded() {
    assert_eq!(RuleSet::from_json(GOOD).unwrap().rules().len(), 1);
    refused("\"within_secs\":60", "\"within_secs\":0", "`within_secs` is 0");
    refused("\"within_secs\":60", "\"within_secs\":99999999999", "`within_secs` is 99999999999");
    refused("\"within_secs\":5", "\"within_secs\":0", "`followed_by`: `within_secs` is 0");
    refused("\"at_least\":3", "\"at_least\":0", "rule `r`: `conditions[0]`: `at_least` must be at least 1");
    refused("\"n\":1", "\"n\":0", "`distinct_at_least.n`");
    refused("[{\"at_least\":3,\"within_secs\":60,\"severity\":\"low\"}]", "[]", "`levels` is empty");
    refused("\"kinds\":[\"login\"]},\"per\"", "\"kinds\":[]},\"per\"", "`select.kinds` is empty");
    refused("\"same\":[\"principal\"]", "\"same\":[]", "`same` is empty");
    refused("\"quiet_secs\":3600", "\"quiet_secs\":59", "at least the longest window (60)");
    refused("{\"distinct\":\"host\"}", "{\"distinct\":\"principal\"}", "which is always 1");
    let none = r#"{"rules":[{"id":"r","title":"R","subject":"source_ip","conditions":[]}]}"#;
    assert!(RuleSet::from_json(none).unwrap_err().to_string().contains("`conditions` is empty"));
    assert!(RuleSet::from_json(r#"{"rules":[]}"#).unwrap_err().to_string().contains("at least one rule"));
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    refused("\"per\"", "\"par\"", "did you mean `per`?");
    refused("\"conditions\"", "\"condition\"", "did you mean `conditions`?");
    refused("\"source_ip\",\"quiet", "\"source_ipp\",\"quiet", "did you mean `source_ip`?");
    refused("\"per\":\"principal\"", "\"per\":\"principle\"", "did you mean `principal`?");
    refused("\"distinct\":\"host\"", "\"distict\":\"host\"", "did you mean `distinct`?");
    refused("\"kinds\":[\"login\"]},\"same\"", "\"kinds\":[\"loginn\"]},\"same\"", "is unknown");
    refused("\"low\"", "\"hihg\"", "did you mean `high`?");
    refused("attributes.method", "attributes.", "is unknown");
}

#[test]
fn a_rule_given_twice_is_refused() {
    let rule = RuleSet::from_json(GOOD).unwrap().rules()[0].clone();
    let error = RuleSet::new([rule.clone(), rule]).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.code(), error.is_retryable()),
        ("rule `r`: is given twice", "invalid_rule", false)
    );
    assert!(matches!(error, Error::Rule(bad) if bad.rule() == Some("r")));
}

#[test]
fn named_rules_are_a_set() {
    let all = RuleSet::named(&DEFAULT_RULES).unwrap();
    assert_eq!(all.rules().len(), 6);
    let mut turned = DEFAULT_RULES.to_vec();
    turned.reverse();
    turned.extend(["brute_force", "anomalous_behavior"]);
    assert_eq!(RuleSet::named(&turned).unwrap(), all);
    assert_eq!(RuleSet::named::<&str>(&[]).unwrap_err().to_string(), "rules: at least one rule is needed");
    let error = RuleSet::named(&["brute_forse"]).unwrap_err().to_string();
    assert_eq!(error, "rules: `brute_forse` is unknown; did you mean `brute_force`?");
}

#[test]
fn a_file_replaces_or_adds_to_the_named_rules() {
    let named = RuleSet::named(&["brute_force", "insider_threat"]).unwrap();
    let tuned = RuleSet::from_json(&GOOD.replace("\"id\":\"r\"", "\"id\":\"brute_force\"")).unwrap();
    let set = named.clone().replaced_by(tuned.clone()).unwrap();
    assert_eq!(set.rules().len(), 2);
    assert_eq!(set.rules()[0], tuned.rules()[0]);
    assert_eq!(named.replaced_by(RuleSet::from_json(GOOD).unwrap()).unwrap().rules().len(), 3);
}

#[test]
fn a_rule_reads_back_as_it_was_written() {
    for rule in RuleSet::named(&DEFAULT_RULES).unwrap().rules() {
        let text = serde_json::to_string(rule).unwrap();
        assert_eq!(&serde_json::from_str::<Rule>(&text).unwrap(), rule);
        assert!(!rule.description.contains("  ") && !rule.attack.is_empty());
    }
    let schema = serde_json::to_value(schemars::schema_for!(RuleFile)).unwrap();
    assert_eq!(schema["properties"]["rules"]["type"], "array");
}
