-- Small granules and blocks, as of spans (ADR 0013): what a rare word finds lies in as
-- many places as there are records, and each costs a granule of every column.
CREATE TABLE IF NOT EXISTS logs_fine AS logs
ENGINE = MergeTree
PARTITION BY (toDate(time), retention_days)
ORDER BY (project_id, time, id)
TTL toDate(time) + toIntervalDay(retention_days) + toIntervalDay(1)
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, index_granularity = 1024, min_compress_block_size = 16384;

ALTER TABLE logs MODIFY SETTING parts_to_throw_insert = 1;

ALTER TABLE logs_fine DROP PARTITION ALL, ATTACH PARTITION ALL FROM logs SETTINGS max_partition_size_to_drop = 0;

DROP TABLE IF EXISTS logs SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE IF EXISTS logs_fine TO logs;
