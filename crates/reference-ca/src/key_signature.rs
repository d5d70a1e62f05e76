//! The signature of an existing key on an application (R12, R58): the statement that a portal gets when a key is bound, here with the
//! business's number as its account and with a nonce that commits to what was typed, so that it counts for these values and no others.
//! Pure: the challenge, the register's certificate and the clock are the caller's. It decides whether the key signed, not what
//! follows from that: that is the state machine's.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::{Algorithm, Certificate, suite};
use sealbridge_protocol::statement::{self, Kind as StatementKind};

use crate::business::Kind;
use crate::business::fields::{self, Values};

/// Seconds within which the challenge has to come back signed.
pub const CHALLENGE_SECONDS: i64 = 5 * 60;
/// Seconds by which the applicant's clock may differ from ours.
pub const CLOCK_SKEW_SECONDS: i64 = 120;

/// A challenge that was given for an application.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Its random part.
    pub random: [u8; 32],
    /// What was given.
    pub nonce: String,
    /// Unix seconds.
    pub expires_at: i64,
}

/// What a statement has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The desk's own origins.
    pub origins: &'a [String],
    /// The business's number.
    pub number: &'a str,
    /// The challenge that waits; none once it was used.
    pub challenge: Option<&'a Challenge>,
    /// What stands in the application now, see [`digest`].
    pub values: &'a [u8; 32],
    /// The unit's name in the application.
    pub unit: &'a str,
    /// The registered certificate that the application names, and when it was revoked.
    pub certificate: Option<(&'a [u8], Option<i64>)>,
    /// Unix seconds.
    pub now: i64,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no bind statement, or the signature does not hold.
    #[error("not a signature of the key")]
    Invalid,
    /// It was made for another site or another business.
    #[error("made for somewhere else")]
    Elsewhere,
    /// Its challenge was used or replaced, or there never was one.
    #[error("used before")]
    Used,
    /// Too late.
    #[error("expired")]
    Expired,
    /// Something was changed after the challenge was given.
    #[error("made for other values")]
    Values,
    /// The certificate is not the one that the application names.
    #[error("another certificate")]
    Certificate,
    /// The certificate is another unit's by its name (R12).
    #[error("another unit's name")]
    Name,
    /// The certificate has ended, has not begun or is revoked (R60).
    #[error("the certificate is not valid")]
    Ended,
}

