-- A gate's opening is an epoch, its building from the record a rebuild, and what a product ever got
-- is supplied, as the field has it. Nothing but names changes. A constraint of products keeps its
-- name here, for which the table would have to be written anew.
ALTER TABLE movements RENAME COLUMN generation TO epoch;
ALTER TABLE products RENAME COLUMN given TO supplied;

CREATE TABLE shards_with_epoch (
    shard INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL DEFAULT 0,
    state TEXT    NOT NULL DEFAULT 'never',
    CONSTRAINT shards_state_known CHECK (state IN ('never', 'opening', 'open', 'rebuilding'))
) STRICT;
INSERT INTO shards_with_epoch (shard, epoch, state)
    SELECT shard, generation, CASE state WHEN 'reopening' THEN 'rebuilding' ELSE state END FROM shards;
DROP TABLE shards;
ALTER TABLE shards_with_epoch RENAME TO shards;
