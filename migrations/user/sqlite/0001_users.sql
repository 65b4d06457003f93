-- Times are microseconds since 1970.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    username        TEXT    NOT NULL,
    balance         INTEGER NOT NULL,  -- minor units
    idempotency_key TEXT,
    created_at      INTEGER NOT NULL,
    CONSTRAINT users_username_unique UNIQUE (username),
    CONSTRAINT users_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT users_balance_not_negative CHECK (balance >= 0)
) STRICT;
