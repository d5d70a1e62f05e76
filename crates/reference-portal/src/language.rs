//! The two languages of the pages, and times as people in China read them. The words themselves stand in the
//! templates, Chinese and English side by side, so that nobody changes one and forgets the other.

/// A language that pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese, the first language.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Chinese unless English was asked for.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        if tag == "en" { Language::English } else { Language::Chinese }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn say<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    /// One of a stored pair, Chinese first.
    #[must_use]
    pub fn pick(self, pair: &[String; 2]) -> &str {
        let [chinese, english] = pair;
        self.say(chinese, english)
    }
}

/// A moment on the wall clock of Beijing (UTC+8, no daylight saving time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Moment {
    /// From unix seconds. Days are counted from 1 March of the year 0, which puts the leap day last
    /// (the usual civil-from-days arithmetic of the proleptic Gregorian calendar).
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let local = seconds.clamp(-62_000_000_000, 250_000_000_000).saturating_add(8 * 3600);
        let (days, second_of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Moment { year, month, day, second_of_day }
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

    /// `2026年4月14日`, as forms want it.
    #[must_use]
    pub fn chinese_date(self) -> String {
        format!("{}年{}月{}日", self.year, self.month, self.day)
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
            (4_107_513_599, "2100-02-28 23:59:59"),
            (4_107_513_600, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(Moment::from_unix(unix).time(), text);
        }
        assert_eq!(Moment::from_unix(1_735_660_800).chinese_date(), "2025年1月1日");
    }
}
