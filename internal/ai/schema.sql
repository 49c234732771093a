CREATE TABLE IF NOT EXISTS ai_calls (
  project_id UInt32,
  at DateTime64(3),
  call_id String,
  caller_kind LowCardinality(String),
  caller_name String,
  caller_ref String,
  role LowCardinality(String),
  role_version UInt32,
  language LowCardinality(String),
  status LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  parameters String,
  system String CODEC(ZSTD(3)),
  message String CODEC(ZSTD(3)),
  answer String CODEC(ZSTD(3)),
  latency_ms UInt32,
  input_tokens UInt64,
  cached_tokens UInt64,
  output_tokens UInt64,
  cost_usd Nullable(Float64),
  attempts UInt8,
  masked String,
  error String
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (project_id, at, call_id)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS ai_attempts (
  project_id UInt32,
  at DateTime64(3),
  call_id String,
  number UInt8,
  provider LowCardinality(String),
  model LowCardinality(String),
  repair Bool,
  status LowCardinality(String),
  error String,
  latency_ms UInt32,
  input_tokens UInt64,
  cached_tokens UInt64,
  output_tokens UInt64,
  cost_usd Nullable(Float64)
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (project_id, at, call_id, number)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;
