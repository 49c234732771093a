-- A mapper and its driver may both record the one statement they run. The parent
-- tells which of two slow calls is the other's wrapping.
ALTER TABLE sql_slow ADD COLUMN IF NOT EXISTS parent_id UInt64;

ALTER TABLE sql_slow_view MODIFY QUERY
SELECT project_id, retention_days, arrived, service, environment, instance, trace_id, span_id, parent_id, start, duration, db_hash
FROM spans
WHERE db_hash != 0 AND duration >= 100000000;
