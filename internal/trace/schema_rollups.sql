-- What reads a rollup costs is the quantile states of the rows it touches, one or
-- two microseconds each: a service out of a day of all of them would be seconds.
-- So they are sorted by what is asked for, a service or a statement, in small
-- granules, and there is one more of each per hour. These are views of the rollup
-- below them and see only the few rows that a block of spans became. All of them
-- begin with this version: rollups of before are gone, the spans are not.

DROP VIEW IF EXISTS red_minute_view;

DROP VIEW IF EXISTS sql_minute_view;

DROP TABLE IF EXISTS red_minute;

DROP TABLE IF EXISTS sql_minute;

-- Rate, errors and duration of every operation per minute of its start.
CREATE TABLE IF NOT EXISTS red_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    operation      LowCardinality(String),
    kind           UInt8,
    entry          Bool,
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, service, minute, environment, operation, kind, entry)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS red_minute_view TO red_minute AS
SELECT project_id, retention_days, toStartOfMinute(start) AS minute, service, environment, operation, kind, entry,
    count() AS count,
    countIf(status = 2) AS errors,
    sum(duration) AS duration_sum,
    max(duration) AS duration_max,
    quantilesDDState(0.02, 0.5, 0.95, 0.99)(duration) AS duration_state
FROM spans
GROUP BY project_id, retention_days, minute, service, environment, operation, kind, entry;

-- The same per hour.
CREATE TABLE IF NOT EXISTS red_hour
(
    project_id     UInt32,
    retention_days UInt16,
    hour           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    operation      LowCardinality(String),
    kind           UInt8,
    entry          Bool,
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(hour), retention_days)
ORDER BY (project_id, service, hour, environment, operation, kind, entry)
TTL toDate(hour) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS red_hour_view TO red_hour AS
SELECT project_id, retention_days, toStartOfHour(minute) AS hour, service, environment, operation, kind, entry,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(duration_sum) AS duration_sum,
    max(duration_max) AS duration_max,
    quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(duration_state) AS duration_state
FROM red_minute
GROUP BY project_id, retention_days, hour, service, environment, operation, kind, entry;

-- Of all transactions of a service.
CREATE TABLE IF NOT EXISTS service_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, service, minute, environment)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS service_minute_view TO service_minute AS
SELECT project_id, retention_days, minute, service, environment,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(duration_sum) AS duration_sum,
    max(duration_max) AS duration_max,
    quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(duration_state) AS duration_state
FROM red_minute
WHERE entry
GROUP BY project_id, retention_days, minute, service, environment;

-- The same per hour.
CREATE TABLE IF NOT EXISTS service_hour
(
    project_id     UInt32,
    retention_days UInt16,
    hour           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(hour), retention_days)
ORDER BY (project_id, service, hour, environment)
TTL toDate(hour) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS service_hour_view TO service_hour AS
SELECT project_id, retention_days, toStartOfHour(minute) AS hour, service, environment,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(duration_sum) AS duration_sum,
    max(duration_max) AS duration_max,
    quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(duration_state) AS duration_state
FROM service_minute
GROUP BY project_id, retention_days, hour, service, environment;

-- Of every SQL statement.
CREATE TABLE IF NOT EXISTS sql_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    db_hash        UInt64,
    service        LowCardinality(String),
    environment    LowCardinality(String),
    db_system      LowCardinality(String),
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    rows           SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, db_hash, minute, service, environment, db_system)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS sql_minute_view TO sql_minute AS
SELECT project_id, retention_days, toStartOfMinute(start) AS minute, db_hash, service, environment, db_system,
    count() AS count,
    countIf(status = 2) AS errors,
    sum(db_rows) AS rows,
    sum(duration) AS duration_sum,
    max(duration) AS duration_max,
    quantilesDDState(0.02, 0.5, 0.95, 0.99)(duration) AS duration_state
FROM spans
WHERE db_hash != 0
GROUP BY project_id, retention_days, minute, db_hash, service, environment, db_system;

-- The same per hour.
CREATE TABLE IF NOT EXISTS sql_hour
(
    project_id     UInt32,
    retention_days UInt16,
    hour           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    db_hash        UInt64,
    service        LowCardinality(String),
    environment    LowCardinality(String),
    db_system      LowCardinality(String),
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    rows           SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(hour), retention_days)
ORDER BY (project_id, db_hash, hour, service, environment, db_system)
TTL toDate(hour) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS sql_hour_view TO sql_hour AS
SELECT project_id, retention_days, toStartOfHour(minute) AS hour, db_hash, service, environment, db_system,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(rows) AS rows,
    sum(duration_sum) AS duration_sum,
    max(duration_max) AS duration_max,
    quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(duration_state) AS duration_state
FROM sql_minute
GROUP BY project_id, retention_days, hour, db_hash, service, environment, db_system;
