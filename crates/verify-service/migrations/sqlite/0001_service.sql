-- The service's whole state. Times are unix seconds. Secrets are never stored as they are: API keys, sessions and spent
-- nonces as SHA-256.

CREATE TABLE portals (
  id           TEXT PRIMARY KEY,
  settings     TEXT NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,
  portal     TEXT NOT NULL REFERENCES portals (id),
  key_sha256 TEXT NOT NULL UNIQUE,
  label      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

CREATE TABLE challenges (
  nonce      TEXT PRIMARY KEY,
  portal     TEXT NOT NULL,
  session    TEXT NOT NULL,
  kind       TEXT NOT NULL,
  record     TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX challenges_by_end ON challenges (expires_at);

-- Remembered for a day, only to tell "used" from "never issued".
CREATE TABLE spent_nonces (
  nonce_sha256 TEXT PRIMARY KEY,
  spent_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_by_time ON spent_nonces (spent_at);

-- One account has one certificate (primary key) and one certificate has one account (unique).
CREATE TABLE bindings (
  portal       TEXT NOT NULL,
  account      TEXT NOT NULL,
  certificate  TEXT NOT NULL,
  der          BLOB NOT NULL,
  anchor       TEXT NOT NULL,
  organisation TEXT NOT NULL,
  credit_code  TEXT NOT NULL,
  serial       TEXT NOT NULL,
  not_after    INTEGER NOT NULL,
  bound_at     INTEGER NOT NULL,
  PRIMARY KEY (portal, account),
  UNIQUE (portal, certificate)
) STRICT;

-- Certificates that are reported lost; they stay here when their binding has gone.
CREATE TABLE losses (
  portal      TEXT NOT NULL,
  certificate TEXT NOT NULL,
  account     TEXT NOT NULL,
  reported_at INTEGER NOT NULL,
  PRIMARY KEY (portal, certificate)
) STRICT;

-- Bindings of older systems that wait for their supplier's first login.
CREATE TABLE old_bindings (
  portal   TEXT NOT NULL,
  account  TEXT NOT NULL,
  mark     TEXT NOT NULL,
  record   TEXT NOT NULL,
  PRIMARY KEY (portal, account),
  UNIQUE (portal, mark)
) STRICT;

CREATE TABLE rations (
  subject TEXT PRIMARY KEY,
  full_at INTEGER NOT NULL
) STRICT;
CREATE INDEX rations_by_full ON rations (full_at);

CREATE TABLE audit (
  sequence      INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  portal        TEXT NOT NULL,
  action        TEXT NOT NULL,
  account       TEXT NOT NULL,
  certificate   TEXT NOT NULL,
  document      TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  detail        TEXT NOT NULL,
  material      TEXT NOT NULL,
  keep_until    INTEGER NOT NULL,
  previous_hash TEXT NOT NULL,
  digest        TEXT NOT NULL,
  hash          TEXT NOT NULL
) STRICT;

-- One row: the end of the chain, and where what is kept of it begins.
CREATE TABLE audit_ends (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  sequence       INTEGER NOT NULL,
  hash           TEXT NOT NULL,
  start_sequence INTEGER NOT NULL,
  start_hash     TEXT NOT NULL
) STRICT;
INSERT INTO audit_ends VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 1,
  '0000000000000000000000000000000000000000000000000000000000000000');

-- Append only: whoever changes the past must first drop these, and the chain still shows it.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN OLD.keep_until >= unixepoch()
  BEGIN SELECT RAISE(ABORT, 'audit rows are kept until their time is over'); END;
