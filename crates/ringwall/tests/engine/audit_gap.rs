//! What could not be recorded is itself recorded.

use ringwall::{Caller, Config};
use ringwall_store::Stores;
use ringwall_testkit::engine::records;
use ringwall_testkit::requests::request;
use ringwall_testkit::{Fault, Shape};
use ringwall_types::{RecordBody, TenantId};

use crate::support::{Rig, allowed, denied};

async fn gaps(stores: &Stores) -> Vec<String> {
    let told = records(stores).await.into_iter().filter_map(|record| match record.body {
        RecordBody::Administration(act) if act.act == "audit_gap" => {
            assert_eq!(record.tenant, TenantId::system());
            Some(act.message)
        }
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn when_the_log_returns_it_says_how_many_records_are_missing_and_since_when() {
    let rig = Rig::new(Config::default()).await;
    rig.switch.every(Shape::Append, Fault::full());
    let since = rig.clock.after_secs(0);
    for _ in 0..3 {
        denied(&rig.decide(request("ann", "dataset:read", "d1")).await, "audit_unavailable");
        rig.clock.advance_secs(1);
    }
    assert!(!rig.engine.faults().await.is_empty(), "the operator is told");
    rig.switch.heal();
    let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
    allowed(&answer);
    assert_eq!(gaps(&rig.stores).await, [format!("3 records could not be written since {since}")]);
    let (index, _) = rig.engine.decision(&rig.caller, answer.verdict.decision_id()).await.unwrap();
    assert_eq!(Some(index), answer.log_index, "the gap takes no caller's index");
    assert!(rig.engine.faults().await.is_empty());
    allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
    assert_eq!(gaps(&rig.stores).await.len(), 1, "a gap is told once");
}

#[tokio::test]
async fn a_second_outage_is_a_second_gap() {
    let rig = Rig::new(Config::default()).await;
    for lost in 1..=2 {
        rig.switch.every(Shape::Append, Fault::busy());
        for _ in 0..lost {
            denied(&rig.decide(request("ann", "dataset:read", "d1")).await, "audit_unavailable");
        }
        rig.switch.heal();
        allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
    }
    let told = gaps(&rig.stores).await;
    assert!(
        told.len() == 2 && told[0].starts_with("1 records") && told[1].starts_with("2 records"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_gap_is_nobodys_to_read_as_their_own() {
    let rig = Rig::new(Config::default()).await;
    rig.switch.nth(Shape::Append, 0, Fault::io());
    denied(&rig.decide(request("ann", "dataset:read", "d1")).await, "audit_unavailable");
    let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
    let gap = answer.log_index.unwrap() + 1;
    assert_eq!(rig.engine.prove(&rig.caller, gap).await.unwrap_err().code(), "not_found");
    assert!(rig.engine.prove(&Caller::process(TenantId::system()), gap).await.is_ok());
}
