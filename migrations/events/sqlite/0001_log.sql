-- What was accepted and is not recorded yet. A row is what one commit made durable, or a part of
-- it: a JSON array of events. Positions only grow, also when all rows are gone.
CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    events   TEXT NOT NULL
) STRICT;

-- Everything up to here is recorded; its rows go in the transaction that moves the cursor.
CREATE TABLE cursors (
    reader   TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO cursors (reader, position) VALUES ('recorder', 0);
