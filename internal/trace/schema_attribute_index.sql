-- Finding transactions by an attribute (ADR 0009). The attributes of entry spans
-- have an inverted index, which answers equality alone whether the value is rare
-- or not. Those of all other spans are four times as many and have a bloom filter, which
-- answers for rare values such as an order's number. Both cover new parts only:
-- older ones are read in full until they expire. search_filter.go repeats the
-- two expressions letter by letter.
ALTER TABLE spans ADD INDEX IF NOT EXISTS entry_attributes if(entry, arrayMap((k, v) -> concat(k, '=', v), attr_keys, attr_values), []) TYPE text(tokenizer = 'array', posting_list_codec = 'bitpacking');
ALTER TABLE spans ADD INDEX IF NOT EXISTS attributes arrayMap((k, v) -> concat(k, '=', v), attr_keys, attr_values) TYPE bloom_filter(0.01) GRANULARITY 1;
