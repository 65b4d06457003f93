-- Whether an answer 201 can stand behind a late event: a process that granted it may have been told
-- that its message was confirmed. Not if it was last published before the reopening began that
-- shut it out, for then its confirm came too late; otherwise somebody has to look.

-- Of the last message that brought it, by its publisher's clock, less what was left of the second.
-- Null: not known.
ALTER TABLE late ADD COLUMN published_at timestamptz;
ALTER TABLE parked ADD COLUMN published_at timestamptz;
-- The gate of a later generation was asked for it, and refused.
ALTER TABLE parked ADD COLUMN refused_late boolean NOT NULL DEFAULT false;
UPDATE parked SET refused_late = true
 WHERE NOT holds_units AND reason LIKE 'the gate of a later generation refuses it: %';

-- Every reopening that came as far as its fence. The recorder reads `fences`, for each batch; this
-- is for people. `begun_at`: by the clock of who reopened, before it shut anything.
CREATE TABLE raised_fences (
    shard      integer     NOT NULL,
    generation bigint      NOT NULL,
    begun_at   timestamptz NOT NULL,
    raised_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, generation)
);
