-- Who called whom, per minute: the edges of the service map. A call is told by
-- two spans, the caller's and the callee's, which arrive apart. So this is no
-- view of spans: Store.JoinEdges joins a minute some time after it is over, and
-- again whenever red_minute counts more spans around it than the join had seen
-- (ADR 0011). Each join writes all rows of the minute under a run of its own, in
-- one part: of a minute only the rows of its newest run count.
CREATE TABLE IF NOT EXISTS edge_minute
(
    project_id     UInt32,
    retention_days UInt16,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)), -- of the span that measured the call
    run            UInt64 CODEC(ZSTD(1)),                -- unix ns of the join
    spans          UInt64 CODEC(ZSTD(1)),                -- what the join saw around the minute, in its row without a caller
    environment    LowCardinality(String),
    from_kind      LowCardinality(String),               -- service, user or queue, entry: what the service took in by its own measure, '': the row that says spans
    from_name      LowCardinality(String),
    to_kind        LowCardinality(String),               -- service, database, cache, queue or external
    to_system      LowCardinality(String),               -- of a database or cache
    to_name        LowCardinality(String),
    to_address     LowCardinality(String),               -- where the caller sent the call, '' when it did not say
    count          UInt64 CODEC(ZSTD(1)),
    errors         UInt64 CODEC(ZSTD(1)),
    duration_sum   UInt64 CODEC(ZSTD(1)),                -- ns
    duration_max   UInt64 CODEC(ZSTD(1)),                -- ns
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64) -- ns
)
ENGINE = MergeTree
PARTITION BY (toDate(minute), retention_days)
ORDER BY (project_id, minute, run, from_kind, from_name, to_kind, to_name)
TTL toDate(minute) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- The same per hour, which a day is read from. An hour's rows are good as long as
-- runs is the sum of the newest runs of its minutes.
CREATE TABLE IF NOT EXISTS edge_hour
(
    project_id     UInt32,
    retention_days UInt16,
    hour           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    run            UInt64 CODEC(ZSTD(1)),
    runs           UInt64 CODEC(ZSTD(1)),                -- in the row without a caller
    environment    LowCardinality(String),
    from_kind      LowCardinality(String),
    from_name      LowCardinality(String),
    to_kind        LowCardinality(String),
    to_system      LowCardinality(String),
    to_name        LowCardinality(String),
    to_address     LowCardinality(String),
    count          UInt64 CODEC(ZSTD(1)),
    errors         UInt64 CODEC(ZSTD(1)),
    duration_sum   UInt64 CODEC(ZSTD(1)),
    duration_max   UInt64 CODEC(ZSTD(1)),
    duration_state AggregateFunction(quantilesDD(0.02, 0.5, 0.95, 0.99), UInt64)
)
ENGINE = MergeTree
PARTITION BY (toDate(hour), retention_days)
ORDER BY (project_id, hour, run, from_kind, from_name, to_kind, to_name)
TTL toDate(hour) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;
