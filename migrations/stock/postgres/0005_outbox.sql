-- An event of the database gate is its reservation, and read from there. A text is one that the
-- version before has left.
ALTER TABLE outbox ALTER COLUMN event DROP NOT NULL;
