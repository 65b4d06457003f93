-- A parked event keeps the units that its gate gave it, unless a later gate has refused it or a
-- person has dropped it.
ALTER TABLE parked ADD COLUMN holds_units boolean NOT NULL DEFAULT true;
ALTER TABLE parked ADD COLUMN dropped_at timestamptz;

-- The generation of the newest gate that was, or is being, rebuilt from this record. Older events
-- are not recorded any more. Who records reads this in his transaction, and whoever raises it locks out
-- all readers first: so what was not late is recorded before the record is read, or is late.
CREATE TABLE fences (
    shard      integer PRIMARY KEY,
    generation bigint NOT NULL
);

-- Late events: older than their shard's fence. Nobody was promised them. The gate is asked again;
-- until it has answered they are kept here.
CREATE TABLE late (
    event_id   uuid PRIMARY KEY,
    shard      integer     NOT NULL,
    event      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX late_by_shard ON late (shard, event_id);

CREATE INDEX barriers_by_shard ON barriers (shard, generation);
