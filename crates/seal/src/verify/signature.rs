//! Judging one signature: structure, cryptography, signer, time, seal; in this order, each step only where the ones before left
//! something to judge.

use sealbridge_pdf::form::Form;
use sealbridge_pdf::{Document, Object, PdfError, SignatureField, Source};
use sealbridge_pki::cms::{self, CmsError, VerifiedCms};
use sealbridge_pki::path::{self, PathError, Use, VerifiedPath};
use sealbridge_pki::{Certificate, Unusable, is_only_for, usable_for_stamp};

use super::integrity::{self, explained, problem};
use super::report::{Covered, Problem, ProblemCode, Severity, SignatureReport, Signer, Trust};
use super::timestamp::{self, Proofs};
use super::{PadesLevel, Policy, revocation, seal_match, time};
use crate::finish::hex;
use crate::hashing::RangeDigests;

/// What makes a stated time useless.
const TIMES: [ProblemCode; 4] = [ProblemCode::TimeMismatch, ProblemCode::TimeOutOfWindow, ProblemCode::FutureTime, ProblemCode::TimeAfterTimestamp];
/// Kinds of signature that are judged.
const SUB_FILTERS: [&str; 2] = ["ETSI.CAdES.detached", "adbe.pkcs7.detached"];

pub(super) fn judge<S: Source>(
    document: &Document<S>,
    form: Option<&Form>,
    field: &SignatureField,
    others: &[&SignatureField],
    digests: &mut RangeDigests<'_, S>,
    proofs: &mut Proofs,
    policy: &Policy<'_>,
) -> Result<(SignatureReport, Option<VerifiedPath>), PdfError> {
    let structure = integrity::structure(document.source(), field, others)?;
    let mut problems = structure.problems;
    let verified = match structure.range {
        Some(range) => cryptography(field, range, digests, &mut problems)?,
        None => None,
    };
    let intact = verified.is_some() && problems.iter().all(|problem| problem.code.severity() < Severity::Broken);

    let signing_time = time::judge(field.modified.as_deref(), verified.as_ref().and_then(|verified| verified.signing_time), policy, &mut problems);
    let proof = match (&verified, structure.range) {
        (Some(verified), Some(range)) if intact => timestamp::prove(verified, range.end, signing_time, proofs, policy, &mut problems),
        _ => timestamp::Proof::default(),
    };
    let at = proof.time.or(signing_time).unwrap_or(policy.now);
    let (mut trust, path) = match &verified {
        Some(verified) => judge_signer(verified, at, policy, proofs, &mut problems),
        None => (Trust::NotChecked, None),
    };
    let issuers: Vec<Certificate> = path.iter().flat_map(|path| path.certificates().iter().skip(1)).cloned().collect();
    let revocation = match &path {
        Some(path) => revocation::judge(path, &proofs.store, proof.time, policy, &mut problems),
        None => Vec::new(),
    };
    if problems.iter().any(|problem| matches!(problem.code, ProblemCode::CertificateRevoked | ProblemCode::RevocationMissing)) {
        trust = Trust::Untrusted;
    }
    let level = verified.as_ref().map(|_| match (proof.time, &path) {
        (Some(time), Some(path)) if revocation::is_complete(path, &proofs.store, time, policy.now) => {
            let end = structure.range.map_or(u64::MAX, |range| range.end);
            if proofs.archived(end).any(|store| revocation::is_complete(path, store, time, policy.now)) { PadesLevel::Lta } else { PadesLevel::Lt }
        }
        (Some(_), _) => PadesLevel::T,
        (None, _) => PadesLevel::B,
    });
    let seal = match &verified {
        Some(verified) if structure.covered != Covered::Irregular => {
            let end = structure.range.map(|range| range.end);
            seal_match::judge(document, form, field, verified, at, end.filter(|_| structure.covered == Covered::Revision), policy, &mut problems)?
        }
        _ => None,
    };
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.code.severity()));
    let text = |key: &str| {
        field.dictionary.get(key).and_then(|value| document.resolve(value).ok()).as_ref().and_then(Object::as_string).map(sealbridge_pdf::PdfString::to_text)
    };
    let page = form
        .and_then(|form| form.field(&field.name))
        .and_then(|field| field.widgets.first())
        .and_then(|widget| widget.page)
        .map(|index| index.saturating_add(1));
    let report = SignatureReport {
        field: field.name.clone(),
        page,
        intact,
        covered: structure.covered,
        revision: None,
        covered_bytes: structure.range.map_or(0, |range| range.end),
        trust,
        signer: verified.as_ref().map(|verified| describe(&verified.signer, &issuers)),
        algorithm: verified.as_ref().map(|verified| verified.algorithm.name()),
        sub_filter: field.sub_filter.clone(),
        signing_time,
        proven_time: proof.time,
        timestamp: proof.inside,
        level,
        revocation,
        name: text("Name"),
        reason: text("Reason"),
        location: text("Location"),
        doc_mdp: field.doc_mdp,
        seal,
        changes: Vec::new(),
        problems,
    };
    Ok((report, path))
}

