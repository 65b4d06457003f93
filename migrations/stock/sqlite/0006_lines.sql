-- An order takes the units of each of its lines once, and gives them back at most once, ever. That
-- is a movement's key: its order, the line of it, and whether it gives back. A key that a table is
-- kept by cannot be changed: the table is written anew, some seconds for a million movements.
CREATE TABLE movements_by_line (
    id              BLOB    NOT NULL,
    line            INTEGER NOT NULL DEFAULT 0,
    back            INTEGER NOT NULL DEFAULT 0,
    product_id      INTEGER NOT NULL,
    delta           INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    generation      INTEGER,
    seq             INTEGER,
    idempotency_key TEXT,       -- of a restock or a reduction
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (id, line, back),
    CONSTRAINT movements_kind_known CHECK (kind IN ('initial', 'restock', 'sale', 'reduction')),
    CONSTRAINT movements_sign CHECK ((delta < 0) = (kind IN ('sale', 'reduction')))
) STRICT, WITHOUT ROWID;
INSERT INTO movements_by_line (id, product_id, delta, kind, generation, seq, idempotency_key, created_at)
    SELECT id, product_id, delta, kind, generation, seq, idempotency_key, created_at
      FROM movements ORDER BY id;
DROP TABLE movements;
ALTER TABLE movements_by_line RENAME TO movements;
CREATE UNIQUE INDEX movements_key_unique ON movements (product_id, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
