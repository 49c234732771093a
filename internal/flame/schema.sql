-- The table of the noun flame, by the rules of internal/trace/schema.sql.
-- No comment here holds a semicolon: it ends a statement.

-- One row per call stack that a profiler counted. A profile is many of them.
CREATE TABLE IF NOT EXISTS flame_samples
(
    project_id     UInt32 CODEC(ZSTD(1)),
    retention_days UInt16 CODEC(ZSTD(1)),
    time           DateTime('UTC') CODEC(Delta, ZSTD(1)),  -- when the profile began
    service        LowCardinality(String) CODEC(ZSTD(1)),
    environment    LowCardinality(String) CODEC(ZSTD(1)),
    instance       LowCardinality(String) CODEC(ZSTD(1)),
    version        LowCardinality(String) CODEC(ZSTD(1)),
    kind           LowCardinality(String) CODEC(ZSTD(1)),  -- of the value as pprof names it: cpu, alloc_space, inuse_objects …
    unit           LowCardinality(String) CODEC(ZSTD(1)),  -- nanoseconds, bytes, count
    endpoint       LowCardinality(String) CODEC(ZSTD(1)),  -- by a label of the sample, '' when it has none
    trace_id       FixedString(16) CODEC(ZSTD(1)),         -- by a label, zero when it has none
    span_id        UInt64 CODEC(ZSTD(1)),                  -- by a label, 0 when it has none
    stack          Array(LowCardinality(String)) CODEC(ZSTD(1)), -- functions, the outermost first
    value          Int64 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, service, kind, time)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;
