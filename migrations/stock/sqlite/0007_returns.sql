-- Units that come back from one order, once: a movement of that order and line with `back`.
--   return       of an order that has ended: its units are offered again
--   written_off  of an order that has ended: they are not, and its delta is 0
--   drop         of an event that was set aside, and that a person has dropped
-- What the version before wrote for a dropped event stays as it is: a reduction without a key, under
-- the event's id, and a restock. A check cannot be changed: the table is written anew, some seconds
-- for a million movements. The index has these alone.
CREATE TABLE movements_with_returns (
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
    -- One check, and no lists: for those SQLite would build a table with each row that is inserted.
    CONSTRAINT movements_kind_known CHECK (
        CASE WHEN back
             THEN kind = 'return' OR kind = 'drop' OR (kind = 'written_off' AND delta = 0)
             ELSE kind = 'sale' OR kind = 'reduction' OR kind = 'restock' OR kind = 'initial' END),
    CONSTRAINT movements_sign CHECK ((delta < 0) = (kind = 'sale' OR kind = 'reduction'))
) STRICT, WITHOUT ROWID;
INSERT INTO movements_with_returns (id, line, back, product_id, delta, kind, generation, seq,
                                    idempotency_key, created_at)
    SELECT id, line, back, product_id, delta, kind, generation, seq, idempotency_key, created_at
      FROM movements ORDER BY id, line, back;
DROP TABLE movements;
ALTER TABLE movements_with_returns RENAME TO movements;
CREATE UNIQUE INDEX movements_key_unique ON movements (product_id, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX movements_returned ON movements (id, line) WHERE back;

-- Of `supplied`, what has come back from ended orders. It only grows, as supplied does.
ALTER TABLE products ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;

-- Of a product with a limit: all units of a buyer's that are no longer the buyer's. It only grows.
CREATE TABLE buyer_returns (
    product_id INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    returned   INTEGER NOT NULL,
    PRIMARY KEY (product_id, user_id),
    CONSTRAINT buyer_returns_positive CHECK (returned > 0)
) STRICT, WITHOUT ROWID;
