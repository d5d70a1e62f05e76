-- The key of a bound certificate (SHA-256 of its SubjectPublicKeyInfo, filled in for older rows when the database is opened), so that a
-- renewed certificate finds the binding of its key; and the trust anchor that the certificate led to, without which nothing is carried
-- over: older rows learn it at their next CA login.

ALTER TABLE bindings ADD COLUMN key_sha256 TEXT;
ALTER TABLE bindings ADD COLUMN anchor TEXT;
CREATE INDEX bindings_by_key ON bindings (key_sha256);
