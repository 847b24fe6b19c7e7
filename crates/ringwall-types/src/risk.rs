//! How risky a request looks, and how sure a detection is, as comparable numbers.
//! Promises: equal scores are equal bytes; a missing answer counts as the worst one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// How risky a request looks, from 0 (none) to 1000 (certain harm), in thousandths.
///
/// Thousandths, not `f64`: scores go into signed audit records, so equal scores must be equal bytes.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "u16")]
pub struct RiskScore(#[schemars(range(max = 1000))] u16);

impl RiskScore {
    /// No risk seen.
    pub const NONE: Self = Self(0);
    /// Certain harm; also what stands for an answer that could not be given.
    pub const MAX: Self = Self(1000);

    /// Accepts a fraction in `0.0..=1.0`; refuses anything else, NaN included.
    pub fn from_fraction(value: f64) -> Result<Self, InvalidValue> {
        thousandths("risk score", value).map(Self)
    }

    /// Takes thousandths; more than 1000 counts as 1000.
    pub const fn from_thousandths_clamped(value: u16) -> Self {
        Self(if value > 1000 { 1000 } else { value })
    }

    /// The score in thousandths, 0 to 1000.
    pub fn as_thousandths(self) -> u16 {
        self.0
    }

    /// Mean of `scores` weighted by their own square (Σr³/Σr², the workflow guide's composite), so one high score
    /// outweighs many low ones; rounded down, 0 for none.
    pub fn composite(scores: impl IntoIterator<Item = Self>) -> Self {
        let (cubes, squares) = scores.into_iter().fold((0_u64, 0_u64), |(cubes, squares), Self(score)| {
            let score = u64::from(score);
            (cubes + score * score * score, squares + score * score)
        });
        // A mean of values up to 1000 is at most 1000, so the conversion keeps it.
        Self(u16::try_from(cubes.checked_div(squares).unwrap_or(0)).unwrap_or(1000))
    }
}

impl TryFrom<u16> for RiskScore {
    type Error = InvalidValue;

    fn try_from(value: u16) -> Result<Self, Self::Error> {
        in_range("risk score", value).map(Self)
    }
}

/// How sure a detection is, from 0 (a guess) to 1000 (certain), in thousandths.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "u16")]
pub struct Confidence(#[schemars(range(max = 1000))] u16);

impl Confidence {
    /// Certain.
    pub const MAX: Self = Self(1000);

    /// Accepts a fraction in `0.0..=1.0`; refuses anything else, NaN included.
    pub fn from_fraction(value: f64) -> Result<Self, InvalidValue> {
        thousandths("confidence", value).map(Self)
    }

    /// Takes thousandths; more than 1000 counts as 1000.
    pub const fn from_thousandths_clamped(value: u16) -> Self {
        Self(if value > 1000 { 1000 } else { value })
    }

    /// Confidence of a threshold rule: 1 − 0.2 · threshold / measured, so 0.800 when it first fires and nearer to 1
    /// the further the measure is past the threshold. A measure below its threshold counts as equal to it.
    pub fn past_threshold(threshold: u64, measured: u64) -> Self {
        let measured = u128::from(measured.max(threshold).max(1));
        let doubt = u128::from(threshold) * 200 / measured;
        Self(u16::try_from(1000_u128.saturating_sub(doubt)).unwrap_or(1000))
    }

    /// The confidence in thousandths, 0 to 1000.
    pub fn as_thousandths(self) -> u16 {
        self.0
    }

    /// The confidence as a fraction, 0.0 to 1.0, for display and for the nodes guide's results.
    pub fn as_fraction(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl TryFrom<u16> for Confidence {
    type Error = InvalidValue;

    fn try_from(value: u16) -> Result<Self, Self::Error> {
        in_range("confidence", value).map(Self)
    }
}

fn in_range(what: &'static str, value: u16) -> Result<u16, InvalidValue> {
    if value <= 1000 {
        Ok(value)
    } else {
        Err(InvalidValue::new(what, format!("{value} is not in 0 to 1000")))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be 0 to 1000 just before"
)]
fn thousandths(what: &'static str, value: f64) -> Result<u16, InvalidValue> {
    if (0.0..=1.0).contains(&value) {
        Ok((value * 1000.0).round() as u16)
    } else {
        Err(InvalidValue::new(what, format!("{value} is not in 0 to 1")))
    }
}

#[cfg(test)]
mod tests;
