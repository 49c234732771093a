CREATE TABLE IF NOT EXISTS ai_arrivals (
  project_id UInt32,
  at DateTime64(3),
  call_id String,
  bytes UInt64, -- of the texts
  arrived DateTime64(6) -- when the record was stored, by the engine's clock
) ENGINE = MergeTree
PARTITION BY toDate(arrived)
ORDER BY (arrived, call_id)
TTL toDateTime(arrived) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS ai_arrivals_of_calls TO ai_arrivals AS
SELECT project_id, at, call_id, length(system) + length(message) + 2 * length(answer) AS bytes, now64(6) AS arrived FROM ai_calls;

INSERT INTO ai_arrivals
SELECT project_id, at, call_id, length(system) + length(message) + 2 * length(answer) AS bytes, at AS arrived FROM ai_calls;
