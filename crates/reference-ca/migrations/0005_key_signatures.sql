-- What the existing key is asked to sign for an application: one at a time, used once, for minutes.
CREATE TABLE key_challenges (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  -- The random part of the nonce; the rest of it is what was typed.
  random BLOB NOT NULL,
  nonce TEXT NOT NULL,
  expires_at INTEGER NOT NULL
);

-- What the existing key signed: it counts for exactly the values with this digest.
CREATE TABLE key_signatures (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  values_sha256 BLOB NOT NULL,
  -- The statement itself, for whoever asks later what was signed.
  token TEXT NOT NULL,
  at INTEGER NOT NULL
);

-- A renewed certificate stands beside the one that it renews; nothing is renewed twice.
ALTER TABLE certificates ADD COLUMN renews TEXT;
CREATE UNIQUE INDEX certificates_renews ON certificates (renews) WHERE renews IS NOT NULL;
