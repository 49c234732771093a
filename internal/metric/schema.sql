-- The tables of the noun metric. Rules of the house: see trace/schema.sql.
-- No comment here holds a semicolon: it ends a statement.

-- One row per series, kind of sample and UTC day of samples, written by ingest
-- before the first sample that points at it is acknowledged.
CREATE TABLE IF NOT EXISTS metric_series
(
    project_id     UInt32,
    retention_days UInt16,
    day            Date,
    metric         LowCardinality(String),               -- the label __name__
    series_id      UInt64,                               -- hash of all labels
    histogram      Bool,                                 -- its samples are in metric_histograms, else in metric_samples
    keys           Array(LowCardinality(String)),        -- the other labels, sorted
    values         Array(LowCardinality(String)),
    seen           DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(seen)
PARTITION BY (day, retention_days)
ORDER BY (project_id, metric, series_id, histogram)
TTL day + toIntervalDay(retention_days) + toIntervalDay(2)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- One row per float sample. Of two samples of a series with one time the later
-- written stays. A value keeps all of its bits: the staleness marker is one of
-- many NaN.
CREATE TABLE IF NOT EXISTS metric_samples
(
    project_id     UInt32 CODEC(ZSTD(1)),
    retention_days UInt16 CODEC(ZSTD(1)),
    metric         LowCardinality(String) CODEC(ZSTD(1)),
    series_id      UInt64 CODEC(ZSTD(1)),
    time           DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    started        DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), -- since when a counter counts, 1970 when unknown
    value          Float64 CODEC(Delta(8), ZSTD(1))      -- of counters 1.4 bytes a sample, where Gorilla took 2.0
)
ENGINE = ReplacingMergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, metric, series_id, time)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- One row per sample that is a native histogram, the same way.
CREATE TABLE IF NOT EXISTS metric_histograms
(
    project_id     UInt32 CODEC(ZSTD(1)),
    retention_days UInt16 CODEC(ZSTD(1)),
    metric         LowCardinality(String) CODEC(ZSTD(1)),
    series_id      UInt64 CODEC(ZSTD(1)),
    time           DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    started        DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    histogram      String CODEC(ZSTD(1))                 -- prometheus.Histogram of the remote write protocol 1.0
)
ENGINE = ReplacingMergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, metric, series_id, time)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;

-- What senders say a metric is: one row per saying and day.
CREATE TABLE IF NOT EXISTS metric_metadata
(
    project_id     UInt32,
    retention_days UInt16,
    day            Date,
    metric         LowCardinality(String),               -- the family: without _bucket, _sum, _count
    type           LowCardinality(String),               -- counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown
    unit           LowCardinality(String),
    help           String,
    seen           DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(seen)
PARTITION BY (day, retention_days)
ORDER BY (project_id, metric, type, unit, help)
TTL day + toIntervalDay(retention_days) + toIntervalDay(2)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10;
