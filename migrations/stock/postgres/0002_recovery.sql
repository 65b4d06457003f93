-- Who sweeps and reopens the shard, and until when, but no longer than his session lasts (the
-- server's process number of it). Two at once do no harm: what they do is idempotent or insists on
-- the generation.
ALTER TABLE shards ADD COLUMN lease_holder uuid;
ALTER TABLE shards ADD COLUMN lease_until timestamptz;
ALTER TABLE shards ADD COLUMN lease_session integer;

-- As in the order database, for reductions, which are recorded here alone.
CREATE TABLE fences (
    shard      integer PRIMARY KEY,
    generation bigint NOT NULL
);
