//! What a CA's desk grants for a token, and the host's request for it: texts that the asker carries and cannot make.
//!
//! A grant is a compact JWS (RFC 7515) of the desk's issuing CA, ES256, one `typ` for each purpose. The setup grant (activation) and
//! the unlock grant carry the token's security officer secret as a compact JWE (RFC 7516: ECDH-ES, A256GCM) to a key that the host made
//! for one request and never writes down; the activation grant lets one certificate request have its certificate (R86); the renewal grant
//! lets one new certificate stand beside the one that it renews, on the same key (R58). All
//! begin with `eyJ`, are bound to one token, request or certificate and to the business's number, and live for minutes. A grant with a secret
//! counts once; the others count as often as it takes, for the one thing that they name, so that what was interrupted can go on.
//!
//! Nothing is verified or decrypted here: signatures, digests and the clock are the caller's.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::failure::{Code, Failure};
use crate::fields::{BusinessNumber, CertificateId};
use crate::jws;

/// Whom grants are for: the claim `aud`.
pub const AUDIENCE: &str = "sealbridge-host";
/// Seconds that a grant lives at most.
pub const LIFE_SECONDS: i64 = 15 * 60;
/// Longest grant and longest request, in bytes.
pub const GRANT_MAX: usize = 8192;
/// Seconds by which the clocks of desk and host may differ.
pub const CLOCK_SKEW_SECONDS: i64 = 120;
const VERSION: u32 = 1;

/// What a grant with a secret is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To set a token up for its first PIN, key pair and certificate.
    Activate,
    /// To set a new PIN on a token whose PIN is locked or forgotten.
    Unlock,
}

/// A grant on its way through the browser: its form is right, nothing else is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct GrantText(String);

impl GrantText {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.len() <= GRANT_MAX && text.starts_with("eyJ") && text.bytes().all(fits) { Ok(Self(text)) } else { Err(malformed("form")) }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for GrantText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(|failure| D::Error::custom(failure.code.as_str()))
    }
}

/// A point of P-256 as a JWK has it (RFC 7518 6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcPoint {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl EcPoint {
    /// From the two coordinates.
    #[must_use]
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self { kty: "EC".to_owned(), crv: "P-256".to_owned(), x: Base64UrlUnpadded::encode_string(x), y: Base64UrlUnpadded::encode_string(y) }
    }

    /// The two coordinates; whether they are on the curve is for whoever computes with them.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn coordinates(&self) -> Result<([u8; 32], [u8; 32]), Failure> {
        let read = |text: &str| Base64UrlUnpadded::decode_vec(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(|| malformed("point"));
        if self.kty != "EC" || self.crv != "P-256" {
            return Err(malformed("point"));
        }
        Ok((read(&self.x)?, read(&self.y)?))
    }
}

/// The host's request to the desk for a grant with a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The version of this form: 1.
    pub ver: u32,
    /// What for.
    pub purpose: Purpose,
    /// The business's number.
    pub business: BusinessNumber,
    /// The token's serial number; a blank token may have none.
    pub serial: String,
    /// The certificate whose token is to be unlocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// 128 random bits as base64url; the grant repeats it.
    pub nonce: String,
    /// When it was made, Unix seconds.
    pub iat: i64,
    /// To whom the secret is encrypted.
    pub epk: EcPoint,
}

impl TokenRequest {
    /// A request of this version.
    #[must_use]
    pub fn new(
        purpose: Purpose,
        business: BusinessNumber,
        serial: impl Into<String>,
        certificate: Option<CertificateId>,
        nonce: &[u8; 16],
        iat: i64,
        epk: EcPoint,
    ) -> Self {
        Self { ver: VERSION, purpose, business, serial: serial.into(), certificate, nonce: Base64UrlUnpadded::encode_string(nonce), iat, epk }
    }

    /// As the asker carries it: base64url of JSON.
    ///
    /// # Errors
    /// `internal`, which does not happen.
    pub fn to_text(&self) -> Result<String, Failure> {
        encoded(self)
    }

    /// Reads a request.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.len() > GRANT_MAX {
            return Err(malformed("length"));
        }
        let request: Self = decoded(text, "request")?;
        let nonce = Base64UrlUnpadded::decode_vec(&request.nonce).map_err(|_| malformed("nonce"))?;
        request.epk.coordinates()?;
        let whole =
            request.ver == VERSION && nonce.len() == 16 && request.serial.len() <= 64 && request.certificate.is_some() == (request.purpose == Purpose::Unlock);
        if whole { Ok(request) } else { Err(malformed("request")) }
    }
}

