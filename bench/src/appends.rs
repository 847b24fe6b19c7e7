//! Appends to the sealed log with a given number in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringwall_store::{Error, EventLog, LogEntry};
use ringwall_types::TenantId;

use crate::Result;
use crate::traffic::leaf;

/// Appends `count` leaves, each a call of its own, from `in_flight` callers at once.
pub async fn append<L: EventLog + 'static>(log: &Arc<L>, count: u64, in_flight: u64) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for _ in 0..in_flight {
        let (log, next) = (log.clone(), next.clone());
        callers.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Result::Ok(());
                }
                append_one(log.as_ref(), leaf(number)?).await?;
            }
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

/// A full queue is the store's way of asking to wait.
async fn append_one<L: EventLog>(log: &L, body: Vec<u8>) -> Result<()> {
    loop {
        let entry = LogEntry { tenant: TenantId::initial(), body: body.clone() };
        match log.append(vec![entry]).await {
            Err(Error::Busy) => tokio::task::yield_now().await,
            other => {
                other?;
                return Ok(());
            }
        }
    }
}
