-- The tables of the noun logs, by the rules of internal/trace/schema.sql.
-- No comment here holds a semicolon: it ends a statement.

-- One row per log record, by the time it speaks of. Its id is when it arrived in
-- nanoseconds, made unique on its node: it names the row, breaks ties of time,
-- and tells a live tail what is new.
CREATE TABLE IF NOT EXISTS logs
(
    project_id        UInt32 CODEC(ZSTD(1)),
    retention_days    UInt16 CODEC(ZSTD(1)),
    time              DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), -- of the event, else observed, else arrived
    id                UInt64 CODEC(Delta, ZSTD(1)),
    service           LowCardinality(String) CODEC(ZSTD(1)),
    environment       LowCardinality(String) CODEC(ZSTD(1)),
    instance          LowCardinality(String) CODEC(ZSTD(1)),
    version           LowCardinality(String) CODEC(ZSTD(1)),
    resource_id       UInt64 CODEC(ZSTD(1)),                      -- resources.resource_id
    scope             LowCardinality(String) CODEC(ZSTD(1)),      -- the logger
    severity          UInt8 CODEC(ZSTD(1)),                       -- OTLP 1 to 24, 0 unknown: trace 1-4, debug 5-8, info 9-12, warn 13-16, error 17-20, fatal 21-24
    severity_text     LowCardinality(String) CODEC(ZSTD(1)),      -- as sent
    event             LowCardinality(String) CODEC(ZSTD(1)),      -- event name
    trace_id          FixedString(16) CODEC(ZSTD(1)),             -- zero: none
    span_id           UInt64 CODEC(ZSTD(1)),                      -- 0: none
    body              String CODEC(ZSTD(1)),                      -- text, nested values as JSON
    pattern           UInt64 CODEC(ZSTD(1)),                      -- hash of the body without what varies
    exception_type    LowCardinality(String) CODEC(ZSTD(1)),
    exception_message String CODEC(ZSTD(1)),
    attr_keys         Array(LowCardinality(String)) CODEC(ZSTD(1)),
    attr_values       Array(String) CODEC(ZSTD(1)),               -- nested values as JSON
    dropped           UInt16 CODEC(ZSTD(1)),                      -- attributes cut by the sender or by our limits
    INDEX words body TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(body)),
    INDEX traces trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, time, id)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- How many records of each severity, per minute.
CREATE TABLE IF NOT EXISTS log_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    severity       UInt8,
    count          SimpleAggregateFunction(sum, UInt64),
    bytes          SimpleAggregateFunction(sum, UInt64)           -- of the bodies
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, minute, service, environment, severity)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS log_minute_view TO log_minute AS
SELECT project_id, retention_days, toStartOfMinute(time) AS minute, service, environment, severity,
    count() AS count, sum(length(body)) AS bytes
FROM logs
GROUP BY project_id, retention_days, minute, service, environment, severity;
