//! Where time and randomness come from: the only place of the engine that asks the system for either.

use ringwall_types::Timestamp;

/// Tells what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The system's clock, UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX)
    }
}

/// Gives bytes that nobody can foresee.
pub trait Entropy: Send + Sync + 'static {
    /// Sixteen of them, for ids.
    fn id_bytes(&self) -> Result<[u8; 16], EntropyLost>;

    /// Thirty-two of them, for keys and tokens.
    fn key_bytes(&self) -> Result<zeroize::Zeroizing<[u8; 32]>, EntropyLost>;
}

/// The system gave no randomness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntropyLost;

impl std::fmt::Display for EntropyLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system gives no randomness")
    }
}

impl std::error::Error for EntropyLost {}

/// The cryptographic library's generator, seeded by the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

#[expect(clippy::disallowed_methods, reason = "this is the randomness that everybody else is given")]
impl Entropy for SystemEntropy {
    fn id_bytes(&self) -> Result<[u8; 16], EntropyLost> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| EntropyLost)?;
        Ok(bytes)
    }

    fn key_bytes(&self) -> Result<zeroize::Zeroizing<[u8; 32]>, EntropyLost> {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| EntropyLost)?;
        Ok(bytes)
    }
}
