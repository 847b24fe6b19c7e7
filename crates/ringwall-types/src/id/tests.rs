use super::*;

#[track_caller]
fn refuses(result: Result<impl std::fmt::Debug, InvalidValue>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn an_id_is_never_empty_too_long_or_able_to_forge_a_log_line() {
    assert_eq!(PrincipalId::new("Jörg Müller").unwrap().as_str(), "Jörg Müller");
    refuses(PrincipalId::new(""), "principal id: must not be empty");
    refuses(PrincipalId::new("x".repeat(257)), "principal id: has 257 bytes, the limit is 256");
    refuses(PrincipalId::new("eve\nok"), "principal id: `eveok…` holds a control character");
}

#[test]
fn a_tenant_id_is_a_slug() {
    assert!(TenantId::new("acme-1.eu").is_ok());
    refuses(
        TenantId::new("Acme"),
        "tenant id: `Acme` may hold only lower-case ASCII letters, digits and - _ .",
    );
    refuses(
        TenantId::new("a/b"),
        "tenant id: `a/b` may hold only lower-case ASCII letters, digits and - _ .",
    );
}

#[test]
fn a_technique_has_the_form_that_attack_gives_it() {
    assert!(TechniqueId::new("T1110").is_ok() && TechniqueId::new("T1110.001").is_ok());
    for wrong in ["1110", "T111", "T1110.01", "T1110.0011", "TA0001"] {
        assert!(TechniqueId::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ids_read_from_json_keep_the_same_rules() {
    assert!(serde_json::from_str::<TenantId>(r#""ok""#).is_ok());
    let message = serde_json::from_str::<TenantId>(r#""NOT OK""#).unwrap_err().to_string();
    assert!(message.starts_with("tenant id: `NOT OK`"), "{message}");
}
