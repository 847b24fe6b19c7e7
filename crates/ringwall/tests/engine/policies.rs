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
async fn two_replacements_at_once_take_turns() {
    let rig = Rig::new(Config::default()).await;
    rig.switch.every(Shape::RecordsWrite, Fault::Hang);
    let replace = |name: &'static str| {
        let (engine, caller) = (rig.engine.clone(), rig.caller.clone());
        tokio::spawn(async move {
            let text = format!("policies: [{{id: {name}, effect: deny}}]");
            let stored = engine.replace_policies(&caller, &text).await.unwrap();
            (stored.epoch(), stored.text().to_owned())
        })
    };
    let (one, two) = (replace("one"), replace("two"));
    while rig.switch.hanging(Shape::RecordsWrite) < 1 {
        tokio::task::yield_now().await;
    }
    rig.switch.heal();
    let mut stored = [one.await.unwrap(), two.await.unwrap()];
    stored.sort();
    assert_eq!(stored.each_ref().map(|(epoch, _)| *epoch), [2, 3]);
    let now = rig.engine.policies(&rig.caller).await.unwrap();
    assert_eq!((now.epoch(), now.text()), (3, stored[1].1.as_str()), "the later one is in force");
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
