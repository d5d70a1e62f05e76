-- The security officer's secret of each token that a business led to, sealed in the vault: released to one host, encrypted, with a grant.
CREATE TABLE officer_secrets (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL
);
