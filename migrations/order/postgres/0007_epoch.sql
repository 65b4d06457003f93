-- A gate's opening is an epoch, as the field has it. Nothing but the name changes, and nothing is
-- rewritten.
ALTER TABLE orders RENAME COLUMN generation TO epoch;
ALTER TABLE barriers RENAME COLUMN generation TO epoch;
ALTER TABLE fences RENAME COLUMN generation TO epoch;
ALTER TABLE raised_fences RENAME COLUMN generation TO epoch;
