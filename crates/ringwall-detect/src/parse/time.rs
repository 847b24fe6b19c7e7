//! Times as lines write them: with an offset, without one, or without even a year.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ringwall_types::{EventFlag, Timestamp};

use super::{ParseError, quoted};

const DAY_SECS: i64 = 86_400;
/// Far enough back to find a 29 February across a century that has none.
const YEARS_BACK_MAX: i16 = 8;

/// Reads RFC 3339; a time without an offset is UTC and says so by its flag.
pub(crate) fn rfc3339(text: &str) -> Result<(Timestamp, Option<EventFlag>), ParseError> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok((time, None));
    }
    let wrong = || {
        ParseError::new(format!("time: {} is not RFC 3339; write it as 2024-01-31T10:00:00Z", quoted(text)))
    };
    // A bare date is not a moment, though the library would read it as midnight.
    let is_moment = text.contains(':') && !text.contains('[');
    let civil = text.parse::<DateTime>().ok().filter(|_| is_moment).ok_or_else(wrong)?;
    Ok((utc(civil).ok_or_else(wrong)?, Some(EventFlag::TimeNaive)))
}

/// Reads `Dec 10 06:55:46`: the latest such time that is not more than a day after `reference`, in UTC.
pub(crate) fn without_year(month: &str, day: &str, clock: &str, reference: Timestamp) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = i8::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let day = number(day, 2)?;
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // A leap second has no moment of its own.
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?.min(59));
    let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0_i32, |nanos, digit| nanos * 10 + i32::from(digit - b'0'));

    let latest = reference.saturating_add_secs(DAY_SECS);
    let year = jiff::Timestamp::from_microsecond(latest.as_micros()).ok()?.to_zoned(TimeZone::UTC).year();
    (year.saturating_sub(YEARS_BACK_MAX)..=year).rev().find_map(|year| {
        let civil = DateTime::new(year, month, day, hour, minute, second, nanos).ok()?;
        utc(civil).filter(|time| *time <= latest)
    })
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Timestamp::from_micros(zoned.timestamp().as_microsecond()).ok()
}

fn number(text: &str, digits_max: usize) -> Option<i8> {
    let sound = (1..=digits_max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}
