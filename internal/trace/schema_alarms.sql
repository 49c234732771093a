-- What rules read in the order it arrived, beside sql_slow. No comment here holds
-- a semicolon: it ends a statement.

-- Spans a rule may be about: slow calls that are not SQL, slow ways to a
-- connection, calls and transactions with an exception, calls that failed. What is
-- rare is kept, so that a rule never reads all spans.
CREATE TABLE IF NOT EXISTS notable_spans
(
    project_id        UInt32,
    retention_days    UInt16,
    arrived           DateTime64(3, 'UTC'),
    service           LowCardinality(String),
    environment       LowCardinality(String),
    instance          LowCardinality(String),
    trace_id          FixedString(16),
    span_id           UInt64,
    start             DateTime64(9, 'UTC'),
    duration          UInt64,                            -- ns
    kind              UInt8,
    name              LowCardinality(String),
    step              LowCardinality(String),            -- 'acquire' a database connection, 'connect' to a peer (DNS, TCP, TLS), '' for a call or a transaction
    callee            LowCardinality(String),            -- peer, else the rpc or the destination, else the name
    database          Bool,
    failed            Bool,
    http_status       UInt16,
    exception_type    LowCardinality(String),
    exception_message String CODEC(ZSTD(1))              -- its first 500 bytes
)
ENGINE = MergeTree
PARTITION BY (toDate(arrived), retention_days)
ORDER BY (project_id, arrived)
TTL toDate(arrived) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- The names that instrumentations give to the way to a connection: the Java
-- agent's data sources and HikariCP (Type.getConnection), pg and pg-pool of Node,
-- otelsql of Go, SQLAlchemy of Python, and for peers net of Node and httptrace of Go.
CREATE MATERIALIZED VIEW IF NOT EXISTS notable_spans_view TO notable_spans AS
SELECT project_id, retention_days, arrived, service, environment, instance, trace_id, span_id, start, duration, kind, name,
    multiIf(match(name, '(?i)(\\.getconnection|^pg(-pool)?\\.connect|^sql\\.connector\\.connect|^db\\.connect)$') OR (name = 'connect' AND db_system != ''), 'acquire',
        match(name, '^(dns\\.lookup|tcp\\.connect|tls\\.connect|http\\.(dns|connect|tls))'), 'connect', '') AS step,
    multiIf(peer != '', peer, rpc != '', rpc, messaging != '', messaging, name) AS callee,
    db_hash != 0 OR db_system != '' AS database,
    status = 2 AS failed, http_status, exception_type, substringUTF8(exception_message, 1, 500) AS exception_message
FROM spans
WHERE (duration >= 100000000 AND (step != '' OR (kind = 3 AND db_hash = 0)))
    OR exception_type != '' OR (status = 2 AND kind = 3);

-- What one application instance did much of within one trace, as far as it came in
-- one insert: whom rules ask about in full.
CREATE TABLE IF NOT EXISTS sql_heavy
(
    project_id     UInt32,
    retention_days UInt16,
    arrived        DateTime64(3, 'UTC'),
    trace_id       FixedString(16),
    service        LowCardinality(String),
    environment    LowCardinality(String),
    instance       LowCardinality(String),
    start          DateTime64(9, 'UTC'),
    calls          UInt64,
    rows           UInt64,
    repeats        UInt64                                -- of the most frequent statement under one parent
)
ENGINE = MergeTree
PARTITION BY (toDate(arrived), retention_days)
ORDER BY (project_id, arrived)
TTL toDate(arrived) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS sql_heavy_view TO sql_heavy AS
SELECT project_id, retention_days, max(arrived) AS arrived, trace_id, service, environment, instance, min(start) AS start,
    count() AS calls, sum(db_rows) AS rows, arrayMax(sumMap([cityHash64(parent_id, db_hash)], [1]).2) AS repeats
FROM spans
WHERE db_hash != 0
GROUP BY project_id, retention_days, trace_id, service, environment, instance
HAVING calls >= 5 OR rows >= 200;

-- Minutes that rows of transactions came late for.
ALTER TABLE transactions ADD INDEX IF NOT EXISTS arrivals arrived TYPE minmax GRANULARITY 4;
