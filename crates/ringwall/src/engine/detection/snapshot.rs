//! The detector's state between two starts, in pieces that a document can hold.

use ringwall_detect::{Detector, DetectorState};
use ringwall_store::{Expect, PAGE_MAX, RecordKey, RecordWrite};
use ringwall_types::TenantId;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::{Error, tenants::document};

const HEAD_KIND: &str = "detector";
const PIECE_KIND: &str = "detector_piece";
const HEAD_ID: &str = "newest";
const PIECE_BYTES: usize = 4 << 20;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The index after the last entry that the state knows.
    next: u64,
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
        let head = Head { next, pieces: bytes.chunks(PIECE_BYTES).count() };
        let head_bytes = serde_json::to_vec(&head).map_err(|error| Error::Invalid(error.to_string()))?;
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
}
