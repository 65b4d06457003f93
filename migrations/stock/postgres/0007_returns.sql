-- Units that come back from one order, once: a movement of that order and line with `back`.
--   return       of an order that has ended: its units are offered again
--   written_off  of an order that has ended: they are not, and its delta is 0
--   drop         of an event that was set aside, and that a person has dropped
-- What the version before wrote for a dropped event stays as it is: a reduction without a key, under
-- the event's id, and a restock. The index has these alone, and costs an order nothing.
ALTER TABLE movements DROP CONSTRAINT movements_kind_known;
ALTER TABLE movements ADD CONSTRAINT movements_kind_known CHECK (kind IN
    ('initial', 'restock', 'sale', 'reduction', 'return', 'written_off', 'drop'));
ALTER TABLE movements ADD CONSTRAINT movements_back_returns
    CHECK (back = (kind IN ('return', 'written_off', 'drop')));
ALTER TABLE movements ADD CONSTRAINT movements_written_off_is_nothing
    CHECK (kind <> 'written_off' OR delta = 0);
CREATE INDEX movements_returned ON movements (id, line) WHERE back;

-- Of `supplied`, what has come back from ended orders. It only grows, as supplied does.
ALTER TABLE products ADD COLUMN returned bigint NOT NULL DEFAULT 0;

-- Of a product with a limit: all units of a buyer's that are no longer the buyer's. It only grows.
CREATE TABLE buyer_returns (
    product_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    returned   bigint NOT NULL,
    PRIMARY KEY (product_id, user_id),
    CONSTRAINT buyer_returns_positive CHECK (returned > 0)
);
