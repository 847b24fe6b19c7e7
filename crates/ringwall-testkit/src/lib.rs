//! What tests of the engine and of its stores share: a clock that stands still, ids that can be foreseen, stores that
//! fail on demand, traffic with known attacks in it, outside data sets, and engines put together from all that.
//!
//! Arrows: knows types, store, the embedded store and the engine; only tests know it. The engine's own tests that need
//! it are integration tests, where both sides see one engine.
//!
//! Promises: nothing here waits for time to pass or draws randomness; the same seed gives the same bytes. A broken
//! expectation is a panic, as in any test. Does not do: anything in a product build.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "test support: a broken expectation is a panic, a skip is told"
)]

mod clock;
pub mod engine;
mod entropy;
mod faulty;
mod random;
pub mod requests;
pub mod traffic;
pub mod vectors;

pub use clock::FixedClock;
pub use entropy::SteppedEntropy;
pub use faulty::{Fault, FaultSwitch, FaultyStore, Shape};
pub use random::Random;
