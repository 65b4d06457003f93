-- How long units are held for payment; null: they are sold outright. It never changes.
ALTER TABLE products ADD COLUMN payment_window_s bigint;
ALTER TABLE products ADD CONSTRAINT products_payment_window_bounded
    CHECK (payment_window_s > 0 AND payment_window_s <= 604800);
