//! Amounts of data as people write them: `500MB` is decimal, `1GiB` is binary.

use super::{ParseError, quoted};

const UNITS: [(&str, u64); 12] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("pib", 1 << 50),
];
/// `1.123456789GB` is exact; more digits are refused rather than rounded.
const FRACTION_DIGITS_MAX: usize = 15;

/// Reads `500`, `500MB`, `1.5 GiB`; a part of a byte is dropped.
pub(crate) fn bytes_of(text: &str) -> Result<u64, ParseError> {
    let wrong = || {
        ParseError::new(format!(
            "{} is no amount of data; write it as 500MB, 1.5GiB or a number",
            quoted(text)
        ))
    };
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at_checked(unit_at).ok_or_else(wrong)?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale).ok_or_else(wrong)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if fraction.is_empty() || fraction.len() > FRACTION_DIGITS_MAX {
        return Err(wrong());
    }
    let whole = whole.parse::<u64>().map_err(|_| wrong())?;
    let parts = fraction.parse::<u64>().map_err(|_| wrong())?;
    let divisor = fraction.bytes().fold(1_u128, |divisor, _| divisor * 10);
    let total = u128::from(whole) * u128::from(scale) + u128::from(parts) * u128::from(scale) / divisor;
    u64::try_from(total).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_decimal_or_binary_as_written() {
        for (text, bytes) in [
            ("500MB", 500_000_000),
            ("1GiB", 1 << 30),
            ("1.5 kb", 1500),
            ("0.1kib", 102),
            ("7", 7),
            (" 12 B ", 12),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(bytes_of(text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "MB",
            "-1",
            "1.",
            ".5.5",
            "5 parsecs",
            "NaN",
            "inf",
            "1e9",
            "18446744073709551616",
            "99999999PB",
        ] {
            assert!(bytes_of(text).is_err(), "{text}");
        }
    }
}
