-- Of unit_price, ISO 4217; null: the deployment's.
ALTER TABLE orders ADD COLUMN currency TEXT;
