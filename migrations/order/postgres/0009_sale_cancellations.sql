-- Sales that are cancelled as a whole: a job that any process goes on with, each order once. `after`
-- is how far it has come among a product's orders, in the order of their recording.
CREATE TABLE sale_cancellations (
    sale_id    bigint PRIMARY KEY,
    reason     text,
    restock    boolean     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz
);
CREATE INDEX sale_cancellations_running ON sale_cancellations (created_at) WHERE done_at IS NULL;
CREATE TABLE sale_cancellation_products (
    sale_id    bigint NOT NULL,
    product_id bigint NOT NULL,
    after      bigint NOT NULL DEFAULT 0,
    cancelled  bigint NOT NULL DEFAULT 0,  -- orders, those that were cancelled before included
    refunded   bigint NOT NULL DEFAULT 0,
    expired    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sale_id, product_id)
);
