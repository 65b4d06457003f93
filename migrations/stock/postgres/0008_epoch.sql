-- A gate's opening is an epoch, its building from the record a rebuild, and what a product ever got
-- is supplied, as the field has it. Nothing but names changes, and nothing is rewritten.
ALTER TABLE movements RENAME COLUMN generation TO epoch;
ALTER TABLE reservations RENAME COLUMN generation TO epoch;
ALTER TABLE fences RENAME COLUMN generation TO epoch;
ALTER TABLE shard_tokens RENAME COLUMN generation TO epoch;
ALTER TABLE shards RENAME COLUMN generation TO epoch;

ALTER TABLE shards DROP CONSTRAINT shards_state_known;
UPDATE shards SET state = 'rebuilding' WHERE state = 'reopening';
ALTER TABLE shards ADD CONSTRAINT shards_state_known
    CHECK (state IN ('never', 'opening', 'open', 'rebuilding'));

ALTER TABLE products RENAME COLUMN given TO supplied;
ALTER TABLE products RENAME CONSTRAINT products_stock_within_given TO products_stock_within_supplied;
ALTER TABLE products
    RENAME CONSTRAINT products_given_exact_in_scripts TO products_supplied_exact_in_scripts;
