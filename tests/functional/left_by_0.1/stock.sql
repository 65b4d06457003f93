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
INSERT INTO public.deployment VALUES ('identity', '01a21f93-174a-7000-bbc2-bb70b20aa82d');
INSERT INTO public.movements VALUES ('8e3c4518-8f0e-4836-81e1-ea70c9077a0c', 1, 100, 'initial', NULL, NULL, NULL, '2026-11-28 00:34:24.472842+00');
INSERT INTO public.movements VALUES ('01a21f93-1c65-7000-bfae-d5da15ed8671', 1, -1, 'sale', 1, 1, NULL, '2026-11-28 00:34:24.485+00');
INSERT INTO public.movements VALUES ('01a21f93-1d44-7000-88ac-221768279f33', 1, -1, 'sale', 1, 15, NULL, '2026-11-28 00:34:24.708+00');
INSERT INTO public.movements VALUES ('01a21f93-1d31-7000-8912-7fe8e700540e', 1, -2, 'sale', 1, 14, NULL, '2026-11-28 00:34:24.689+00');
INSERT INTO public.movements VALUES ('01a21f93-1d25-7000-948a-337cbaef1e2c', 1, -1, 'sale', 1, 13, NULL, '2026-11-28 00:34:24.677+00');
INSERT INTO public.movements VALUES ('01a21f93-1d1a-7000-87db-37b5966a1afa', 1, -2, 'sale', 1, 12, NULL, '2026-11-28 00:34:24.666+00');
INSERT INTO public.movements VALUES ('01a21f93-1d04-7000-9a37-f5b80c6d141a', 1, -1, 'sale', 1, 11, NULL, '2026-11-28 00:34:24.644+00');
INSERT INTO public.movements VALUES ('01a21f93-1ce9-7000-9744-0ed654feae49', 1, -2, 'sale', 1, 10, NULL, '2026-11-28 00:34:24.617+00');
INSERT INTO public.movements VALUES ('01a21f93-1cda-7000-a8eb-102372ada5be', 1, -1, 'sale', 1, 9, NULL, '2026-11-28 00:34:24.602+00');
INSERT INTO public.movements VALUES ('01a21f93-1cd0-7000-93e5-a9aed5c50753', 1, -2, 'sale', 1, 8, NULL, '2026-11-28 00:34:24.592+00');
INSERT INTO public.movements VALUES ('01a21f93-1cc6-7000-930d-86ef730eeba7', 1, -1, 'sale', 1, 7, NULL, '2026-11-28 00:34:24.582+00');
INSERT INTO public.movements VALUES ('01a21f93-1c95-7000-a217-846f24bfeb2a', 1, -2, 'sale', 1, 6, NULL, '2026-11-28 00:34:24.533+00');
INSERT INTO public.movements VALUES ('01a21f93-1c87-7000-a743-45674b18884c', 1, -1, 'sale', 1, 5, NULL, '2026-11-28 00:34:24.519+00');
INSERT INTO public.movements VALUES ('01a21f93-1c7e-7000-b0ee-500ea90a8c92', 1, -2, 'sale', 1, 4, NULL, '2026-11-28 00:34:24.51+00');
INSERT INTO public.movements VALUES ('01a21f93-1c7c-7000-a5be-f662a21db8a0', 1, -1, 'sale', 1, 3, NULL, '2026-11-28 00:34:24.508+00');
INSERT INTO public.movements VALUES ('01a21f93-1c73-7000-9dd9-6bd4348b2104', 1, -2, 'sale', 1, 2, NULL, '2026-11-28 00:34:24.499+00');
INSERT INTO public.products OVERRIDING SYSTEM VALUE VALUES (1, 'Lamp', 1999, 100, 78, 2, 2, NULL, NULL, '01a21f93-1c57-7000-ae7e-0bc87363fe3d', '2026-11-28 00:34:24.472842+00');
INSERT INTO public.schema_migrations VALUES (1, '0001_stock', 'f4e57afa2dd338b97c403d587aa025a84e4b9fe182698d21b8d8e052f31ff360', '2026-11-28 00:34:21.790017+00');
INSERT INTO public.schema_migrations VALUES (2, '0002_recovery', 'f39661b70c91fcd0bc8cb527ac0698d0e75568feaeb0457a7d22cab751f05019', '2026-11-28 00:34:21.937499+00');
INSERT INTO public.schema_migrations VALUES (3, '0003_fence', 'f9710add8536581d81700b28e3c54ae52962da7f89e02ddba508b79206107f58', '2026-11-28 00:34:21.964278+00');
INSERT INTO public.shard_tokens VALUES ('01a21f93-1896-7000-ad22-9685538b2163', 0, 1, '2026-11-28 00:34:23.510785+00');
INSERT INTO public.shards VALUES (0, 1, 'open', '01a21f93-27be-7000-bb09-979b75a51ad6', '2026-11-28 00:34:33.213646+00', 29749, '01a21f93-1896-7000-ad22-9685538b2163');
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
