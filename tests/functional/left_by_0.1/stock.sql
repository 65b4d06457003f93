COMMENT ON SCHEMA public IS '';
CREATE TABLE public.deployment (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.fences (
    shard integer NOT NULL,
    generation bigint NOT NULL
);
CREATE TABLE public.movements (
    id uuid NOT NULL,
    product_id bigint NOT NULL,
    delta bigint NOT NULL,
    kind text NOT NULL,
    generation bigint,
    seq bigint,
    idempotency_key text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT movements_kind_known CHECK ((kind = ANY (ARRAY['initial'::text, 'restock'::text, 'sale'::text, 'reduction'::text]))),
    CONSTRAINT movements_sign CHECK (((delta < 0) = (kind = ANY (ARRAY['sale'::text, 'reduction'::text]))))
);
CREATE TABLE public.outbox (
    event_id uuid NOT NULL,
    shard integer NOT NULL,
    event text NOT NULL
);
CREATE TABLE public.products (
    id bigint NOT NULL,
    name text NOT NULL,
    price bigint NOT NULL,
    given bigint NOT NULL,
    stock bigint NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    per_user_limit bigint,
    sale_starts_at timestamp with time zone,
    sale_ends_at timestamp with time zone,
    idempotency_key text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT products_given_exact_in_scripts CHECK ((given < '9007199254740992'::bigint)),
    CONSTRAINT products_limit_positive CHECK ((per_user_limit > 0)),
    CONSTRAINT products_price_not_negative CHECK ((price >= 0)),
    CONSTRAINT products_stock_not_negative CHECK ((stock >= 0)),
    CONSTRAINT products_stock_within_given CHECK ((stock <= given)),
    CONSTRAINT products_window_ordered CHECK ((sale_starts_at < sale_ends_at))
);
ALTER TABLE public.products ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.products_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.reservations (
    id uuid NOT NULL,
    product_id bigint NOT NULL,
    kind text NOT NULL,
    user_id bigint NOT NULL,
    idempotency_key text NOT NULL,
    quantity bigint NOT NULL,
    unit_price bigint NOT NULL,
    generation bigint NOT NULL,
    seq bigint NOT NULL
);
ALTER TABLE public.reservations ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reservations_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.shard_tokens (
    token uuid NOT NULL,
    shard integer NOT NULL,
    generation bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.shards (
    shard integer NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    state text DEFAULT 'never'::text NOT NULL,
    lease_holder uuid,
    lease_until timestamp with time zone,
    lease_session integer,
    token uuid,
    CONSTRAINT shards_state_known CHECK ((state = ANY (ARRAY['never'::text, 'opening'::text, 'open'::text, 'reopening'::text])))
);
INSERT INTO public.deployment VALUES ('stock.gate', 'redis');
INSERT INTO public.deployment VALUES ('redis.shards', '1');
INSERT INTO public.deployment VALUES ('amqp.prefetch_messages', '128');
INSERT INTO public.deployment VALUES ('orders.confirm_deadline_ms', '8000');
INSERT INTO public.deployment VALUES ('amqp.namespace', 'WORLD');
INSERT INTO public.deployment VALUES ('virtual host of amqp.url', '%2f');
INSERT INTO public.deployment VALUES ('redis.key_prefix', 'WORLD');
INSERT INTO public.deployment VALUES ('databases of redis.url', '0');
INSERT INTO public.deployment VALUES ('identity', '01a21f35-f8fb-7000-9c3d-01c63c4d2876');
INSERT INTO public.movements VALUES ('3f5f7605-49d4-4b46-9b2e-cb5d69659f5f', 1, 100, 'initial', NULL, NULL, NULL, '2026-11-27 22:52:40.955743+00');
INSERT INTO public.movements VALUES ('01a21f35-fa83-7000-8951-a75ddcbcb8fc', 1, -1, 'sale', 1, 1, NULL, '2026-11-27 22:52:40.963+00');
INSERT INTO public.movements VALUES ('01a21f35-faaf-7000-b299-1d355f679d90', 1, -1, 'sale', 1, 15, NULL, '2026-11-27 22:52:41.007+00');
INSERT INTO public.movements VALUES ('01a21f35-faae-7000-9189-8c57a898fafe', 1, -2, 'sale', 1, 14, NULL, '2026-11-27 22:52:41.006+00');
INSERT INTO public.movements VALUES ('01a21f35-faac-7000-801e-f8d4c87906e6', 1, -1, 'sale', 1, 13, NULL, '2026-11-27 22:52:41.004+00');
INSERT INTO public.movements VALUES ('01a21f35-faaa-7000-a3d3-4e053b521200', 1, -2, 'sale', 1, 12, NULL, '2026-11-27 22:52:41.002+00');
INSERT INTO public.movements VALUES ('01a21f35-faa7-7000-8879-ae76cfa4736b', 1, -1, 'sale', 1, 11, NULL, '2026-11-27 22:52:40.999+00');
INSERT INTO public.movements VALUES ('01a21f35-faa6-7000-97a1-d9633fbea432', 1, -2, 'sale', 1, 10, NULL, '2026-11-27 22:52:40.998+00');
INSERT INTO public.movements VALUES ('01a21f35-faa4-7000-989f-bb72c6cab5bc', 1, -1, 'sale', 1, 9, NULL, '2026-11-27 22:52:40.996+00');
INSERT INTO public.movements VALUES ('01a21f35-faa2-7000-9231-45d9ef89933d', 1, -2, 'sale', 1, 8, NULL, '2026-11-27 22:52:40.994+00');
INSERT INTO public.movements VALUES ('01a21f35-faa1-7000-89a4-99536faef0d5', 1, -1, 'sale', 1, 7, NULL, '2026-11-27 22:52:40.993+00');
INSERT INTO public.movements VALUES ('01a21f35-faa0-7000-b15b-b0bea3683b7c', 1, -2, 'sale', 1, 6, NULL, '2026-11-27 22:52:40.992+00');
INSERT INTO public.movements VALUES ('01a21f35-fa9e-7000-af77-669522831c64', 1, -1, 'sale', 1, 5, NULL, '2026-11-27 22:52:40.99+00');
INSERT INTO public.movements VALUES ('01a21f35-fa9d-7000-ab10-64b6ffe6a02c', 1, -2, 'sale', 1, 4, NULL, '2026-11-27 22:52:40.989+00');
INSERT INTO public.movements VALUES ('01a21f35-fa97-7000-ae15-71287332d237', 1, -1, 'sale', 1, 3, NULL, '2026-11-27 22:52:40.983+00');
INSERT INTO public.movements VALUES ('01a21f35-fa8d-7000-acc1-7beb227a4327', 1, -2, 'sale', 1, 2, NULL, '2026-11-27 22:52:40.973+00');
INSERT INTO public.products OVERRIDING SYSTEM VALUE VALUES (1, 'Lamp', 1999, 100, 78, 2, 2, NULL, NULL, '01a21f35-fa7b-7000-aed6-c85c8d315f81', '2026-11-27 22:52:40.955743+00');
INSERT INTO public.schema_migrations VALUES (1, '0001_stock', 'f4e57afa2dd338b97c403d587aa025a84e4b9fe182698d21b8d8e052f31ff360', '2026-11-27 22:52:40.04845+00');
INSERT INTO public.schema_migrations VALUES (2, '0002_recovery', 'f39661b70c91fcd0bc8cb527ac0698d0e75568feaeb0457a7d22cab751f05019', '2026-11-27 22:52:40.179573+00');
INSERT INTO public.schema_migrations VALUES (3, '0003_fence', 'f9710add8536581d81700b28e3c54ae52962da7f89e02ddba508b79206107f58', '2026-11-27 22:52:40.191427+00');
INSERT INTO public.shard_tokens VALUES ('01a21f35-f954-7000-baae-dcb5d74fba86', 0, 1, '2026-11-27 22:52:40.660591+00');
INSERT INTO public.shards VALUES (0, 1, 'open', '01a21f36-0169-7000-9d18-e243dbc880a3', '2026-11-27 22:52:47.820408+00', 9967, '01a21f35-f954-7000-baae-dcb5d74fba86');
SELECT pg_catalog.setval('public.products_id_seq', 1, true);
SELECT pg_catalog.setval('public.reservations_seq_seq', 1, false);
ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.fences
    ADD CONSTRAINT fences_pkey PRIMARY KEY (shard);
ALTER TABLE ONLY public.movements
    ADD CONSTRAINT movements_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_idempotency_key_unique UNIQUE (idempotency_key);
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_key_unique UNIQUE (product_id, kind, user_id, idempotency_key);
ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.shard_tokens
    ADD CONSTRAINT shard_tokens_pkey PRIMARY KEY (token);
ALTER TABLE ONLY public.shards
    ADD CONSTRAINT shards_pkey PRIMARY KEY (shard);
CREATE UNIQUE INDEX movements_key_unique ON public.movements USING btree (product_id, kind, idempotency_key) WHERE (idempotency_key IS NOT NULL);
