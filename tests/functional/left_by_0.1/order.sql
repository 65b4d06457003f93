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
INSERT INTO public.orders VALUES ('01a21f35-fa83-7000-8951-a75ddcbcb8fc', 1, 1, 1, 1999, 'SUCCESS', 'key-0', 1, 1, '2026-11-27 22:52:40.963+00');
INSERT INTO public.orders VALUES ('01a21f35-fa8d-7000-acc1-7beb227a4327', 2, 1, 2, 1999, 'SUCCESS', 'key-1', 1, 2, '2026-11-27 22:52:40.973+00');
INSERT INTO public.orders VALUES ('01a21f35-fa97-7000-ae15-71287332d237', 3, 1, 1, 1999, 'SUCCESS', 'key-2', 1, 3, '2026-11-27 22:52:40.983+00');
INSERT INTO public.orders VALUES ('01a21f35-fa9d-7000-ab10-64b6ffe6a02c', 4, 1, 2, 1999, 'SUCCESS', 'key-3', 1, 4, '2026-11-27 22:52:40.989+00');
INSERT INTO public.orders VALUES ('01a21f35-fa9e-7000-af77-669522831c64', 5, 1, 1, 1999, 'SUCCESS', 'key-4', 1, 5, '2026-11-27 22:52:40.99+00');
INSERT INTO public.orders VALUES ('01a21f35-faa0-7000-b15b-b0bea3683b7c', 6, 1, 2, 1999, 'SUCCESS', 'key-5', 1, 6, '2026-11-27 22:52:40.992+00');
INSERT INTO public.orders VALUES ('01a21f35-faa1-7000-89a4-99536faef0d5', 7, 1, 1, 1999, 'SUCCESS', 'key-6', 1, 7, '2026-11-27 22:52:40.993+00');
INSERT INTO public.orders VALUES ('01a21f35-faa2-7000-9231-45d9ef89933d', 8, 1, 2, 1999, 'SUCCESS', 'key-7', 1, 8, '2026-11-27 22:52:40.994+00');
INSERT INTO public.orders VALUES ('01a21f35-faa4-7000-989f-bb72c6cab5bc', 9, 1, 1, 1999, 'SUCCESS', 'key-8', 1, 9, '2026-11-27 22:52:40.996+00');
INSERT INTO public.orders VALUES ('01a21f35-faa6-7000-97a1-d9633fbea432', 10, 1, 2, 1999, 'SUCCESS', 'key-9', 1, 10, '2026-11-27 22:52:40.998+00');
INSERT INTO public.orders VALUES ('01a21f35-faa7-7000-8879-ae76cfa4736b', 11, 1, 1, 1999, 'SUCCESS', 'key-10', 1, 11, '2026-11-27 22:52:40.999+00');
INSERT INTO public.orders VALUES ('01a21f35-faaa-7000-a3d3-4e053b521200', 12, 1, 2, 1999, 'SUCCESS', 'key-11', 1, 12, '2026-11-27 22:52:41.002+00');
INSERT INTO public.orders VALUES ('01a21f35-faac-7000-801e-f8d4c87906e6', 13, 1, 1, 1999, 'SUCCESS', 'key-12', 1, 13, '2026-11-27 22:52:41.004+00');
INSERT INTO public.orders VALUES ('01a21f35-faae-7000-9189-8c57a898fafe', 14, 1, 2, 1999, 'SUCCESS', 'key-13', 1, 14, '2026-11-27 22:52:41.006+00');
INSERT INTO public.orders VALUES ('01a21f35-faaf-7000-b299-1d355f679d90', 15, 1, 1, 1999, 'SUCCESS', 'key-14', 1, 15, '2026-11-27 22:52:41.007+00');
INSERT INTO public.schema_migrations VALUES (1, '0001_orders', '9674eb11dfcf2b8a1418a87ab353e2d3bec99edb55d977d836f10c8e22e9403d', '2026-11-27 22:52:40.240626+00');
INSERT INTO public.schema_migrations VALUES (2, '0002_recovery', '02449a95db2e233eddc1b720a229fb2864cae83e91c14305ec9ee5d7b78c1ec8', '2026-11-27 22:52:40.319436+00');
INSERT INTO public.schema_migrations VALUES (3, '0003_late', 'd003970cabc85f3aa985b300b4e5d367487a4a67fb166d383e4e7bcc08a63214', '2026-11-27 22:52:40.353899+00');
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
