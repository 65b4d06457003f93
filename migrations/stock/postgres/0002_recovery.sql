-- Who sweeps and reopens the shard, and until when. Two at once do no harm: what they do is
-- idempotent or insists on the generation.
ALTER TABLE shards ADD COLUMN lease_holder uuid;
ALTER TABLE shards ADD COLUMN lease_until timestamptz;
