-- Sales that are cancelled as a whole: a job that any process goes on with, each order once. `after`
-- is how far it has come among a product's orders, in the order of their recording.
CREATE TABLE sale_cancellations (
    sale_id    INTEGER PRIMARY KEY,
    reason     TEXT,
    restock    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    done_at    INTEGER
) STRICT;
CREATE INDEX sale_cancellations_running ON sale_cancellations (created_at) WHERE done_at IS NULL;
CREATE TABLE sale_cancellation_products (
    sale_id    INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    after      INTEGER NOT NULL DEFAULT 0,
    cancelled  INTEGER NOT NULL DEFAULT 0,  -- orders, those that were cancelled before included
    refunded   INTEGER NOT NULL DEFAULT 0,
    expired    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sale_id, product_id)
) STRICT;
