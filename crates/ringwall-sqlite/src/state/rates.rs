//! Windowed sums and rate limits.

use ringwall_store::{RateAnswer, RateTake, Result, WindowedSum, rate_take};
use ringwall_types::{CounterAdd, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::error::storage;

pub(super) fn add(connection: &Connection, adds: &[CounterAdd], now: Timestamp) -> Result<Vec<u64>> {
    let sums = forget_over(connection, now)
        .and_then(|()| adds.iter().map(|add| add_one(connection, add, now)).collect());
    sums.map_err(|error| storage("state", error))
}

pub(super) fn take(connection: &Connection, takes: &[RateTake], now: Timestamp) -> Result<Vec<RateAnswer>> {
    let answers = forget_over(connection, now)
        .and_then(|()| takes.iter().map(|take| take_one(connection, take, now)).collect());
    answers.map_err(|error| storage("state", error))
}

/// Drops some of what no longer counts, so that old keys do not pile up.
fn forget_over(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let now = now.as_micros();
    let counters = "DELETE FROM counters WHERE (tenant, name) IN
                    (SELECT tenant, name FROM counters WHERE over_at < ?1 LIMIT 16)";
    connection.prepare_cached(counters)?.execute([now])?;
    let rates =
        "DELETE FROM rates WHERE (tenant, name) IN (SELECT tenant, name FROM rates WHERE due < ?1 LIMIT 16)";
    connection.prepare_cached(rates)?.execute([now])?;
    Ok(())
}

fn add_one(connection: &Connection, add: &CounterAdd, now: Timestamp) -> rusqlite::Result<u64> {
    let mut select =
        connection.prepare_cached("SELECT slices FROM counters WHERE tenant = ?1 AND name = ?2")?;
    let stored: Option<Vec<u8>> =
        select.query_row((add.tenant.as_str(), &add.key), |row| row.get(0)).optional()?;
    let mut sum =
        WindowedSum::from_slices(stored.iter().flat_map(|bytes| bytes.as_chunks::<16>().0).map(slice));
    let total = sum.add(add.amount, add.window_secs, now);
    let bytes: Vec<u8> = sum.slices().flat_map(slice_bytes).collect();
    let window_secs = i64::try_from(add.window_secs).unwrap_or(i64::MAX);
    // One slice more than the window, as the sum itself keeps it.
    let over_at = now.saturating_add_secs(window_secs.saturating_add(window_secs / 8 + 1)).as_micros();
    let sql = "INSERT OR REPLACE INTO counters VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute((add.tenant.as_str(), &add.key, bytes, over_at))?;
    Ok(total)
}

fn slice(bytes: &[u8; 16]) -> (i64, u64) {
    let joined = u128::from_be_bytes(*bytes);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "takes the two halves apart"
    )]
    ((joined >> 64) as u64 as i64, joined as u64)
}

fn slice_bytes((slice, sum): (i64, u64)) -> impl Iterator<Item = u8> {
    slice.to_be_bytes().into_iter().chain(sum.to_be_bytes())
}

fn take_one(connection: &Connection, take: &RateTake, now: Timestamp) -> rusqlite::Result<RateAnswer> {
    let key = (take.key.tenant.as_str(), take.key.name.as_str());
    let mut select = connection.prepare_cached("SELECT due FROM rates WHERE tenant = ?1 AND name = ?2")?;
    let stored = select.query_row(key, |row| row.get(0)).optional()?;
    let (answer, due) = rate_take(stored, take.limit, take.cost, now);
    let mut replace = connection.prepare_cached("INSERT OR REPLACE INTO rates VALUES (?1, ?2, ?3)")?;
    replace.execute((key.0, key.1, due))?;
    Ok(answer)
}