/// Digest and signature.
fn cryptography<S: Source>(
    field: &SignatureField,
    range: integrity::Range,
    digests: &mut RangeDigests<'_, S>,
    problems: &mut Vec<Problem>,
) -> Result<Option<VerifiedCms>, PdfError> {
    let sub_filter = field.sub_filter.as_deref().unwrap_or_default();
    if !SUB_FILTERS.contains(&sub_filter) {
        problems.push(explained(ProblemCode::SubFilter, sub_filter));
        return Ok(None);
    }
    if field.contents_bytes.iter().all(|byte| *byte == 0) {
        problems.push(problem(ProblemCode::ContentsMissing));
        return Ok(None);
    }
    let Some(der) = integrity::element(field, ProblemCode::CmsMalformed, problems) else { return Ok(None) };
    let Some(result) = integrity::over(range, digests, problems, |digest| cms::verify(der, digest))? else { return Ok(None) };
    match result {
        Ok(verified) => {
            // ETSI EN 319 142-1, 6.3: CAdES signatures in PDF name their certificate.
            if sub_filter.starts_with("ETSI") && !verified.has_signing_certificate_v2 && !verified.has_signing_certificate_v1 {
                problems.push(problem(ProblemCode::SigningCertificate));
            }
            Ok(Some(verified))
        }
        Err(error) => {
            problems.push(explained(cms_code(&error), &error));
            Ok(None)
        }
    }
}

fn cms_code(error: &CmsError) -> ProblemCode {
    match error {
        CmsError::NoSignedAttributes => ProblemCode::NoSignedAttributes,
        CmsError::DigestMismatch => ProblemCode::DigestMismatch,
        CmsError::Algorithm { .. } | CmsError::AlgorithmMismatch => ProblemCode::Algorithm,
        CmsError::Padding => ProblemCode::ContentsPadding,
        CmsError::Key(_) => ProblemCode::SignatureInvalid,
        _ => ProblemCode::CmsMalformed,
    }
}

/// Certificate, key usage and path at the time of signing; with the path where one was found.
fn judge_signer(verified: &VerifiedCms, at: i64, policy: &Policy<'_>, proofs: &Proofs, problems: &mut Vec<Problem>) -> (Trust, Option<VerifiedPath>) {
    // A time that can not be so proves nothing about the certificate's validity then.
    let mut sound = !problems.iter().any(|problem| TIMES.contains(&problem.code));
    if is_only_for(&verified.signer, policy.seal_maker_purposes) {
        problems.push(explained(ProblemCode::CertificateUsage, "the certificate is for making seals only"));
        sound = false;
    }
    if let Err(unusable) = usable_for_stamp(&verified.signer, at) {
        problems.push(explained(unusable_code(&unusable), unusable));
        sound = false;
    }
    if policy.anchors.is_empty() {
        problems.push(problem(ProblemCode::NoAnchors));
        return (Trust::NotChecked, None);
    }
    let others: Vec<Certificate> = verified.certificates.iter().chain(policy.intermediates).chain(&proofs.store.certificates).cloned().collect();
    let others = others.get(..path::MAX_CERTIFICATES).unwrap_or(&others);
    match path::check(&verified.signer, others, policy.anchors, at, Use::Stamp) {
        Ok(path) => (if sound { Trust::Trusted } else { Trust::Untrusted }, Some(path)),
        Err(PathError::Leaf(_)) => (Trust::Untrusted, None),
        Err(error) => {
            problems.push(explained(ProblemCode::Untrusted, error));
            (Trust::Untrusted, None)
        }
    }
}

fn unusable_code(unusable: &Unusable) -> ProblemCode {
    match unusable {
        Unusable::Expired { .. } => ProblemCode::CertificateExpired,
        Unusable::NotYetValid { .. } => ProblemCode::CertificateNotYetValid,
        _ => ProblemCode::CertificateUsage,
    }
}

fn describe(certificate: &Certificate, issuers: &[Certificate]) -> Signer {
    let issuer = certificate.issuer();
    Signer {
        organisation: certificate.organisation().map(str::to_owned),
        common_name: certificate.subject().common_name().map(str::to_owned),
        credit_code: certificate.credit_code(),
        issuer: issuer.common_name().or_else(|| issuer.organisation()).map(str::to_owned),
        serial: certificate.serial_hex(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        sha256: hex(&certificate.sha256()),
        issuers: issuers.iter().map(Certificate::id).collect(),
        test: certificate.is_test(),
    }
}
