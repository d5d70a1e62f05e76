-- What a CA's desk has told about an account's businesses (the newest word for each), and how many of an account's files are
-- encrypted to its certificate and not yet decrypted, as the operator's bidding system knows it.

CREATE TABLE desk_progress (
  account  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  number   TEXT NOT NULL,
  business TEXT NOT NULL,
  state    TEXT NOT NULL,
  told_at  INTEGER NOT NULL,
  PRIMARY KEY (account, number)
) STRICT;

CREATE TABLE encrypted_files (
  account     INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  undecrypted INTEGER NOT NULL CHECK (undecrypted BETWEEN 0 AND 1000000),
  noted_at    INTEGER NOT NULL
) STRICT;
