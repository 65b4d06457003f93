-- What two names have in common that are one: case and compatibility forms folded. The program folds,
-- and fills this in for the users that are there. Null: a user from before, whose name is one with
-- that of an earlier user, who has the form. Both keep their names.
ALTER TABLE users ADD COLUMN compared_name text;
ALTER TABLE users ADD CONSTRAINT users_compared_name_unique UNIQUE (compared_name);