/// What a signature is given for: number, business, institution and every value that the business asks for, in the order of their names.
#[must_use]
pub fn digest(number: &str, profile: &str, kind: Kind, values: &Values) -> [u8; 32] {
    let asked = values.iter().filter(|(key, _)| fields::of(kind).any(|field| field.key == key.as_str()));
    let mut text = Vec::new();
    let head = [("", "sealbridge-application"), ("", number), ("", profile), ("", kind.as_str())];
    for (key, value) in head.into_iter().chain(asked.map(|(key, value)| (key.as_str(), value.as_str()))) {
        for part in [key, value] {
            // With its length before it, no part can be read as two.
            text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
    }
    suite::sha256(&text)
}

/// The nonce for these values.
#[must_use]
pub fn nonce(random: &[u8; 32], values: &[u8; 32]) -> String {
    Base64UrlUnpadded::encode_string(&suite::sha256(&[random.as_slice(), values].concat()))
}

/// Judges a statement.
///
/// # Errors
/// [`Fault`].
pub fn check(token: &str, expected: &Expected<'_>) -> Result<(), Fault> {
    let parsed = statement::parse(token).map_err(|_| Fault::Invalid)?;
    let claims = &parsed.claims;
    let account = claims.sub.as_ref().filter(|_| parsed.kind == StatementKind::Bind).ok_or(Fault::Invalid)?;
    if account.as_str() != expected.number || !expected.origins.iter().any(|origin| origin == claims.aud.as_str()) {
        return Err(Fault::Elsewhere);
    }
    let challenge = expected.challenge.filter(|challenge| challenge.nonce == claims.nonce.as_str()).ok_or(Fault::Used)?;
    let (early, late) = (expected.now.saturating_add(CLOCK_SKEW_SECONDS), expected.now.saturating_sub(CLOCK_SKEW_SECONDS));
    if expected.now > challenge.expires_at || claims.iat > early || claims.iat.saturating_add(CHALLENGE_SECONDS) < late {
        return Err(Fault::Expired);
    }
    if nonce(&challenge.random, expected.values) != challenge.nonce {
        return Err(Fault::Values);
    }
    let (registered, revoked_at) = expected.certificate.ok_or(Fault::Certificate)?;
    if parsed.unverified_chain.first().map(Vec::as_slice) != Some(registered) || parsed.leaf_sha256 != suite::sha256(registered) {
        return Err(Fault::Certificate);
    }
    let certificate = Certificate::parse(registered).map_err(|_| Fault::Certificate)?;
    let algorithm = match parsed.algorithm {
        statement::Algorithm::Es256 => Algorithm::Es256,
        statement::Algorithm::Es384 => Algorithm::Es384,
        statement::Algorithm::Rs256 => Algorithm::Rs256,
        statement::Algorithm::Ps256 => Algorithm::Ps256,
    };
    certificate.public_key().verify(algorithm, parsed.signing_input.as_bytes(), &parsed.signature).map_err(|_| Fault::Invalid)?;
    if revoked_at.is_some() || !certificate.is_valid_at(expected.now) {
        return Err(Fault::Ended);
    }
    if certificate.organisation() == Some(expected.unit) { Ok(()) } else { Err(Fault::Name) }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{Signature, SigningKey};
    use sealbridge_pki::key::encode_ec_spki;
    use sealbridge_pki::request::RequestInfo;
    use sealbridge_pki::{Algorithm, Certificate};
    use sealbridge_protocol::fields::{Account, Nonce};
    use sealbridge_protocol::operation::OperationId;
    use sealbridge_protocol::origin::Origin;
    use sealbridge_protocol::statement::{self, Claims, Unsigned};

    use super::{CHALLENGE_SECONDS, CLOCK_SKEW_SECONDS, Challenge, Expected, Fault, check, digest, nonce};
    use crate::authority::Authority;
    use crate::business::Kind;
    use crate::business::fields::Values;
    use crate::issue;

    const NOW: i64 = 1_790_000_000;
    const NUMBER: &str = "SB2611270000017";
    const ORIGIN: &str = "https://ca.example.cn";
    const UNIT: &str = "印桥测试科技有限公司";

    fn values() -> Values {
        [("unitName", UNIT), ("creditCode", "91440300MA5DEMA00Y"), ("termMonths", "12")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// A certificate of the desk for this key.
    fn certificate(authority: &Authority, key: &SigningKey) -> Certificate {
        let subject = issue::subject(Kind::New, &values());
        let spki = encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let info = RequestInfo::new(&subject, &spki, Algorithm::Es256).unwrap();
        let signature: Signature = key.sign(info.der());
        issue::certificate(authority, &info.assemble(&signature.to_bytes()).unwrap(), &subject, (NOW - 86_400, NOW + 86_400)).unwrap()
    }

    fn statement(key: &SigningKey, certificate: &Certificate, kind: statement::Kind, origin: &str, number: &str, nonce: &str, iat: i64) -> String {
        let (origin, nonce, id) = (Origin::from_browser(origin, true).unwrap(), Nonce::new(nonce).unwrap(), OperationId::new([1; 16]));
        let claims = match kind {
            statement::Kind::Login => Claims::login(origin, nonce, iat, id),
            statement::Kind::Bind => Claims::bind(origin, nonce, iat, id, Account::new(number).unwrap()),
        };
        let unsigned = Unsigned::new(kind, statement::Algorithm::Es256, &[certificate.der().to_vec()], &certificate.sha256(), claims).unwrap();
        let signature: Signature = key.sign(unsigned.signing_input().as_bytes());
        unsigned.attach(&signature.to_bytes())
    }

    #[test]
    fn it_counts_for_this_business_these_values_this_key_and_now() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), "印桥测试CA", NOW).unwrap();
        let [mine, other] = [7, 8].map(|seed| SigningKey::from_slice(&[seed; 32]).unwrap());
        let (certificate, others) = (certificate(&authority, &mine), certificate(&authority, &other));
        let typed = digest(NUMBER, "netca", Kind::Renewal, &values());
        let challenge = Challenge { random: [3; 32], nonce: nonce(&[3; 32], &typed), expires_at: NOW + CHALLENGE_SECONDS };
        let origins = [ORIGIN.to_owned()];
        let expected = Expected {
            origins: &origins,
            number: NUMBER,
            challenge: Some(&challenge),
            values: &typed,
            unit: UNIT,
            certificate: Some((certificate.der(), None)),
            now: NOW + 30,
        };
        let of = |key, certificate, origin, number, nonce: &str, iat| statement(key, certificate, statement::Kind::Bind, origin, number, nonce, iat);
        let good = of(&mine, &certificate, ORIGIN, NUMBER, &challenge.nonce, NOW);
        assert_eq!(check(&good, &expected), Ok(()));

        // Another place.
        for (origin, number) in [("https://bid.example.cn", NUMBER), (ORIGIN, "SB2611270000018")] {
            assert_eq!(check(&of(&mine, &certificate, origin, number, &challenge.nonce, NOW), &expected), Err(Fault::Elsewhere));
        }
        // Another statement, another key under this certificate's name, another signature.
        let login = statement(&mine, &certificate, statement::Kind::Login, ORIGIN, NUMBER, &challenge.nonce, NOW);
        let forged = of(&other, &certificate, ORIGIN, NUMBER, &challenge.nonce, NOW);
        let (input, _) = forged.rsplit_once('.').unwrap();
        let moved = format!("{input}.{}", of(&mine, &certificate, ORIGIN, NUMBER, &challenge.nonce, NOW + 1).rsplit_once('.').unwrap().1);
        for nonsense in [login.as_str(), &forged, &moved, "", "..", "eyJ.eyJ.eyJ", &"a".repeat(40_000)] {
            assert_eq!(check(nonsense, &expected), Err(Fault::Invalid));
        }
        // Another certificate, also one that the desk issued; or none by that number.
        let by_other = of(&other, &others, ORIGIN, NUMBER, &challenge.nonce, NOW);
        assert_eq!(check(&by_other, &expected), Err(Fault::Certificate));
        assert_eq!(check(&good, &Expected { certificate: None, ..expected }), Err(Fault::Certificate));
        // A challenge that was used or never given.
        assert_eq!(check(&good, &Expected { challenge: None, ..expected }), Err(Fault::Used));
        assert_eq!(check(&of(&mine, &certificate, ORIGIN, NUMBER, &nonce(&[4; 32], &typed), NOW), &expected), Err(Fault::Used));
        // Too late, and times that cannot be.
        assert_eq!(check(&good, &Expected { now: NOW + CHALLENGE_SECONDS, ..expected }), Ok(()));
        assert_eq!(check(&good, &Expected { now: NOW + CHALLENGE_SECONDS + 1, ..expected }), Err(Fault::Expired));
        for iat in [NOW + 31 + CLOCK_SKEW_SECONDS, NOW + 29 - CHALLENGE_SECONDS - CLOCK_SKEW_SECONDS] {
            assert_eq!(check(&of(&mine, &certificate, ORIGIN, NUMBER, &challenge.nonce, iat), &expected), Err(Fault::Expired));
        }
        // The certificate ended, or was revoked, or is another unit's.
        let until = Challenge { expires_at: i64::MAX, ..challenge.clone() };
        let late = of(&mine, &certificate, ORIGIN, NUMBER, &challenge.nonce, NOW + 86_400);
        assert_eq!(check(&late, &Expected { challenge: Some(&until), now: NOW + 86_401, ..expected }), Err(Fault::Ended));
        assert_eq!(check(&good, &Expected { certificate: Some((certificate.der(), Some(NOW))), ..expected }), Err(Fault::Ended));
        assert_eq!(check(&good, &Expected { unit: "另一测试有限公司", ..expected }), Err(Fault::Name));
        // Every value, the number, the institution and the kind of business are signed; what the business does not ask for is not.
        let mut changes = Vec::new();
        for key in ["unitName", "creditCode", "termMonths", "serial", "handlerName", "department"] {
            let mut changed = values();
            changed.insert(key.to_owned(), "24".to_owned());
            changes.push(digest(NUMBER, "netca", Kind::Renewal, &changed));
        }
        changes.push(digest("SB2611270000018", "netca", Kind::Renewal, &values()));
        changes.push(digest(NUMBER, "szca", Kind::Renewal, &values()));
        changes.push(digest(NUMBER, "netca", Kind::Additional, &values()));
        for changed in &changes {
            assert_eq!(check(&good, &Expected { values: changed, ..expected }), Err(Fault::Values));
        }
        changes.push(typed);
        assert_eq!(changes.iter().collect::<std::collections::BTreeSet<_>>().len(), changes.len());
        let mut beside = values();
        beside.insert("decrypted".to_owned(), "yes".to_owned());
        assert_eq!(digest(NUMBER, "netca", Kind::Renewal, &beside), typed);
    }
}
