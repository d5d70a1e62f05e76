-- Which reminder of an activation was sent: each once, whatever the desk's clock and its restarts do.
CREATE TABLE reminders (
  application INTEGER NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  -- When the business became ready for activation: should it be ready a second time, it begins anew.
  since INTEGER NOT NULL,
  -- Days after that.
  days INTEGER NOT NULL,
  PRIMARY KEY (application, since, days)
);
