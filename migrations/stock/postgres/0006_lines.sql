-- An order takes the units of each of its lines once, and gives them back at most once, ever. That
-- is a movement's key: its order, the line of it, and whether it gives back. So it does not matter
-- whether the units were taken by a sale, or by a reduction that writes an order off under its id.
-- The columns are constants as long as nothing else is written, and cost nothing. The index is built
-- once, which takes about three seconds for a million movements.
ALTER TABLE movements ADD COLUMN line integer NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN back boolean NOT NULL DEFAULT false;
ALTER TABLE movements DROP CONSTRAINT movements_pkey;
ALTER TABLE movements ADD PRIMARY KEY (id, line, back);
