-- Why a certificate was revoked (CRLReason, RFC 5280, 5.3.1), and when the CA's own record learned of it: revocation lists and OCSP read that
-- record, and a crash in between loses nothing.
ALTER TABLE certificates ADD COLUMN revoked_reason INTEGER;
ALTER TABLE certificates ADD COLUMN published_at INTEGER;
