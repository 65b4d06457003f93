-- An order has a life: it may be held until it is paid for, and it may end. Orders from before were
-- sold outright, and stay as they are. Line 0 is an order's head: it alone has what is said here, and
-- its order_status is the only place that knows the status. A check cannot be changed: the table is
-- written anew, a quarter of a minute for a million orders.
CREATE TABLE orders_with_life (
    id               BLOB    NOT NULL,
    line             INTEGER NOT NULL DEFAULT 0,
    user_id          INTEGER NOT NULL,
    product_id       INTEGER NOT NULL,
    quantity         INTEGER NOT NULL,
    unit_price       INTEGER NOT NULL,  -- minor units
    order_status     TEXT    NOT NULL,
    idempotency_key  TEXT    NOT NULL,
    epoch            INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    currency         TEXT,              -- of unit_price, ISO 4217; null: the deployment's
    recorded         INTEGER,
    payment_window_s INTEGER,           -- null: sold outright
    expires_at       INTEGER,           -- of a hold: created_at and the window
    status_since     INTEGER,           -- null: since created_at
    payment_id       BLOB,              -- that decides, or has paid
    restock          INTEGER,           -- of an ended order; null: its units are offered again
    -- When something is to be done for the order: the hold ends (PENDING), the payment is resumed
    -- (PAYING), or the units are returned (CANCELLED, EXPIRED). Null: nothing is.
    due_at           INTEGER,
    PRIMARY KEY (id, line),
    CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key),
    CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    CONSTRAINT orders_price_not_negative CHECK (unit_price >= 0),
    -- For a list, SQLite would build a table with each row that is inserted.
    CONSTRAINT orders_status_known
        CHECK (order_status = 'SUCCESS' OR order_status = 'CANCELLED'
               OR (expires_at IS NOT NULL AND payment_window_s IS NOT NULL
                   AND (order_status = 'PENDING' OR order_status = 'PAYING'
                        OR order_status = 'PAID' OR order_status = 'EXPIRED')))
) STRICT, WITHOUT ROWID;
INSERT INTO orders_with_life (id, line, user_id, product_id, quantity, unit_price, order_status,
                              idempotency_key, epoch, seq, created_at, currency, recorded)
    SELECT id, line, user_id, product_id, quantity, unit_price, order_status,
           idempotency_key, epoch, seq, created_at, currency, recorded
      FROM orders ORDER BY id, line;
DROP TABLE orders;
ALTER TABLE orders_with_life RENAME TO orders;
CREATE INDEX orders_by_product ON orders (product_id, recorded);

-- It has the orders that wait for something alone.
CREATE INDEX orders_due ON orders (due_at, id) WHERE due_at IS NOT NULL;

-- What became of each order, in the order of its ids: the first line says what it was before.
CREATE TABLE order_changes (
    id          INTEGER PRIMARY KEY,
    order_id    BLOB    NOT NULL,
    from_status TEXT    NOT NULL,
    to_status   TEXT    NOT NULL,
    reason      TEXT,
    changed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX order_changes_by_order ON order_changes (order_id, id);

-- Money for one order. Never deleted. `started`: the user database has the decision, or will have.
CREATE TABLE payments (
    id              BLOB PRIMARY KEY,
    order_id        BLOB    NOT NULL,
    user_id         INTEGER NOT NULL,
    method          TEXT    NOT NULL,
    amount          INTEGER NOT NULL,  -- minor units; 2^53: that, or more
    currency        TEXT,              -- null: the deployment's
    state           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    decided_at      INTEGER,
    CONSTRAINT payments_key_unique UNIQUE (order_id, idempotency_key),
    CONSTRAINT payments_method_known CHECK (method = 'balance'),
    CONSTRAINT payments_state_known
        CHECK (state = 'started' OR state = 'succeeded' OR state = 'failed'),
    CONSTRAINT payments_decided CHECK ((decided_at IS NULL) = (state = 'started')),
    CONSTRAINT payments_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
) STRICT, WITHOUT ROWID;
-- An order is paid once.
CREATE UNIQUE INDEX payments_one_succeeds ON payments (order_id) WHERE state = 'succeeded';
