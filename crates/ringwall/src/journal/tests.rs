use ringwall_types::{EventKind, SecurityEvent};

use super::*;

fn leaf(body: RecordBody) -> Vec<u8> {
    let recorded_at = "2026-03-04T10:00:00Z".parse().unwrap();
    to_canonical(&AuditRecord { tenant: TenantId::initial(), recorded_at, body }).unwrap()
}

#[track_caller]
fn check(leaf: &[u8], expected: &[(&str, &str)]) {
    let terms = super::terms::terms(leaf);
    let found: Vec<_> = terms.iter().map(|term| (term.field, term.value.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_event_is_found_by_whom_whence_and_what() {
    let time = "2026-03-04T10:00:00Z".parse().unwrap();
    let mut event = SecurityEvent::new(TenantId::initial(), time, EventKind::Access);
    check(&leaf(RecordBody::Event(event.clone())), &[]);
    event.principal = Some("ann".parse().unwrap());
    event.source_ip = Some("10.0.0.1".parse().unwrap());
    event.resource = Some("d1".parse().unwrap());
    let expected = [("principal", "ann"), ("source_ip", "10.0.0.1"), ("resource", "d1")];
    check(&leaf(RecordBody::Event(event)), &expected);
}

#[test]
fn an_act_is_found_by_its_name_and_what_is_no_record_by_nothing() {
    let gap = Gap { since: "2026-03-04T10:00:00Z".parse().unwrap(), records: 3 };
    let record = gap.record("2026-03-04T10:00:05Z".parse().unwrap());
    assert!(record.tenant.is_reserved());
    check(&leaf(record.body), &[("act", "audit_gap")]);
    check(b"{}", &[]);
    check(b"\xff", &[]);
}

#[test]
fn a_leaf_reads_back_as_the_record_that_it_was() {
    let record = Gap { since: Timestamp::MIN, records: 1 }.record("2026-03-04T10:00:00Z".parse().unwrap());
    let leaf = entry(&record).unwrap();
    assert_eq!((parse(&leaf.body).unwrap(), leaf.tenant), (record, TenantId::system()));
    assert_eq!(parse(b"{}").unwrap_err().code(), "store_corrupt");
}
