-- What every process of a deployment must agree on: the confirm deadline, the kind of gate, the
-- number of shards. The first process to serve writes it; another value is refused.
CREATE TABLE deployment (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- One row per shard of the gate. `never`: no gate was ever opened, so an absent one is not a loss.
CREATE TABLE shards (
    shard      integer PRIMARY KEY,
    generation bigint  NOT NULL DEFAULT 0,
    state      text    NOT NULL DEFAULT 'never',
    CONSTRAINT shards_state_known CHECK (state IN ('never', 'opening', 'open', 'reopening'))
);

CREATE TABLE products (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text        NOT NULL,
    price           bigint      NOT NULL,  -- minor units
    given           bigint      NOT NULL,  -- all units ever given; only grows
    stock           bigint      NOT NULL,  -- as recorded: the sum of the product's movements
    version         bigint      NOT NULL DEFAULT 0,
    per_user_limit  bigint,
    sale_starts_at  timestamptz,
    sale_ends_at    timestamptz,
    idempotency_key text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT products_price_not_negative CHECK (price >= 0),
    CONSTRAINT products_stock_not_negative CHECK (stock >= 0),
    CONSTRAINT products_stock_within_given CHECK (stock <= given),
    CONSTRAINT products_given_exact_in_scripts CHECK (given < 9007199254740992),
    CONSTRAINT products_limit_positive CHECK (per_user_limit > 0),
    CONSTRAINT products_window_ordered CHECK (sale_starts_at < sale_ends_at)
);

-- The ledger. `generation` and `seq` are the gate's for what the gate decided, null for what was
-- given here first. There is no foreign key: the recorder joins with products as it inserts.
CREATE TABLE movements (
    id              uuid PRIMARY KEY,
    product_id      bigint      NOT NULL,
    delta           bigint      NOT NULL,
    kind            text        NOT NULL,
    generation      bigint,
    seq             bigint,
    idempotency_key text,       -- of a restock or a reduction
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT movements_kind_known CHECK (kind IN ('initial', 'restock', 'sale', 'reduction')),
    CONSTRAINT movements_sign CHECK ((delta < 0) = (kind IN ('sale', 'reduction')))
);
CREATE UNIQUE INDEX movements_key_unique ON movements (product_id, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- The database gate's own: what a key was given, and the events not yet recorded.
CREATE TABLE reservations (
    id              uuid PRIMARY KEY,
    product_id      bigint NOT NULL,
    kind            text   NOT NULL,
    user_id         bigint NOT NULL,
    idempotency_key text   NOT NULL,
    quantity        bigint NOT NULL,
    unit_price      bigint NOT NULL,
    generation      bigint NOT NULL,
    seq             bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT reservations_key_unique UNIQUE (product_id, kind, user_id, idempotency_key)
);
CREATE TABLE outbox (
    event_id   uuid PRIMARY KEY,
    shard      integer NOT NULL,
    event      text    NOT NULL  -- as far as the process could write it: see events/event.hpp
);
