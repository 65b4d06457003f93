-- Ids are UUIDs of 16 bytes, and an order's begins with its time: a table kept in their order grows
-- at its end. The key's index is all that is written at random, and so costs as much as the rest; it
-- finds a user's orders too, which are few. Times are microseconds since 1970.
CREATE TABLE orders (
    id              BLOB    PRIMARY KEY,
    user_id         INTEGER NOT NULL,
    product_id      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    unit_price      INTEGER NOT NULL,  -- minor units
    order_status    TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    generation      INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key),
    CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    CONSTRAINT orders_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT orders_status_known CHECK (order_status IN ('SUCCESS'))
) STRICT, WITHOUT ROWID;

-- Events set aside for a person, with why. They keep their units. An event that has no id of its
-- own that could be read gets one here.
CREATE TABLE parked (
    event_id   BLOB    PRIMARY KEY,
    event      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Written when a barrier passes the recorder: everything published before it is recorded.
CREATE TABLE barriers (
    id         BLOB    PRIMARY KEY,
    shard      INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
