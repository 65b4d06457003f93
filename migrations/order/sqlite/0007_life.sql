-- An order has a life: it may be held until it is paid for, and it may end. order_status of line 0,
-- an order's head, is the only place that knows the status. A check cannot be changed: the table is
-- written anew, a quarter of a minute for a million orders.
CREATE TABLE orders_with_life (
    id              BLOB    NOT NULL,
    line            INTEGER NOT NULL DEFAULT 0,
    user_id         INTEGER NOT NULL,
    product_id      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    unit_price      INTEGER NOT NULL,  -- minor units
    order_status    TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    epoch           INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    currency        TEXT,              -- of unit_price, ISO 4217; null: the deployment's
    recorded        INTEGER,
    PRIMARY KEY (id, line),
    CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key),
    CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    CONSTRAINT orders_price_not_negative CHECK (unit_price >= 0),
    -- For a list, SQLite would build a table with each row that is inserted.
    CONSTRAINT orders_status_known
        CHECK (order_status = 'SUCCESS' OR order_status = 'PENDING' OR order_status = 'PAYING'
               OR order_status = 'PAID' OR order_status = 'CANCELLED' OR order_status = 'EXPIRED'
               OR order_status = 'REFUNDED')
) STRICT, WITHOUT ROWID;
INSERT INTO orders_with_life (id, line, user_id, product_id, quantity, unit_price, order_status,
                              idempotency_key, epoch, seq, created_at, currency, recorded)
    SELECT id, line, user_id, product_id, quantity, unit_price, order_status,
           idempotency_key, epoch, seq, created_at, currency, recorded
      FROM orders ORDER BY id, line;
DROP TABLE orders;
ALTER TABLE orders_with_life RENAME TO orders;
CREATE INDEX orders_by_product ON orders (product_id, recorded);

-- Of orders that were held, or have ended. One that was sold outright has no row, and costs what it
-- cost before.
CREATE TABLE order_lives (
    order_id         BLOB    PRIMARY KEY,
    payment_window_s INTEGER,  -- null: sold outright
    expires_at       INTEGER,  -- of a hold: created_at and the window
    status_since     INTEGER,  -- null: since created_at
    payment_id       BLOB,     -- that decides, or has paid
    extended         INTEGER NOT NULL DEFAULT 0,  -- expires_at was put off, for an announced payment
    restock          INTEGER NOT NULL DEFAULT 1,  -- of an ended order: whether its units are offered again
    -- When something is to be done for the order: the hold ends (PENDING), the payment is resumed
    -- (PAYING), or the units are returned (CANCELLED, EXPIRED, REFUNDED). Null: nothing is.
    due_at           INTEGER,
    CONSTRAINT order_lives_hold_ends CHECK ((payment_window_s IS NULL) = (expires_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX order_lives_due ON order_lives (due_at, order_id) WHERE due_at IS NOT NULL;

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

-- Money for one order. Never deleted. `started`, from a balance: the user database has the decision,
-- or will have; from outside: announced, and since received_at here. `placing`: it came too late, and
-- buys the same again. `refund_due`: it belongs to the buyer, and has a refund.
CREATE TABLE payments (
    id              BLOB PRIMARY KEY,
    order_id        BLOB    NOT NULL,
    user_id         INTEGER NOT NULL,
    method          TEXT    NOT NULL,
    amount          INTEGER NOT NULL,  -- minor units; 2^53: that, or more
    currency        TEXT,              -- null: the deployment's
    state           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,  -- from outside one that no client can send: the reference is the key
    reference       TEXT,              -- of money from outside, the shop's own
    reason          TEXT,              -- why a refund is due, a problem's code
    replaces        BLOB,                  -- the order that it came too late for; order_id is another
    created_at      INTEGER NOT NULL,
    received_at     INTEGER,           -- of money from outside
    decided_at      INTEGER,
    CONSTRAINT payments_key_unique UNIQUE (order_id, idempotency_key),
    CONSTRAINT payments_reference_unique UNIQUE (reference),
    CONSTRAINT payments_method_known CHECK (method = 'balance' OR method = 'external'),
    CONSTRAINT payments_referred_to CHECK ((method = 'external') = (reference IS NOT NULL)),
    CONSTRAINT payments_state_known
        CHECK (state = 'started' OR state = 'succeeded' OR state = 'failed' OR state = 'placing'
               OR state = 'refund_due' OR state = 'refunded'),
    CONSTRAINT payments_decided
        CHECK ((decided_at IS NULL) = (state = 'started' OR state = 'placing')),
    CONSTRAINT payments_received
        CHECK (method = 'balance' OR received_at IS NOT NULL OR state = 'started'
               OR state = 'failed'),
    CONSTRAINT payments_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
) STRICT, WITHOUT ROWID;
-- An order is paid once.
CREATE UNIQUE INDEX payments_one_succeeds ON payments (order_id) WHERE state = 'succeeded';
CREATE INDEX payments_undecided ON payments (received_at)
    WHERE decided_at IS NULL AND received_at IS NOT NULL;
CREATE INDEX payments_replaces ON payments (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX payments_refund_due ON payments (id) WHERE state = 'refund_due';

-- A payment that goes back, whole and once.
CREATE TABLE refunds (
    id         BLOB PRIMARY KEY,
    payment_id BLOB    NOT NULL,
    order_id   BLOB    NOT NULL,
    user_id    INTEGER NOT NULL,
    method     TEXT    NOT NULL,  -- the payment's: where the money goes
    amount     INTEGER NOT NULL,  -- minor units
    currency   TEXT,              -- null: the deployment's
    state      TEXT    NOT NULL,
    reason     TEXT,
    reference  TEXT,              -- under which the money has gone back to the outside
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    due_at     INTEGER,           -- when any process gives it back to the balance; null: none does
    CONSTRAINT refunds_once UNIQUE (payment_id),
    CONSTRAINT refunds_method_known CHECK (method = 'balance' OR method = 'external'),
    CONSTRAINT refunds_state_known CHECK (state = 'pending' OR state = 'succeeded'),
    CONSTRAINT refunds_done CHECK ((done_at IS NULL) = (state = 'pending')),
    CONSTRAINT refunds_referred_to
        CHECK ((reference IS NOT NULL) = (method = 'external' AND state = 'succeeded')),
    CONSTRAINT refunds_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refunds_of_order ON refunds (order_id);
