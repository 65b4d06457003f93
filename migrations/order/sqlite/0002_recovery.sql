-- A parked event keeps the units that its gate gave it, unless a later gate has refused it or a
-- person has dropped it.
ALTER TABLE parked ADD COLUMN holds_units INTEGER NOT NULL DEFAULT 1;
ALTER TABLE parked ADD COLUMN dropped_at INTEGER;

-- Nothing in a file is ever late: one process owns it, and drains its log before it loads its gate.
-- So there are no fences here; the table has the other database's meaning.
CREATE TABLE late (
    event_id   BLOB    PRIMARY KEY,
    shard      INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX late_by_shard ON late (shard, event_id);

CREATE INDEX barriers_by_shard ON barriers (shard, generation);
