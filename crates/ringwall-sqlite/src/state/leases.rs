//! Leases.

use ringwall_store::{Error, Lease, LeaseKey, Result};
use ringwall_types::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use crate::error::storage;

struct Held {
    owner: String,
    fence: u64,
    ends_at: i64,
}

pub(super) fn acquire(
    connection: &Connection,
    key: LeaseKey,
    owner: String,
    ttl_secs: u64,
    now: Timestamp,
) -> Result<Option<Lease>> {
    let held = held(connection, &key).map_err(|error| storage("state", error))?;
    let fence = match held {
        Some(held) if now.as_micros() < held.ends_at && held.owner != owner => return Ok(None),
        Some(held) if now.as_micros() < held.ends_at => held.fence,
        Some(held) => held.fence + 1,
        None => 1,
    };
    let lease = Lease { key, owner, fence, ends_at: end_of(ttl_secs, now) };
    store(connection, &lease).map_err(|error| storage("state", error))?;
    Ok(Some(lease))
}

pub(super) fn renew(connection: &Connection, lease: Lease, ttl_secs: u64, now: Timestamp) -> Result<Lease> {
    let held = held(connection, &lease.key).map_err(|error| storage("state", error))?;
    if !held.is_some_and(|held| held.fence == lease.fence && now.as_micros() < held.ends_at) {
        return Err(Error::StaleFence { name: lease.key.name });
    }
    let lease = Lease { ends_at: end_of(ttl_secs, now), ..lease };
    store(connection, &lease).map_err(|error| storage("state", error))?;
    Ok(lease)
}

/// The row stays, so that the next owner's number is greater.
pub(super) fn release(connection: &Connection, lease: &Lease) -> Result<()> {
    let sql = "UPDATE leases SET ends_at = ?4 WHERE tenant = ?1 AND name = ?2 AND fence = ?3";
    let ended = Timestamp::MIN.as_micros();
    let update = || {
        connection.prepare_cached(sql)?.execute((
            lease.key.tenant.as_str(),
            &lease.key.name,
            lease.fence,
            ended,
        ))
    };
    update().map(drop).map_err(|error| storage("state", error))
}

pub(super) fn fence(connection: &Connection, key: &LeaseKey) -> rusqlite::Result<Option<u64>> {
    Ok(held(connection, key)?.map(|held| held.fence))
}

fn held(connection: &Connection, key: &LeaseKey) -> rusqlite::Result<Option<Held>> {
    let mut select = connection
        .prepare_cached("SELECT owner, fence, ends_at FROM leases WHERE tenant = ?1 AND name = ?2")?;
    let row =
        |row: &rusqlite::Row<'_>| Ok(Held { owner: row.get(0)?, fence: row.get(1)?, ends_at: row.get(2)? });
    select.query_row((key.tenant.as_str(), &key.name), row).optional()
}

fn store(connection: &Connection, lease: &Lease) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO leases VALUES (?1, ?2, ?3, ?4, ?5)";
    let key = &lease.key;
    let ends_at = lease.ends_at.as_micros();
    connection.prepare_cached(sql)?.execute((
        key.tenant.as_str(),
        &key.name,
        &lease.owner,
        lease.fence,
        ends_at,
    ))?;
    Ok(())
}

fn end_of(ttl_secs: u64, now: Timestamp) -> Timestamp {
    now.saturating_add_secs(i64::try_from(ttl_secs).unwrap_or(i64::MAX))
}
