-- The portal's whole state. Times are unix seconds. Secrets are never stored as they are: session tokens and
-- spent nonces as SHA-256, passwords as argon2 strings.

CREATE TABLE accounts (
  id            INTEGER PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password_hash TEXT NOT NULL,
  organisation  TEXT NOT NULL,
  credit_code   TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('supplier', 'auditor')),
  created_at    INTEGER NOT NULL
) STRICT;

-- One account has one certificate (primary key) and one certificate has one account (unique).
CREATE TABLE bindings (
  account            INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  certificate_sha256 TEXT NOT NULL UNIQUE,
  certificate        BLOB NOT NULL,
  organisation       TEXT NOT NULL,
  credit_code        TEXT NOT NULL,
  serial             TEXT NOT NULL,
  not_after          INTEGER NOT NULL,
  bound_at           INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
  token_sha256 TEXT PRIMARY KEY,
  account      INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
  method       TEXT NOT NULL CHECK (method IN ('anonymous', 'password', 'certificate')),
  csrf         TEXT NOT NULL,
  agent        TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE challenges (
  nonce      TEXT PRIMARY KEY,
  session    TEXT NOT NULL REFERENCES sessions (token_sha256) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('bind', 'login')),
  account    INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX challenges_by_session ON challenges (session);

-- Remembered for a day, only to tell "used" from "never issued".
CREATE TABLE spent_nonces (
  nonce_sha256 TEXT PRIMARY KEY,
  spent_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE throttles (
  subject       TEXT PRIMARY KEY,
  attempts      INTEGER NOT NULL,
  blocked_until INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE tenders (
  id         TEXT PRIMARY KEY,
  title_zh   TEXT NOT NULL,
  title_en   TEXT NOT NULL,
  buyer_zh   TEXT NOT NULL,
  buyer_en   TEXT NOT NULL,
  scope_zh   TEXT NOT NULL,
  scope_en   TEXT NOT NULL,
  closes_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE submissions (
  id             TEXT PRIMARY KEY,
  tender         TEXT NOT NULL REFERENCES tenders (id),
  account        INTEGER NOT NULL REFERENCES accounts (id),
  file_name      TEXT NOT NULL,
  size           INTEGER NOT NULL,
  sha256         TEXT NOT NULL,
  accepted       INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  verdict        TEXT NOT NULL,
  received_at    INTEGER NOT NULL,
  audit_sequence INTEGER NOT NULL,
  audit_hash     TEXT NOT NULL
) STRICT;
CREATE INDEX submissions_by_account ON submissions (account, received_at);

CREATE TABLE audit (
  sequence      INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  account       INTEGER,
  actor         TEXT NOT NULL,
  action        TEXT NOT NULL,
  origin        TEXT NOT NULL,
  document      TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  detail        TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash          TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_account ON audit (account, sequence);

-- Append only: whoever changes the past must first drop these, and the chain still shows it.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;

INSERT INTO tenders (id, title_zh, title_en, buyer_zh, buyer_en, scope_zh, scope_en, closes_at) VALUES
  ('YQ-2026-0017', '智能办公终端设备采购项目', 'Office terminals, framework purchase', '印桥测试采购中心', 'Sealbridge test procurement centre',
   '台式计算机二百台、显示器二百台及三年上门服务。', '200 desktop computers, 200 displays and three years of on-site service.', 4070880000),
  ('YQ-2026-0021', '园区消防设施维护保养服务', 'Fire safety maintenance for the campus', '印桥测试采购中心', 'Sealbridge test procurement centre',
   '三个园区的消防设施年度检测与维护保养。', 'Yearly inspection and maintenance of fire safety systems on three campuses.', 4070880000),
  ('YQ-2026-0024', '档案数字化加工服务', 'Digitisation of paper archives', '印桥测试采购中心', 'Sealbridge test procurement centre',
   '约一百二十万页纸质档案的扫描、著录与挂接。', 'Scanning, indexing and linking of about 1.2 million pages.', 4070880000),
  ('YQ-2026-0003', '数据中心精密空调更新', 'Replacement of data centre air conditioning', '印桥测试采购中心', 'Sealbridge test procurement centre',
   '更新精密空调十二台。', 'Twelve precision air conditioners.', 1767196800);
