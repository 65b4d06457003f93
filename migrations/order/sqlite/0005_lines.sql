-- A row of orders is a line of an order, which has one so far. A key that a table is kept by cannot
-- be changed: the table is written anew, with its other key: a quarter of a minute for a million
-- orders. Parked and late events are whole orders, and known by their id.
CREATE TABLE orders_by_line (
    id              BLOB    NOT NULL,
    line            INTEGER NOT NULL DEFAULT 0,
    user_id         INTEGER NOT NULL,
    product_id      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    unit_price      INTEGER NOT NULL,  -- minor units
    order_status    TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    generation      INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    currency        TEXT,              -- of unit_price, ISO 4217; null: the deployment's
    recorded        INTEGER,
    PRIMARY KEY (id, line),
    CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key),
    CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    CONSTRAINT orders_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT orders_status_known CHECK (order_status IN ('SUCCESS'))
) STRICT, WITHOUT ROWID;
INSERT INTO orders_by_line (id, user_id, product_id, quantity, unit_price, order_status,
                            idempotency_key, generation, seq, created_at, currency, recorded)
    SELECT id, user_id, product_id, quantity, unit_price, order_status,
           idempotency_key, generation, seq, created_at, currency, recorded
      FROM orders ORDER BY id;
DROP TABLE orders;
ALTER TABLE orders_by_line RENAME TO orders;
CREATE INDEX orders_by_product ON orders (product_id, recorded);
