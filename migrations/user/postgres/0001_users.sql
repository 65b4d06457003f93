CREATE TABLE users (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username        text        NOT NULL,
    balance         bigint      NOT NULL DEFAULT 0,  -- minor units
    idempotency_key text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_username_unique UNIQUE (username),
    CONSTRAINT users_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT users_balance_not_negative CHECK (balance >= 0)
);
