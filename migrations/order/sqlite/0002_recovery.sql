-- A parked event keeps the units that its gate gave it, unless a later gate has refused it or a
-- person has dropped it.
ALTER TABLE parked ADD COLUMN holds_units INTEGER NOT NULL DEFAULT 1;
ALTER TABLE parked ADD COLUMN dropped_at INTEGER;

-- Events of an older generation that came behind the barrier of a newer one: nobody was promised
-- them. The gate is asked again; until it has answered they are kept here.
CREATE TABLE late (
    event_id   BLOB    PRIMARY KEY,
    shard      INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX late_by_shard ON late (shard, event_id);

CREATE INDEX barriers_by_shard ON barriers (shard, generation);