/// The subject that the certificate request is to have; what stands here was signed by the desk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GrantSubject {
    /// Two capital letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// The organisation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// A department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_unit: Option<String>,
    /// The common name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// The unified social credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
}

/// What a setup or unlock grant says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretClaims {
    /// Whom it is for: [`AUDIENCE`].
    pub aud: String,
    /// The business's number.
    pub sub: BusinessNumber,
    /// The token's serial number, as in the request.
    pub serial: String,
    /// The certificate whose token is unlocked; none in a setup grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// The request's nonce.
    pub nonce: String,
    /// Its own number: used once.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
    /// The subject of the certificate request; none in an unlock grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<GrantSubject>,
    /// The security officer's secret as a compact JWE to the request's key.
    pub enc: String,
}

/// What an activation grant says: this request may have its certificate (R86).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationClaims {
    /// Whom it is for: [`AUDIENCE`].
    pub aud: String,
    /// The business's number.
    pub sub: String,
    /// SHA-256 of the PKCS#10 request, base64url.
    #[serde(rename = "csr#S256")]
    pub request: String,
    /// Its own number, for the desk's books.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
}

/// What a renewal grant says: on the key of this certificate, that one may stand beside it (R58).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalClaims {
    /// Whom it is for: [`AUDIENCE`].
    pub aud: String,
    /// The business's number.
    pub sub: BusinessNumber,
    /// The certificate that is renewed: its SHA-256.
    pub certificate: CertificateId,
    /// SHA-256 of the new certificate, base64url.
    #[serde(rename = "new#S256")]
    pub new: String,
    /// Its own number, for the desk's books.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
}

/// The claims of one kind of grant, with the `typ` that names it.
pub trait GrantClaims: Serialize + for<'de> Deserialize<'de> {
    /// The header's `typ`.
    fn kind(&self) -> &'static str;
    /// Whom it is for, when it was made, when it ends.
    fn times(&self) -> (&str, i64, i64);
}

/// The `typ` of a grant with a secret.
#[must_use]
pub const fn secret_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Activate => "sealbridge-setup-grant+jwt",
        Purpose::Unlock => "sealbridge-unlock-grant+jwt",
    }
}

/// The `typ` of an activation grant.
pub const ACTIVATION_TYPE: &str = "sealbridge-activation-grant+jwt";

/// The `typ` of a renewal grant.
pub const RENEWAL_TYPE: &str = "sealbridge-renewal-grant+jwt";

impl GrantClaims for SecretClaims {
    fn kind(&self) -> &'static str {
        secret_type(if self.certificate.is_some() { Purpose::Unlock } else { Purpose::Activate })
    }

    fn times(&self) -> (&str, i64, i64) {
        (&self.aud, self.iat, self.exp)
    }
}

impl GrantClaims for ActivationClaims {
    fn kind(&self) -> &'static str {
        ACTIVATION_TYPE
    }

    fn times(&self) -> (&str, i64, i64) {
        (&self.aud, self.iat, self.exp)
    }
}

impl GrantClaims for RenewalClaims {
    fn kind(&self) -> &'static str {
        RENEWAL_TYPE
    }

    fn times(&self) -> (&str, i64, i64) {
        (&self.aud, self.iat, self.exp)
    }
}

/// Whether a grant says of itself that it is for a renewal: which of the two that come with a certificate is to be read. Nothing is judged.
///
/// # Errors
/// `grant-malformed`.
pub fn is_renewal(text: &str) -> Result<bool, Failure> {
    if text.len() > GRANT_MAX {
        return Err(malformed("length"));
    }
    let parts = jws::split(text).ok_or_else(|| malformed("three parts"))?;
    Ok(decoded::<Header>(parts.header, "header")?.typ == RENEWAL_TYPE)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
}

/// The bytes that the CA signs (ES256) for these claims; `issuing_sha256` is the SHA-256 of its issuing certificate.
///
/// # Errors
/// `internal`, which does not happen.
pub fn to_be_signed<C: GrantClaims>(claims: &C, issuing_sha256: &[u8; 32]) -> Result<String, Failure> {
    let header = Header { alg: "ES256".to_owned(), typ: claims.kind().to_owned(), thumbprint: Base64UrlUnpadded::encode_string(issuing_sha256) };
    Ok(format!("{}.{}", encoded(&header)?, encoded(claims)?))
}

/// The grant with its signature (r‖s).
#[must_use]
pub fn assemble(to_be_signed: &str, signature: &[u8]) -> String {
    format!("{to_be_signed}.{}", Base64UrlUnpadded::encode_string(signature))
}

