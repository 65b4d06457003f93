COMMENT ON SCHEMA public IS '';
CREATE TABLE public.barriers (
    shard integer NOT NULL,
    generation bigint NOT NULL,
    id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.fences (
    shard integer NOT NULL,
    generation bigint NOT NULL
);
CREATE TABLE public.late (
    event_id uuid NOT NULL,
    shard integer NOT NULL,
    event text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone
);
CREATE TABLE public.orders (
    id uuid NOT NULL,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price bigint NOT NULL,
    order_status text NOT NULL,
    idempotency_key text NOT NULL,
    generation bigint NOT NULL,
    seq bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT orders_price_not_negative CHECK ((unit_price >= 0)),
    CONSTRAINT orders_quantity_positive CHECK ((quantity > 0)),
    CONSTRAINT orders_status_known CHECK ((order_status = 'SUCCESS'::text))
);
CREATE TABLE public.parked (
    event_id uuid NOT NULL,
    event text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    holds_units boolean DEFAULT true NOT NULL,
    dropped_at timestamp with time zone,
    published_at timestamp with time zone,
    refused_late boolean DEFAULT false NOT NULL
);
CREATE TABLE public.raised_fences (
    shard integer NOT NULL,
    generation bigint NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO public.orders VALUES ('01a21f93-1c65-7000-bfae-d5da15ed8671', 1, 1, 1, 1999, 'SUCCESS', 'key-0', 1, 1, '2026-11-28 00:34:24.485+00');
INSERT INTO public.orders VALUES ('01a21f93-1c73-7000-9dd9-6bd4348b2104', 2, 1, 2, 1999, 'SUCCESS', 'key-1', 1, 2, '2026-11-28 00:34:24.499+00');
INSERT INTO public.orders VALUES ('01a21f93-1c7c-7000-a5be-f662a21db8a0', 3, 1, 1, 1999, 'SUCCESS', 'key-2', 1, 3, '2026-11-28 00:34:24.508+00');
INSERT INTO public.orders VALUES ('01a21f93-1c7e-7000-b0ee-500ea90a8c92', 4, 1, 2, 1999, 'SUCCESS', 'key-3', 1, 4, '2026-11-28 00:34:24.51+00');
INSERT INTO public.orders VALUES ('01a21f93-1c87-7000-a743-45674b18884c', 5, 1, 1, 1999, 'SUCCESS', 'key-4', 1, 5, '2026-11-28 00:34:24.519+00');
INSERT INTO public.orders VALUES ('01a21f93-1c95-7000-a217-846f24bfeb2a', 6, 1, 2, 1999, 'SUCCESS', 'key-5', 1, 6, '2026-11-28 00:34:24.533+00');
INSERT INTO public.orders VALUES ('01a21f93-1cc6-7000-930d-86ef730eeba7', 7, 1, 1, 1999, 'SUCCESS', 'key-6', 1, 7, '2026-11-28 00:34:24.582+00');
INSERT INTO public.orders VALUES ('01a21f93-1cd0-7000-93e5-a9aed5c50753', 8, 1, 2, 1999, 'SUCCESS', 'key-7', 1, 8, '2026-11-28 00:34:24.592+00');
INSERT INTO public.orders VALUES ('01a21f93-1cda-7000-a8eb-102372ada5be', 9, 1, 1, 1999, 'SUCCESS', 'key-8', 1, 9, '2026-11-28 00:34:24.602+00');
INSERT INTO public.orders VALUES ('01a21f93-1ce9-7000-9744-0ed654feae49', 10, 1, 2, 1999, 'SUCCESS', 'key-9', 1, 10, '2026-11-28 00:34:24.617+00');
INSERT INTO public.orders VALUES ('01a21f93-1d04-7000-9a37-f5b80c6d141a', 11, 1, 1, 1999, 'SUCCESS', 'key-10', 1, 11, '2026-11-28 00:34:24.644+00');
INSERT INTO public.orders VALUES ('01a21f93-1d1a-7000-87db-37b5966a1afa', 12, 1, 2, 1999, 'SUCCESS', 'key-11', 1, 12, '2026-11-28 00:34:24.666+00');
INSERT INTO public.orders VALUES ('01a21f93-1d25-7000-948a-337cbaef1e2c', 13, 1, 1, 1999, 'SUCCESS', 'key-12', 1, 13, '2026-11-28 00:34:24.677+00');
INSERT INTO public.orders VALUES ('01a21f93-1d31-7000-8912-7fe8e700540e', 14, 1, 2, 1999, 'SUCCESS', 'key-13', 1, 14, '2026-11-28 00:34:24.689+00');
INSERT INTO public.orders VALUES ('01a21f93-1d44-7000-88ac-221768279f33', 15, 1, 1, 1999, 'SUCCESS', 'key-14', 1, 15, '2026-11-28 00:34:24.708+00');
INSERT INTO public.schema_migrations VALUES (1, '0001_orders', '9674eb11dfcf2b8a1418a87ab353e2d3bec99edb55d977d836f10c8e22e9403d', '2026-11-28 00:34:22.081524+00');
INSERT INTO public.schema_migrations VALUES (2, '0002_recovery', '02449a95db2e233eddc1b720a229fb2864cae83e91c14305ec9ee5d7b78c1ec8', '2026-11-28 00:34:22.136809+00');
INSERT INTO public.schema_migrations VALUES (3, '0003_late', 'd003970cabc85f3aa985b300b4e5d367487a4a67fb166d383e4e7bcc08a63214', '2026-11-28 00:34:22.162234+00');
ALTER TABLE ONLY public.barriers
    ADD CONSTRAINT barriers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.fences
    ADD CONSTRAINT fences_pkey PRIMARY KEY (shard);
ALTER TABLE ONLY public.late
    ADD CONSTRAINT late_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_key_unique UNIQUE (user_id, product_id, idempotency_key);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.raised_fences
    ADD CONSTRAINT raised_fences_pkey PRIMARY KEY (shard, generation);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
CREATE INDEX barriers_by_shard ON public.barriers USING btree (shard, generation);
CREATE INDEX late_by_shard ON public.late USING btree (shard, event_id);
