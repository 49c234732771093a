-- A live tail asks for what arrived last, whatever time it speaks of. Records are
-- sorted by that time, near which they arrive: the least and the greatest id of a
-- few rows leave all but the newest unread.
ALTER TABLE logs ADD INDEX IF NOT EXISTS arrival id TYPE minmax GRANULARITY 1;