/// A grant whose form and times are right; the signature is still to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified<C> {
    /// SHA-256 of the issuing certificate that the grant names.
    pub issuing_sha256: [u8; 32],
    /// What is signed.
    pub signing_input: String,
    /// r‖s.
    pub signature: Vec<u8>,
    /// What it says, if the signature holds.
    pub claims: C,
}

/// Reads a grant of the kind `C`, at the time `now` (Unix seconds).
///
/// # Errors
/// `grant-malformed`, `grant-mismatch` for another kind or audience, `grant-expired`.
pub fn read<C: GrantClaims>(text: &str, now: i64) -> Result<Unverified<C>, Failure> {
    if text.len() > GRANT_MAX {
        return Err(malformed("length"));
    }
    let jws::Parts { signing_input, header, claims, signature } = jws::split(text).ok_or_else(|| malformed("three parts"))?;
    let header: Header = decoded(header, "header")?;
    if header.alg != "ES256" {
        return Err(malformed("alg"));
    }
    let issuing_sha256 = Base64UrlUnpadded::decode_vec(&header.thumbprint).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| malformed("x5t#S256"))?;
    let signature = Base64UrlUnpadded::decode_vec(signature).ok().filter(|signature| signature.len() == 64).ok_or_else(|| malformed("signature"))?;
    let claims: C = decoded(claims, "claims")?;
    if header.typ != claims.kind() {
        return Err(mismatch("typ"));
    }
    let (audience, iat, exp) = claims.times();
    if audience != AUDIENCE {
        return Err(mismatch("aud"));
    }
    if exp <= now.saturating_sub(CLOCK_SKEW_SECONDS) || iat > now.saturating_add(CLOCK_SKEW_SECONDS) || !(1..=LIFE_SECONDS).contains(&exp.saturating_sub(iat)) {
        return Err(Failure::new(Code::GrantExpired));
    }
    Ok(Unverified { issuing_sha256, signing_input: signing_input.to_owned(), signature, claims })
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedHeader {
    alg: String,
    enc: String,
    epk: EcPoint,
}

/// The parts of a compact JWE with `ECDH-ES` and `A256GCM`, nothing decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    /// The protected header as it stands: what is authenticated besides.
    pub header: String,
    /// The sender's one-time key.
    pub epk: EcPoint,
    /// The initialisation vector.
    pub iv: [u8; 12],
    /// The ciphertext with the tag at its end.
    pub sealed: Vec<u8>,
}

/// The protected header of a secret from the one-time key `epk`.
///
/// # Errors
/// `internal`, which does not happen.
pub fn sealed_header(epk: &EcPoint) -> Result<String, Failure> {
    encoded(&SealedHeader { alg: "ECDH-ES".to_owned(), enc: "A256GCM".to_owned(), epk: epk.clone() })
}

/// The compact form; the tag is the last 16 bytes of `sealed`.
#[must_use]
pub fn sealed_text(header: &str, iv: &[u8; 12], sealed: &[u8]) -> String {
    let (ciphertext, tag) = sealed.split_at(sealed.len().saturating_sub(16));
    let text = Base64UrlUnpadded::encode_string;
    format!("{header}..{}.{}.{}", text(iv), text(ciphertext), text(tag))
}

/// Reads the compact form.
///
/// # Errors
/// `grant-malformed`.
pub fn read_sealed(text: &str) -> Result<SealedText, Failure> {
    let wrong = || malformed("enc");
    let parts: Vec<&str> = text.split('.').collect();
    let &[header_text, "", iv, ciphertext, tag] = parts.as_slice() else { return Err(wrong()) };
    let header: SealedHeader = decoded(header_text, "enc")?;
    if header.alg != "ECDH-ES" || header.enc != "A256GCM" {
        return Err(wrong());
    }
    let bytes = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|_| wrong());
    let iv = bytes(iv)?.try_into().map_err(|_| wrong())?;
    let (mut sealed, tag) = (bytes(ciphertext)?, bytes(tag)?);
    if tag.len() != 16 {
        return Err(wrong());
    }
    sealed.extend_from_slice(&tag);
    Ok(SealedText { header: header_text.to_owned(), epk: header.epk, iv, sealed })
}

fn mismatch(what: &str) -> Failure {
    Failure::new(Code::GrantMismatch).with("what", what)
}

fn encoded<T: Serialize>(value: &T) -> Result<String, Failure> {
    jws::encoded(value).map_err(|_| Failure::new(Code::Internal).with("detail", "grant"))
}

fn decoded<T: for<'de> Deserialize<'de>>(text: &str, what: &'static str) -> Result<T, Failure> {
    jws::decoded(text).ok_or_else(|| malformed(what))
}

fn malformed(detail: &'static str) -> Failure {
    Failure::new(Code::GrantMalformed).with("detail", detail)
}
