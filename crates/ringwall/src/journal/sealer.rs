//! Joins the Merkle log to whatever store holds it.

use ringwall_audit::{LogWriter, SigningKey};
use ringwall_store::{Error, Head, LogOptions, Node, Result, Sealed, Sealer};

/// What a store needs in order to hold the audit log: the Merkle seal and the terms of a record.
///
/// `origin` names the log in its checkpoints and must be the name of the key.
pub fn log_options(origin: &str, key: SigningKey) -> std::result::Result<LogOptions, crate::Error> {
    let sealer = MerkleSealer { writer: LogWriter::new(origin, key)? };
    Ok(LogOptions { sealer: Box::new(sealer), terms: super::terms::terms })
}

struct MerkleSealer {
    writer: LogWriter,
}

impl Sealer for MerkleSealer {
    fn resume(&mut self, head: Option<&Head>) -> Result<()> {
        let head = head.map(|head| (head.state.as_slice(), head.checkpoint.as_str()));
        self.writer
            .restart(head)
            .map_err(|error| Error::Seal(format!("the stored log was not sealed with this key: {error}")))
    }

    fn seal(&mut self, first: u64, entries: &[&[u8]]) -> Result<Sealed> {
        let sealed = self.writer.seal(first, entries).map_err(|error| Error::Seal(error.to_string()))?;
        Ok(Sealed {
            hashes: sealed.leaf_hashes.iter().map(|hash| *hash.as_bytes()).collect(),
            nodes: sealed
                .tile_nodes
                .iter()
                .map(|node| Node { level: node.level, index: node.index, hash: *node.hash.as_bytes() })
                .collect(),
            state: sealed.state,
            checkpoint: sealed.checkpoint,
        })
    }

    fn committed(&mut self) {
        self.writer.committed();
    }

    fn rolled_back(&mut self) {
        self.writer.rolled_back();
    }
}
