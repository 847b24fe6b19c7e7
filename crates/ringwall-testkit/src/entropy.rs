//! Ids that can be foreseen.

use std::sync::atomic::{AtomicU64, Ordering};

use ringwall::{Entropy, EntropyLost};
use zeroize::Zeroizing;

/// Bytes that count up from a start, so they never repeat and every run sees the same.
#[derive(Debug, Default)]
pub struct SteppedEntropy {
    step: AtomicU64,
}

impl SteppedEntropy {
    /// Counts from `start`: two engines that must not make equal ids start apart.
    pub fn starting_at(start: u64) -> Self {
        Self { step: AtomicU64::new(start) }
    }

    fn next(&self) -> [u8; 8] {
        self.step.fetch_add(1, Ordering::SeqCst).to_be_bytes()
    }
}

impl Entropy for SteppedEntropy {
    fn id_bytes(&self) -> Result<[u8; 16], EntropyLost> {
        let mut bytes = [0; 16];
        bytes.iter_mut().skip(8).zip(self.next()).for_each(|(to, from)| *to = from);
        Ok(bytes)
    }

    fn key_bytes(&self) -> Result<Zeroizing<[u8; 32]>, EntropyLost> {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.iter_mut().skip(24).zip(self.next()).for_each(|(to, from)| *to = from);
        Ok(bytes)
    }
}
