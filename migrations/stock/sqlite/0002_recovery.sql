-- Nothing: a lease is for processes that share a gate, and a file is one process's. The number is
-- kept, so that a version means the same in each database.
SELECT 1;
