-- Impressions that were read out of the scan in a slot, cleaned, with the scan's own pixels beside; one of them is the seal's picture.
CREATE TABLE impressions (
  application INTEGER NOT NULL REFERENCES applications (id),
  ordinal INTEGER NOT NULL,
  millimetres INTEGER NOT NULL,
  measures TEXT NOT NULL,
  before_sealed BLOB NOT NULL,
  after_sealed BLOB NOT NULL,
  picked INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (application, ordinal)
);

-- What a machine read of the form in this slot: own (its number is this business's), unread; nothing where the slot takes no form.
ALTER TABLE uploads ADD COLUMN form TEXT;

-- Seals that wait to be installed for a certificate that exists already.
CREATE TABLE seals (
  application INTEGER PRIMARY KEY REFERENCES applications (id),
  serial TEXT NOT NULL,
  der BLOB NOT NULL,
  made_at INTEGER NOT NULL
);
