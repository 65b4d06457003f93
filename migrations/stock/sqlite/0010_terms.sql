-- What a product is sold by may change: `revision` counts the changes, and a gate takes none that is
-- older than what it has. `version` counts what is sold as well, and cannot serve for that.
ALTER TABLE products ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

-- A limit that has come or gone, and that a gate may still refuse: the one before, 0 for none.
ALTER TABLE products ADD COLUMN undo_limit INTEGER;
-- The highest limit that was ever in force, once it has changed: for the audit.
ALTER TABLE products ADD COLUMN limit_max INTEGER;

-- Not sold any more: `archived` where something was, `deleted` where nothing ever was. A deleted
-- product is not shown; its row keeps its id from being used again.
ALTER TABLE products ADD COLUMN withdrawn TEXT
    CONSTRAINT products_withdrawn_known CHECK (withdrawn IN ('archived', 'deleted'));

-- Products that are sold under one set of rules, at one shard: that of the sale's id.
CREATE TABLE sales (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT    NOT NULL,
    starts_at        INTEGER,
    ends_at          INTEGER,
    payment_window_s INTEGER,                     -- null: sold outright
    per_user_limit   INTEGER,                     -- over all of the sale's products
    limit_max        INTEGER,                     -- as of a product
    state            TEXT    NOT NULL DEFAULT 'open',
    revision         INTEGER NOT NULL DEFAULT 1,
    idempotency_key  TEXT,
    created_at       INTEGER NOT NULL,
    CONSTRAINT sales_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT sales_state_known CHECK (state IN ('open', 'paused', 'ended')),
    CONSTRAINT sales_limit_positive CHECK (per_user_limit > 0),
    CONSTRAINT sales_window_ordered CHECK (starts_at < ends_at),
    CONSTRAINT sales_payment_window_bounded
        CHECK (payment_window_s > 0 AND payment_window_s <= 604800)
) STRICT;

-- A product's sale never changes. What the sale says of its products stands in their rows too,
-- changed with it, in one transaction: `sale_state` is null while the sale's window decides.
ALTER TABLE products ADD COLUMN sale_id INTEGER;
ALTER TABLE products ADD COLUMN sale_limit INTEGER;
ALTER TABLE products ADD COLUMN sale_state TEXT
    CONSTRAINT products_sale_state_known CHECK (sale_state IN ('paused', 'ended'));
CREATE INDEX products_of_sale ON products (sale_id, id) WHERE sale_id IS NOT NULL;
