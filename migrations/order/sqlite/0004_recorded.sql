-- In which order orders were recorded, for whoever reads them on and on: one writer gives the numbers.
CREATE TABLE recorded (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL
) STRICT;
ALTER TABLE orders ADD COLUMN recorded INTEGER;
UPDATE orders SET recorded = n.number
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM orders) n WHERE n.id = orders.id;
INSERT INTO recorded (one, last) SELECT 1, count(*) FROM orders;
CREATE INDEX orders_by_product ON orders (product_id, recorded);
