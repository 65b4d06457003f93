-- In which order orders were recorded, for whoever reads them on and on. A number is given under the
-- lock on this row, which is held until the commit: nothing comes in below a number that was seen,
-- however many processes record.
CREATE TABLE recorded (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint NOT NULL
);
ALTER TABLE orders ADD COLUMN recorded bigint;
UPDATE orders o SET recorded = n.number
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM orders) n WHERE n.id = o.id;
INSERT INTO recorded (last) SELECT count(*) FROM orders;
CREATE INDEX orders_by_product ON orders (product_id, recorded);
