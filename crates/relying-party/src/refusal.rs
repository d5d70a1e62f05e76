//! From what the certificate checks say to codes that people can be told about. Decides nothing.

use sealbridge_pki::path::PathError;
use sealbridge_pki::{Certificate, KeyError, Unusable};
use sealbridge_protocol::{Code, Failure};

/// Why a certificate's path was not accepted.
pub(crate) fn path(error: &PathError, certificate: &Certificate) -> Failure {
    match error {
        PathError::Leaf(unusable) => self::unusable(unusable),
        other => {
            let issuer = certificate.issuer();
            let failure = Failure::new(Code::CertificateUntrusted).with("reason", other);
            match issuer.common_name().or_else(|| issuer.organisation()) {
                Some(name) => failure.with("issuer", name),
                None => failure,
            }
        }
    }
}

/// Why a certificate does not serve.
pub(crate) fn unusable(error: &Unusable) -> Failure {
    match error {
        Unusable::Expired { not_after } => Failure::new(Code::CertificateExpired).with("notAfter", moment(*not_after)),
        Unusable::NotYetValid { not_before } => Failure::new(Code::CertificateNotYetValid).with("notBefore", moment(*not_before)),
        Unusable::EncryptionOnly => Failure::new(Code::CertificateEncryptionOnly),
        Unusable::KeyUsage { needed } => Failure::new(Code::CertificateKeyUsage).with("usage", needed),
        Unusable::Key(error) => key(error),
        // Another purpose, an authority's certificate, and whatever is told apart later.
        _ => Failure::new(Code::CertificateKeyUsage),
    }
}

/// Why a signature was not accepted.
pub(crate) fn key(error: &KeyError) -> Failure {
    match error {
        KeyError::Unsupported(key) => Failure::new(Code::KeyUnsupported).with("algorithm", key),
        KeyError::WeakRsa(bits) => Failure::new(Code::KeyUnsupported).with("algorithm", format!("RSA {bits}")),
        KeyError::Mismatch { algorithm, .. } => Failure::new(Code::AlgorithmRefused).with("algorithm", algorithm),
        KeyError::Algorithm { name } => Failure::new(Code::AlgorithmRefused).with("algorithm", name),
        _ => Failure::new(Code::SignatureInvalid),
    }
}

/// Unix seconds as `2026-11-21 05:36:06 UTC` (civil date from days, proleptic Gregorian).
pub(crate) fn moment(seconds: i64) -> String {
    // Beyond the years 0 to 9999 nothing has a date for people.
    let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years, so that the leap day comes last.
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments() {
        let check = |seconds, text: &str| assert_eq!(super::moment(seconds), text);
        check(0, "1970-01-01 00:00:00 UTC");
        check(951_782_399, "2000-02-28 23:59:59 UTC");
        check(951_782_400, "2000-02-29 00:00:00 UTC");
        check(951_868_800, "2000-03-01 00:00:00 UTC");
        check(1_795_239_366, "2026-11-21 05:36:06 UTC");
        check(-1, "1969-12-31 23:59:59 UTC");
        check(i64::MAX, "9999-12-31 23:59:59 UTC");
    }
}
