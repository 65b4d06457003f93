-- Units that came back from one order: a movement of that order and line with `back`, once. What the
-- version before wrote for a dropped event stays as it is: a reduction without a key, under the
-- event's id, and a restock. The index has the returns alone, and costs an order nothing.
ALTER TABLE movements DROP CONSTRAINT movements_kind_known;
ALTER TABLE movements ADD CONSTRAINT movements_kind_known
    CHECK (kind IN ('initial', 'restock', 'sale', 'reduction', 'return'));
ALTER TABLE movements ADD CONSTRAINT movements_back_returns CHECK (back = (kind = 'return'));
CREATE INDEX movements_returned ON movements (id, line) WHERE back;
