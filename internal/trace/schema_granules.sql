-- The tables that are read row by row, in granules of an eighth or a quarter of the
-- engine's own and in blocks of compression of a quarter (ADR 0013): a trace, a page of
-- transactions and their sums lie in few rows, and what is read around them is what
-- it costs. A span takes 4 % more for it. Granules cannot be changed in place. So each
-- table is made anew, takes over the parts of the old one, which stay as they are until
-- they expire, and then its name, by which the views know it. Another node's rows that
-- would arrive between the last two are refused before, as too many parts, and sent again.
CREATE TABLE IF NOT EXISTS spans_fine AS spans
ENGINE = MergeTree
PARTITION BY (toDate(start), retention_days)
ORDER BY (project_id, toStartOfFiveMinutes(start), trace_id, start)
TTL toDate(start) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 2048, min_compress_block_size = 16384;

ALTER TABLE spans MODIFY SETTING parts_to_throw_insert = 1;

ALTER TABLE spans_fine DROP PARTITION ALL, ATTACH PARTITION ALL FROM spans SETTINGS max_partition_size_to_drop = 0;

DROP TABLE IF EXISTS spans SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE IF EXISTS spans_fine TO spans;

-- A filter for each granule would hold the frequent values four times as often.
ALTER TABLE spans DROP INDEX IF EXISTS attributes;

ALTER TABLE spans ADD INDEX IF NOT EXISTS span_attributes arrayMap((k, v) -> concat(k, '=', v), attr_keys, attr_values) TYPE bloom_filter(0.01) GRANULARITY 4;

CREATE TABLE IF NOT EXISTS transaction_calls_fine AS transaction_calls
ENGINE = AggregatingMergeTree
PARTITION BY (day, retention_days)
ORDER BY (project_id, trace_id, service, instance)
TTL day + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 1024, min_compress_block_size = 16384;

ALTER TABLE transaction_calls MODIFY SETTING parts_to_throw_insert = 1;

ALTER TABLE transaction_calls_fine DROP PARTITION ALL, ATTACH PARTITION ALL FROM transaction_calls SETTINGS max_partition_size_to_drop = 0;

DROP TABLE IF EXISTS transaction_calls SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE IF EXISTS transaction_calls_fine TO transaction_calls;

CREATE TABLE IF NOT EXISTS transactions_fine AS transactions
ENGINE = MergeTree
PARTITION BY (toDate(ended), retention_days)
ORDER BY (project_id, ended)
TTL toDate(ended) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 1024, min_compress_block_size = 16384;

ALTER TABLE transactions MODIFY SETTING parts_to_throw_insert = 1;

ALTER TABLE transactions_fine DROP PARTITION ALL, ATTACH PARTITION ALL FROM transactions SETTINGS max_partition_size_to_drop = 0;

DROP TABLE IF EXISTS transactions SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE IF EXISTS transactions_fine TO transactions;
