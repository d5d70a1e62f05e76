//! Moments as people in China read them (Beijing time, UTC+8, no daylight saving time), and terms in whole years: a
//! certificate for a year that begins on 29 February ends on 28 February.

/// A moment on the wall clock of Beijing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

const DAY: i64 = 86_400;
const OFFSET: i64 = 8 * 3600;

impl Moment {
    /// From Unix seconds (civil-from-days arithmetic of the proleptic Gregorian calendar, counted from 1 March of the year 0).
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let local = seconds.clamp(-62_000_000_000, 250_000_000_000).saturating_add(OFFSET);
        let (days, second_of_day) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        Moment { year: year_of_era + era * 400 + i64::from(month <= 2), month, day, second_of_day }
    }

    /// Back to Unix seconds.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month_index = (self.month + 9) % 12;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month_index + 2) / 5 + self.day - 1;
        (era * 146_097 + day_of_era - 719_468) * DAY + self.second_of_day - OFFSET
    }

    /// So many months later, on the same day of the month or on its last day.
    #[must_use]
    pub fn plus_months(self, months: u16) -> Self {
        let index = self.year * 12 + self.month - 1 + i64::from(months);
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        Moment { year, month, day: self.day.min(last), ..self }
    }

    /// `2026-04-14 15:30:00`.
    #[must_use]
    pub fn time(self) -> String {
        let (hours, minutes, seconds) = (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        format!("{} {hours:02}:{minutes:02}:{seconds:02}", self.date())
    }

    /// `2026-04-14`.
    #[must_use]
    pub fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `260414` as a number, for business numbers.
    #[must_use]
    pub fn yymmdd(self) -> u32 {
        u32::try_from(self.year.rem_euclid(100) * 10_000 + self.month * 100 + self.day).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn moments() {
        // From `TZ=Asia/Shanghai date -d @N '+%F %T'`.
        for (unix, text) in [
            (0, "1970-01-01 08:00:00"),
            (951_753_599, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 08:00:00"),
            (1_735_660_799, "2024-12-31 23:59:59"),
            (1_735_660_800, "2025-01-01 00:00:00"),
            (4_107_513_600, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(Moment::from_unix(unix).time(), text);
            assert_eq!(Moment::from_unix(unix).to_unix(), unix);
        }
        assert_eq!(Moment::from_unix(1_735_660_800).yymmdd(), 250_101);
    }

    #[test]
    fn terms() {
        // From `date -d '… +N months'`, except where that would run over into the next month.
        for (from, months, to) in [
            ("2024-02-29", 12, "2025-02-28"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2026-11-27", 12, "2027-11-27"),
            ("2026-11-27", 60, "2031-11-27"),
            ("2025-12-31", 2, "2026-02-28"),
            ("2099-03-01", 12, "2100-03-01"),
        ] {
            let start = (0..60_000).map(|day| Moment::from_unix(day * 86_400)).find(|moment| moment.date() == from).unwrap();
            let end = start.plus_months(months);
            assert_eq!(end.date(), to);
            assert_eq!(Moment::from_unix(end.to_unix()), end);
        }
    }
}
