use super::*;

fn rules(names: &[&str]) -> RuleSet {
    RuleSet::named(names).unwrap()
}

#[test]
fn a_detector_is_shared_by_tenant_name_and_rules_and_by_nothing_less() {
    let detectors = Detectors::default();
    let detector = |tenant: &str, name, rules: &RuleSet| {
        detectors.detector(&TenantId::new(tenant).unwrap(), name, rules).unwrap()
    };
    let brute = rules(&["brute_force"]);
    let first = detector("a", "n", &brute);
    assert!(Arc::ptr_eq(&first, &detector("a", "n", &brute)));
    for other in [
        detector("b", "n", &brute),
        detector("a", "m", &brute),
        detector("a", "n", &rules(&["lateral_movement"])),
    ] {
        assert!(!Arc::ptr_eq(&first, &other));
    }
}

#[test]
fn too_many_detecting_nodes_are_refused_and_known_ones_still_work() {
    let (detectors, rules, tenant) = (Detectors::default(), rules(&["brute_force"]), TenantId::initial());
    for number in 0..DETECTORS_MAX {
        detectors.detector(&tenant, &number.to_string(), &rules).unwrap();
    }
    let refused = detectors.detector(&tenant, "one more", &rules).err().unwrap();
    assert_eq!(refused.code(), "limit_exceeded");
    assert!(detectors.detector(&tenant, "0", &rules).is_ok());
}
