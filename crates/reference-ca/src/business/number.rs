//! The number of a business: one for its whole life, in the portal, on the form, on the phone (R81, R100). It names nobody
//! and opens nothing: who wants to see a business needs its access code too.
//!
//! `SB` + yymmdd + six digits or more, counted by the database + one check digit (ISO 7064 MOD 11,10, which finds every
//! wrong digit and almost every swapped pair), such as `SB2611270000017`.

/// The number of the `sequence`-th business, begun on this day (`yymmdd`).
#[must_use]
pub fn make(yymmdd: u32, sequence: u64) -> String {
    let digits = format!("{:06}{sequence:06}", yymmdd % 1_000_000);
    let check = check(&digits).unwrap_or('0');
    format!("SB{digits}{check}")
}

/// The number as it is stored, if what somebody typed is one: case and spaces do not count.
#[must_use]
pub fn parse(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let text: String =
        text.chars().filter(|character| !character.is_whitespace() && *character != '-').map(|character| character.to_ascii_uppercase()).collect();
    let digits = text.strip_prefix("SB")?;
    let (body, last) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
    let well_formed = (12..=30).contains(&body.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (well_formed && check(body).is_some_and(|right| last.chars().eq([right]))).then_some(text)
}

/// ISO 7064 MOD 11,10 over decimal digits.
fn check(digits: &str) -> Option<char> {
    let mut product = 10_u32;
    for digit in digits.chars() {
        let sum = digit.to_digit(10)?.saturating_add(product) % 10;
        product = (if sum == 0 { 10 } else { sum }).saturating_mul(2) % 11;
    }
    char::from_digit(11_u32.saturating_sub(product) % 10, 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check, make, parse};

    #[test]
    fn check_digits() {
        // The example of ISO 7064: 0794 has 5; German tax numbers use the same system: 8609574271 has 9, 4703689281 has 6.
        for (digits, expected) in [("0794", '5'), ("8609574271", '9'), ("4703689281", '6')] {
            assert_eq!(check(digits), Some(expected), "{digits}");
        }
    }

    proptest! {
        #[test]
        fn different_businesses_have_different_numbers(day in 0_u32..1_000_000, a in 0_u64..u64::MAX / 2, b in 0_u64..u64::MAX / 2) {
            let (one, two) = (make(day, a), make(day, b));
            prop_assert_eq!(a == b, one == two);
            prop_assert_eq!(parse(&one), Some(one.clone()));
            prop_assert_eq!(parse(&format!(" {} ", one.to_lowercase())), Some(one));
        }

        #[test]
        fn a_wrong_digit_is_found(day in 0_u32..1_000_000, sequence in 0_u64..10_000_000, place in 2_usize..15, by in 1_u32..10) {
            let right = make(day, sequence);
            let mut characters: Vec<char> = right.chars().collect();
            let Some(digit) = characters.get(place).and_then(|character| character.to_digit(10)) else { return Ok(()) };
            characters[place] = char::from_digit((digit + by) % 10, 10).unwrap();
            prop_assert_eq!(parse(&characters.into_iter().collect::<String>()), None);
        }

        #[test]
        fn anything_else_is_refused_without_a_panic(text in "\\PC{0,80}") {
            if let Some(number) = parse(&text) {
                prop_assert!(number.starts_with("SB"));
            }
        }
    }
}
