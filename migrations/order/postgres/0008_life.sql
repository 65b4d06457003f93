-- An order has a life: it may be held until it is paid for, and it may end. Orders from before were
-- sold outright, and stay as they are. Line 0 is an order's head: it alone has what is said here, and
-- its order_status is the only place that knows the status. Columns are added without rewriting
-- anything; the check and the indexes read the table once, about a second for a million orders.
ALTER TABLE orders ADD COLUMN payment_window_s integer;  -- null: sold outright
ALTER TABLE orders ADD COLUMN expires_at timestamptz;    -- of a hold: created_at and the window
ALTER TABLE orders ADD COLUMN status_since timestamptz;  -- null: since created_at
ALTER TABLE orders ADD COLUMN payment_id uuid;           -- that decides, or has paid
-- Of an order that has ended: whether its units are offered again, and whether the stock database
-- and the gate are still to be told so.
ALTER TABLE orders ADD COLUMN restock boolean NOT NULL DEFAULT true;
ALTER TABLE orders ADD COLUMN return_due boolean NOT NULL DEFAULT false;

ALTER TABLE orders DROP CONSTRAINT orders_status_known;
ALTER TABLE orders ADD CONSTRAINT orders_status_known CHECK (order_status IN
    ('SUCCESS', 'PENDING', 'PAYING', 'PAID', 'CANCELLED', 'EXPIRED'));
ALTER TABLE orders ADD CONSTRAINT orders_hold_ends CHECK (
    (expires_at IS NULL) = (payment_window_s IS NULL)
    AND (order_status NOT IN ('PENDING', 'PAYING', 'PAID', 'EXPIRED') OR expires_at IS NOT NULL));

-- Each has the rows that wait for something alone, and costs an order sold outright nothing.
CREATE INDEX orders_held ON orders (expires_at, id) WHERE order_status = 'PENDING';
CREATE INDEX orders_being_paid ON orders (status_since) WHERE order_status = 'PAYING';
CREATE INDEX orders_to_return ON orders (id) WHERE return_due;

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
