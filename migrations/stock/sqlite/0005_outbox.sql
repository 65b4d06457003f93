-- Nothing: the database gate is not for files. The number is kept, so that a version means the same
-- in each database.
SELECT 1;
