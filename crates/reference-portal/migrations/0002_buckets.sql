-- One row per visitor who has asked for something that is rationed, until the ration is whole again.

CREATE TABLE buckets (
  subject TEXT PRIMARY KEY,
  full_at INTEGER NOT NULL
) STRICT;
CREATE INDEX buckets_by_full ON buckets (full_at);
