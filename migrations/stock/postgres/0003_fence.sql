-- The way of a shard's events into the log: a routing key for each opening of its gate, so that one
-- opening can be shut out without another. `token` is that of the newest one; shard_tokens has every
-- one that the log may still take. A program that does not know of them is refused by the version.
ALTER TABLE shards ADD COLUMN token uuid;

CREATE TABLE shard_tokens (
    token      uuid PRIMARY KEY,
    shard      integer     NOT NULL,
    generation bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
