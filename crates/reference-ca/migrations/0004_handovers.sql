-- Hand-overs from portals: each is used once; its ticket carries it from the portal's page to ours. What it says is sealed.
CREATE TABLE handovers (
  jti TEXT NOT NULL,
  portal TEXT NOT NULL,
  account TEXT NOT NULL,
  ticket_sha256 TEXT NOT NULL UNIQUE,
  claims_sealed BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (portal, jti)
);

-- Whose account at which portal a business belongs to: the way back, and 办理进度查询 from there.
CREATE TABLE origins (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  portal TEXT NOT NULL,
  account TEXT NOT NULL
);
CREATE INDEX origins_account ON origins (portal, account, application);
