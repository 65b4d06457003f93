CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    user_id         bigint      NOT NULL,
    product_id      bigint      NOT NULL,
    quantity        bigint      NOT NULL,
    unit_price      bigint      NOT NULL,  -- minor units
    order_status    text        NOT NULL,
    idempotency_key text        NOT NULL,
    generation      bigint      NOT NULL,
    seq             bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key),
    CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    CONSTRAINT orders_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT orders_status_known CHECK (order_status IN ('SUCCESS'))
);

-- Events set aside for a person, with why. They keep their units. An event that has no id of its
-- own that could be read gets one here.
CREATE TABLE parked (
    event_id   uuid PRIMARY KEY,
    event      text        NOT NULL,
    reason     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Written when a barrier passes the recorder: everything published before it is recorded.
CREATE TABLE barriers (
    shard      integer     NOT NULL,
    generation bigint      NOT NULL,
    id         uuid        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
