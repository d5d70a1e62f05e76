//! What the desk issues at activation: the certificate for the request that the key signed, with the subject of the unit and
//! nothing that the request asks for beyond it, and the seal that names the certificate. It decides validity, not who may
//! have one: that is the state machine's, and the grant's.

use sealbridge_pki::name::Subject;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage};
use sealbridge_seal::ses::{self, Seal, SealInfo, SealPicture};

use crate::authority::{Authority, Grant};
use crate::business::Kind;
use crate::business::fields::Values;
use crate::calendar::Moment;
use crate::error::DeskError;
use crate::picture::{self, Design};
use crate::store::hex;

/// The subject of a unit's certificate (identifiers as practice has them: C, ST, O, OU, CN and the credit code).
#[must_use]
pub fn subject(kind: Kind, values: &Values) -> Subject {
    let text = |key: &str| values.get(key).filter(|value| !value.is_empty()).cloned();
    // R64: the certificate after a change carries the new name.
    let name = if kind == Kind::Change { text("newUnitName").or_else(|| text("unitName")) } else { text("unitName") };
    Subject {
        country: Some("CN".into()),
        state: text("province"),
        organisation: name.clone(),
        organisation_unit: Some(text("department").map_or_else(|| "测试证书".to_owned(), |department| format!("{department}(测试证书)"))),
        common_name: name,
        credit_code: text("creditCode"),
        ..Subject::default()
    }
}

/// First and last second of validity: a term from now; exactly the end of the certificate that is replaced (R62, R67, R94); or a term from
/// the end of the one that is renewed, where that has not passed (R58).
#[must_use]
pub fn validity(kind: Kind, values: &Values, replaced_until: Option<i64>, now: i64) -> (i64, i64) {
    let months = values.get("termMonths").and_then(|months| months.parse().ok()).unwrap_or(12);
    let term_from = |start: i64| Moment::from_unix(start).plus_months(months).to_unix();
    match (kind, replaced_until) {
        (Kind::Reissue | Kind::Change, Some(end)) => (now, end),
        (Kind::Renewal, Some(end)) => (now, term_from(end.max(now))),
        _ => (now, term_from(now)),
    }
}

/// Issues the certificate.
///
/// # Errors
/// [`DeskError`] where the request does not hold or asks for another subject.
pub fn certificate(authority: &Authority, request: &[u8], subject: &Subject, (not_before, not_after): (i64, i64)) -> Result<Certificate, DeskError> {
    authority.issue(request, subject, Grant { key_usage: KeyUsage::SIGNING, not_before, not_after })
}

/// Issues the certificate that renews this one: the same key, the same holder, another validity (R58).
///
/// # Errors
/// [`DeskError`].
pub fn renewed(authority: &Authority, old: &Certificate, (not_before, not_after): (i64, i64)) -> Result<Certificate, DeskError> {
    authority.renew(old, Grant { key_usage: KeyUsage::SIGNING, not_before, not_after })
}

/// What a seal shows.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The impression that an officer picked, PNG, and its true side in millimetres (R77).
    Impression(&'a [u8], u32),
    /// Drawn with this font, where no impression was measured.
    Font(&'a [u8]),
}

/// Makes and signs the seal that was applied for; it names this certificate and ends with it (R10, R92, R95).
///
/// # Errors
/// [`DeskError`].
pub fn seal(authority: &Authority, source: Source<'_>, values: &Values, certificate: &Certificate, now: i64) -> Result<Seal, DeskError> {
    let contract = values.get("sealKind").is_some_and(|kind| kind == "contract");
    let organisation = certificate.subject().organisation().unwrap_or_default();
    let line = if contract { "合同专用章" } else { "测试专用" };
    let (data, millimetres) = match source {
        Source::Impression(png, millimetres) => (png.to_vec(), millimetres),
        Source::Font(font) => {
            let drawn = picture::draw(&Design { name: organisation, line: Some(line), pixels: 600 }, font)?;
            (drawn.png, drawn.millimetres)
        }
    };
    let name = values.get("sealName").filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| format!("{organisation}{line}"));
    let kind = if contract { ses::Kind::Contract } else { ses::Kind::Official };
    signed(authority, SealPicture { kind: "PNG".into(), data, width_mm: millimetres, height_mm: millimetres }, name, kind, certificate, now)
}

/// The same seal for another certificate: a seal names its certificates, so a new one needs it made again (R92).
///
/// # Errors
/// [`DeskError`].
pub fn seal_again(authority: &Authority, old: &[u8], certificate: &Certificate, now: i64) -> Result<Seal, DeskError> {
    let old = Seal::parse(old)?;
    signed(authority, old.picture().clone(), old.name().to_owned(), old.kind(), certificate, now)
}

fn signed(authority: &Authority, picture: SealPicture, name: String, kind: ses::Kind, certificate: &Certificate, now: i64) -> Result<Seal, DeskError> {
    let mut number = [0_u8; 8];
    getrandom::fill(&mut number)?;
    let info = SealInfo {
        vendor: "SealbridgeTest".into(),
        id: format!("TEST{}", hex(&number).to_uppercase()),
        name,
        kind,
        certificates: vec![certificate.der().to_vec()],
        created: now,
        valid_from: certificate.not_before(),
        valid_until: certificate.not_after(),
        picture,
    };
    let to_be_signed = info.to_be_signed()?;
    let signature = authority.sign_seal(&to_be_signed);
    Ok(ses::assemble(&to_be_signed, authority.seal_maker().der(), Algorithm::Es256, &signature)?)
}

#[cfg(test)]
mod tests {
    use super::validity;
    use crate::business::Kind;
    use crate::business::fields::Values;
    use crate::calendar::Moment;

    #[test]
    fn a_reissued_or_changed_certificate_ends_with_the_one_that_it_replaces() {
        let now = Moment::from_unix(1_790_000_000).to_unix();
        let values = Values::from([("termMonths".to_owned(), "36".to_owned())]);
        for (kind, old, expected) in [
            (Kind::New, None, Moment::from_unix(now).plus_months(36).to_unix()),
            (Kind::Additional, Some(now + 5), Moment::from_unix(now).plus_months(36).to_unix()),
            (Kind::Renewal, Some(now + 40 * 86_400), Moment::from_unix(now + 40 * 86_400).plus_months(36).to_unix()),
            (Kind::Renewal, Some(now - 5), Moment::from_unix(now).plus_months(36).to_unix()),
            (Kind::Reissue, Some(now + 77), now + 77),
            (Kind::Change, Some(now + 99), now + 99),
        ] {
            assert_eq!(validity(kind, &values, old, now), (now, expected), "{kind:?}");
        }
    }
}
