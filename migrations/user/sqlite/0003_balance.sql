-- What changed a user's balance: users.balance is at all times the sum of the user's entries, and the
-- same transaction changes both. A user who has a balance already gets the first entry here, which
-- takes about four seconds for a million such users. Version 0.1 let a balance be beyond 2^53 - 1.
CREATE TABLE balance_entries (
    id              INTEGER PRIMARY KEY,  -- ascends as a balance changes
    user_id         INTEGER NOT NULL,
    amount          INTEGER NOT NULL,     -- minor units
    kind            TEXT    NOT NULL,
    order_id        BLOB,
    payment_id      BLOB,
    idempotency_key TEXT    NOT NULL,     -- empty: that a user starts with; of a payment or a refund: its id
    balance_after   INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    -- For a list, SQLite would build a table with each row that is inserted.
    CONSTRAINT balance_entries_kind_known 
        CHECK (kind = 'starting' OR kind = 'deposit' OR kind = 'payment' OR kind = 'refund'),
    CONSTRAINT balance_entries_amount_not_zero CHECK (amount <> 0),
    CONSTRAINT balance_entries_gains 
        CHECK (amount > 0 OR NOT (kind = 'starting' OR kind = 'deposit' OR kind = 'refund')),
    CONSTRAINT balance_entries_pay_for_orders
        CHECK ((kind = 'payment') = (amount < 0)
               AND (NOT (kind = 'payment' OR kind = 'refund')
                    OR (order_id IS NOT NULL AND payment_id IS NOT NULL))),
    CONSTRAINT balance_entries_balance_exact
        CHECK (balance_after >= 0 AND (balance_after <= 9007199254740991 OR kind <> 'deposit'))
) STRICT;
INSERT INTO balance_entries (user_id, amount, kind, idempotency_key, balance_after, created_at)
    SELECT id, balance, 'starting', '', balance, created_at FROM users WHERE balance <> 0 ORDER BY id;
CREATE UNIQUE INDEX balance_entries_key_unique
    ON balance_entries (user_id, kind, idempotency_key);
CREATE INDEX balance_entries_by_user ON balance_entries (user_id, id);

-- What was decided about each payment from a balance, once, in the transaction that would debit. Who
-- asks again reads it. An order is paid for once.
CREATE TABLE charge_decisions (
    payment_id BLOB    PRIMARY KEY,
    order_id   BLOB    NOT NULL,
    user_id    INTEGER NOT NULL,
    amount     INTEGER NOT NULL,  -- minor units
    taken      INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    CONSTRAINT charge_decisions_amount_not_negative CHECK (amount >= 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX charge_decisions_one_taken ON charge_decisions (order_id) WHERE taken;
