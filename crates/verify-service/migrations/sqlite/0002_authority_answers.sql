-- What authorities have answered about revocation. `question` is a SHA-256 over service, address and certificate.
CREATE TABLE authority_answers (
  question     TEXT PRIMARY KEY,
  body         BLOB NOT NULL,
  size         INTEGER NOT NULL,
  fetched_at   INTEGER NOT NULL,
  ask_again_at INTEGER NOT NULL,
  valid_until  INTEGER NOT NULL,
  failure      TEXT NOT NULL
) STRICT;
CREATE INDEX authority_answers_by_age ON authority_answers (fetched_at, question, size);
