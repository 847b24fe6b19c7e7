//! The ordered scales: how sensitive, how cleared, how severe.

use crate::RiskScore;
use crate::names::closed_names;

closed_names! {
    /// How much harm the disclosure of a resource does, from least to most.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Sensitivity as "sensitivity" {
        /// Meant for everybody.
        Public = "public",
        /// For the organisation.
        Internal = "internal",
        /// For those who need it.
        Confidential = "confidential",
        /// For few, with fresh authentication.
        Restricted = "restricted",
        /// For named persons.
        TopSecret = "top_secret",
    }
}

closed_names! {
    /// Up to which sensitivity a principal may see, on the scale of [`Sensitivity`].
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Clearance as "clearance" {
        /// Only what is public; what a principal without a known clearance has.
        #[default]
        Public = "public",
        /// Up to internal.
        Internal = "internal",
        /// Up to confidential.
        Confidential = "confidential",
        /// Up to restricted.
        Restricted = "restricted",
        /// Everything.
        TopSecret = "top_secret",
    }
}

impl Clearance {
    /// Whether this clearance reaches `sensitivity`; one of which nothing is known counts as the highest.
    pub fn covers(self, sensitivity: Option<Sensitivity>) -> bool {
        let needed = match sensitivity {
            Some(Sensitivity::Public) => Self::Public,
            Some(Sensitivity::Internal) => Self::Internal,
            Some(Sensitivity::Confidential) => Self::Confidential,
            Some(Sensitivity::Restricted) => Self::Restricted,
            Some(Sensitivity::TopSecret) | None => Self::TopSecret,
        };
        self >= needed
    }
}

closed_names! {
    /// How bad a threat is, from least to most; read without regard to case, `informational` is `info`.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Severity as "severity" {
        /// Worth knowing.
        Info = "info" | "informational",
        /// Worth a look.
        Low = "low",
        /// Worth an alert.
        Medium = "medium",
        /// Worth acting at once.
        High = "high",
        /// Harm is done or certain.
        Critical = "critical",
    }
}

impl Severity {
    /// The risk that a threat of this severity stands for: 0, 250, 500, 750, 1000 thousandths (the nodes guide's 0,
    /// 2.5, 5, 7.5, 10 of 10).
    pub fn risk(self) -> RiskScore {
        match self {
            Self::Info => RiskScore::NONE,
            Self::Low => RiskScore::from_thousandths_clamped(250),
            Self::Medium => RiskScore::from_thousandths_clamped(500),
            Self::High => RiskScore::from_thousandths_clamped(750),
            Self::Critical => RiskScore::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
