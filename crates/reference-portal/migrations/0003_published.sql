-- When a tender was published: no bid for it can have been stamped earlier. The tenders that come with the database are as old
-- as its first record.

ALTER TABLE tenders ADD COLUMN published_at INTEGER NOT NULL DEFAULT 0;
UPDATE tenders SET published_at = (SELECT coalesce(min(at), unixepoch()) FROM audit);
