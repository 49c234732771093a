-- The table of the noun issue, by the rules of internal/trace/schema.sql.
-- No comment here holds a semicolon: it ends a statement.

-- One row per exception that a span event or a log record carries, written before
-- that is acknowledged. Rows of one occurrence, of the span and the log that both
-- carry it or of a request that was sent twice, have one number: count with
-- uniq(occurrence). Rows of one fingerprint lie side by side, so that their equal
-- stacks cost nearly nothing.
CREATE TABLE IF NOT EXISTS error_events
(
    project_id     UInt32 CODEC(ZSTD(1)),
    retention_days UInt16 CODEC(ZSTD(1)),
    time           DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    fingerprint    UInt64 CODEC(ZSTD(1)),
    algorithm      UInt8 CODEC(ZSTD(1)),                -- that made the fingerprint
    rules          UInt32 CODEC(ZSTD(1)),               -- version of the project's in-app rules then
    occurrence     UInt64 CODEC(NONE),
    source         UInt8 CODEC(ZSTD(1)),                -- 1 span event, 2 log record
    service        LowCardinality(String) CODEC(ZSTD(1)),
    environment    LowCardinality(String) CODEC(ZSTD(1)),
    instance       LowCardinality(String) CODEC(ZSTD(1)),
    version        LowCardinality(String) CODEC(ZSTD(1)),
    endpoint       LowCardinality(String) CODEC(ZSTD(1)), -- operation of the entry span, '' when it came in another request
    trace_id       FixedString(16) CODEC(ZSTD(1)),      -- zero: none
    span_id        UInt64 CODEC(ZSTD(1)),               -- 0: none
    type           LowCardinality(String) CODEC(ZSTD(1)),
    message        String CODEC(ZSTD(1)),
    stack          String CODEC(ZSTD(1)),
    user           String CODEC(ZSTD(1)),               -- enduser.id or user.id
    custom         String CODEC(ZSTD(1)),               -- fingerprint that the application gave
    arrived        DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    INDEX arrivals arrived TYPE minmax GRANULARITY 1,
    INDEX traces trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, fingerprint, time)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;
