//! Rations: so many calls at once, and then one more every so often. Pure arithmetic over one number that the portal
//! stores per subject; it never punishes, it only runs dry and fills up again at its own pace.

use std::str::FromStr;

/// So many at once, and then one more every so many seconds, or so many more every second. Written `20/3` (one every
/// three seconds) or `2000*1000` (a thousand every second).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// So many may come at once; from 1 to 1,000,000.
    pub burst: i64,
    /// After so many microseconds one more may come.
    pub step_micros: i64,
}

/// Whether something may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Yes: store this number. So many more may be taken at once.
    Allowed {
        /// When the bucket is full again, in microseconds since 1970.
        full_at: i64,
        /// How many are left.
        left: i64,
    },
    /// Not now; nothing is to be stored.
    Wait {
        /// Whole seconds until there is one, at least 1.
        seconds: i64,
    },
}

impl Bucket {
    /// One more every `seconds` after `burst`.
    #[must_use]
    pub const fn every(burst: i64, seconds: i64) -> Self {
        Self { burst, step_micros: seconds.saturating_mul(1_000_000) }
    }

    /// Takes one at `now` (microseconds since 1970) out of a bucket whose number is `stored`; none is a full bucket.
    ///
    /// A bucket is one number, the time at which it is full again (the "theoretical arrival time" of ITU-T I.371): every
    /// taking moves it one step on, and there is something to take while it lies less than the whole burst ahead.
    #[must_use]
    pub fn take(self, stored: Option<i64>, now: i64) -> Taken {
        let whole = self.burst.saturating_mul(self.step_micros);
        let stored = stored.unwrap_or(now);
        // No bucket is further from full than the whole burst: the clock was set back, or the bucket was made smaller.
        let since = if stored > now.saturating_add(whole) { now } else { stored.max(now) };
        let full_at = since.saturating_add(self.step_micros);
        let ahead = full_at.saturating_sub(now);
        if ahead > whole {
            let wait = ahead.saturating_sub(whole);
            return Taken::Wait { seconds: wait.saturating_add(999_999).div_euclid(1_000_000).max(1) };
        }
        Taken::Allowed { full_at, left: whole.saturating_sub(ahead).checked_div(self.step_micros).unwrap_or(0) }
    }
}

impl FromStr for Bucket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = |sign| text.split_once(sign).and_then(|(burst, other): (&str, &str)| Some((burst.parse::<i64>().ok()?, other.parse::<i64>().ok()?)));
        match (numbers('/'), numbers('*')) {
            (Some((burst @ 1..=1_000_000, seconds @ 1..=86_400)), _) => Ok(Self::every(burst, seconds)),
            (_, Some((burst @ 1..=1_000_000, rate @ 1..=1_000_000))) => Ok(Self { burst, step_micros: 1_000_000_i64.div_euclid(rate).max(1) }),
            _ => Err(format!("{text}: not a ration such as 20/3 (20 at once, then one every 3 seconds) or 2000*1000 (2000 at once, then 1000 a second)")),
        }
    }
}
