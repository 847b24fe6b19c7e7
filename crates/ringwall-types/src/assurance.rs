//! How surely a principal is who it says it is: which factors were used, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::names::closed_names;

closed_names! {
    /// A way to prove who one is (NIST SP 800-63B), in the order in which ringwall asks for them.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Factor as "factor" {
        /// A memorized secret.
        Password = "password",
        /// A time-based one-time code, RFC 6238.
        Totp = "totp",
        /// A code sent by text message.
        Sms = "sms",
        /// A code sent by e-mail.
        Email = "email",
        /// An approval on a registered device.
        Push = "push",
        /// A passkey with user verification, WebAuthn.
        Biometric = "biometric",
        /// An X.509 client certificate.
        Certificate = "certificate",
        /// A single-use recovery code.
        BackupCode = "backup_code",
    }
}

/// The factors that a principal has proven in this session.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Assurance {
    /// Each proven factor with its moment, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<FactorUse>,
}

impl Assurance {
    /// Seconds since the latest proof of any factor, counted as elapsed time. `None` when nothing was proven, or when
    /// the latest stamp lies in the future: a stamp from the future is no proof of freshness.
    pub fn age_secs(&self, now: Timestamp) -> Option<u64> {
        let latest = self.factors.iter().map(|used| used.at).max()?;
        u64::try_from(now.micros_since(latest)).ok().map(|micros| micros / 1_000_000)
    }
}

/// One factor that was proven.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FactorUse {
    /// Which factor.
    pub factor: Factor,
    /// When it was proven.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: &str, now: &str, expected: Option<u64>) {
        let used = FactorUse { factor: Factor::Password, at: at.parse().unwrap() };
        assert_eq!(Assurance { factors: vec![used] }.age_secs(now.parse().unwrap()), expected);
    }

    #[test]
    fn age_is_total_elapsed_time_not_seconds_of_the_day() {
        check("2024-01-01T10:00:00Z", "2024-01-02T10:00:10Z", Some(86_410));
        check("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", Some(0));
    }

    #[test]
    fn a_stamp_from_the_future_is_no_proof_of_freshness() {
        check("2024-01-01T10:00:01Z", "2024-01-01T10:00:00Z", None);
        assert_eq!(Assurance::default().age_secs(Timestamp::MIN), None);
    }
}
