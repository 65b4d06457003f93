-- An order has a life: it may be held until it is paid for, and it may end. Orders from before were
-- sold outright, and stay as they are. Line 0 is an order's head: it alone has what is said here, and
-- its order_status is the only place that knows the status. Columns are added without rewriting
-- anything; the checks and the index read the table once, about a second for a million orders.
ALTER TABLE orders ADD COLUMN payment_window_s integer;  -- null: sold outright
ALTER TABLE orders ADD COLUMN expires_at timestamptz;    -- of a hold: created_at and the window
ALTER TABLE orders ADD COLUMN status_since timestamptz;  -- null: since created_at
ALTER TABLE orders ADD COLUMN payment_id uuid;           -- that decides, or has paid
ALTER TABLE orders ADD COLUMN restock boolean;           -- of an ended order; null: its units are offered again
-- When something is to be done for the order: the hold ends (PENDING), the payment is resumed
-- (PAYING), or the units are returned (CANCELLED, EXPIRED). Null: nothing is.
ALTER TABLE orders ADD COLUMN due_at timestamptz;

ALTER TABLE orders DROP CONSTRAINT orders_status_known;
ALTER TABLE orders ADD CONSTRAINT orders_status_known CHECK (order_status IN
    ('SUCCESS', 'PENDING', 'PAYING', 'PAID', 'CANCELLED', 'EXPIRED'));
ALTER TABLE orders ADD CONSTRAINT orders_hold_ends CHECK (
    order_status IN ('SUCCESS', 'CANCELLED')
    OR (expires_at IS NOT NULL AND payment_window_s IS NOT NULL));

-- It has the orders that wait for something alone, and costs one sold outright nothing.
CREATE INDEX orders_due ON orders (due_at, id) WHERE due_at IS NOT NULL;

-- What became of each order, in the order of its ids: the first line says what it was before.
CREATE TABLE order_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    order_id    uuid        NOT NULL,
    from_status text        NOT NULL,
    to_status   text        NOT NULL,
    reason      text,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, id)
);

-- Money for one order. Never deleted. `started`: the user database has the decision, or will have.
CREATE TABLE payments (
    id              uuid PRIMARY KEY,
    order_id        uuid        NOT NULL,
    user_id         bigint      NOT NULL,
    method          text        NOT NULL,
    amount          bigint      NOT NULL,  -- minor units; 2^53: that, or more
    currency        text,                  -- null: the deployment's
    state           text        NOT NULL,
    idempotency_key text        NOT NULL,
    created_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    CONSTRAINT payments_key_unique UNIQUE (order_id, idempotency_key),
    CONSTRAINT payments_method_known CHECK (method = 'balance'),
    CONSTRAINT payments_state_known CHECK (state IN ('started', 'succeeded', 'failed')),
    CONSTRAINT payments_decided CHECK ((decided_at IS NULL) = (state = 'started')),
    CONSTRAINT payments_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
);
-- An order is paid once.
CREATE UNIQUE INDEX payments_one_succeeds ON payments (order_id) WHERE state = 'succeeded';
