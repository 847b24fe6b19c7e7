//! Access requests and events in few words.

use ringwall_types::{AccessRequest, Principal, PrincipalId, Resource, ResourceId, Timestamp};

/// May `principal` do `action` to `resource`?
pub fn request(principal: &str, action: &str, resource: &str) -> AccessRequest {
    let principal = Principal::user(PrincipalId::new(principal).expect("a principal id"));
    let resource = Resource::new(ResourceId::new(resource).expect("a resource id"), "dataset");
    AccessRequest::new(principal, action.parse().expect("an action"), resource)
}

/// The same, from an address.
pub fn request_from(principal: &str, action: &str, resource: &str, address: &str) -> AccessRequest {
    let mut request = request(principal, action, resource);
    request.environment.source_ip = Some(address.parse().expect("an address"));
    request
}

/// The same request under an idempotency key.
pub fn with_key(mut request: AccessRequest, key: &str) -> AccessRequest {
    request.idempotency_key = Some(key.parse().expect("an idempotency key"));
    request
}

/// One line about a failed login.
pub fn failed_login(time: Timestamp, user: &str, address: &str) -> String {
    login(time, user, address, true)
}

/// One line about a login that was let in.
pub fn successful_login(time: Timestamp, user: &str, address: &str) -> String {
    login(time, user, address, false)
}

fn login(time: Timestamp, user: &str, address: &str, failed: bool) -> String {
    format!(r#"{{"type":"login","user":"{user}","ip":"{address}","failed":{failed},"timestamp":"{time}"}}"#)
}
