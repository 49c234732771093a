-- The tables of the noun trace. Rules of the house:
--   project_id leads every sorting key, every table expires. A row expires
--   retention_days after its day. Partitions are (day, retention_days), so all
--   rows of a part expire together and expiry drops files instead of rewriting
--   them. Every rollup is a materialised view of spans: it cannot drift from
--   the rows. Merging costs as much as inserting: merge_selector_base = 10 (the
--   engine's own is 5) halves the rows merged per row stored (ADR 0004).
-- No comment here holds a semicolon: it ends a statement.

-- One row per span. A trace's spans lie side by side within five minutes of
-- its start, so that a trace reads a few granules and its id is stored once.
-- An attribute that has a column of its own is stored there and nowhere else,
-- semconv.go is the list. Sums of what limits cut are in dropped.
CREATE TABLE IF NOT EXISTS spans
(
    project_id        UInt32 CODEC(ZSTD(1)),
    retention_days    UInt16 CODEC(ZSTD(1)),
    trace_id          FixedString(16) CODEC(ZSTD(1)),
    span_id           UInt64 CODEC(NONE),
    parent_id         UInt64 CODEC(LZ4),                 -- 0: a root
    service           LowCardinality(String) CODEC(ZSTD(1)),
    environment       LowCardinality(String) CODEC(ZSTD(1)),
    instance          LowCardinality(String) CODEC(ZSTD(1)),
    version           LowCardinality(String) CODEC(ZSTD(1)),
    resource_id       UInt64 CODEC(ZSTD(1)),             -- resources.resource_id
    scope             LowCardinality(String) CODEC(ZSTD(1)), -- instrumentation library
    name              LowCardinality(String) CODEC(ZSTD(1)),
    operation         LowCardinality(String) CODEC(ZSTD(1)), -- of an entry span "GET /route", the rpc, or the name, else the name
    kind              UInt8 CODEC(ZSTD(1)),              -- OTLP: 1 internal 2 server 3 client 4 producer 5 consumer
    entry             Bool CODEC(ZSTD(1)),               -- server, consumer or root
    status            UInt8 CODEC(ZSTD(1)),              -- OTLP: 0 unset 1 ok 2 error
    status_message    String CODEC(ZSTD(1)),
    start             DateTime64(9, 'UTC') CODEC(DoubleDelta, LZ4),
    duration          UInt64 CODEC(T64, LZ4),            -- ns
    http_method       LowCardinality(String) CODEC(ZSTD(1)),
    http_route        LowCardinality(String) CODEC(ZSTD(1)),
    http_status       UInt16 CODEC(ZSTD(1)),             -- 0: none
    url               String CODEC(ZSTD(1)),             -- url.full, else path and query
    rpc               LowCardinality(String) CODEC(ZSTD(1)), -- "service/method"
    messaging         LowCardinality(String) CODEC(ZSTD(1)), -- destination
    db_system         LowCardinality(String) CODEC(ZSTD(1)),
    db_name           LowCardinality(String) CODEC(ZSTD(1)),
    db_operation      LowCardinality(String) CODEC(ZSTD(1)),
    db_statement      String CODEC(ZSTD(1)),             -- raw
    db_hash           UInt64 CODEC(ZSTD(1)),             -- sql_statements.db_hash, 0: not a SQL span
    db_rows           UInt64 CODEC(ZSTD(1)),             -- fetched rows, 0 when unknown
    peer              LowCardinality(String) CODEC(ZSTD(1)), -- "address" or "address:port"
    exception_type    LowCardinality(String) CODEC(ZSTD(1)), -- of the first exception event
    exception_message String CODEC(ZSTD(1)),
    attr_keys         Array(LowCardinality(String)) CODEC(ZSTD(1)),
    attr_values       Array(String) CODEC(ZSTD(1)),      -- nested values as JSON
    events            String CODEC(ZSTD(1)),             -- '' or JSON [{"time":unix ns,"name":"","attributes":{}}]
    links             String CODEC(ZSTD(1)),             -- '' or JSON [{"trace_id":"","span_id":"","attributes":{}}]
    dropped           UInt16 CODEC(ZSTD(1)),             -- attributes, events and links cut by the sender or by our limits
    arrived           DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (toDate(start), retention_days)
ORDER BY (project_id, toStartOfFiveMinutes(start), trace_id, start)
TTL toDate(start) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- One row per distinct resource and day seen, written by ingest before the
-- first span that points at it is acknowledged.
CREATE TABLE IF NOT EXISTS resources
(
    project_id     UInt32,
    retention_days UInt16,
    day            Date,
    resource_id    UInt64,
    keys           Array(LowCardinality(String)),
    values         Array(String),
    seen           DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(seen)
PARTITION BY (day, retention_days)
ORDER BY (project_id, resource_id)
TTL day + toIntervalDay(retention_days) + toIntervalDay(2)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- One row per distinct normalised statement and day seen, as resources.
CREATE TABLE IF NOT EXISTS sql_statements
(
    project_id     UInt32,
    retention_days UInt16,
    day            Date,
    db_hash        UInt64,
    system         LowCardinality(String),
    operation      LowCardinality(String),
    tables         Array(String),
    text           String CODEC(ZSTD(1)),
    seen           DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(seen)
PARTITION BY (day, retention_days)
ORDER BY (project_id, db_hash)
TTL day + toIntervalDay(retention_days) + toIntervalDay(2)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- What one application instance did within one trace: read it with sum, min
-- and max by its key. Joined to transactions it gives their SQL and calls.
CREATE TABLE IF NOT EXISTS transaction_calls
(
    project_id     UInt32,
    retention_days UInt16,
    day            Date,
    trace_id       FixedString(16) CODEC(ZSTD(1)),
    service        LowCardinality(String) CODEC(ZSTD(1)),
    instance       LowCardinality(String) CODEC(ZSTD(1)),
    start_min      SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    end_max        SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    spans          SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    errors         SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    sql_count      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    sql_time       SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),   -- ns
    sql_rows       SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    call_count     SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),   -- outgoing calls that are not SQL
    call_time      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))    -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (day, retention_days)
ORDER BY (project_id, trace_id, service, instance)
TTL day + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS transaction_calls_view TO transaction_calls AS
SELECT project_id, retention_days, toDate(start) AS day, trace_id, service, instance,
    min(start) AS start_min,
    max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(start) + toInt64(duration), 'UTC')) AS end_max,
    count() AS spans,
    countIf(status = 2) AS errors,
    countIf(db_hash != 0) AS sql_count,
    sumIf(duration, db_hash != 0) AS sql_time,
    sumIf(db_rows, db_hash != 0) AS sql_rows,
    countIf(kind = 3 AND db_hash = 0) AS call_count,
    sumIf(duration, kind = 3 AND db_hash = 0) AS call_time
