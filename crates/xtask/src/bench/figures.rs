//! The arithmetic of figures: the least of several runs, quantiles, and what a stamp in a browser took of all that passed while it
//! was made. It knows neither programs nor files.

use std::collections::BTreeMap;

/// The least, where there is any.
pub(super) fn least(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    values.into_iter().filter(|value| value.is_finite()).reduce(f64::min)
}

/// The value that this part of all (0 to 1) does not exceed: the nearest rank, a value that was measured.
pub(super) fn quantile(values: &[f64], part: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let needed = part * sorted.len() as f64;
    let found = sorted.iter().enumerate().find(|(index, _)| (*index as f64 + 1.0) >= needed - 1e-9).map(|(_, value)| *value);
    found.or_else(|| sorted.last().copied())
}

/// Three digits behind the point.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// When something happened, in milliseconds after a common beginning.
pub(super) type Moments = BTreeMap<String, f64>;

/// From one moment to another.
pub(super) fn between(moments: &Moments, from: &str, to: &str) -> Option<f64> {
    Some(moments.get(to)? - moments.get(from)?)
}

/// The whole stamp: from the document's arrival until there is something to press, and from the press until the stamped document is
/// there. What lies between is the person looking.
pub(super) fn cold(moments: &Moments) -> Option<f64> {
    Some(between(moments, "document", "ready")? + click(moments)?)
}

/// From the press until the stamped document is there.
pub(super) fn click(moments: &Moments) -> Option<f64> {
    between(moments, "pressed", "stamped")
}

/// From the PIN window's beginning until it has been answered: its program starts, is talked to, and answers at once.
pub(super) fn window(moments: &Moments) -> Option<f64> {
    between(moments, "pin", "signing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=40).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(20.0));
        assert_eq!(quantile(&values, 0.95), Some(38.0));
        assert_eq!(quantile(&values, 1.0), Some(40.0));
        assert_eq!((quantile(&[7.0], 0.95), quantile(&[], 0.5), least([])), (Some(7.0), None, None));
        assert_eq!(least([3.0, f64::NAN, 2.0]), Some(2.0));
    }

    #[test]
    fn the_persons_look_is_no_part_of_a_stamp() {
        let moments = |pressed: f64| -> Moments {
            let all =
                [("document", 0.0), ("ready", 900.0), ("pressed", pressed), ("pin", pressed + 5.0), ("signing", pressed + 12.0), ("stamped", pressed + 40.0)];
            all.into_iter().map(|(name, at)| (name.to_owned(), at)).collect()
        };
        for pressed in [901.0, 60_000.0] {
            assert_eq!((cold(&moments(pressed)), click(&moments(pressed)), window(&moments(pressed))), (Some(940.0), Some(40.0), Some(7.0)));
        }
        let mut unfinished = moments(901.0);
        unfinished.remove("stamped");
        assert_eq!((cold(&unfinished), click(&unfinished)), (None, None));
    }
}
