//! The policies in force.

use ringwall::Config;
use ringwall_testkit::engine::{caller, sqlite};
use ringwall_testkit::requests::request;
use ringwall_testkit::{Fault, Shape};

use crate::support::{ALLOW_ALL, Rig, allowed, denied};

#[tokio::test]
async fn a_bad_set_leaves_the_old_one_in_force_and_names_the_mistake() {
    let rig = Rig::new(Config::default()).await;
    let size = *rig.stores.log.size().borrow();
    let bad = "policies: [{id: p, effect: allow, conditions: {user.id: {equls: ann}}}]";
    let error = rig.engine.replace_policies(&rig.caller, bad).await.unwrap_err();
    assert_eq!(error.code(), "policies_invalid");
    assert!(error.to_string().contains("equals"), "{error}");
    assert_eq!(*rig.stores.log.size().borrow(), size);
    allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
    assert_eq!(rig.engine.policies(&rig.caller).await.unwrap().text(), ALLOW_ALL);
}

#[tokio::test]
async fn every_replacement_counts_an_epoch_and_binds_the_next_decision() {
    let rig = Rig::without_policies(Config::default());
    for epoch in 1..=4 {
        let effect = if epoch % 2 == 1 { "allow, match_all: true" } else { "deny" };
        let text = format!("policies: [{{id: p, effect: {effect}}}]");
        assert_eq!(rig.engine.replace_policies(&rig.caller, &text).await.unwrap().epoch(), epoch);
        let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
        assert_eq!(answer.verdict.policy_epoch(), epoch);
        if epoch % 2 == 1 { allowed(&answer) } else { denied(&answer, "policy_deny") }
    }
}

#[tokio::test]
async fn of_two_replacements_at_once_one_wins_and_the_other_is_told() {
    let rig = Rig::new(Config::default()).await;
    rig.switch.every(Shape::RecordsWrite, Fault::Hang);
    let replace = |name: &'static str| {
        let (engine, caller) = (rig.engine.clone(), rig.caller.clone());
        tokio::spawn(async move {
            let text = format!("policies: [{{id: {name}, effect: deny}}]");
            engine.replace_policies(&caller, &text).await.map(|policies| policies.text().to_owned())
        })
    };
    let (one, two) = (replace("one"), replace("two"));
    while rig.switch.hanging(Shape::RecordsWrite) < 2 {
        tokio::task::yield_now().await;
    }
    rig.switch.heal();
    let outcomes = [one.await.unwrap(), two.await.unwrap()];
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    let lost: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!((won.len(), lost.len()), (1, 1), "{outcomes:?}");
    assert_eq!(lost[0].code(), "version_conflict");
    let now = rig.engine.policies(&rig.caller).await.unwrap();
    assert_eq!((now.text(), now.epoch()), (won[0].as_str(), 2));
}

#[tokio::test]
async fn a_replacement_that_is_not_stored_is_not_in_force() {
    let rig = Rig::new(Config::default()).await;
    for shape in [Shape::Append, Shape::RecordsWrite] {
        rig.switch.nth(shape, 0, Fault::full());
        let freeze = "policies: [{id: freeze, effect: deny}]";
        assert_eq!(rig.engine.replace_policies(&rig.caller, freeze).await.unwrap_err().code(), "disk_full");
        rig.switch.heal();
        allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
    }
}

#[tokio::test]
async fn stored_policies_survive_a_new_start() {
    let directory = tempfile::tempdir().unwrap();
    {
        let (engine, _) = sqlite(directory.path(), Config::default());
        engine.replace_policies(&caller(), ALLOW_ALL).await.unwrap();
    }
    let (engine, _) = sqlite(directory.path(), Config::default());
    let answer = engine.decide(&caller(), request("ann", "dataset:read", "d1")).await.unwrap();
    allowed(&answer);
    assert_eq!(answer.verdict.policy_epoch(), 1);
}