FROM spans
GROUP BY project_id, retention_days, day, trace_id, service, instance;

-- Where a trace lies in time, by its id alone. A filter on project_id and
-- trace_id reaches the key of transaction_calls.
CREATE VIEW IF NOT EXISTS trace_index AS
SELECT project_id, trace_id, min(start_min) AS start_min, max(end_max) AS end_max, sum(spans) AS spans
FROM transaction_calls
GROUP BY project_id, trace_id;

-- One row per entry span, by its end: the scatter and the transaction list.
CREATE TABLE IF NOT EXISTS transactions
(
    project_id     UInt32,
    retention_days UInt16,
    ended          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    elapsed        UInt64 CODEC(T64, LZ4),               -- ns
    error          Bool CODEC(ZSTD(1)),
    service        LowCardinality(String) CODEC(ZSTD(1)),
    environment    LowCardinality(String) CODEC(ZSTD(1)),
    endpoint       LowCardinality(String) CODEC(ZSTD(1)),
    instance       LowCardinality(String) CODEC(ZSTD(1)),
    version        LowCardinality(String) CODEC(ZSTD(1)),
    trace_id       FixedString(16) CODEC(NONE),
    span_id        UInt64 CODEC(NONE),
    http_status    UInt16 CODEC(ZSTD(1)),
    exception_type LowCardinality(String) CODEC(ZSTD(1)),
    arrived        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (toDate(ended), retention_days)
ORDER BY (project_id, ended)
TTL toDate(ended) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS transactions_view TO transactions AS
SELECT project_id, retention_days,
    fromUnixTimestamp64Nano(toUnixTimestamp64Nano(start) + toInt64(duration), 'UTC') AS ended,
    duration AS elapsed, status = 2 AS error, service, environment, operation AS endpoint, instance, version,
    trace_id, span_id, http_status, exception_type, arrived
FROM spans
WHERE entry;

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
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns, read with quantilesDDMerge(0.02, …)
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, minute, service, environment, operation, kind, entry)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS red_minute_view TO red_minute AS
SELECT project_id, retention_days, toStartOfMinute(start) AS minute, service, environment, operation, kind, entry,
    count() AS count,
    countIf(status = 2) AS errors,
    sum(duration) AS duration_sum,
    max(duration) AS duration_max,
    quantilesDDState(0.02, 0.5, 0.95, 0.99)(duration) AS duration_state
FROM spans
GROUP BY project_id, retention_days, minute, service, environment, operation, kind, entry;

-- The same of every SQL statement.
CREATE TABLE IF NOT EXISTS sql_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    db_system      LowCardinality(String),
    db_hash        UInt64,
    count          SimpleAggregateFunction(sum, UInt64),
    errors         SimpleAggregateFunction(sum, UInt64),
    rows           SimpleAggregateFunction(sum, UInt64),
    duration_sum   SimpleAggregateFunction(sum, UInt64), -- ns
    duration_max   SimpleAggregateFunction(max, UInt64), -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, minute, service, environment, db_system, db_hash)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS sql_minute_view TO sql_minute AS
SELECT project_id, retention_days, toStartOfMinute(start) AS minute, service, environment, db_system, db_hash,
    count() AS count,
    countIf(status = 2) AS errors,
    sum(db_rows) AS rows,
    sum(duration) AS duration_sum,
    max(duration) AS duration_max,
    quantilesDDState(0.02, 0.5, 0.95, 0.99)(duration) AS duration_state
FROM spans
WHERE db_hash != 0
GROUP BY project_id, retention_days, minute, service, environment, db_system, db_hash;

-- SQL calls of at least 100 ms (the floor of rule thresholds) in the order they
-- arrived: all that the slow-SQL rule reads.
CREATE TABLE IF NOT EXISTS sql_slow
(
    project_id     UInt32,
    retention_days UInt16,
    arrived        DateTime64(3, 'UTC'),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    instance       LowCardinality(String),
    trace_id       FixedString(16),
    span_id        UInt64,
    start          DateTime64(9, 'UTC'),
    duration       UInt64,                               -- ns
    db_hash        UInt64
)
ENGINE = MergeTree
PARTITION BY (toDate(arrived), retention_days)
ORDER BY (project_id, arrived)
TTL toDate(arrived) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS sql_slow_view TO sql_slow AS
SELECT project_id, retention_days, arrived, service, environment, instance, trace_id, span_id, start, duration, db_hash
FROM spans
WHERE db_hash != 0 AND duration >= 100000000;
