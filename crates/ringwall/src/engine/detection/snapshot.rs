//! The detector's state between two starts, in pieces that a document can hold.

use ringwall_detect::{Detector, DetectorState};
use ringwall_store::{Expect, PAGE_MAX, RecordKey, RecordWrite};
use ringwall_types::{Digest, TenantId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::engine::Engine;
use crate::error::to_json;
use crate::tenants::document;

const HEAD_KIND: &str = "detector";
const PIECE_KIND: &str = "detector_piece";
const HEAD_ID: &str = "newest";
const PIECE_BYTES: usize = 4 << 20;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The index after the last entry that the state knows.
    next: u64,
    /// The hash of that last entry: a log that does not hold it is another log, or an older one.
    last: Option<Digest>,
    pieces: usize,
}

impl Engine {
    /// The detector as it was saved, with the index at which it goes on; or a new one at the start of the log.
    pub(super) async fn restored(&self) -> Result<(Detector, u64), Error> {
        let mut detector = self.new_detector();
        let records = &self.stores.records;
        let key = RecordKey::new(TenantId::system(), HEAD_KIND, HEAD_ID);
        let Some(record) = records.read(&[key]).await?.into_iter().next().flatten() else {
            return Ok((detector, 0));
        };
        let head: Head = document(HEAD_KIND, &record)?;
        if self.last_before(head.next).await? != head.last {
            tracing::error!(
                next = head.next,
                "the saved detector knows another log than this one; judging from the start"
            );
            return Ok((detector, 0));
        }
        let mut bytes = Vec::new();
        let pieces = records.scan(&TenantId::system(), PIECE_KIND, None, PAGE_MAX).await?;
        pieces.iter().take(head.pieces).for_each(|piece| bytes.extend_from_slice(&piece.body));
        let state: DetectorState = serde_json::from_slice(&bytes)
            .map_err(|error| ringwall_store::Error::Corrupt(format!("the detector's state: {error}")))?;
        detector.restore(state).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok((detector, head.next))
    }

    /// Saves the detector's state as of the index `next`, all or nothing.
    pub(super) async fn save(&self, detector: &Detector, next: u64) -> Result<u64, Error> {
        let bytes =
            serde_json::to_vec(&detector.snapshot()).map_err(|error| Error::Invalid(error.to_string()))?;
        let head =
            Head { next, last: self.last_before(next).await?, pieces: bytes.chunks(PIECE_BYTES).count() };
        let head_bytes = to_json(&head)?;
        let write = |kind, id: String, body| {
            let key = RecordKey::new(TenantId::system(), kind, id);
            RecordWrite { key, expect: Expect::Any, body: Some(body) }
        };
        let pieces = (0_u32..).zip(bytes.chunks(PIECE_BYTES));
        let mut batch: Vec<_> =
            pieces.map(|(number, piece)| write(PIECE_KIND, format!("{number:06}"), piece.to_vec())).collect();
        batch.push(write(HEAD_KIND, HEAD_ID.to_owned(), head_bytes));
        self.stores.records.write(batch).await?;
        Ok(next)
    }

    /// The hash of the entry before `next`, if the log holds it.
    async fn last_before(&self, next: u64) -> Result<Option<Digest>, Error> {
        let Some(last) = next.checked_sub(1) else { return Ok(None) };
        let hashes = self.stores.log.hashes(0, last..next).await?;
        Ok(hashes.first().copied().map(Digest::new))
    }
}
