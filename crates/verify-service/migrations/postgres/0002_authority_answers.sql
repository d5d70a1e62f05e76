-- What authorities have answered about revocation. `question` is a SHA-256 over service, address and certificate.
CREATE TABLE authority_answers (
  question     TEXT PRIMARY KEY,
  body         BYTEA NOT NULL,
  size         BIGINT NOT NULL,
  fetched_at   BIGINT NOT NULL,
  ask_again_at BIGINT NOT NULL,
  valid_until  BIGINT NOT NULL,
  failure      TEXT NOT NULL
);
CREATE INDEX authority_answers_by_age ON authority_answers (fetched_at, question, size);
