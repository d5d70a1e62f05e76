//! The object identifiers that this crate reads and writes, with the standard each comes from.
//! Names follow the standards; meaning is given where they are used.

pub use der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

// X.520 attribute types (RFC 5280 §4.1.2.4).
pub const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
pub const SERIAL_NUMBER: ObjectIdentifier = oid("2.5.4.5");
pub const COUNTRY: ObjectIdentifier = oid("2.5.4.6");
pub const LOCALITY: ObjectIdentifier = oid("2.5.4.7");
pub const STATE: ObjectIdentifier = oid("2.5.4.8");
pub const ORGANISATION: ObjectIdentifier = oid("2.5.4.10");
pub const ORGANISATION_UNIT: ObjectIdentifier = oid("2.5.4.11");
pub const EMAIL_ADDRESS: ObjectIdentifier = oid("1.2.840.113549.1.9.1");

// Identity of organisations and persons in certificates (GM/T 0015, and what CAs use).
/// Unified social credit code as GM/T 0015-2023 lists it.
pub const CREDIT_CODE_GMT_0015: ObjectIdentifier = oid("1.2.156.10260.4.4");
/// Organisation code; most CAs put the unified social credit code here.
pub const ORGANISATION_CODE: ObjectIdentifier = oid("1.2.156.10260.4.1.4");
/// Unified social credit code of the RSA-era profile.
pub const CREDIT_CODE_RSA_ERA: ObjectIdentifier = oid("1.2.86.11.7.4");
/// Business registration number; after the merging of registers often the credit code.
pub const BUSINESS_REGISTRATION: ObjectIdentifier = oid("1.2.156.10260.4.1.3");
/// The same in the RSA-era profile.
pub const BUSINESS_REGISTRATION_RSA_ERA: ObjectIdentifier = oid("1.2.86.11.7.3");
/// Tax number; equal to the credit code since 2015.
pub const TAX_NUMBER: ObjectIdentifier = oid("1.2.156.10260.4.1.5");
/// The same in the RSA-era profile.
pub const TAX_NUMBER_RSA_ERA: ObjectIdentifier = oid("1.2.86.11.7.5");
/// SHECA organisation code.
pub const SHECA_ORGANISATION: ObjectIdentifier = oid("1.2.156.1.8888.148");
/// BJCA unique identity.
pub const BJCA_IDENTITY: ObjectIdentifier = oid("1.2.156.112562.2.1.1.4");
/// BJCA unique identity, older.
pub const BJCA_IDENTITY_OLD: ObjectIdentifier = oid("2.16.840.1.113732.2");
/// NETCA unique subject identity.
pub const NETCA_IDENTITY: ObjectIdentifier = oid("1.3.6.1.4.1.18760.1.12.11");
/// Shenzhen local standard unique identity (NETCA, GDCA, SZCA).
pub const SHENZHEN_IDENTITY: ObjectIdentifier = oid("2.16.156.112548");
/// GDCA TrustID.
pub const GDCA_TRUST_ID: ObjectIdentifier = oid("1.2.86.21.1.1");

// Certificate extensions (RFC 5280 §4.2.1).
pub const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.14");
pub const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
pub const SUBJECT_ALT_NAME: ObjectIdentifier = oid("2.5.29.17");
pub const NAME_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.30");
pub const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
pub const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = oid("2.5.29.31");
pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.35");
pub const CRL_NUMBER: ObjectIdentifier = oid("2.5.29.20");
pub const CRL_REASON: ObjectIdentifier = oid("2.5.29.21");
pub const INVALIDITY_DATE: ObjectIdentifier = oid("2.5.29.24");
pub const DELTA_CRL_INDICATOR: ObjectIdentifier = oid("2.5.29.27");
pub const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = oid("2.5.29.28");
pub const CERTIFICATE_ISSUER: ObjectIdentifier = oid("2.5.29.29");
pub const FRESHEST_CRL: ObjectIdentifier = oid("2.5.29.46");
pub const AUTHORITY_INFO_ACCESS: ObjectIdentifier = oid("1.3.6.1.5.5.7.1.1");
pub const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");

// Extended key usage (RFC 5280 §4.2.1.12).
pub const KP_SERVER_AUTH: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.1");
pub const KP_CLIENT_AUTH: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.2");
pub const KP_CODE_SIGNING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.3");
pub const KP_TIME_STAMPING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
pub const KP_OCSP_SIGNING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.9");
/// Where an authority answers questions about revocation (RFC 5280 §4.2.2.1).
pub const AD_OCSP: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1");
/// Where an authority's own certificate is found.
pub const AD_CA_ISSUERS: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.2");

// OCSP (RFC 6960 §4).
pub const OCSP_BASIC: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1.1");
pub const OCSP_NONCE: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1.2");
pub const OCSP_NO_CHECK: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1.5");

/// Making electronic seals. No standard names this purpose; this one is the reference CA's own, derived from the UUID
/// 5f1ea05f-3521-4737-ad61-fae3281fa5ef in an arc that anyone may use so. (2.25.UUID would need an arc of 128 bits, which the
/// libraries below do not read.) Policies may name other CAs' purposes beside it or instead.
pub const KP_SEAL_MAKING: ObjectIdentifier = oid("1.2.840.113556.1.8000.2554.24350.41055.13601.18231.44385.16442152.2074095");

// Keys and signatures (RFC 3279, 4055, 5480, 5758; GM/T 0006).
pub const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
pub const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
pub const P384: ObjectIdentifier = oid("1.3.132.0.34");
pub const P521: ObjectIdentifier = oid("1.3.132.0.35");
pub const SM2_CURVE: ObjectIdentifier = oid("1.2.156.10197.1.301");
pub const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
pub const RSA_MD5: ObjectIdentifier = oid("1.2.840.113549.1.1.4");
pub const RSA_SHA1: ObjectIdentifier = oid("1.2.840.113549.1.1.5");
pub const MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
pub const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
pub const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
pub const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
pub const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
pub const ECDSA_SHA1: ObjectIdentifier = oid("1.2.840.10045.4.1");
pub const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
pub const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
pub const ECDSA_SHA512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");
pub const SM2_SM3: ObjectIdentifier = oid("1.2.156.10197.1.501");

// Digests (RFC 5754).
pub const MD5: ObjectIdentifier = oid("1.2.840.113549.2.5");
pub const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
pub const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
pub const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
pub const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");

// CMS (RFC 5652 §11, RFC 5035, RFC 6211, RFC 3161).
pub const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
pub const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
pub const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
pub const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
pub const SIGNING_TIME: ObjectIdentifier = oid("1.2.840.113549.1.9.5");
/// What a timestamp token carries (RFC 3161 §2.4.2).
pub const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
pub const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
pub const TIMESTAMP_TOKEN: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.14");
pub const SIGNING_CERTIFICATE_V2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
pub const ALGORITHM_PROTECTION: ObjectIdentifier = oid("1.2.840.113549.1.9.52");
