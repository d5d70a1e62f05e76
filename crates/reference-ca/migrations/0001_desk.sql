-- The desk's memory. Columns named *_sealed hold bytes of the vault: personal data lies nowhere else.

CREATE TABLE officers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

CREATE TABLE sessions (
  token_sha256 TEXT PRIMARY KEY,
  officer INTEGER REFERENCES officers (id),
  csrf TEXT NOT NULL,
  agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL
);
CREATE INDEX sessions_officer ON sessions (officer, seen_at);

CREATE TABLE throttles (
  subject TEXT PRIMARY KEY,
  attempts INTEGER NOT NULL,
  blocked_until INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE applications (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  number TEXT NOT NULL UNIQUE,
  profile TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  before TEXT,
  since INTEGER NOT NULL,
  facts TEXT NOT NULL,
  -- Counted up by every change; a change names the one it saw.
  revision INTEGER NOT NULL,
  prefilled INTEGER NOT NULL,
  fee_fen INTEGER NOT NULL,
  fields_sealed BLOB NOT NULL,
  code_sha256 TEXT NOT NULL,
  code_sealed BLOB NOT NULL,
  -- Whose it is, for the queue and for the handler of the last business: an organisation's number is public.
  credit_code TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  -- When personal data was deleted by the retention rule.
  cleared_at INTEGER
);
CREATE INDEX applications_state ON applications (state, since);
CREATE INDEX applications_unit ON applications (credit_code, id);

-- Which sessions may see which business.
CREATE TABLE openings (
  session TEXT NOT NULL REFERENCES sessions (token_sha256) ON DELETE CASCADE,
  application INTEGER NOT NULL REFERENCES applications (id),
  PRIMARY KEY (session, application)
);

-- Every act, chained by SHA-256 over all applications. No personal data: notes are the officers' sealed sentences.
CREATE TABLE history (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  application INTEGER NOT NULL REFERENCES applications (id),
  at INTEGER NOT NULL,
  officer INTEGER REFERENCES officers (id),
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  note_sealed BLOB,
  previous TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX history_application ON history (application, id);

CREATE TABLE uploads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  application INTEGER NOT NULL REFERENCES applications (id),
  slot TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  file TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (application, slot)
);

-- What goes to the outside world: short messages, couriers, bank, invoices. Written with the change that causes it.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  application INTEGER NOT NULL REFERENCES applications (id),
  channel TEXT NOT NULL,
  body_sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  carried_at INTEGER,
  receipt TEXT
);
CREATE INDEX messages_waiting ON messages (carried_at, id);

CREATE TABLE grants (
  jti TEXT PRIMARY KEY,
  application INTEGER NOT NULL REFERENCES applications (id),
  request_sha256 TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
);

CREATE TABLE certificates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  application INTEGER NOT NULL REFERENCES applications (id),
  serial TEXT NOT NULL UNIQUE,
  credit_code TEXT NOT NULL,
  request_sha256 TEXT NOT NULL,
  der BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  revoked_at INTEGER,
  seal BLOB
);
CREATE UNIQUE INDEX certificates_application ON certificates (application);

CREATE TABLE codes (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  code_sha256 TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  tries_left INTEGER NOT NULL
);
