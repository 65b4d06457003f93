-- Ids of movements are UUIDs of 16 bytes, times are microseconds since 1970. What the database gate
-- needs is not here, nor what processes of a deployment must agree on: a file has one process.

-- One row per shard of the gate, and the generation of its newest opening.
CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL DEFAULT 0,
    state      TEXT    NOT NULL DEFAULT 'never',
    CONSTRAINT shards_state_known CHECK (state IN ('never', 'opening', 'open', 'reopening'))
) STRICT;

CREATE TABLE products (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL,
    price           INTEGER NOT NULL,  -- minor units
    given           INTEGER NOT NULL,  -- all units ever given; only grows
    stock           INTEGER NOT NULL,  -- as recorded: the sum of the product's movements
    version         INTEGER NOT NULL DEFAULT 0,
    per_user_limit  INTEGER,
    sale_starts_at  INTEGER,
    sale_ends_at    INTEGER,
    idempotency_key TEXT,
    created_at      INTEGER NOT NULL,
    CONSTRAINT products_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT products_price_not_negative CHECK (price >= 0),
    CONSTRAINT products_stock_not_negative CHECK (stock >= 0),
    CONSTRAINT products_stock_within_given CHECK (stock <= given),
    CONSTRAINT products_given_exact_in_scripts CHECK (given < 9007199254740992),
    CONSTRAINT products_limit_positive CHECK (per_user_limit > 0),
    CONSTRAINT products_window_ordered CHECK (sale_starts_at < sale_ends_at)
) STRICT;

-- The ledger. `generation` and `seq` are the gate's for what the gate decided, null for what was
-- given here first. There is no foreign key: the recorder looks up the product as it inserts.
CREATE TABLE movements (
    id              BLOB    PRIMARY KEY,
    product_id      INTEGER NOT NULL,
    delta           INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    generation      INTEGER,
    seq             INTEGER,
    idempotency_key TEXT,       -- of a restock or a reduction
    created_at      INTEGER NOT NULL,
    CONSTRAINT movements_kind_known CHECK (kind IN ('initial', 'restock', 'sale', 'reduction')),
    CONSTRAINT movements_sign CHECK ((delta < 0) = (kind IN ('sale', 'reduction')))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX movements_key_unique ON movements (product_id, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
