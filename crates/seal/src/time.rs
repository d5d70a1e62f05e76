//! Times as this room writes and reads them: Unix seconds, the PDF date string (ISO 32000-2, 7.9.4), a day for people.
//!
//! It knows no clock: every time is an argument.

/// Seconds of a day.
const DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z; later times can not be written.
const LAST: i64 = 253_402_300_799;

/// Year, month, day, hour, minute, second in UTC; times outside 1970 to 9999 are moved to the nearest end.
fn civil(unix: i64) -> (i64, i64, i64, i64, i64, i64) {
    let unix = unix.clamp(0, LAST);
    let (days, second) = (unix.div_euclid(DAY), unix.rem_euclid(DAY));
    // Days since 0000-03-01, so that a leap day is the last day of its year; 400 years have 146097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, second / 3_600, second / 60 % 60, second % 60)
}

/// Days from 1970-01-01 to a day that exists.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march = (month + 9) % 12;
    let of_year = (153 * march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `D:20261121055323Z`.
pub(crate) fn pdf_date(unix: i64) -> String {
    let (year, month, day, hour, minute, second) = civil(unix);
    format!("D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// `2026-11-21`, in UTC.
pub(crate) fn day(unix: i64) -> String {
    let (year, month, day, ..) = civil(unix);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026年11月21日`, the day in China (UTC+8, without summer time since 1992).
pub(crate) fn chinese_day(unix: i64) -> String {
    let (year, month, day, ..) = civil(unix.saturating_add(8 * 3_600));
    format!("{year:04}年{month:02}月{day:02}日")
}

/// `2026-11-21 05:53:23 UTC`.
pub(crate) fn moment(unix: i64) -> String {
    let (year, month, day, hour, minute, second) = civil(unix);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Unix seconds of digits `YYYY[MM[DD[HH[mm[SS]]]]]` and an optional zone, `Z`, `+HH'mm'` or `+HHmm`; an optional
/// fraction of a second is dropped. No zone means UTC. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(14);
    let (number, rest) = text.split_at_checked(digits)?;
    let part = |from: usize, default: i64| match number.get(from..from + 2) {
        Some(two) => two.parse().ok(),
        None if from >= number.len() => Some(default),
        None => None,
    };
    let year: i64 = number.get(..4)?.parse().ok()?;
    let (month, day, hour, minute, second) = (part(4, 1)?, part(6, 1)?, part(8, 0)?, part(10, 0)?, part(12, 0)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let zone = match rest.bytes().next() {
        None | Some(b'Z') => 0,
        Some(sign @ (b'+' | b'-')) => {
            let digits: String = rest.chars().skip(1).filter(|c| *c != '\'' && *c != ':').collect();
            let hours: i64 = digits.get(..2)?.parse().ok()?;
            let minutes: i64 = if digits.len() > 2 { digits.get(2..4)?.parse().ok()? } else { 0 };
            let seconds = hours * 3_600 + minutes * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second - zone)
}

/// Unix seconds of a PDF date; the `D:` may be missing.
pub(crate) fn parse_pdf(text: &str) -> Option<i64> {
    parse(text.strip_prefix("D:").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_back_what_was_written_and_odd_ones_are_refused() {
        for unix in [0, 951_782_400, 951_868_799, 1_795_240_403, 4_102_444_800, LAST] {
            assert_eq!(parse_pdf(&pdf_date(unix)), Some(unix), "{unix}");
        }
        for (text, want) in [
            ("D:20261121055323Z", Some(1_795_240_403)),
            ("D:20261121135323+08'00'", Some(1_795_240_403)),
            ("D:20261121135323+08'00", Some(1_795_240_403)),
            ("20261121055323.25Z", Some(1_795_240_403)),
            ("D:2026", Some(1_767_225_600)),
            ("D:20260229000000Z", None),
            ("D:20261321", None),
            ("D:202", None),
            ("D:20261", None),
            ("", None),
            ("D:20261121055323+99'00'", None),
            ("D:20261121055323 later", None),
        ] {
            assert_eq!(parse_pdf(text), want, "{text}");
        }
        assert_eq!(day(1_795_240_403), "2026-11-21");
        // 15:59:59 and 16:00:00 UTC: midnight in China lies between them.
        assert_eq!([1_798_732_799, 1_798_732_800].map(chinese_day), ["2026年12月31日", "2027年01月01日"]);
    }
}
