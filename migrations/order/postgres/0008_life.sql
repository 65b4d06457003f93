-- An order has a life: it may be held until it is paid for, and it may end. order_status of line 0,
-- an order's head, is the only place that knows the status. The check reads the table once, about a
-- second for a million orders.
ALTER TABLE orders DROP CONSTRAINT orders_status_known;
ALTER TABLE orders ADD CONSTRAINT orders_status_known CHECK (order_status IN
    ('SUCCESS', 'PENDING', 'PAYING', 'PAID', 'CANCELLED', 'EXPIRED', 'REFUNDED'));

-- Of orders that were held, or have ended. One that was sold outright has no row, and costs what it
-- cost before. A row is changed only by a transaction that has locked its order.
CREATE TABLE order_lives (
    order_id         uuid PRIMARY KEY,
    payment_window_s integer,      -- null: sold outright
    expires_at       timestamptz,  -- of a hold: created_at and the window
    status_since     timestamptz,  -- null: since created_at
    payment_id       uuid,         -- that decides, or has paid
    extended         boolean NOT NULL DEFAULT false,  -- expires_at was put off, for an announced payment
    restock          boolean NOT NULL DEFAULT true,  -- of an ended order: whether its units are offered again
    -- When something is to be done for the order: the hold ends (PENDING), the payment is resumed
    -- (PAYING), or the units are returned (CANCELLED, EXPIRED, REFUNDED). Null: nothing is.
    due_at           timestamptz,
    CONSTRAINT order_lives_hold_ends CHECK ((payment_window_s IS NULL) = (expires_at IS NULL))
);
CREATE INDEX order_lives_due ON order_lives (due_at, order_id) WHERE due_at IS NOT NULL;

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

-- Money for one order. Never deleted. `started`, from a balance: the user database has the decision,
-- or will have; from outside: announced, and since received_at here. `placing`: it came too late, and
-- buys the same again. `refund_due`: it belongs to the buyer, and has a refund.
CREATE TABLE payments (
    id              uuid PRIMARY KEY,
    order_id        uuid        NOT NULL,
    user_id         bigint      NOT NULL,
    method          text        NOT NULL,
    amount          bigint      NOT NULL,  -- minor units; 2^53: that, or more
    currency        text,                  -- null: the deployment's
    state           text        NOT NULL,
    idempotency_key text        NOT NULL,  -- from outside one that no client can send: the reference is the key
    reference       text,                  -- of money from outside, the shop's own
    reason          text,                  -- why a refund is due, a problem's code
    replaces        uuid,                  -- the order that it came too late for; order_id is another
    created_at      timestamptz NOT NULL,
    received_at     timestamptz,           -- of money from outside
    decided_at      timestamptz,
    CONSTRAINT payments_key_unique UNIQUE (order_id, idempotency_key),
    CONSTRAINT payments_reference_unique UNIQUE (reference),
    CONSTRAINT payments_method_known CHECK (method IN ('balance', 'external')),
    CONSTRAINT payments_referred_to CHECK ((method = 'external') = (reference IS NOT NULL)),
    CONSTRAINT payments_state_known
        CHECK (state IN ('started', 'succeeded', 'failed', 'placing', 'refund_due', 'refunded')),
    CONSTRAINT payments_decided CHECK ((decided_at IS NULL) = (state IN ('started', 'placing'))),
    CONSTRAINT payments_received
        CHECK (method = 'balance' OR received_at IS NOT NULL OR state IN ('started', 'failed')),
    CONSTRAINT payments_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
);
-- An order is paid once.
CREATE UNIQUE INDEX payments_one_succeeds ON payments (order_id) WHERE state = 'succeeded';
CREATE INDEX payments_undecided ON payments (received_at)
    WHERE decided_at IS NULL AND received_at IS NOT NULL;
CREATE INDEX payments_replaces ON payments (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX payments_refund_due ON payments (id) WHERE state = 'refund_due';

-- A payment that goes back, whole and once.
CREATE TABLE refunds (
    id         uuid PRIMARY KEY,
    payment_id uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    user_id    bigint      NOT NULL,
    method     text        NOT NULL,  -- the payment's: where the money goes
    amount     bigint      NOT NULL,  -- minor units
    currency   text,                  -- null: the deployment's
    state      text        NOT NULL,
    reason     text,
    reference  text,                  -- under which the money has gone back to the outside
    created_at timestamptz NOT NULL,
    done_at    timestamptz,
    due_at     timestamptz,           -- when any process gives it back to the balance; null: none does
    CONSTRAINT refunds_once UNIQUE (payment_id),
    CONSTRAINT refunds_method_known CHECK (method IN ('balance', 'external')),
    CONSTRAINT refunds_state_known CHECK (state IN ('pending', 'succeeded')),
    CONSTRAINT refunds_done CHECK ((done_at IS NULL) = (state = 'pending')),
    CONSTRAINT refunds_referred_to
        CHECK ((reference IS NOT NULL) = (method = 'external' AND state = 'succeeded')),
    CONSTRAINT refunds_amount_exact CHECK (amount >= 0 AND amount <= 9007199254740992)
);
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refunds_of_order ON refunds (order_id);
