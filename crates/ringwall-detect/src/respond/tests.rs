use ringwall_types::{IpAddress, PrincipalId, TenantId, ThreatStatus, Timestamp, Window};

use super::*;

fn threat(subject: Subject) -> Threat {
    let time = Timestamp::from_micros(0).unwrap();
    Threat {
        id: "thr_1".parse().unwrap(),
        tenant: TenantId::initial(),
        rule: "r".parse().unwrap(),
        subject,
        severity: Severity::Medium,
        confidence: Confidence::try_from(800).unwrap(),
        description: String::new(),
        principal: None,
        source_ip: None,
        principals: 0,
        count: 3,
        measured: 3,
        window: Window { start: time, end: time },
        fired_at: time,
        attack: Vec::new(),
        evidence: Vec::new(),
        status: ThreatStatus::Open,
        response: Vec::new(),
    }
}

fn address() -> IpAddress {
    "1.1.1.1".parse().unwrap()
}

fn principal() -> PrincipalId {
    "a".parse().unwrap()
}

fn policy(actions: &[ResponseAction]) -> ResponsePolicy {
    ResponsePolicy { actions: actions.to_vec(), ..ResponsePolicy::default() }
}

#[track_caller]
fn check(threat: &Threat, action: ResponseAction, target: Option<Target>) {
    let plans = plan(threat, &policy(&[action]));
    assert_eq!(plans.len(), 1);
    assert_eq!((plans[0].action, &plans[0].target, plans[0].ttl_secs), (action, &target, 3600));
    assert_eq!(plans[0].threat, threat.id);
}

#[test]
fn each_action_is_aimed_at_whom_the_threat_names_or_at_nobody() {
    let (by_address, by_principal) =
        (threat(Subject::SourceIp(address())), threat(Subject::Principal(principal())));
    check(&by_address, ResponseAction::BlockIp, Some(Target::SourceIp(address())));
    check(&by_address, ResponseAction::LockAccount, None);
    check(&by_principal, ResponseAction::BlockIp, None);
    check(&by_principal, ResponseAction::QuarantineUser, Some(Target::Principal(principal())));
    let both = Threat { principal: Some(principal()), ..by_address };
    check(&both, ResponseAction::LockAccount, Some(Target::Principal(principal())));
    check(&both, ResponseAction::Alert, None);
    check(
        &Threat { source_ip: Some(address()), ..by_principal },
        ResponseAction::BlockIp,
        Some(Target::SourceIp(address())),
    );
}

#[test]
fn nothing_is_planned_below_either_threshold() {
    let threat = threat(Subject::SourceIp(address()));
    let actions = policy(&[ResponseAction::Alert]);
    assert_eq!(plan(&threat, &actions).len(), 1);
    assert_eq!(plan(&threat, &ResponsePolicy { severity_threshold: Severity::High, ..actions.clone() }), []);
    let confidence_threshold = Confidence::try_from(801).unwrap();
    assert_eq!(plan(&threat, &ResponsePolicy { confidence_threshold, ..actions }), []);
}

#[test]
fn the_same_threat_gives_the_same_keys_and_each_action_once() {
    let mut threat = threat(Subject::SourceIp(address()));
    threat.response = vec![ResponseAction::BlockIp, ResponseAction::Alert];
    let plans = plan(&threat, &policy(&[ResponseAction::Alert, ResponseAction::Log, ResponseAction::Alert]));
    let actions: Vec<_> = plans.iter().map(|plan| plan.action).collect();
    assert_eq!(actions, [ResponseAction::Alert, ResponseAction::Log, ResponseAction::BlockIp]);
    threat.count = 30;
    assert_eq!(plan(&threat, &policy(&[ResponseAction::Log, ResponseAction::Alert])), plans);
    let mut keys: Vec<_> = plans.iter().map(|plan| plan.idempotency_key.clone()).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    let other = Threat { id: "thr_2".parse().unwrap(), ..threat };
    assert!(plan(&other, &policy(&[])).iter().all(|plan| !keys.contains(&plan.idempotency_key)));
    assert_eq!(plan(&other, &ResponsePolicy { ttl_secs: 0, ..policy(&[]) })[0].ttl_secs, 1);
}
