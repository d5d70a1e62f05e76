-- The service's whole state. Times are unix seconds. Secrets are never stored as they are: API keys, sessions and spent
-- nonces as SHA-256.

CREATE TABLE portals (
  id           TEXT PRIMARY KEY,
  settings     TEXT NOT NULL,
  created_at   BIGINT NOT NULL
);

CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,
  portal     TEXT NOT NULL REFERENCES portals (id),
  key_sha256 TEXT NOT NULL UNIQUE,
  label      TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT
);

CREATE TABLE challenges (
  nonce      TEXT PRIMARY KEY,
  portal     TEXT NOT NULL,
  session    TEXT NOT NULL,
  kind       TEXT NOT NULL,
  record     TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX challenges_by_end ON challenges (expires_at);

-- Remembered for a day, only to tell "used" from "never issued".
CREATE TABLE spent_nonces (
  nonce_sha256 TEXT PRIMARY KEY,
  spent_at     BIGINT NOT NULL
);
CREATE INDEX spent_by_time ON spent_nonces (spent_at);

-- One account has one certificate (primary key) and one certificate has one account (unique).
CREATE TABLE bindings (
  portal       TEXT NOT NULL,
  account      TEXT NOT NULL,
  certificate  TEXT NOT NULL,
  der          BYTEA NOT NULL,
  anchor       TEXT NOT NULL,
  organisation TEXT NOT NULL,
  credit_code  TEXT NOT NULL,
  serial       TEXT NOT NULL,
  not_after    BIGINT NOT NULL,
  bound_at     BIGINT NOT NULL,
  PRIMARY KEY (portal, account),
  UNIQUE (portal, certificate)
);

-- Certificates that are reported lost; they stay here when their binding has gone.
CREATE TABLE losses (
  portal      TEXT NOT NULL,
  certificate TEXT NOT NULL,
  account     TEXT NOT NULL,
  reported_at BIGINT NOT NULL,
  PRIMARY KEY (portal, certificate)
);

-- Bindings of older systems that wait for their supplier's first login.
CREATE TABLE old_bindings (
  portal   TEXT NOT NULL,
  account  TEXT NOT NULL,
  mark     TEXT NOT NULL,
  record   TEXT NOT NULL,
  PRIMARY KEY (portal, account),
  UNIQUE (portal, mark)
);

CREATE TABLE rations (
  subject TEXT PRIMARY KEY,
  full_at BIGINT NOT NULL
);
CREATE INDEX rations_by_full ON rations (full_at);

CREATE TABLE audit (
  sequence      BIGINT PRIMARY KEY,
  at            BIGINT NOT NULL,
  portal        TEXT NOT NULL,
  action        TEXT NOT NULL,
  account       TEXT NOT NULL,
  certificate   TEXT NOT NULL,
  document      TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  detail        TEXT NOT NULL,
  material      TEXT NOT NULL,
  keep_until    BIGINT NOT NULL,
  previous_hash TEXT NOT NULL,
  digest        TEXT NOT NULL,
  hash          TEXT NOT NULL
);

-- One row: the end of the chain, and where what is kept of it begins.
CREATE TABLE audit_ends (
  id             BIGINT PRIMARY KEY CHECK (id = 1),
  sequence       BIGINT NOT NULL,
  hash           TEXT NOT NULL,
  start_sequence BIGINT NOT NULL,
  start_hash     TEXT NOT NULL
);
INSERT INTO audit_ends VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 1,
  '0000000000000000000000000000000000000000000000000000000000000000');

-- Append only: whoever changes the past must first drop these, and the chain still shows it.
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'audit rows are never changed';
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'audit rows are kept until their time is over';
  END IF;
  IF OLD.keep_until >= extract(epoch FROM now()) THEN
    RAISE EXCEPTION 'audit rows are kept until their time is over';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();
