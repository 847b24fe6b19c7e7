//! Documents.

use ringwall_store::{Error, Expect, PAGE_MAX, Record, RecordKey, RecordWrite, Result};
use ringwall_types::TenantId;
use rusqlite::{Connection, OptionalExtension};

use crate::error::storage;

pub(super) fn read(connection: &Connection, keys: &[RecordKey]) -> rusqlite::Result<Vec<Option<Record>>> {
    let sql = "SELECT id, version, body FROM records WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    let mut select = connection.prepare_cached(sql)?;
    let find =
        |key: &RecordKey| select.query_row((key.tenant.as_str(), key.kind, &key.id), record).optional();
    keys.iter().map(find).collect()
}

pub(super) fn scan(
    connection: &Connection,
    tenant: &TenantId,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    let sql = "SELECT id, version, body FROM records
               WHERE tenant = ?1 AND kind = ?2 AND (?3 IS NULL OR id > ?3) ORDER BY id LIMIT ?4";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((tenant.as_str(), kind, after, limit.min(PAGE_MAX)), record)?;
    rows.collect()
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record { id: row.get(0)?, version: row.get(1)?, body: row.get(2)? })
}

pub(super) fn write(connection: &Connection, batch: &[RecordWrite]) -> Result<Vec<u64>> {
    let failed = |error| storage("state", error);
    for write in batch {
        let version = version(connection, &write.key).map_err(failed)?;
        let met = match write.expect {
            Expect::Any => true,
            Expect::Absent => version.is_none(),
            Expect::Version(expected) => version == Some(expected),
        };
        if !met {
            return Err(Error::Conflict { key: format!("{}/{}", write.key.kind, write.key.id) });
        }
    }
    store(connection, batch).map_err(failed)
}

fn version(connection: &Connection, key: &RecordKey) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT version FROM records WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    let mut select = connection.prepare_cached(sql)?;
    select.query_row((key.tenant.as_str(), key.kind, &key.id), |row| row.get(0)).optional()
}

fn store(connection: &Connection, batch: &[RecordWrite]) -> rusqlite::Result<Vec<u64>> {
    let sql = "UPDATE versions SET newest = newest + ?1 RETURNING newest - ?1";
    let mut newest: u64 = connection.prepare_cached(sql)?.query_row([batch.len()], |row| row.get(0))?;
    let mut replace =
        connection.prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut delete =
        connection.prepare_cached("DELETE FROM records WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?;
    let mut versions = Vec::with_capacity(batch.len());
    for RecordWrite { key, body, .. } in batch {
        match body {
            Some(body) => {
                newest += 1;
                replace.execute((key.tenant.as_str(), key.kind, &key.id, newest, body))?;
                versions.push(newest);
            }
            None => {
                delete.execute((key.tenant.as_str(), key.kind, &key.id))?;
                versions.push(0);
            }
        }
    }
    Ok(versions)
}
