//! Judging one candidate path with `certval` (RFC 5280 §6.1, RFC 5937 for constraints in the anchor). Signatures are verified by this crate's own
//! keys and allow-list, so that a path can not be built on what signatures may not be. No type of `certval` leaves this file.

use super::{Inputs, PathError, validity};
use crate::certificate::{Certificate, profile};
use crate::cms;
use crate::key::{KeyError, PublicKey, RSA_MIN_BITS};
use certval::{
    CertificationPath, CertificationPathResults, CertificationPathSettings, Error, PDVCertificate, PDVTrustAnchorChoice, PathValidationStatus, PkiEnvironment,
    TimeOfInterest, enforce_trust_anchor_constraints, validate_path_rfc5280,
};
use der::Encode as _;
use der::asn1::BitString;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// Whether the path, leaf first and anchor last, is valid at `at`.
pub(super) fn judge(certificates: &[Certificate], at: i64, inputs: &Inputs) -> Result<(), PathError> {
    let (Some((anchor, issued)), Some(leaf)) = (certificates.split_last(), certificates.first()) else { return Err(PathError::NoPath) };
    let between = issued.get(1..).ok_or(PathError::NoPath)?;
    // What needs no key, said precisely.
    for pair in certificates.windows(2) {
        if let [below, above] = pair {
            precise(below, above, at)?;
        }
    }
    validity(anchor, at)?;
    if let Some(rule) = profile::broken(certificates) {
        return Err(PathError::Profile(rule));
    }

    let environment = environment();
    let seconds = u64::try_from(at).map_err(|_| PathError::Time)?;
    let mut settings = CertificationPathSettings::default();
    settings.set_time_of_interest(TimeOfInterest::from_unix_secs(seconds).map_err(|_| PathError::Time)?);
    // The anchor is the caller's own and stands beside the path, not in a store; revocation is another check.
    settings.set_require_ta_store(false);
    settings.set_check_revocation_status(false);
    if !inputs.policies.is_empty() {
        settings.set_initial_policy_set(inputs.policies.iter().map(ToString::to_string).collect());
    }
    settings.set_initial_explicit_policy_indicator(inputs.explicit_policy);
    settings.set_initial_policy_mapping_inhibit_indicator(inputs.inhibit_mapping);
    settings.set_initial_inhibit_any_policy_indicator(inputs.inhibit_any_policy);
    settings.set_enforce_trust_anchor_constraints(true);
    settings.set_enforce_trust_anchor_validity(true);
    settings.set_min_rsa_modulus_bits(u16::try_from(RSA_MIN_BITS).unwrap_or(u16::MAX));

    let unreadable = |_| PathError::Other("a certificate of the path can not be read".into());
    let anchor = PDVTrustAnchorChoice::try_from(anchor.der()).map_err(unreadable)?;
    // RFC 5937: what the anchor's own certificate limits holds for the path; certval leaves this step to its caller.
    let settings = enforce_trust_anchor_constraints(&settings, &anchor).map_err(|error| translate(&error))?;
    let mut intermediates = Vec::new();
    // Certval wants them from the anchor's side.
    for certificate in between.iter().rev() {
        intermediates.push(PDVCertificate::try_from(certificate.der()).map_err(unreadable)?);
    }
    let target = PDVCertificate::try_from(leaf.der()).map_err(unreadable)?;
    let path = CertificationPath::new(anchor, intermediates, target);
    let mut results = CertificationPathResults::default();
    environment.validate_path(&environment, &settings, &path, &mut results).map_err(|error| match translate(&error) {
        PathError::Signature => why_unsigned(certificates),
        error => error,
    })?;
    // The status is the verdict; a missing error alone is not enough.
    match results.get_validation_status() {
        Some(PathValidationStatus::Valid) => Ok(()),
        other => Err(PathError::Other(format!("no verdict ({other:?})"))),
    }
}

/// Reasons that have a name of their own, for one certificate and its issuer.
fn precise(below: &Certificate, above: &Certificate, at: i64) -> Result<(), PathError> {
    validity(below, at)?;
    let may_sign = above.is_ca() && (!above.key_usage().is_present() || above.key_usage().key_cert_sign());
    if !may_sign {
        return Err(PathError::NotAuthority);
    }
    Ok(())
}

/// Which key or algorithm a path failed by. Signatures are checked once, by certval's walk; only a failed one is looked at again.
fn why_unsigned(certificates: &[Certificate]) -> PathError {
    let pairs = certificates.windows(2).filter_map(|pair| if let [below, above] = pair { Some((below, above)) } else { None });
    let reasons = pairs.filter_map(|(below, above)| match below.verify_signature(above.public_key()) {
        Ok(()) => None,
        Err(KeyError::BadSignature | KeyError::Malformed) => Some(PathError::Signature),
        Err(KeyError::Algorithm { name }) => Some(PathError::Algorithm { name }),
        Err(error) => Some(PathError::Key(error)),
    });
    reasons.into_iter().next().unwrap_or(PathError::Signature)
}

fn environment() -> PkiEnvironment {
    let mut environment = PkiEnvironment::new();
    environment.clear_all_callbacks();
    environment.add_validate_path_callback(validate_path_rfc5280);
    environment.add_verify_signature_message_callback(verify_message);
    environment
}

fn verify_message(
    _: &PkiEnvironment,
    message: &[u8],
    signature: &BitString,
    algorithm: &AlgorithmIdentifierOwned,
    spki: &SubjectPublicKeyInfoOwned,
) -> Result<(), Error> {
    let failed = Error::PathValidation(PathValidationStatus::SignatureVerificationFailure);
    let algorithm = algorithm.to_der()?;
    let spki = spki.to_der()?;
    let scheme = cms::encoded_signature_scheme(&algorithm).map_err(|_| failed)?;
    let key = PublicKey::from_spki(&spki).map_err(|_| failed)?;
    let signature = signature.as_bytes().ok_or(failed)?;
    key.verify_x509(scheme, message, signature).map_err(|_| failed)
}

fn translate(error: &Error) -> PathError {
    use PathValidationStatus as Status;
    let Error::PathValidation(status) = error else { return PathError::Other(format!("{error:?}")) };
    match status {
        Status::NameChainingFailure | Status::NoPathsFound | Status::MissingTrustAnchor => PathError::NoPath,
        Status::SignatureVerificationFailure => PathError::Signature,
        Status::InvalidNotBeforeDate => PathError::NotYetValid,
        Status::InvalidNotAfterDate => PathError::Expired,
        Status::MissingBasicConstraints | Status::InvalidBasicConstraints | Status::InvalidKeyUsage => PathError::NotAuthority,
        Status::InvalidPathLength => PathError::PathLength,
        Status::NameConstraintsViolation => PathError::NameConstraints,
        Status::NullPolicySet | Status::InvalidPolicyMapping => PathError::Policy,
        Status::UnprocessedCriticalExtension => PathError::CriticalExtension,
        Status::ProcessingLimitExceeded => PathError::Budget,
        other => PathError::Other(format!("{other:?}")),
    }
}
