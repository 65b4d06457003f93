-- ISO 4217; null: the deployment's, which the configuration says.
ALTER TABLE products ADD COLUMN currency TEXT
    CONSTRAINT products_currency_code CHECK (currency GLOB '[A-Z][A-Z][A-Z]');
