-- Nothing: one process has the folder, and nobody else's events reach its log. The number is kept,
-- so that a version means the same in each database.
SELECT 1;
