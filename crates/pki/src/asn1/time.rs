//! Times as ASN.1 writes them (RFC 5280 §4.1.2.5) to Unix seconds and back. Local times and times without a zone are refused; leap seconds are too.

use super::{Asn1Error, Element, encode, tag};

/// Reads a UTCTime or GeneralizedTime as Unix seconds. The forms of RFC 5280 (`…Z`, with seconds) and
/// fractions of a second, which are dropped, are read; local times are refused.
///
/// # Errors
/// [`Asn1Error`] if it is no such time.
pub fn time(element: &Element<'_>) -> Result<i64, Asn1Error> {
    let text = core::str::from_utf8(element.content()).map_err(|_| Asn1Error::Value)?;
    let text = text.strip_suffix('Z').ok_or(Asn1Error::Value)?;
    let text = match text.split_once('.') {
        Some((whole, fraction)) if element.tag() == tag::GENERALIZED_TIME && !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => whole,
        Some(_) => return Err(Asn1Error::Value),
        None => text,
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Asn1Error::Value);
    }
    let number = |from: usize, to: usize| -> Result<u32, Asn1Error> { text.get(from..to).and_then(|s| s.parse().ok()).ok_or(Asn1Error::Value) };
    let (year, at) = match (element.tag(), text.len()) {
        (tag::UTC_TIME, 12) => {
            let short = number(0, 2)?;
            (if short < 50 { 2000 + short } else { 1900 + short }, 2)
        }
        (tag::GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return Err(Asn1Error::Value),
    };
    let (month, day) = (number(at, at + 2)?, number(at + 2, at + 4)?);
    let (hour, minute, second) = (number(at + 4, at + 6)?, number(at + 6, at + 8)?, number(at + 8, at + 10)?);
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59 {
        return Err(Asn1Error::Value);
    }
    let days = days_from_civil(i64::from(year), i64::from(month), i64::from(day));
    Ok(days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

/// Writes a time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime afterwards.
///
/// # Errors
/// [`Asn1Error::Value`] outside the years 1970 to 9999.
pub fn encode_time(unix_seconds: i64) -> Result<Vec<u8>, Asn1Error> {
    let (year, text) = civil(unix_seconds)?;
    if year < 2050 { Ok(encode(tag::UTC_TIME, text.get(2..).ok_or(Asn1Error::Value)?.as_bytes())) } else { Ok(encode(tag::GENERALIZED_TIME, text.as_bytes())) }
}

/// Writes a time as GeneralizedTime in the DER form.
///
/// # Errors
/// [`Asn1Error::Value`] outside the years 1970 to 9999.
pub fn encode_generalized_time(unix_seconds: i64) -> Result<Vec<u8>, Asn1Error> {
    Ok(encode(tag::GENERALIZED_TIME, civil(unix_seconds)?.1.as_bytes()))
}

/// `YYYYMMDDHHMMSSZ`, and the year.
fn civil(unix_seconds: i64) -> Result<(i64, String), Asn1Error> {
    // 9999-12-31T23:59:59Z
    if !(0..=253_402_300_799).contains(&unix_seconds) {
        return Err(Asn1Error::Value);
    }
    let days = unix_seconds / 86_400;
    let second = unix_seconds % 86_400;
    // Howard Hinnant's civil-from-days, shifted so that the year begins in March.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Ok((year, format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}Z", second / 3_600, second / 60 % 60, second % 60)))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01; the arguments are in the ranges that `time` has checked.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
