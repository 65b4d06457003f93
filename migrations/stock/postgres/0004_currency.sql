-- ISO 4217; null: the deployment's, which is noted in table deployment as stock.currency.
ALTER TABLE products ADD COLUMN currency text;
ALTER TABLE products ADD CONSTRAINT products_currency_code CHECK (currency ~ '^[A-Z]{3}$');
