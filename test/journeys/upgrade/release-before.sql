--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: projections; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA projections;


--
-- Name: append_slices(text, text[], bigint[], integer[], text[], bigint[], uuid[], text[], smallint[], bytea[], text[], text[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.append_slices(this_writer text, streams text[], expected bigint[], slice integer[], event_streams text[], revisions bigint[], ids uuid[], types text[], versions smallint[], contents bytea[], datas text[], metadatas text[], OUT first_positions bigint[], OUT appended_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
  head log_head%rowtype;
  time_ms bytea;
  at bigint;
  last_hash bytea;
  content bytea;
  n int;
  i int := 0;
  -- Of full length from the start: an array that is first assigned to in its middle begins there.
  places bigint[] := array_fill(null::bigint, array[cardinality(contents)]);
  hashes bytea[] := array_fill(null::bytea, array[cardinality(contents)]);
begin
  select * into strict head from log_head for update;
  appended_at := date_trunc('milliseconds', greatest(clock_timestamp(), head.time));
  time_ms := int8send((extract(epoch from appended_at) * 1000)::bigint);

  first_positions := array(
    select case when s.expected = coalesce(
      (select e.revision from events e where e.stream = s.stream collate "C" order by e.revision desc limit 1), -1) then 0 end
    from unnest(streams, expected) with ordinality as s (stream, expected, n) order by s.n);
  if exists (select from turns) then
    first_positions := array(
      select case when not exists (
        select from turns t
        where t.stream = s.stream collate "C" and t.writer <> this_writer and t.asked_at > appended_at - interval '500 ms'
          and t.number < coalesce(
            (select own.number from turns own where own.stream = s.stream collate "C" and own.writer = this_writer), t.number + 1)
      ) then s.fits end
      from unnest(streams, first_positions) with ordinality as s (stream, fits, n) order by s.n);
    delete from turns t using unnest(streams, first_positions) as s (stream, fits)
      where t.stream = s.stream collate "C" and t.writer = this_writer and s.fits is not null;
    delete from turns where asked_at < appended_at - interval '10 s';
  end if;
  if array_position(first_positions, null) is not null then
    insert into turns (stream, writer, asked_at)
      select s.stream, this_writer, appended_at from unnest(streams, first_positions) as s (stream, fits) where s.fits is null
      on conflict (stream, writer) do update set asked_at = excluded.asked_at;
  end if;

  at := head.position;
  last_hash := head.hash;
  foreach content in array contents loop
    i := i + 1;
    n := slice[i];
    continue when first_positions[n] is null;
    at := at + 1;
    last_hash := sha256(last_hash || content || int8send(at) || time_ms);
    places[i] := at;
    hashes[i] := last_hash;
    if first_positions[n] = 0 then
      first_positions[n] := at;
    end if;
  end loop;
  if at = head.position then
    return;
  end if;

  -- On a table in partitions no index sees all ids.
  if (select relkind = 'p' from pg_class where oid = 'events'::regclass)
    and exists (select from unnest(ids) as new (id) join events e on e.id = new.id) then
    raise unique_violation using message = 'an event id is in the log already';
  end if;
  insert into events (position, stream, revision, id, type, version, data, metadata, time, hash)
    select e.position, e.stream, e.revision, e.id, e.type, e.version, e.data::json, e.metadata::json, appended_at, e.hash
    from unnest(places, event_streams, revisions, ids, types, versions, datas, metadatas, hashes)
      as e (position, stream, revision, id, type, version, data, metadata, hash)
    where e.position is not null;
  update log_head set position = at, time = appended_at, hash = last_hash;
  perform pg_notify('kissapi_log', '');
end $$;


--
-- Name: refuse_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception 'the log is append-only: % on % refused', tg_op, tg_table_name;
end $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: balances; Type: TABLE; Schema: projections; Owner: -
--

CREATE TABLE projections.balances (
    account_id text NOT NULL COLLATE pg_catalog."C",
    topped_up bigint,
    charged bigint,
    written_off bigint,
    held bigint,
    open_holds integer,
    revision integer
);


--
-- Name: checkpoints; Type: TABLE; Schema: projections; Owner: -
--

CREATE TABLE projections.checkpoints (
    name text NOT NULL,
    version integer NOT NULL,
    "position" bigint NOT NULL
);


--
-- Name: daily_usage; Type: TABLE; Schema: projections; Owner: -
--

CREATE TABLE projections.daily_usage (
    day text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    key_id text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    requests bigint,
    input_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    cost bigint,
    charged bigint
);


--
-- Name: requests; Type: TABLE; Schema: projections; Owner: -
--

CREATE TABLE projections.requests (
    request_id text NOT NULL COLLATE pg_catalog."C",
    account_id text,
    key_id text,
    run_id text,
    model text,
    price_version integer,
    endpoint text,
    upstream text,
    streamed boolean,
    status text,
    held bigint,
    cost bigint,
    charged bigint,
    written_off bigint,
    input_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    usage_source text,
    ended text,
    finish_reason text,
    upstream_id text,
    first_byte_ms integer,
    total_ms integer,
    detail text,
    reserved_at timestamp with time zone,
    reserved_revision integer,
    ended_at timestamp with time zone,
    ended_revision integer
);


--
-- Name: data_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.data_keys (
    account_id text NOT NULL COLLATE pg_catalog."C",
    wrapped bytea,
    master_key_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    "position" bigint NOT NULL,
    stream text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    version smallint NOT NULL,
    data json NOT NULL,
    metadata json NOT NULL,
    "time" timestamp with time zone NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT events_revision_check CHECK ((revision >= 0)),
    CONSTRAINT events_stream_check CHECK ((POSITION(('
'::text) IN (stream)) = 0))
);


--
-- Name: log_checkpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.log_checkpoints (
    "position" bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    hash bytea NOT NULL,
    previous bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL
);


--
-- Name: log_head; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.log_head (
    only_row boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT log_head_only_row_check CHECK (only_row)
)
WITH (fillfactor='10');


--
-- Name: migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.migrations (
    room text NOT NULL,
    file text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: runs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.runs (
    id text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: snapshots; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.snapshots (
    stream text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    revision bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    hash bytea NOT NULL,
    state bytea NOT NULL,
    mac bytea NOT NULL
);


--
-- Name: turns; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.turns (
    stream text NOT NULL COLLATE pg_catalog."C",
    writer text NOT NULL,
    number bigint NOT NULL,
    asked_at timestamp with time zone NOT NULL
);


--
-- Name: turns_number_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.turns ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.turns_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Data for Name: balances; Type: TABLE DATA; Schema: projections; Owner: -
--

INSERT INTO projections.balances VALUES
	('acc_demo', 5000000000, 0, 0, 0, 0, 2),
	('acc_3db599b0165e0eb2186ca7d5', 7500000000, 2364200, 0, 0, 0, 81),
	('acc_9dd499785da95f4300f7fe6d', 100000000, 33000, 0, 0, 0, 5),
	('acc_7a1e04b31e858a346a198428', 1000000000, 25000, 0, 1145000, 2, 7);


--
-- Data for Name: checkpoints; Type: TABLE DATA; Schema: projections; Owner: -
--

INSERT INTO projections.checkpoints VALUES
	('balances', 1, 135),
	('requests', 2, 135),
	('daily_usage', 1, 135);


--
-- Data for Name: daily_usage; Type: TABLE DATA; Schema: projections; Owner: -
--

INSERT INTO projections.daily_usage VALUES
	('2026-11-30', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', 'simulated-chat', 31, 94, 60, 0, 475, 0, 2009000, 2009000),
	('2026-11-30', 'acc_3db599b0165e0eb2186ca7d5', 'key_85b6cf14f3684d02795000fa', 'simulated-chat', 3, 11, 0, 0, 76, 10, 355000, 355000),
	('2026-11-30', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', 'simulated-embedding', 1, 2, 0, 0, 0, 0, 200, 200),
	('2026-11-30', 'acc_9dd499785da95f4300f7fe6d', 'key_d7397dfbc8c8c2df13ae20ef', 'simulated-chat', 1, 5, 0, 0, 7, 0, 33000, 33000),
	('2026-11-30', 'acc_7a1e04b31e858a346a198428', 'key_21362041f07f1ff63a62522e', 'simulated-chat', 1, 5, 0, 0, 5, 0, 25000, 25000);


--
-- Data for Name: requests; Type: TABLE DATA; Schema: projections; Owner: -
--

INSERT INTO projections.requests VALUES
	('gen-01a22a6e-9ffd-7724-b5ae-c9a6be07d0ed', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 7500, 7500, 0, 3, 2, 0, 1, 0, 'reported', 'completed', 'stop', 'chatcmpl-74b03442326ef58accc3f3967a739', 33, 35, NULL, '2026-11-30 03:10:22.738+00', 10, '2026-11-30 03:10:22.79+00', 11),
	('gen-01a22a6e-a059-76f0-a53a-af4b9b8eea24', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 11500, 11500, 0, 3, 2, 0, 2, 0, 'reported', 'completed', 'stop', 'chatcmpl-51b51ce572213bbeb81763ac7df01', 1, 1, NULL, '2026-11-30 03:10:22.812+00', 12, '2026-11-30 03:10:22.817+00', 13),
	('gen-01a22a6e-a073-744a-817e-a474a209c54d', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 15500, 15500, 0, 3, 2, 0, 3, 0, 'reported', 'completed', 'stop', 'chatcmpl-4fbf2dfe4e6e547b1255bef678f16', 1, 1, NULL, '2026-11-30 03:10:22.849+00', 14, '2026-11-30 03:10:22.866+00', 15),
	('gen-01a22a6e-a0a0-705c-bbbf-058c3033e40e', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 19500, 19500, 0, 3, 2, 0, 4, 0, 'reported', 'completed', 'stop', 'chatcmpl-e9112109ea18df7e6abb52e35bfa8', 1, 1, NULL, '2026-11-30 03:10:22.882+00', 16, '2026-11-30 03:10:22.898+00', 17),
	('gen-01a22a6e-a0c2-74f9-813e-57af7f324503', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 23500, 23500, 0, 3, 2, 0, 5, 0, 'reported', 'completed', 'stop', 'chatcmpl-55ce4901316900f6598a8df49496d', 2, 3, NULL, '2026-11-30 03:10:22.924+00', 18, '2026-11-30 03:10:22.933+00', 19),
	('gen-01a22a6e-a0e0-7015-90e6-0aea3ffbe94a', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 27500, 27500, 0, 3, 2, 0, 6, 0, 'reported', 'completed', 'stop', 'chatcmpl-bf3be437b1e77537d7e621bab5e69', 3, 3, NULL, '2026-11-30 03:10:22.947+00', 20, '2026-11-30 03:10:22.957+00', 21),
	('gen-01a22a6e-a0fa-71e6-82dc-9042be7bf520', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 31500, 31500, 0, 3, 2, 0, 7, 0, 'reported', 'completed', 'stop', 'chatcmpl-2371582cc7a6ab0073b57a5f18527', 1, 1, NULL, '2026-11-30 03:10:22.974+00', 22, '2026-11-30 03:10:22.994+00', 23),
	('gen-01a22a6e-a11c-7601-b373-4a91ba634bae', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 35500, 35500, 0, 3, 2, 0, 8, 0, 'reported', 'completed', 'stop', 'chatcmpl-a2b6f659ceddb9048444102d71346', 2, 2, NULL, '2026-11-30 03:10:23.008+00', 24, '2026-11-30 03:10:23.015+00', 25),
	('gen-01a22a6e-a12e-74e1-83f3-96560e8d1efc', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 571250, 39500, 39500, 0, 3, 2, 0, 9, 0, 'reported', 'completed', 'stop', 'chatcmpl-f42c3b762161c214f0ad04f2874c7', 3, 3, NULL, '2026-11-30 03:10:23.026+00', 26, '2026-11-30 03:10:23.071+00', 27),
	('gen-01a22a6e-a16a-774d-a09a-f5d36dc3546e', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 43500, 43500, 0, 3, 2, 0, 10, 0, 'reported', 'completed', 'stop', 'chatcmpl-f02b6106356c5e09602658ae92f2f', 1, 1, NULL, '2026-11-30 03:10:23.084+00', 28, '2026-11-30 03:10:23.091+00', 29),
	('gen-01a22a6e-a179-7354-87a3-7146fcfb7f69', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 47500, 47500, 0, 3, 2, 0, 11, 0, 'reported', 'completed', 'stop', 'chatcmpl-38597b562e15b31255ac3c0c1f7b7', 1, 1, NULL, '2026-11-30 03:10:23.099+00', 30, '2026-11-30 03:10:23.103+00', 31),
	('gen-01a22a6e-a185-76f1-9d62-6f4380e567ba', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 51500, 51500, 0, 3, 2, 0, 12, 0, 'reported', 'completed', 'stop', 'chatcmpl-ef5be1fd92341980f2be42ee5c3b9', 0, 0, NULL, '2026-11-30 03:10:23.111+00', 32, '2026-11-30 03:10:23.114+00', 33),
	('gen-01a22a6e-a190-741e-8186-29ed77deadfe', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 55500, 55500, 0, 3, 2, 0, 13, 0, 'reported', 'completed', 'stop', 'chatcmpl-7cc948af6830a91e064b369e9eb7d', 1, 1, NULL, '2026-11-30 03:10:23.122+00', 34, '2026-11-30 03:10:23.128+00', 35),
	('gen-01a22a6e-a19d-76e7-888c-c9f3a9ff2776', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 59500, 59500, 0, 3, 2, 0, 14, 0, 'reported', 'completed', 'stop', 'chatcmpl-6b0f73857e8d10799a3b4c7d62608', 1, 1, NULL, '2026-11-30 03:10:23.135+00', 36, '2026-11-30 03:10:23.139+00', 37),
	('gen-01a22a6e-a1a9-73a5-9eb2-cb620a848d42', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 63500, 63500, 0, 3, 2, 0, 15, 0, 'reported', 'completed', 'stop', 'chatcmpl-bf543612b00c24969190fc85dd2ff', 1, 1, NULL, '2026-11-30 03:10:23.146+00', 38, '2026-11-30 03:10:23.151+00', 39),
	('gen-01a22a6e-a1b4-73e3-b105-20af31e378e6', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 67500, 67500, 0, 3, 2, 0, 16, 0, 'reported', 'completed', 'stop', 'chatcmpl-141dee37caf0941cbcf2249fe94b8', 1, 1, NULL, '2026-11-30 03:10:23.157+00', 40, '2026-11-30 03:10:23.165+00', 41),
	('gen-01a22a6e-a1c3-75cc-b97f-2dbc5427c234', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 71500, 71500, 0, 3, 2, 0, 17, 0, 'reported', 'completed', 'stop', 'chatcmpl-f8d360ef501efcc65192cadab88b6', 0, 0, NULL, '2026-11-30 03:10:23.173+00', 42, '2026-11-30 03:10:23.176+00', 43),
	('gen-01a22a6e-a1ce-74f8-ae0b-1696aa0f3b82', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 75500, 75500, 0, 3, 2, 0, 18, 0, 'reported', 'completed', 'stop', 'chatcmpl-6988ed9300d47cdf6840e7b1c8e38', 1, 1, NULL, '2026-11-30 03:10:23.183+00', 44, '2026-11-30 03:10:23.187+00', 45),
	('gen-01a22a6e-a1da-7627-9ea7-7eaf1515cd6c', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 79500, 79500, 0, 3, 2, 0, 19, 0, 'reported', 'completed', 'stop', 'chatcmpl-041c398a9bc52af3421ff11579788', 0, 1, NULL, '2026-11-30 03:10:23.196+00', 46, '2026-11-30 03:10:23.2+00', 47),
	('gen-01a22a6e-a1e6-71e6-b83f-6d4a224013ad', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 83500, 83500, 0, 3, 2, 0, 20, 0, 'reported', 'completed', 'stop', 'chatcmpl-2fe8fa5f50bb97bbc4ef5af7d7162', 1, 1, NULL, '2026-11-30 03:10:23.207+00', 48, '2026-11-30 03:10:23.211+00', 49),
	('gen-01a22a6e-a1f1-735a-b702-ed7deae02d08', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 87500, 87500, 0, 3, 2, 0, 21, 0, 'reported', 'completed', 'stop', 'chatcmpl-a8f2d5a128842d75924fceabb45ec', 0, 1, NULL, '2026-11-30 03:10:23.218+00', 50, '2026-11-30 03:10:23.23+00', 51),
	('gen-01a22a6e-a205-76f8-af06-a63e5c3b70f3', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 91500, 91500, 0, 3, 2, 0, 22, 0, 'reported', 'completed', 'stop', 'chatcmpl-6c77b996e064e905d8344edd0db03', 0, 1, NULL, '2026-11-30 03:10:23.239+00', 52, '2026-11-30 03:10:23.242+00', 53),
	('gen-01a22a6e-a20f-72e5-8d09-dda8aa1a8783', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 95500, 95500, 0, 3, 2, 0, 23, 0, 'reported', 'completed', 'stop', 'chatcmpl-c75a9977bb0b1c41fa76a7fed34a2', 0, 1, NULL, '2026-11-30 03:10:23.249+00', 54, '2026-11-30 03:10:23.252+00', 55),
	('gen-01a22a6e-a21a-7152-a0c3-743054b1c906', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 99500, 99500, 0, 3, 2, 0, 24, 0, 'reported', 'completed', 'stop', 'chatcmpl-232910b58741bd2f11c90000e4615', 0, 1, NULL, '2026-11-30 03:10:23.26+00', 56, '2026-11-30 03:10:23.266+00', 57),
	('gen-01a22a6e-a227-714c-b720-a93e4d5e75bc', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 103500, 103500, 0, 3, 2, 0, 25, 0, 'reported', 'completed', 'stop', 'chatcmpl-ae165aa4ea537f6e779a3a9d024a0', 0, 1, NULL, '2026-11-30 03:10:23.273+00', 58, '2026-11-30 03:10:23.277+00', 59),
	('gen-01a22a6e-a232-74c3-af23-8789ffbd44dc', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 107500, 107500, 0, 3, 2, 0, 26, 0, 'reported', 'completed', 'stop', 'chatcmpl-09900362ef241c786426a833d43c2', 0, 0, NULL, '2026-11-30 03:10:23.285+00', 60, '2026-11-30 03:10:23.288+00', 61),
	('gen-01a22a6e-a23d-70cb-8de4-901538467b91', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 111500, 111500, 0, 3, 2, 0, 27, 0, 'reported', 'completed', 'stop', 'chatcmpl-3e655732707ba133936b559d24024', 0, 1, NULL, '2026-11-30 03:10:23.294+00', 62, '2026-11-30 03:10:23.297+00', 63),
	('gen-01a22a6e-a24d-7525-bb52-e2600235662f', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 115500, 115500, 0, 3, 2, 0, 28, 0, 'reported', 'completed', 'stop', 'chatcmpl-77b065c05843b69420d4baff22a5c', 0, 1, NULL, '2026-11-30 03:10:23.31+00', 64, '2026-11-30 03:10:23.316+00', 65),
	('gen-01a22a6e-a259-718a-b9fb-d9a9055c26cf', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 119500, 119500, 0, 3, 2, 0, 29, 0, 'reported', 'completed', 'stop', 'chatcmpl-25cfc89e6df3c5615dc5d232361e3', 0, 0, NULL, '2026-11-30 03:10:23.323+00', 66, '2026-11-30 03:10:23.326+00', 67),
	('gen-01a22a6e-a263-7598-81ad-8b9102d39211', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 572500, 123500, 123500, 0, 3, 2, 0, 30, 0, 'reported', 'completed', 'stop', 'chatcmpl-a0e93d8ab535d461c5a3492479900', 0, 0, NULL, '2026-11-30 03:10:23.332+00', 68, '2026-11-30 03:10:23.335+00', 69),
	('gen-01a22a6e-a99c-73ea-b716-c09fe3d10d10', 'acc_3db599b0165e0eb2186ca7d5', 'key_85b6cf14f3684d02795000fa', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'released', 545000, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'upstream_refused: status 500', '2026-11-30 03:10:25.186+00', 74, '2026-11-30 03:10:25.191+00', 75),
	('gen-01a22a6e-a9b3-73df-b92a-b88d08753280', 'acc_3db599b0165e0eb2186ca7d5', 'key_85b6cf14f3684d02795000fa', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 555000, 109000, 109000, 0, 5, 0, 0, 16, 10, 'reported', 'completed', 'stop', 'chatcmpl-061516808998d2fc849e8998f1c93', 1, 1, NULL, '2026-11-30 03:10:25.205+00', 76, '2026-11-30 03:10:25.209+00', 77),
	('gen-01a22a6e-a9bf-72f0-9d76-e3ab7293db1f', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 150000, 44000, 44000, 0, 4, 0, 0, 10, 0, 'reported', 'completed', 'length', 'chatcmpl-30919e74ed15706cd07d09fa68393', 1, 1, NULL, '2026-11-30 03:10:25.219+00', 78, '2026-11-30 03:10:25.222+00', 79),
	('gen-01a22a6e-a9ca-70dc-855a-6c712644c194', 'acc_3db599b0165e0eb2186ca7d5', 'key_5f0427464b52ab31678d7e6c', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-embedding', 1, '/embeddings', 'simulated', false, 'settled', 4700, 200, 200, 0, 2, 0, 0, 0, 0, 'reported', 'completed', NULL, NULL, 2, 2, NULL, '2026-11-30 03:10:25.228+00', 80, '2026-11-30 03:10:25.232+00', 81),
	('gen-01a22a6e-a9fb-7563-a75d-32f140c8e556', 'acc_9dd499785da95f4300f7fe6d', 'key_d7397dfbc8c8c2df13ae20ef', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 550000, 33000, 33000, 0, 5, 0, 0, 7, 0, 'reported', 'completed', 'stop', 'chatcmpl-3270ed87ae786b0203e52dd3c72f0', 0, 1, NULL, '2026-11-30 03:10:25.277+00', 4, '2026-11-30 03:10:25.28+00', 5),
	('gen-01a22a6e-aa35-739a-b442-fcff78fc962c', 'acc_7a1e04b31e858a346a198428', 'key_21362041f07f1ff63a62522e', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'settled', 550000, 25000, 25000, 0, 5, 0, 0, 5, 0, 'reported', 'completed', 'stop', 'chatcmpl-a74246e7056541663e39765fcdb66', 0, 0, NULL, '2026-11-30 03:10:25.335+00', 4, '2026-11-30 03:10:25.34+00', 5),
	('gen-01a22a6e-aa45-750d-a90c-58facec01a94', 'acc_7a1e04b31e858a346a198428', 'key_21362041f07f1ff63a62522e', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', true, 'open', 591250, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 03:10:25.351+00', 6, NULL, NULL),
	('gen-01a22a6e-aa49-7128-a2f1-db2516271593', 'acc_7a1e04b31e858a346a198428', 'key_21362041f07f1ff63a62522e', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', false, 'open', 553750, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 03:10:25.356+00', 7, NULL, NULL),
	('gen-01a22a6e-a26f-745a-bbae-e2f47ce56bd0', 'acc_3db599b0165e0eb2186ca7d5', 'key_85b6cf14f3684d02795000fa', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', true, 'settled', 618750, 165000, 165000, 0, 5, 0, 0, 40, 0, 'reported', 'completed', 'stop', 'chatcmpl-d0d8ff8b3edf5909fd717b07704b2', 3, 11, NULL, '2026-11-30 03:10:23.348+00', 70, '2026-11-30 03:10:23.366+00', 71),
	('gen-01a22a6e-a296-7150-954c-5b4a62ef03d2', 'acc_3db599b0165e0eb2186ca7d5', 'key_85b6cf14f3684d02795000fa', '01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', 'simulated-chat', 1, '/chat/completions', 'simulated', true, 'settled', 588750, 81000, 81000, 0, 1, 0, 0, 20, 0, 'metered', 'upstream_broke', NULL, 'chatcmpl-51b3303b48ae1c5c79cb9b21d7c87', 3, 1781, NULL, '2026-11-30 03:10:23.384+00', 72, '2026-11-30 03:10:25.171+00', 73);


--
-- Data for Name: data_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.data_keys VALUES
	('acc_demo', '\x8efa3ab9acd4e469c49910e56ca6e47fa645ec6166bca2bc6ec4ee7867ea717f5221f4827621b302ee504db48dd42ea0adcc4f95b787dc8c3c1781f7', '1', '2026-11-30 03:10:22.142158+00'),
	('acc_3db599b0165e0eb2186ca7d5', '\x1e616fbc7568fa594318c53063332b9d02aeb2febae9ffd000345475f6b8036382aa48f900ca98707eec2f1308b245172be5233285766cfa978768bc', '1', '2026-11-30 03:10:22.436353+00'),
	('acc_9dd499785da95f4300f7fe6d', '\x5de374123eeaea8dacc22cbf047078dbffe671d02fb435667db4010178e30eac9f5f7f090baaa3d1e3bc5d1656ec428fd14c8a39487ef427a35824ba', '1', '2026-11-30 03:10:25.238156+00'),
	('acc_7a1e04b31e858a346a198428', '\xce4a953717b462c9070cc8dd957bf060892d3771208f7a324c82831e559739829dae6d89fed7aed5b29e89b5664f7e9b852e818ea041cdb1576b111d', '1', '2026-11-30 03:10:25.295453+00');


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES
	(1, 'terms', 0, '01a22a6e-9aa2-84e1-a424-4c9ecba84d58', 'TermsPublished', 1, '{"version":"2026-11-24","sha256":"67e5316be4211a9519c9050d53da7c49d89b3861a1977323b192c8d05ef8bf40"}', '{"actor":"system:start","commandId":"01a22a6e-9aa2-72fd-bcaa-12eba651fcd0"}', '2026-11-30 03:10:21.434+00', '\xdf0e2a0c4817f6ea401571ba35f83e2559aef96959beda2081782ebba74d235d'),
	(2, 'prices', 0, '01a22a6e-9b15-80b5-8266-78662af62403', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.461Z","entry":{"model":"gpt-4o","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-4o","contextTokens":128000,"maxOutputTokens":16384,"rates":{"input":"2500000","cachedInput":"1250000","cacheWrite":"2500000","output":"10000000","reasoning":"10000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b15-77a4-8eab-c2ad89f12a89"}', '2026-11-30 03:10:21.47+00', '\xa79eb5bc765e665b5729a26254e98652db82726869c8acb031b0414709149ce0'),
	(3, 'prices', 1, '01a22a6e-9b20-8686-9ae3-9bee3903bc0e', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.472Z","entry":{"model":"gpt-4o-mini","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-4o-mini","contextTokens":128000,"maxOutputTokens":16384,"rates":{"input":"150000","cachedInput":"75000","cacheWrite":"150000","output":"600000","reasoning":"600000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b20-768e-8c69-f1c4b2193a26"}', '2026-11-30 03:10:21.476+00', '\x5acb751636797a5e7ea6eba0d394580c03df862ab6225b648e4607aad4ffaccf'),
	(4, 'prices', 2, '01a22a6e-9b27-8a41-adc9-a23603e42f64', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.479Z","entry":{"model":"gpt-4.1","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-4.1","contextTokens":1047576,"maxOutputTokens":32768,"rates":{"input":"2000000","cachedInput":"500000","cacheWrite":"2000000","output":"8000000","reasoning":"8000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b27-7250-b656-8f0d63c738a0"}', '2026-11-30 03:10:21.48+00', '\x889db2c09bda307306a0753724728b5963fd0abc26d667ad9fd4856462d822f5'),
	(5, 'prices', 3, '01a22a6e-9b2b-85f7-93bf-f091c4cfc018', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.483Z","entry":{"model":"gpt-4.1-mini","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-4.1-mini","contextTokens":1047576,"maxOutputTokens":32768,"rates":{"input":"400000","cachedInput":"100000","cacheWrite":"400000","output":"1600000","reasoning":"1600000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b2b-73cb-884a-e4440e0694f1"}', '2026-11-30 03:10:21.485+00', '\x1a396e4e14c2f36d6b96ea80111040599a600d6e73761c6f4bb0ecdc89284ff5'),
	(6, 'prices', 4, '01a22a6e-9b2f-86c4-9501-71c504a32250', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.487Z","entry":{"model":"gpt-5","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"1250000","cachedInput":"125000","cacheWrite":"1250000","output":"10000000","reasoning":"10000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b2f-77b5-8b70-ede6bb6f9564"}', '2026-11-30 03:10:21.489+00', '\x6aef80ce4c9673f777a7e2901fc755bf7709e1f7f8086d1e1c77a2ef4f0e60db'),
	(7, 'prices', 5, '01a22a6e-9b32-8108-8038-8f965bfbad35', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.490Z","entry":{"model":"gpt-5-mini","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5-mini","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"250000","cachedInput":"25000","cacheWrite":"250000","output":"2000000","reasoning":"2000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b32-76f4-b27e-85bb196555c8"}', '2026-11-30 03:10:21.492+00', '\xa3010cee3ee4416837a2b0b5ae7331c5bfcfe96bd2ea4abf8141757637e0a52b'),
	(8, 'prices', 6, '01a22a6e-9b35-8c5c-8505-4be23d99d4fc', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.493Z","entry":{"model":"gpt-5-nano","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5-nano","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"50000","cachedInput":"5000","cacheWrite":"50000","output":"400000","reasoning":"400000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b35-722b-bf8e-42a2075d4942"}', '2026-11-30 03:10:21.494+00', '\x7bbd0313a2b21822e3f52c34a2073ec0c12515bfaf48ab8b4af7c002e254f35d'),
	(9, 'prices', 7, '01a22a6e-9b38-8688-8eef-8cad065bd319', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.496Z","entry":{"model":"gpt-5.1","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5.1","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"1250000","cachedInput":"125000","cacheWrite":"1250000","output":"10000000","reasoning":"10000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b38-7010-bf83-6f5deeac39c8"}', '2026-11-30 03:10:21.497+00', '\xc4bc0b4ed07ea39572ff81fc8ff06f0840fd53f4471c03d64da1b0e246ffcb40'),
	(10, 'prices', 8, '01a22a6e-9b3b-8413-822c-b0e5a984f425', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.499Z","entry":{"model":"gpt-5.4-mini","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5.4-mini","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"750000","cachedInput":"75000","cacheWrite":"750000","output":"4500000","reasoning":"4500000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b3b-7139-9572-3b8f27bea33a"}', '2026-11-30 03:10:21.5+00', '\xadf00a6ae0dad53fec296a6306e3a38237caa008c63958c0a3b76cf7eabc221a'),
	(11, 'prices', 9, '01a22a6e-9b3d-800a-b264-e7bf3354ea17', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.501Z","entry":{"model":"gpt-5.4-nano","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-5.4-nano","contextTokens":400000,"maxOutputTokens":128000,"rates":{"input":"200000","cachedInput":"20000","cacheWrite":"200000","output":"1250000","reasoning":"1250000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b3d-769a-9b76-147f654bcada"}', '2026-11-30 03:10:21.503+00', '\x264318938f8fe33fc838e33c0d19fab219c7a06ddba828a312ccaf0d0b4b0c23'),
	(12, 'prices', 10, '01a22a6e-9b41-8fa7-9025-883218a150b4', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.505Z","entry":{"model":"gpt-6-luna","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"gpt-6-luna","contextTokens":272000,"maxOutputTokens":128000,"rates":{"input":"100000","cachedInput":"10000","cacheWrite":"125000","output":"500000","reasoning":"500000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b41-7250-9996-6ede0b83a828"}', '2026-11-30 03:10:21.506+00', '\xf93256e67a201e3a3df268c9712f710296ab31fa14b3505aaf73f46a152ea3d8'),
	(13, 'prices', 11, '01a22a6e-9b44-8d2b-847f-a60e331ce168', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.507Z","entry":{"model":"o3","kind":"chat","ownedBy":"openai","upstream":"openai","upstreamModel":"o3","contextTokens":200000,"maxOutputTokens":100000,"rates":{"input":"2000000","cachedInput":"500000","cacheWrite":"2000000","output":"8000000","reasoning":"8000000"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b44-76ee-9541-17024f5fe5e3"}', '2026-11-30 03:10:21.508+00', '\x631b9de518712207995199582a0262bae1c4b86e8a5a49d7efb8d74594264365'),
	(14, 'prices', 12, '01a22a6e-9b46-838f-b851-c5264748491b', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.510Z","entry":{"model":"text-embedding-3-small","kind":"embedding","ownedBy":"openai","upstream":"openai","upstreamModel":"text-embedding-3-small","contextTokens":8192,"maxOutputTokens":0,"rates":{"input":"20000","cachedInput":"20000","cacheWrite":"20000","output":"0","reasoning":"0"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-08-21"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b46-7042-9371-05a892b67b19"}', '2026-11-30 03:10:21.511+00', '\xbe3ecded69f6e2f3457cdeca0ca14b1931074f9334493756439f17d45b525ed8'),
	(15, 'prices', 13, '01a22a6e-9b4a-8fe1-9ca4-432daa7e016b', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.514Z","entry":{"model":"text-embedding-3-large","kind":"embedding","ownedBy":"openai","upstream":"openai","upstreamModel":"text-embedding-3-large","contextTokens":8192,"maxOutputTokens":0,"rates":{"input":"130000","cachedInput":"130000","cacheWrite":"130000","output":"0","reasoning":"0"},"source":"https://developers.openai.com/api/docs/pricing","asOf":"2026-08-21"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b4a-7658-9d07-56f6409042b7"}', '2026-11-30 03:10:21.515+00', '\x970b92691e8a85dda9b2c87b8fb187ad6fbf7e45e61422eb956484f340135aba'),
	(16, 'prices', 14, '01a22a6e-9b4e-84fe-8514-ecde99337376', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.518Z","entry":{"model":"claude-opus-5-5","kind":"chat","ownedBy":"anthropic","upstream":"anthropic","upstreamModel":"claude-opus-5-5","contextTokens":1000000,"maxOutputTokens":128000,"rates":{"input":"4000000","cachedInput":"200000","cacheWrite":"5000000","output":"20000000","reasoning":"20000000"},"source":"https://platform.claude.com/docs/en/about-claude/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b4e-71f2-aaf5-4d2e556a6ebe"}', '2026-11-30 03:10:21.519+00', '\xef11dae592c817275cc5fd04d270299f0dfc045506e0df666247b3f21cbfe84f'),
	(17, 'prices', 15, '01a22a6e-9b51-8fa1-b4ea-51605ec1e3d2', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.521Z","entry":{"model":"claude-sonnet-5-5","kind":"chat","ownedBy":"anthropic","upstream":"anthropic","upstreamModel":"claude-sonnet-5-5","contextTokens":1000000,"maxOutputTokens":128000,"rates":{"input":"2000000","cachedInput":"100000","cacheWrite":"2500000","output":"10000000","reasoning":"10000000"},"source":"https://platform.claude.com/docs/en/about-claude/pricing","asOf":"2026-10-24"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b51-7390-a0d1-977602ba3848"}', '2026-11-30 03:10:21.522+00', '\x9bb3ea5a4a40660e581c59819909683bd677638e4fa006528f2eb87d26702a30'),
	(18, 'prices', 16, '01a22a6e-9b54-8b75-95d6-a4718501cf6b', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.524Z","entry":{"model":"claude-sonnet-4-6","kind":"chat","ownedBy":"anthropic","upstream":"anthropic","upstreamModel":"claude-sonnet-4-6","contextTokens":1000000,"maxOutputTokens":64000,"rates":{"input":"3000000","cachedInput":"300000","cacheWrite":"3750000","output":"15000000","reasoning":"15000000"},"source":"https://platform.claude.com/docs/en/about-claude/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b54-76ca-b7e9-25e568be6425"}', '2026-11-30 03:10:21.525+00', '\x8528cee03004c81e518fa84c01d42f61c8e1c9fc0a3239e86e22814e2a86528b'),
	(19, 'prices', 17, '01a22a6e-9b57-8e93-a69d-5075e2453702', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.527Z","entry":{"model":"claude-haiku-4-5","kind":"chat","ownedBy":"anthropic","upstream":"anthropic","upstreamModel":"claude-haiku-4-5","contextTokens":200000,"maxOutputTokens":64000,"rates":{"input":"1000000","cachedInput":"100000","cacheWrite":"1250000","output":"5000000","reasoning":"5000000"},"source":"https://platform.claude.com/docs/en/about-claude/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b57-75ed-8317-7de66c05c2d2"}', '2026-11-30 03:10:21.529+00', '\xba7c7b580dcb368bdf0539d90f928a1c3b3de0c0e78d6e6880f95cda1cb92464'),
	(20, 'prices', 18, '01a22a6e-9b5a-87d2-b8b3-e02912e69bf7', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.530Z","entry":{"model":"gemini-2.5-pro","kind":"chat","ownedBy":"google","upstream":"gemini","upstreamModel":"gemini-2.5-pro","contextTokens":200000,"maxOutputTokens":65536,"rates":{"input":"1250000","cachedInput":"125000","cacheWrite":"1250000","output":"10000000","reasoning":"10000000"},"source":"https://ai.google.dev/gemini-api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b5a-760a-95e7-445af01f24c2"}', '2026-11-30 03:10:21.531+00', '\x17520033663532fd6b8d69eb30d87f95a04f76143d9ef2de8dc23a59010b732c'),
	(21, 'prices', 19, '01a22a6e-9b5d-8dec-96d4-21aac4c9b4d4', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.533Z","entry":{"model":"gemini-2.5-flash","kind":"chat","ownedBy":"google","upstream":"gemini","upstreamModel":"gemini-2.5-flash","contextTokens":1048576,"maxOutputTokens":65536,"rates":{"input":"300000","cachedInput":"30000","cacheWrite":"300000","output":"2500000","reasoning":"2500000"},"source":"https://ai.google.dev/gemini-api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b5d-718d-807a-3a6e46c36a03"}', '2026-11-30 03:10:21.533+00', '\xa42770a7531ae2f6ee4628083a6c459c8f01e02d5f40562320a44a83003401a6'),
	(22, 'prices', 20, '01a22a6e-9b60-8f70-8500-aafa1f0f9f2e', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.536Z","entry":{"model":"gemini-2.5-flash-lite","kind":"chat","ownedBy":"google","upstream":"gemini","upstreamModel":"gemini-2.5-flash-lite","contextTokens":1048576,"maxOutputTokens":65536,"rates":{"input":"100000","cachedInput":"10000","cacheWrite":"100000","output":"400000","reasoning":"400000"},"source":"https://ai.google.dev/gemini-api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b60-764b-be15-65036ad5d98a"}', '2026-11-30 03:10:21.537+00', '\xad95868aa809f71585c8154621611c367914742e7a6042e52caa78dfab57db28'),
	(23, 'prices', 21, '01a22a6e-9b62-8c3e-ba9d-6d6169cf7d2e', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.538Z","entry":{"model":"gemini-3.5-flash-lite","kind":"chat","ownedBy":"google","upstream":"gemini","upstreamModel":"gemini-3.5-flash-lite","contextTokens":1048576,"maxOutputTokens":65536,"rates":{"input":"300000","cachedInput":"30000","cacheWrite":"300000","output":"2500000","reasoning":"2500000"},"source":"https://ai.google.dev/gemini-api/docs/pricing","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b62-751b-9933-20113c58a484"}', '2026-11-30 03:10:21.539+00', '\xac225504a3dcd7b9477f72ca69fa1ccf3d1fc74c043a1b6e26509373c9342949'),
	(24, 'prices', 22, '01a22a6e-9b65-8c89-b895-6a7c95ed305a', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.541Z","entry":{"model":"deepseek-flash","kind":"chat","ownedBy":"deepseek","upstream":"deepseek","upstreamModel":"deepseek-flash","contextTokens":1000000,"maxOutputTokens":384000,"rates":{"input":"300000","cachedInput":"6000","cacheWrite":"300000","output":"1200000","reasoning":"1200000"},"source":"https://api-docs.deepseek.com/quick_start/pricing","asOf":"2026-10-27"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b65-711a-8388-d190c0a9f20e"}', '2026-11-30 03:10:21.541+00', '\x9c44048aa88fea450f6f7b222145eec1e7376285faba56f0f450cd3cc2fb4f28'),
	(25, 'prices', 23, '01a22a6e-9b67-8d46-8070-fbbaa293c76c', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.543Z","entry":{"model":"deepseek-v4-pro","kind":"chat","ownedBy":"deepseek","upstream":"deepseek","upstreamModel":"deepseek-v4-pro","contextTokens":1000000,"maxOutputTokens":384000,"rates":{"input":"1320000","cachedInput":"44000","cacheWrite":"1320000","output":"3960000","reasoning":"3960000"},"source":"https://api-docs.deepseek.com/quick_start/pricing","asOf":"2026-10-27"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b67-72f8-b957-dc976f92bf61"}', '2026-11-30 03:10:21.544+00', '\x0c6047fd3c3463a6a58280e67f6fa9029f705e1431e48a839c1477e6951e6f00'),
	(26, 'prices', 24, '01a22a6e-9b69-895d-92a4-25b2a0173cc7', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.545Z","entry":{"model":"grok-4.3","kind":"chat","ownedBy":"xai","upstream":"xai","upstreamModel":"grok-4.3","contextTokens":200000,"maxOutputTokens":200000,"rates":{"input":"1250000","cachedInput":"200000","cacheWrite":"1250000","output":"2500000","reasoning":"2500000"},"source":"https://docs.x.ai/developers/models","asOf":"2026-08-21"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b69-7455-ad7b-a0a9c82fa018"}', '2026-11-30 03:10:21.546+00', '\xc62c154fa06f197aa2d9229a3e25c553ea03da9ed5de3310f0e2f6fa2f9c51f0'),
	(27, 'prices', 25, '01a22a6e-9b6c-84d9-a3d4-d4327c6a2114', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.548Z","entry":{"model":"grok-4.7","kind":"chat","ownedBy":"xai","upstream":"xai","upstreamModel":"grok-4.7","contextTokens":200000,"maxOutputTokens":200000,"rates":{"input":"2000000","cachedInput":"500000","cacheWrite":"2000000","output":"6000000","reasoning":"6000000"},"source":"https://docs.x.ai/developers/models","asOf":"2026-09-29"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b6c-741c-8ee1-b39da5f8391d"}', '2026-11-30 03:10:21.549+00', '\xaf68ea84baa4fb97bb88f17b7c564deb2b27c8eba69a2c23de622c851cfe66a4'),
	(28, 'prices', 26, '01a22a6e-9b6f-87fa-86be-d4dd9d5cc01c', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.551Z","entry":{"model":"mistral-medium-2604","kind":"chat","ownedBy":"mistral","upstream":"mistral","upstreamModel":"mistral-medium-2604","contextTokens":256000,"maxOutputTokens":256000,"rates":{"input":"1500000","cachedInput":"150000","cacheWrite":"1500000","output":"7500000","reasoning":"7500000"},"source":"https://mistral.ai/pricing/api","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b6f-7281-9546-29fa7c93ea7a"}', '2026-11-30 03:10:21.553+00', '\xc69cdb01ec2413a2292e778d59479db491e2f98766d8358655dadbe181dbe4ef'),
	(29, 'prices', 27, '01a22a6e-9b73-8914-aab9-43bfa2dbb16a', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.555Z","entry":{"model":"mistral-small-2603","kind":"chat","ownedBy":"mistral","upstream":"mistral","upstreamModel":"mistral-small-2603","contextTokens":256000,"maxOutputTokens":256000,"rates":{"input":"150000","cachedInput":"15000","cacheWrite":"150000","output":"600000","reasoning":"600000"},"source":"https://mistral.ai/pricing/api","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b73-7296-bf25-714fde2f65ca"}', '2026-11-30 03:10:21.556+00', '\xfb490c2ca24c2afd9ad0cc7c9a2414c2ab1a9348a5b2d8f86271cd83aeed74a9'),
	(30, 'prices', 28, '01a22a6e-9b75-8793-ae44-ea2c58cacd8d', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.557Z","entry":{"model":"gpt-oss-120b","kind":"chat","ownedBy":"openai","upstream":"groq","upstreamModel":"openai/gpt-oss-120b","contextTokens":131072,"maxOutputTokens":65536,"rates":{"input":"150000","cachedInput":"75000","cacheWrite":"150000","output":"600000","reasoning":"600000"},"source":"https://console.groq.com/docs/models","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b75-73b2-875d-cc063c127020"}', '2026-11-30 03:10:21.558+00', '\xb3cfd581d15f79dfa4a13715fd6c179414238f6279d66c05829ea0aa559141da'),
	(31, 'prices', 29, '01a22a6e-9b77-8949-90c9-a9dd91ade0ac', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.559Z","entry":{"model":"gpt-oss-20b","kind":"chat","ownedBy":"openai","upstream":"groq","upstreamModel":"openai/gpt-oss-20b","contextTokens":131072,"maxOutputTokens":65536,"rates":{"input":"75000","cachedInput":"37500","cacheWrite":"75000","output":"300000","reasoning":"300000"},"source":"https://console.groq.com/docs/models","asOf":"2026-10-03"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b77-702e-af3b-ab7cb7d30220"}', '2026-11-30 03:10:21.56+00', '\x8cd978956229e151a39702533df78728a8a8d559dc181aedf96068a9da5d74b8'),
	(32, 'prices', 30, '01a22a6e-9b79-8a9f-9279-655a86e1338f', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.561Z","entry":{"model":"simulated-chat","kind":"chat","ownedBy":"kissapi-simulated","upstream":"simulated","upstreamModel":"simulated-chat","contextTokens":128000,"maxOutputTokens":16384,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"},"source":"simulated: no provider stands behind it","asOf":"2026-11-24"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b79-760d-9b55-302aa901ab75"}', '2026-11-30 03:10:21.562+00', '\x48586f5cb16a8010593ca25c5767e9caebe366d8dcce3e49f96eeeba67079229'),
	(33, 'prices', 31, '01a22a6e-9b7b-80ef-a719-c4b147616dd0', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.563Z","entry":{"model":"simulated-completion","kind":"completion","ownedBy":"kissapi-simulated","upstream":"simulated","upstreamModel":"simulated-completion","contextTokens":128000,"maxOutputTokens":16384,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"},"source":"simulated: no provider stands behind it","asOf":"2026-11-24"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b7b-7425-a875-83c2e7069f53"}', '2026-11-30 03:10:21.564+00', '\x8d2b9fe82c851f81a4bc32c7d6e26a343215a7ca31cec73f9158eaab3aac30b0'),
	(34, 'prices', 32, '01a22a6e-9b7d-869e-8c21-0c9d341f160f', 'PriceListed', 1, '{"version":1,"effectiveFrom":"2026-11-30T03:10:21.565Z","entry":{"model":"simulated-embedding","kind":"embedding","ownedBy":"kissapi-simulated","upstream":"simulated","upstreamModel":"simulated-embedding","contextTokens":8192,"maxOutputTokens":0,"rates":{"input":"100000","cachedInput":"100000","cacheWrite":"100000","output":"0","reasoning":"0"},"source":"simulated: no provider stands behind it","asOf":"2026-11-24"}}', '{"actor":"system:catalogue","commandId":"01a22a6e-9b7d-71a2-9d38-b87a0d1cb726"}', '2026-11-30 03:10:21.566+00', '\xef8328ebbe125c3cbad0719364cbfea24544496c8cf1a6b3432a9521bb347bcf'),
	(35, 'account-acc_demo', 0, '701b073e-fa1f-864a-9f9d-caaefe34bca0', 'AccountRegistered', 2, '{"holder":"person","personal":"v1.KmakB2ZOxv82gQ25L7iTGwexUEQkOeg2_pVcz2j2pRTUF1bYYFavzcWtjXa91Fotanh1NrcQJO-uk38R2NMfQrmkhxYrjw"}', '{"actor":"system:demo","commandId":"demo/register"}', '2026-11-30 03:10:22.163+00', '\xc22b4028972c15620e258db1b1b642b21759d4c4c32681a2fc3208b5203f40bf'),
	(36, 'account-acc_demo', 1, 'c55e625b-77b6-8290-8a31-fa68d5070859', 'TermsAccepted', 1, '{"version":"2026-11-24","how":"started the demo"}', '{"actor":"system:demo","commandId":"demo/terms/2026-11-24"}', '2026-11-30 03:10:22.176+00', '\x8af40bee8981c546668b7ed1d62da2c46ee06d0e2a62b1ed931f9347d2e6d304'),
	(37, 'account-acc_demo', 2, '365b0269-0c34-8b5d-bc17-f32b891e3631', 'CreditsToppedUp', 1, '{"lotId":"lot_demo","amount":"5000000000","source":{"kind":"grant","reason":"demo"}}', '{"actor":"system:demo","commandId":"demo/grant"}', '2026-11-30 03:10:22.19+00', '\xbf47ddd1d94f622c072259760befe0a0f9e0a625f916298e6185c3bf17924cdd'),
	(38, 'account-acc_demo', 3, '5693c046-c0da-8a11-86c4-890f0bcc1983', 'KeyIssued', 1, '{"keyId":"key_demo_1aaf8785c95a","name":"demo","hash":"1aaf8785c95a65bb3d4f91f9ccf692ab6b8a51c059e4d578008af198ec124afd","pepperId":"1","hint":"06bc"}', '{"actor":"system:demo","commandId":"demo/key/key_demo_1aaf8785c95a"}', '2026-11-30 03:10:22.211+00', '\x610bad7c7c58fab168f141ac2ded0dcb88843b37d552aa63cf09c2065b76778a'),
	(39, 'account-acc_3db599b0165e0eb2186ca7d5', 0, '01a22a6e-9edc-80fe-b977-88e4dbe3c29e', 'AccountRegistered', 2, '{"holder":"person","personal":"v1.v9HGOgdpexbGCZZIofpx74v59YHWbNLdT6SPZTX88ImfOyjIsNQxYByU1Vj_bXzuWJyrHvXKgGwNTmc0_rTX5TqPucs"}', '{"actor":"admin","commandId":"01a22a6e-9edc-7117-8fc4-d9df23a85902","correlationId":"req_01a22a6e-9ebc-73af-9353-2910ea1e511a"}', '2026-11-30 03:10:22.45+00', '\x6d5aa2d7c60c5bb1468bdf3c479abcf2e8d8c7ce8a48de1ff1fe89062e4d4b8b'),
	(40, 'account-acc_3db599b0165e0eb2186ca7d5', 1, '01a22a6e-9edc-8715-8887-d50ac01a207c', 'TermsAccepted', 1, '{"version":"2026-11-24","how":"told by the administrator through the management API"}', '{"actor":"admin","commandId":"01a22a6e-9edc-7117-8fc4-d9df23a85902/terms","correlationId":"req_01a22a6e-9ebc-73af-9353-2910ea1e511a"}', '2026-11-30 03:10:22.461+00', '\x4da5f4fff500f4b60133b32cae4eedf92056a1428dc0dd5906a0af827edcbcc9'),
	(41, 'account-acc_3db599b0165e0eb2186ca7d5', 2, '01a22a6e-9f24-8a56-809b-e439841b9e41', 'CreditsToppedUp', 1, '{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"5000000000","source":{"kind":"grant","reason":"Welcome"}}', '{"actor":"admin","commandId":"01a22a6e-9f24-70f2-928f-3a75b06a20ac","correlationId":"req_01a22a6e-9f21-75b8-abaa-15ad4ba4ebdc"}', '2026-11-30 03:10:22.502+00', '\x1b4f14dd537383c3942d5a6a8a02aeafd553c556d37cbf2f894f18fc586220a9'),
	(42, 'account-acc_3db599b0165e0eb2186ca7d5', 3, '01a22a6e-9f39-8a36-9e1d-a6cfcb958328', 'CreditsToppedUp', 1, '{"lotId":"lot_ec5c8af7621a492f31e1505d","amount":"2500000000","source":{"kind":"grant","reason":"Welcome"}}', '{"actor":"admin","commandId":"01a22a6e-9f39-757a-aae5-ef3b88864018","correlationId":"req_01a22a6e-9f38-71aa-8ef0-dcbe31bae422"}', '2026-11-30 03:10:22.526+00', '\xc8ff977f6d39a12d38a5aaaf61249a07e7ce53c85bb72281a171af378867ae3a'),
	(43, 'account-acc_3db599b0165e0eb2186ca7d5', 4, '01a22a6e-9f4d-8cd7-b0ac-20733de6ffaa', 'KeyIssued', 1, '{"keyId":"key_5f0427464b52ab31678d7e6c","name":"app","hash":"2e03a436e98b10848aa4b2dc08fd211b7563b301b1f3641c8e2ca9d150baa873","pepperId":"1","hint":"LQUa"}', '{"actor":"admin","commandId":"01a22a6e-9f4d-7137-94b1-2f4186e85c1c","correlationId":"req_01a22a6e-9f4c-7428-8c25-b31b5bc092ed"}', '2026-11-30 03:10:22.549+00', '\x0267532d309c522139ca1b85d4eb0176c7e70ab9c234b356271bffb3e91d4011'),
	(44, 'account-acc_3db599b0165e0eb2186ca7d5', 5, '01a22a6e-9f7c-8efa-831d-5db3928780de', 'KeyIssued', 1, '{"keyId":"key_85b6cf14f3684d02795000fa","name":"limited","hash":"56142e2542fd62afb09d307aa0715f5959befca4075818165021ce9e745f2b62","pepperId":"1","hint":"Iwly"}', '{"actor":"admin","commandId":"01a22a6e-9f7c-76d5-b2ac-2e7a43fdd9f2","correlationId":"req_01a22a6e-9f7b-7365-96e6-3c37962fc0fa"}', '2026-11-30 03:10:22.597+00', '\xa52250082b31366b3017a1cb7f2221eea4634f6072472f0ed865252ad47134c6'),
	(45, 'account-acc_3db599b0165e0eb2186ca7d5', 6, '01a22a6e-9f7c-8ae9-aed9-d978a840ed31', 'KeyLimitsSet', 1, '{"keyId":"key_85b6cf14f3684d02795000fa","limits":{"requestsPerMinute":600,"spending":{"day":"3000000000","total":"6000000000"},"models":["simulated-chat"],"expiresAt":"2099-01-01T00:00:00.000Z"}}', '{"actor":"admin","commandId":"01a22a6e-9f7c-76d5-b2ac-2e7a43fdd9f2","correlationId":"req_01a22a6e-9f7b-7365-96e6-3c37962fc0fa"}', '2026-11-30 03:10:22.597+00', '\x8a1620a890088b9d150e4d46bb4637ee0acdc33d1dc20df9874547197f9b951f'),
	(46, 'account-acc_3db599b0165e0eb2186ca7d5', 7, '01a22a6e-9fa7-8abd-a388-1c584036f8ab', 'KeyIssued', 1, '{"keyId":"key_2bc1721746fce29940ebc9f4","name":"revoked","hash":"7bac7a3a55437caa290e19a83f63b102c5021b014520ab1c8bcc8fa03ab9fd76","pepperId":"1","hint":"Mytw"}', '{"actor":"admin","commandId":"01a22a6e-9fa7-7145-8723-8e1404281ac7","correlationId":"req_01a22a6e-9fa4-772a-8101-67be06385dc3"}', '2026-11-30 03:10:22.633+00', '\xd66fcfcbe4e46639d416e09c5555fdb1dbfbca98a29587e6d8a861cb96142a74'),
	(47, 'account-acc_3db599b0165e0eb2186ca7d5', 8, '01a22a6e-9fc4-8f09-ac7d-9a529adbb7b5', 'KeyRevoked', 1, '{"keyId":"key_2bc1721746fce29940ebc9f4","reason":"revoked through the management API"}', '{"actor":"admin","commandId":"01a22a6e-9fc4-73e9-b9ef-b0e74ba9d01a","correlationId":"req_01a22a6e-9fc3-70f8-88b8-fc8c5aeaacf6"}', '2026-11-30 03:10:22.662+00', '\x587d406fd5862eafee0a228d2172b3186b5ba6e381528104818574ce4dfb4113'),
	(48, 'account-acc_3db599b0165e0eb2186ca7d5', 9, '01a22a6e-9fdf-8a28-933f-40a8e42553af', 'AccountLimitsSet', 1, '{"limits":{"tokensPerMinute":1000000,"concurrentRequests":50}}', '{"actor":"admin","commandId":"01a22a6e-9fdf-75e6-bc17-8138c5d8d2a5","correlationId":"req_01a22a6e-9fdd-77d8-9250-0a707b5efe68"}', '2026-11-30 03:10:22.692+00', '\x6b1a60320ed7e596e58d681ba62e6ace35b186bd0f6b01d87f487edc637da109'),
	(49, 'account-acc_3db599b0165e0eb2186ca7d5', 10, '01a22a6e-9ffd-8e2f-9f8c-fe0d04512f67', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-9ffd-7724-b5ae-c9a6be07d0ed","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222725}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-9ffd-7724-b5ae-c9a6be07d0ed/reserve"}', '2026-11-30 03:10:22.738+00', '\xbb4b90c0429c0d542c8a8d51b47878a13e609027e72a08509c9f100040f65e7f'),
	(50, 'account-acc_3db599b0165e0eb2186ca7d5', 11, '01a22a6e-9ffd-8ef8-9471-45cbc108e3d5', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-9ffd-7724-b5ae-c9a6be07d0ed","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":1,"reasoning":0},"cost":"7500","charged":"7500","held":"571250","released":"563750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"7500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-74b03442326ef58accc3f3967a739","firstByteMs":33,"totalMs":35,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-9ffd-7724-b5ae-c9a6be07d0ed/settle"}', '2026-11-30 03:10:22.79+00', '\x1c59faff492ac79978902a60c1acf7748997833405550608ade48db09731e62b'),
	(51, 'account-acc_3db599b0165e0eb2186ca7d5', 12, '01a22a6e-a059-8e44-b01a-2f1b0b7d5319', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a059-76f0-a53a-af4b9b8eea24","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222811}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a059-76f0-a53a-af4b9b8eea24/reserve"}', '2026-11-30 03:10:22.812+00', '\xa827e98799ab765b03b9c8c8ea0d033e5e6e460b2eacb1ba4c3c655bf4965484'),
	(52, 'account-acc_3db599b0165e0eb2186ca7d5', 13, '01a22a6e-a059-85d2-bc23-a0a2d99a0126', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a059-76f0-a53a-af4b9b8eea24","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":2,"reasoning":0},"cost":"11500","charged":"11500","held":"571250","released":"559750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"11500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-51b51ce572213bbeb81763ac7df01","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a059-76f0-a53a-af4b9b8eea24/settle"}', '2026-11-30 03:10:22.817+00', '\x8ea741a8641cd464232df45921f0f66618149839d4c2c9593ecf265debeb9c8c'),
	(53, 'account-acc_3db599b0165e0eb2186ca7d5', 14, '01a22a6e-a073-8693-8a87-698b54db90a4', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a073-744a-817e-a474a209c54d","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222836}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a073-744a-817e-a474a209c54d/reserve"}', '2026-11-30 03:10:22.849+00', '\x750dca42f58b6bc27890e7ad8fe57052b67072f82e2093f71b9da1a5b821e787'),
	(54, 'account-acc_3db599b0165e0eb2186ca7d5', 15, '01a22a6e-a073-8de2-aa65-7135f38fbc5b', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a073-744a-817e-a474a209c54d","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":3,"reasoning":0},"cost":"15500","charged":"15500","held":"571250","released":"555750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"15500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-4fbf2dfe4e6e547b1255bef678f16","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a073-744a-817e-a474a209c54d/settle"}', '2026-11-30 03:10:22.866+00', '\x835236c9749e6b3f397b282cea44743d59756c971aa0aaf513919f1e734f8b86'),
	(55, 'account-acc_3db599b0165e0eb2186ca7d5', 16, '01a22a6e-a0a0-85a9-8de3-bd874e0a4050', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a0a0-705c-bbbf-058c3033e40e","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222880}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0a0-705c-bbbf-058c3033e40e/reserve"}', '2026-11-30 03:10:22.882+00', '\xab1e2436fbde76dc9a4f6ffadc4d27beec88e7c77f6557980aadeb6461ed84d0'),
	(56, 'account-acc_3db599b0165e0eb2186ca7d5', 17, '01a22a6e-a0a0-8996-acc4-e2487495b28c', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a0a0-705c-bbbf-058c3033e40e","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":4,"reasoning":0},"cost":"19500","charged":"19500","held":"571250","released":"551750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"19500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-e9112109ea18df7e6abb52e35bfa8","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0a0-705c-bbbf-058c3033e40e/settle"}', '2026-11-30 03:10:22.898+00', '\x9de6dbbb39d69bd8a0ba514ae9434073696d70028fd0c3d9afc252b834512bed'),
	(57, 'account-acc_3db599b0165e0eb2186ca7d5', 18, '01a22a6e-a0c2-87ae-a830-a8aee4c531af', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a0c2-74f9-813e-57af7f324503","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222915}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0c2-74f9-813e-57af7f324503/reserve"}', '2026-11-30 03:10:22.924+00', '\x3bafd1f3fc65809bcf15c6b567e94692748652b8c8db1fff08067aa70349c25a'),
	(58, 'account-acc_3db599b0165e0eb2186ca7d5', 19, '01a22a6e-a0c2-8e6a-80e1-515407f0b930', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a0c2-74f9-813e-57af7f324503","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":5,"reasoning":0},"cost":"23500","charged":"23500","held":"571250","released":"547750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"23500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-55ce4901316900f6598a8df49496d","firstByteMs":2,"totalMs":3,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0c2-74f9-813e-57af7f324503/settle"}', '2026-11-30 03:10:22.933+00', '\x5726043a084066075ad419167d0321e5fd6d4eec6b4213dfc136efaae5edca4a'),
	(59, 'account-acc_3db599b0165e0eb2186ca7d5', 20, '01a22a6e-a0e0-8ab7-a57a-f22c5b5e0689', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a0e0-7015-90e6-0aea3ffbe94a","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222944}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0e0-7015-90e6-0aea3ffbe94a/reserve"}', '2026-11-30 03:10:22.947+00', '\x628bfe6e43f6518e79a79f5f5d18af741fa657320f4ff52e086156e167fa59e6'),
	(60, 'account-acc_3db599b0165e0eb2186ca7d5', 21, '01a22a6e-a0e0-831f-9c7d-398066f44757', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a0e0-7015-90e6-0aea3ffbe94a","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":6,"reasoning":0},"cost":"27500","charged":"27500","held":"571250","released":"543750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"27500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-bf3be437b1e77537d7e621bab5e69","firstByteMs":3,"totalMs":3,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0e0-7015-90e6-0aea3ffbe94a/settle"}', '2026-11-30 03:10:22.957+00', '\x14572f85e98c58f369ef4f75b9f67e9d4eefb739aa47a9d768b072750bebb9cf'),
	(61, 'account-acc_3db599b0165e0eb2186ca7d5', 22, '01a22a6e-a0fa-80cd-b83a-d4d456efa58a', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a0fa-71e6-82dc-9042be7bf520","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008222971}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0fa-71e6-82dc-9042be7bf520/reserve"}', '2026-11-30 03:10:22.974+00', '\x7e2b9454a1e92f4c86b3b0f8f64a2b251ba5d14c38c28b6d79e58e22bb43cb7b'),
	(62, 'account-acc_3db599b0165e0eb2186ca7d5', 23, '01a22a6e-a0fa-8570-843c-45cd0c90a2d7', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a0fa-71e6-82dc-9042be7bf520","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":7,"reasoning":0},"cost":"31500","charged":"31500","held":"571250","released":"539750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"31500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-2371582cc7a6ab0073b57a5f18527","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a0fa-71e6-82dc-9042be7bf520/settle"}', '2026-11-30 03:10:22.994+00', '\x6c58bba1d874dcbf3ca2b67ac5e4e50d1f0e316f5d0279d6fc8b5ef3aa3d1cf5'),
	(63, 'account-acc_3db599b0165e0eb2186ca7d5', 24, '01a22a6e-a11c-8f5c-a960-64f035590fc8', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a11c-7601-b373-4a91ba634bae","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008223004}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a11c-7601-b373-4a91ba634bae/reserve"}', '2026-11-30 03:10:23.008+00', '\xbd819fef6804495055ea4bee558b19d0b8cbeb48a166c5b433e8bf4070cfacb9'),
	(64, 'account-acc_3db599b0165e0eb2186ca7d5', 25, '01a22a6e-a11c-813c-a3a4-405a8d77de6b', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a11c-7601-b373-4a91ba634bae","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":8,"reasoning":0},"cost":"35500","charged":"35500","held":"571250","released":"535750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"35500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-a2b6f659ceddb9048444102d71346","firstByteMs":2,"totalMs":2,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a11c-7601-b373-4a91ba634bae/settle"}', '2026-11-30 03:10:23.015+00', '\xd740f189e666aa13e5d12e4e3fbcbcda05fe71cb94494b517f7a0bb6f44c8282'),
	(65, 'account-acc_3db599b0165e0eb2186ca7d5', 26, '01a22a6e-a12e-883d-b5b0-6d115892ac82', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a12e-74e1-83f3-96560e8d1efc","amount":"571250","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":137,"outputTokensBound":100},"at":1796008223024}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a12e-74e1-83f3-96560e8d1efc/reserve"}', '2026-11-30 03:10:23.026+00', '\xa6e9b512fc3c8d9ae2e09622f94877e141f3cea8bd1b559a532150e0fa1a5b0c'),
	(66, 'account-acc_3db599b0165e0eb2186ca7d5', 27, '01a22a6e-a12e-81ad-b87d-dc1600e5f6eb', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a12e-74e1-83f3-96560e8d1efc","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":9,"reasoning":0},"cost":"39500","charged":"39500","held":"571250","released":"531750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"39500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-f42c3b762161c214f0ad04f2874c7","firstByteMs":3,"totalMs":3,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a12e-74e1-83f3-96560e8d1efc/settle"}', '2026-11-30 03:10:23.071+00', '\x0425e5b5ec5406a58923dc6cfd0adc6aea851fc32fb63252d35ac06853208ff8'),
	(67, 'account-acc_3db599b0165e0eb2186ca7d5', 28, '01a22a6e-a16a-844d-be4f-57c9ba6b6c60', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a16a-774d-a09a-f5d36dc3546e","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223082}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a16a-774d-a09a-f5d36dc3546e/reserve"}', '2026-11-30 03:10:23.084+00', '\x1d910ef71a60b51adac02e2e5c2d7a0f15bfe0879dcada8f30abc050a6436d32'),
	(68, 'account-acc_3db599b0165e0eb2186ca7d5', 29, '01a22a6e-a16a-8db9-8501-2bbe2cccdddd', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a16a-774d-a09a-f5d36dc3546e","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":10,"reasoning":0},"cost":"43500","charged":"43500","held":"572500","released":"529000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"43500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-f02b6106356c5e09602658ae92f2f","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a16a-774d-a09a-f5d36dc3546e/settle"}', '2026-11-30 03:10:23.091+00', '\x4fd2a96161d6d6c43c23a0d02328015050413dcd496800635e84e2effd7654df'),
	(69, 'account-acc_3db599b0165e0eb2186ca7d5', 30, '01a22a6e-a179-8ace-9bcf-77f96616d0cf', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a179-7354-87a3-7146fcfb7f69","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223098}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a179-7354-87a3-7146fcfb7f69/reserve"}', '2026-11-30 03:10:23.099+00', '\xacaa18217231befaffaa8ba70a611fdc157a664c68ba50420ac3e2ee382c4624'),
	(70, 'account-acc_3db599b0165e0eb2186ca7d5', 31, '01a22a6e-a179-8646-8b7a-9dfc853c2acc', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a179-7354-87a3-7146fcfb7f69","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":11,"reasoning":0},"cost":"47500","charged":"47500","held":"572500","released":"525000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"47500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-38597b562e15b31255ac3c0c1f7b7","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a179-7354-87a3-7146fcfb7f69/settle"}', '2026-11-30 03:10:23.103+00', '\x845194add2819f564bcbcce3ff2bf47ac2f5218aef81a68e20c0e8a456935abb'),
	(71, 'account-acc_3db599b0165e0eb2186ca7d5', 32, '01a22a6e-a185-8d3c-8056-de49aa0831f5', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a185-76f1-9d62-6f4380e567ba","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223109}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a185-76f1-9d62-6f4380e567ba/reserve"}', '2026-11-30 03:10:23.111+00', '\x01d59c83781e8369dfffe5a8579a3602da202df2a0891c4a55129f1e00738715'),
	(72, 'account-acc_3db599b0165e0eb2186ca7d5', 33, '01a22a6e-a185-8ad2-ac29-8ec30fff546d', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a185-76f1-9d62-6f4380e567ba","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":12,"reasoning":0},"cost":"51500","charged":"51500","held":"572500","released":"521000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"51500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-ef5be1fd92341980f2be42ee5c3b9","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a185-76f1-9d62-6f4380e567ba/settle"}', '2026-11-30 03:10:23.114+00', '\x0b9eb9b51c41000e664c5dbaee9a03679e6ffa318e66088eaa4bd6b4c609a49f'),
	(73, 'account-acc_3db599b0165e0eb2186ca7d5', 34, '01a22a6e-a190-864e-9d2f-9b6d2e19b3d5', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a190-741e-8186-29ed77deadfe","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223120}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a190-741e-8186-29ed77deadfe/reserve"}', '2026-11-30 03:10:23.122+00', '\x2562c35c301b74b9a134148ee3f0c9b5fa1f8127435d551602b128c1ce96c2c7'),
	(74, 'account-acc_3db599b0165e0eb2186ca7d5', 35, '01a22a6e-a190-8294-a235-192f4126d541', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a190-741e-8186-29ed77deadfe","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":13,"reasoning":0},"cost":"55500","charged":"55500","held":"572500","released":"517000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"55500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-7cc948af6830a91e064b369e9eb7d","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a190-741e-8186-29ed77deadfe/settle"}', '2026-11-30 03:10:23.128+00', '\x8d51fbec34702ee0de3d79a8a4013be9446c6dea7a1d95868674cdd766d5a0e6'),
	(75, 'account-acc_3db599b0165e0eb2186ca7d5', 36, '01a22a6e-a19d-8f3e-818b-3f2de6446c4d', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a19d-76e7-888c-c9f3a9ff2776","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223134}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a19d-76e7-888c-c9f3a9ff2776/reserve"}', '2026-11-30 03:10:23.135+00', '\x4f1f347e0416a8980355bb8c6e902afd826b0392535a96adf48ebff78e5c11b5'),
	(76, 'account-acc_3db599b0165e0eb2186ca7d5', 37, '01a22a6e-a19d-8789-b2db-83d2008bbeae', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a19d-76e7-888c-c9f3a9ff2776","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":14,"reasoning":0},"cost":"59500","charged":"59500","held":"572500","released":"513000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"59500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-6b0f73857e8d10799a3b4c7d62608","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a19d-76e7-888c-c9f3a9ff2776/settle"}', '2026-11-30 03:10:23.139+00', '\x12735ca6e8e8fea42aadf07ae7584d16f7ab6c869d4ab5dff527980acbc19d90'),
	(77, 'account-acc_3db599b0165e0eb2186ca7d5', 38, '01a22a6e-a1a9-89d8-b56b-1351a13151e9', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1a9-73a5-9eb2-cb620a848d42","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223145}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1a9-73a5-9eb2-cb620a848d42/reserve"}', '2026-11-30 03:10:23.146+00', '\xe23dc54fd41de13fb52021b31f42d7fc15dd45d09a9fa41d6eab7f8890fd5a77'),
	(78, 'account-acc_3db599b0165e0eb2186ca7d5', 39, '01a22a6e-a1a9-8c01-ab86-e4770e93da4c', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1a9-73a5-9eb2-cb620a848d42","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":15,"reasoning":0},"cost":"63500","charged":"63500","held":"572500","released":"509000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"63500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-bf543612b00c24969190fc85dd2ff","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1a9-73a5-9eb2-cb620a848d42/settle"}', '2026-11-30 03:10:23.151+00', '\x17fa851def78f0b7041c5d8fd8562e3c5fd55a32a1a56d9d37e63120137e2d14'),
	(79, 'account-acc_3db599b0165e0eb2186ca7d5', 40, '01a22a6e-a1b4-8fd8-ac93-192a3063eddb', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1b4-73e3-b105-20af31e378e6","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223156}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1b4-73e3-b105-20af31e378e6/reserve"}', '2026-11-30 03:10:23.157+00', '\xbff07475c3767fe66d5284a8b1896e24a6104853d35d005a52b95feaef6e4b35'),
	(80, 'account-acc_3db599b0165e0eb2186ca7d5', 41, '01a22a6e-a1b4-8bed-ba63-15fe366e57d7', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1b4-73e3-b105-20af31e378e6","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":16,"reasoning":0},"cost":"67500","charged":"67500","held":"572500","released":"505000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"67500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-141dee37caf0941cbcf2249fe94b8","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1b4-73e3-b105-20af31e378e6/settle"}', '2026-11-30 03:10:23.165+00', '\xc1fdcdcf32c3f4f0b5c75529e843e23801b37c7f4597f535b7b33ce94ee18b63'),
	(81, 'account-acc_3db599b0165e0eb2186ca7d5', 42, '01a22a6e-a1c3-8fd6-a507-e94b181d4f5b', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1c3-75cc-b97f-2dbc5427c234","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223172}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1c3-75cc-b97f-2dbc5427c234/reserve"}', '2026-11-30 03:10:23.173+00', '\x0d716e531a00ca02c0ace70df0f77ee7c44fd0002671a0e1b06909a87b81debb'),
	(82, 'account-acc_3db599b0165e0eb2186ca7d5', 43, '01a22a6e-a1c3-83c2-bd99-88aac287ee8f', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1c3-75cc-b97f-2dbc5427c234","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":17,"reasoning":0},"cost":"71500","charged":"71500","held":"572500","released":"501000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"71500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-f8d360ef501efcc65192cadab88b6","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1c3-75cc-b97f-2dbc5427c234/settle"}', '2026-11-30 03:10:23.176+00', '\x6e089e3815e91575f14fff6b95732ba72be14ef052b9716cf388655759dda1a9'),
	(83, 'account-acc_3db599b0165e0eb2186ca7d5', 44, '01a22a6e-a1ce-877a-8737-db47c76222e4', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1ce-74f8-ae0b-1696aa0f3b82","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223182}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1ce-74f8-ae0b-1696aa0f3b82/reserve"}', '2026-11-30 03:10:23.183+00', '\x70a60493dcd79aa7539c60ff8bbae5e142a12a6254680920a68d5eeb6c3a70d5'),
	(84, 'account-acc_3db599b0165e0eb2186ca7d5', 45, '01a22a6e-a1ce-8f37-8569-a2f574db8882', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1ce-74f8-ae0b-1696aa0f3b82","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":18,"reasoning":0},"cost":"75500","charged":"75500","held":"572500","released":"497000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"75500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-6988ed9300d47cdf6840e7b1c8e38","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1ce-74f8-ae0b-1696aa0f3b82/settle"}', '2026-11-30 03:10:23.187+00', '\x7e78f6131e16646b339ea681deff85720925cdb13fd1c7ba07d1b1661a1300ff'),
	(85, 'account-acc_3db599b0165e0eb2186ca7d5', 46, '01a22a6e-a1da-8978-9a62-c5e58a515973', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1da-7627-9ea7-7eaf1515cd6c","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223195}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1da-7627-9ea7-7eaf1515cd6c/reserve"}', '2026-11-30 03:10:23.196+00', '\x073a61902f07125c9898209bcbcbc589ce5d98cf41b47f919955b2ae7d7890a8'),
	(86, 'account-acc_3db599b0165e0eb2186ca7d5', 47, '01a22a6e-a1da-89c2-8990-e0fdda0b0d17', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1da-7627-9ea7-7eaf1515cd6c","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":19,"reasoning":0},"cost":"79500","charged":"79500","held":"572500","released":"493000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"79500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-041c398a9bc52af3421ff11579788","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1da-7627-9ea7-7eaf1515cd6c/settle"}', '2026-11-30 03:10:23.2+00', '\xc627ad731c40ceb4c9376bcc450342aacab8917dc0d491fed1c61a684d9813da'),
	(87, 'account-acc_3db599b0165e0eb2186ca7d5', 48, '01a22a6e-a1e6-8a39-8239-47a256eb077e', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1e6-71e6-b83f-6d4a224013ad","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223206}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1e6-71e6-b83f-6d4a224013ad/reserve"}', '2026-11-30 03:10:23.207+00', '\xf6edf6b6ba0a01607778f1c5fd39f5ae90ec8da679e1805fc1fe9a5eca0c9724'),
	(88, 'account-acc_3db599b0165e0eb2186ca7d5', 49, '01a22a6e-a1e6-892f-bb50-2213465cf311', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1e6-71e6-b83f-6d4a224013ad","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":20,"reasoning":0},"cost":"83500","charged":"83500","held":"572500","released":"489000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"83500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-2fe8fa5f50bb97bbc4ef5af7d7162","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1e6-71e6-b83f-6d4a224013ad/settle"}', '2026-11-30 03:10:23.211+00', '\x11da61f6c768d7cba695e20e25c649986c003f2405df79a2cf517df56f8e0ab3'),
	(89, 'account-acc_3db599b0165e0eb2186ca7d5', 50, '01a22a6e-a1f1-8ef6-8fc1-cca36c0a1112', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a1f1-735a-b702-ed7deae02d08","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223217}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1f1-735a-b702-ed7deae02d08/reserve"}', '2026-11-30 03:10:23.218+00', '\x341a0d5ed68c1ec70b15e8c2cddde1a998a2e1ac12a2b18cea0ef9ee4ff9b68b'),
	(90, 'account-acc_3db599b0165e0eb2186ca7d5', 51, '01a22a6e-a1f1-8655-a11d-ffcec9068e7c', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a1f1-735a-b702-ed7deae02d08","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":21,"reasoning":0},"cost":"87500","charged":"87500","held":"572500","released":"485000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"87500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-a8f2d5a128842d75924fceabb45ec","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a1f1-735a-b702-ed7deae02d08/settle"}', '2026-11-30 03:10:23.23+00', '\xdcc2382b2d8bb9268e60dd7fc38f4d4d361c1b8822f61c00e6998d64fcbf1d31'),
	(91, 'account-acc_3db599b0165e0eb2186ca7d5', 52, '01a22a6e-a205-890a-b8c6-8d2f5b0c4a59', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a205-76f8-af06-a63e5c3b70f3","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223237}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a205-76f8-af06-a63e5c3b70f3/reserve"}', '2026-11-30 03:10:23.239+00', '\x795941d2c4942faae42fd1f901b086ab39d0ee2ec6a1c0dd09afbc11d68dc6e1'),
	(92, 'account-acc_3db599b0165e0eb2186ca7d5', 53, '01a22a6e-a205-8d27-bf25-a857d464e0d4', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a205-76f8-af06-a63e5c3b70f3","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":22,"reasoning":0},"cost":"91500","charged":"91500","held":"572500","released":"481000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"91500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-6c77b996e064e905d8344edd0db03","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a205-76f8-af06-a63e5c3b70f3/settle"}', '2026-11-30 03:10:23.242+00', '\x0b5ffc2de245db16f629876dd2f016108475ecf89c6afd9bc79191894aa45596'),
	(93, 'account-acc_3db599b0165e0eb2186ca7d5', 54, '01a22a6e-a20f-840d-8749-5e4a6630ac38', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a20f-72e5-8d09-dda8aa1a8783","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223248}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a20f-72e5-8d09-dda8aa1a8783/reserve"}', '2026-11-30 03:10:23.249+00', '\x23800ed2ec186ebfc19ac3c9ac0a73392a931299cbc7c3d45738597b8f4be7ce'),
	(94, 'account-acc_3db599b0165e0eb2186ca7d5', 55, '01a22a6e-a20f-8545-ae64-20e9fd8c8b3e', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a20f-72e5-8d09-dda8aa1a8783","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":23,"reasoning":0},"cost":"95500","charged":"95500","held":"572500","released":"477000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"95500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-c75a9977bb0b1c41fa76a7fed34a2","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a20f-72e5-8d09-dda8aa1a8783/settle"}', '2026-11-30 03:10:23.252+00', '\xc3c9660c939ac5ad78f456eff42e41ebd92f6558c5fa2448b9c3b550c2cc2509'),
	(95, 'account-acc_3db599b0165e0eb2186ca7d5', 56, '01a22a6e-a21a-82ec-81cb-9b3cb3bb7268', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a21a-7152-a0c3-743054b1c906","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223258}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a21a-7152-a0c3-743054b1c906/reserve"}', '2026-11-30 03:10:23.26+00', '\x3c87e39f72a72a735729252bf36f44b4f35efb1140e9eb20a7df2bbb85187169'),
	(96, 'account-acc_3db599b0165e0eb2186ca7d5', 57, '01a22a6e-a21a-8f8e-9efb-313a0e9970f5', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a21a-7152-a0c3-743054b1c906","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":24,"reasoning":0},"cost":"99500","charged":"99500","held":"572500","released":"473000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"99500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-232910b58741bd2f11c90000e4615","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a21a-7152-a0c3-743054b1c906/settle"}', '2026-11-30 03:10:23.266+00', '\xeead36e38ee9c891ce83ddd77627cc7815a403653e11c6a11575f47a3f53dc65'),
	(97, 'account-acc_3db599b0165e0eb2186ca7d5', 58, '01a22a6e-a227-80ac-be73-29c295ea1fec', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a227-714c-b720-a93e4d5e75bc","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223272}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a227-714c-b720-a93e4d5e75bc/reserve"}', '2026-11-30 03:10:23.273+00', '\xe3a172ed0b08bb762ab250ec093acacdedc4770e103631f577770520e168ab97'),
	(98, 'account-acc_3db599b0165e0eb2186ca7d5', 59, '01a22a6e-a227-8705-ba4b-f1f7d9a39aad', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a227-714c-b720-a93e4d5e75bc","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":25,"reasoning":0},"cost":"103500","charged":"103500","held":"572500","released":"469000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"103500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-ae165aa4ea537f6e779a3a9d024a0","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a227-714c-b720-a93e4d5e75bc/settle"}', '2026-11-30 03:10:23.277+00', '\x9226719c8860c3e817b3591a1551bd32f458ae857199b3de12207d65d9027f55'),
	(99, 'account-acc_3db599b0165e0eb2186ca7d5', 60, '01a22a6e-a232-8677-b652-7d5a17901f2f', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a232-74c3-af23-8789ffbd44dc","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223283}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a232-74c3-af23-8789ffbd44dc/reserve"}', '2026-11-30 03:10:23.285+00', '\xd49ee4d295ecd2a58bd421a15af288c1f26d755ec33ccb962c66d2fa59efc28b'),
	(100, 'account-acc_3db599b0165e0eb2186ca7d5', 61, '01a22a6e-a232-81b7-9330-e20f44c13bf7', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a232-74c3-af23-8789ffbd44dc","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":26,"reasoning":0},"cost":"107500","charged":"107500","held":"572500","released":"465000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"107500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-09900362ef241c786426a833d43c2","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a232-74c3-af23-8789ffbd44dc/settle"}', '2026-11-30 03:10:23.288+00', '\x63ad838f3b137f8560ab1ed58327fdc25ac3b2b19eb914566ef5cc9bb9fe0515');
INSERT INTO public.events VALUES
	(101, 'account-acc_3db599b0165e0eb2186ca7d5', 62, '01a22a6e-a23d-8914-8414-6d02e1d11935', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a23d-70cb-8de4-901538467b91","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223293}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a23d-70cb-8de4-901538467b91/reserve"}', '2026-11-30 03:10:23.294+00', '\xa778354e733919a5ffb8f0909286a5a9c74a15de06ce0156771f87e4a3577983'),
	(102, 'account-acc_3db599b0165e0eb2186ca7d5', 63, '01a22a6e-a23d-8ee3-a346-ec71285bd62a', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a23d-70cb-8de4-901538467b91","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":27,"reasoning":0},"cost":"111500","charged":"111500","held":"572500","released":"461000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"111500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-3e655732707ba133936b559d24024","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a23d-70cb-8de4-901538467b91/settle"}', '2026-11-30 03:10:23.297+00', '\x5a69ce9726b125632b843b9ce5bb24d87a89a66f05a999048147fe923e3447e2'),
	(103, 'account-acc_3db599b0165e0eb2186ca7d5', 64, '01a22a6e-a24d-8372-ac8b-877e275eaa14', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a24d-7525-bb52-e2600235662f","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223309}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a24d-7525-bb52-e2600235662f/reserve"}', '2026-11-30 03:10:23.31+00', '\x6e8940826105385e30bfbfb8c038f5ff72b6ea950060e69eecb8410f1abbd775'),
	(104, 'account-acc_3db599b0165e0eb2186ca7d5', 65, '01a22a6e-a24d-8ade-9f05-9119d73eb08b', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a24d-7525-bb52-e2600235662f","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":28,"reasoning":0},"cost":"115500","charged":"115500","held":"572500","released":"457000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"115500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-77b065c05843b69420d4baff22a5c","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a24d-7525-bb52-e2600235662f/settle"}', '2026-11-30 03:10:23.316+00', '\x16a4516949bcaa2dd0eefdef5958f348442a89a839170af0ab2de6e73f85099e'),
	(105, 'account-acc_3db599b0165e0eb2186ca7d5', 66, '01a22a6e-a259-88aa-97d2-c57c05f9e0b1', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a259-718a-b9fb-d9a9055c26cf","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223322}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a259-718a-b9fb-d9a9055c26cf/reserve"}', '2026-11-30 03:10:23.323+00', '\x098df5e3a93155a1ca1c8c9ced007bb6f390108d18bab7cf3e0175cb131e1c0a'),
	(106, 'account-acc_3db599b0165e0eb2186ca7d5', 67, '01a22a6e-a259-8a73-af8d-8d85554ebf3d', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a259-718a-b9fb-d9a9055c26cf","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":29,"reasoning":0},"cost":"119500","charged":"119500","held":"572500","released":"453000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"119500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-25cfc89e6df3c5615dc5d232361e3","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a259-718a-b9fb-d9a9055c26cf/settle"}', '2026-11-30 03:10:23.326+00', '\x402122d492e762beca52190f46be6d945546bd698bfb43a55b2bc38c221d4dfa'),
	(107, 'account-acc_3db599b0165e0eb2186ca7d5', 68, '01a22a6e-a263-8643-af98-4f36614c648d', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a263-7598-81ad-8b9102d39211","amount":"572500","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":138,"outputTokensBound":100},"at":1796008223331}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a263-7598-81ad-8b9102d39211/reserve"}', '2026-11-30 03:10:23.332+00', '\x70a975c5f7c733d0db61e9a39548ae64dc2a9864f61a3212246b22a4f8636ff1'),
	(108, 'account-acc_3db599b0165e0eb2186ca7d5', 69, '01a22a6e-a263-8f38-bb23-3fba9b29230f', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a263-7598-81ad-8b9102d39211","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":3,"cachedInput":2,"cacheWrite":0,"output":30,"reasoning":0},"cost":"123500","charged":"123500","held":"572500","released":"449000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"123500"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-a0e93d8ab535d461c5a3492479900","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a263-7598-81ad-8b9102d39211/settle"}', '2026-11-30 03:10:23.335+00', '\x31dee95a0d4ce2771b21f06fe784e0d674d4bb665641c96e40e58a51fa4b847b'),
	(109, 'account-acc_3db599b0165e0eb2186ca7d5', 70, '01a22a6e-a26f-8e18-b6ad-b698e3b16af8', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a26f-745a-bbae-e2f47ce56bd0","amount":"618750","keyId":"key_85b6cf14f3684d02795000fa","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":true,"inputTokensBound":175,"outputTokensBound":100},"at":1796008223346}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a26f-745a-bbae-e2f47ce56bd0/reserve"}', '2026-11-30 03:10:23.348+00', '\xd8a2e33c59d645b00d1130d81fac061f12f10c59204c9148dce169a8da6f5e0b'),
	(110, 'account-acc_3db599b0165e0eb2186ca7d5', 71, '01a22a6e-a26f-8588-b947-cc822d93e499', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a26f-745a-bbae-e2f47ce56bd0","keyId":"key_85b6cf14f3684d02795000fa","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":5,"cachedInput":0,"cacheWrite":0,"output":40,"reasoning":0},"cost":"165000","charged":"165000","held":"618750","released":"453750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"165000"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-d0d8ff8b3edf5909fd717b07704b2","firstByteMs":3,"totalMs":11,"anomalies":[]}}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a26f-745a-bbae-e2f47ce56bd0/settle"}', '2026-11-30 03:10:23.366+00', '\xe03182fc50fda39c5ab1fb019cb3c5f134f0bf927743393d631b18cb4b8f7b8f'),
	(111, 'account-acc_3db599b0165e0eb2186ca7d5', 72, '01a22a6e-a296-8fe1-a37d-24a0f8342730', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a296-7150-954c-5b4a62ef03d2","amount":"588750","keyId":"key_85b6cf14f3684d02795000fa","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":true,"inputTokensBound":151,"outputTokensBound":100},"at":1796008223383}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a296-7150-954c-5b4a62ef03d2/reserve"}', '2026-11-30 03:10:23.384+00', '\x0316b728192fb43346370f25f78bc6dfc5b07251089c4b407b9c19f05f28f5f8'),
	(112, 'account-acc_3db599b0165e0eb2186ca7d5', 73, '01a22a6e-a296-8957-826a-13e2b2af9180', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a296-7150-954c-5b4a62ef03d2","keyId":"key_85b6cf14f3684d02795000fa","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":1,"cachedInput":0,"cacheWrite":0,"output":20,"reasoning":0},"cost":"81000","charged":"81000","held":"588750","released":"507750","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"81000"}],"delivery":{"usageSource":"metered","ended":"upstream_broke","finishReason":null,"upstreamId":"chatcmpl-51b3303b48ae1c5c79cb9b21d7c87","firstByteMs":3,"totalMs":1781,"anomalies":["usage_missing"]}}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a296-7150-954c-5b4a62ef03d2/settle"}', '2026-11-30 03:10:25.171+00', '\x25d6912383af5828e298091a12b3da752d6ed2afbdbd4075a55b4f5aa5f38a7f'),
	(113, 'account-acc_3db599b0165e0eb2186ca7d5', 74, '01a22a6e-a99c-89d0-bf15-c1631db6b12f', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a99c-73ea-b716-c09fe3d10d10","amount":"545000","keyId":"key_85b6cf14f3684d02795000fa","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":116,"outputTokensBound":100},"at":1796008225182}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a99c-73ea-b716-c09fe3d10d10/reserve"}', '2026-11-30 03:10:25.186+00', '\x492d748d98a68447c86af26dbb4792e6660078de32278256fff126b61d8a91ae'),
	(114, 'account-acc_3db599b0165e0eb2186ca7d5', 75, '01a22a6e-a99c-8890-baed-f72ae5424d47', 'HoldReleased', 2, '{"requestId":"gen-01a22a6e-a99c-73ea-b716-c09fe3d10d10","released":"545000","reason":"upstream_refused","detail":"status 500"}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a99c-73ea-b716-c09fe3d10d10/release"}', '2026-11-30 03:10:25.191+00', '\xf619650dc10242eb7744c4871b9d173d75dece6b92ba60a3ef7373febed99c27'),
	(115, 'account-acc_3db599b0165e0eb2186ca7d5', 76, '01a22a6e-a9b3-8a39-87d7-6c30e247be45', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a9b3-73df-b92a-b88d08753280","amount":"555000","keyId":"key_85b6cf14f3684d02795000fa","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":124,"outputTokensBound":100},"at":1796008225204}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a9b3-73df-b92a-b88d08753280/reserve"}', '2026-11-30 03:10:25.205+00', '\x20f6820c0d0af74e5a2cb1ad87e5f98ba062218165474f6b9815409ea5a066e8'),
	(116, 'account-acc_3db599b0165e0eb2186ca7d5', 77, '01a22a6e-a9b3-8758-8069-b4462882dca4', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a9b3-73df-b92a-b88d08753280","keyId":"key_85b6cf14f3684d02795000fa","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":5,"cachedInput":0,"cacheWrite":0,"output":16,"reasoning":10},"cost":"109000","charged":"109000","held":"555000","released":"446000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"109000"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-061516808998d2fc849e8998f1c93","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_85b6cf14f3684d02795000fa","commandId":"01a22a6e-a9b3-73df-b92a-b88d08753280/settle"}', '2026-11-30 03:10:25.209+00', '\x23f0d7151d9e945a93e19b7afe6f566da1c67d229e095d3e3249269ad6c5d68a'),
	(117, 'account-acc_3db599b0165e0eb2186ca7d5', 78, 'c14f782a-fea7-81b2-8ae7-a5cd3cd796af', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a9bf-72f0-9d76-e3ab7293db1f","amount":"150000","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":88,"outputTokensBound":10},"requestHash":"e654ebdce40251db8843750a9f192abe31c75bb86ab8271b4193ec97628a5fbe","at":1796008225216}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"idem-9c4acd0b06c52bfdb8fcc0546f1def814505ef56e5f9483ac0a8ac6c32b166af/0"}', '2026-11-30 03:10:25.219+00', '\xc5301f172e8ed288a4458fd5a8ffbe00638c626659d295549edfd53bd062b2e7'),
	(118, 'account-acc_3db599b0165e0eb2186ca7d5', 79, '01a22a6e-a9bf-837f-a313-c6e3f8d8891a', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a9bf-72f0-9d76-e3ab7293db1f","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":4,"cachedInput":0,"cacheWrite":0,"output":10,"reasoning":0},"cost":"44000","charged":"44000","held":"150000","released":"106000","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"44000"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"length","upstreamId":"chatcmpl-30919e74ed15706cd07d09fa68393","firstByteMs":1,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a9bf-72f0-9d76-e3ab7293db1f/settle"}', '2026-11-30 03:10:25.222+00', '\x22639d3aaf3aca3de20650899a3ada09e91d1705f99c83d4dbff6da4d6cc7371'),
	(119, 'account-acc_3db599b0165e0eb2186ca7d5', 80, '01a22a6e-a9ca-8900-9364-6152ee1155b9', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a9ca-70dc-855a-6c712644c194","amount":"4700","keyId":"key_5f0427464b52ab31678d7e6c","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-embedding","version":1,"rates":{"input":"100000","cachedInput":"100000","cacheWrite":"100000","output":"0","reasoning":"0"}},"request":{"endpoint":"/embeddings","upstream":"simulated","streamed":false,"inputTokensBound":47,"outputTokensBound":0},"at":1796008225227}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a9ca-70dc-855a-6c712644c194/reserve"}', '2026-11-30 03:10:25.228+00', '\x48b85b6836c59abeabf558ff0cff4bced1a3b02a7210dc483ccebbabe62abaa9'),
	(120, 'account-acc_3db599b0165e0eb2186ca7d5', 81, '01a22a6e-a9ca-8441-b5cc-75d0f1ae1c72', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a9ca-70dc-855a-6c712644c194","keyId":"key_5f0427464b52ab31678d7e6c","price":{"model":"simulated-embedding","version":1,"rates":{"input":"100000","cachedInput":"100000","cacheWrite":"100000","output":"0","reasoning":"0"}},"usage":{"input":2,"cachedInput":0,"cacheWrite":0,"output":0,"reasoning":0},"cost":"200","charged":"200","held":"4700","released":"4500","drawn":[{"lotId":"lot_302eaa0bfa55172b396b78d1","amount":"200"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":null,"upstreamId":null,"firstByteMs":2,"totalMs":2,"anomalies":[]}}', '{"actor":"key:key_5f0427464b52ab31678d7e6c","commandId":"01a22a6e-a9ca-70dc-855a-6c712644c194/settle"}', '2026-11-30 03:10:25.232+00', '\xa3461c85f3094d5e3e28953f242f262ef3f0b728141f7f39468e064f1488267e'),
	(121, 'account-acc_9dd499785da95f4300f7fe6d', 0, '01a22a6e-a9d4-85ab-8d16-2dd65ec7085c', 'AccountRegistered', 2, '{"holder":"person","personal":"v1.pXOPychzir1bFr3KJcf71Q8Hc3rde_lT5mto87w90mAGntDRVhgvEmlBFvGnWpXSg8GnovDoA-SMMZuAhO6P1imphkSmisxv"}', '{"actor":"admin","commandId":"01a22a6e-a9d4-752c-9204-595df6fe1e6d","correlationId":"req_01a22a6e-a9d4-73f2-ac4e-038c36d554d1"}', '2026-11-30 03:10:25.243+00', '\x632b10022d267acf05969d4738d8d7bffd341a794f01706e7a736707f3b5a4f4'),
	(122, 'account-acc_9dd499785da95f4300f7fe6d', 1, '01a22a6e-a9d4-80c9-a045-6e5ce4eba170', 'TermsAccepted', 1, '{"version":"2026-11-24","how":"told by the administrator through the management API"}', '{"actor":"admin","commandId":"01a22a6e-a9d4-752c-9204-595df6fe1e6d/terms","correlationId":"req_01a22a6e-a9d4-73f2-ac4e-038c36d554d1"}', '2026-11-30 03:10:25.246+00', '\xdb282c43eef42cce80a01522793549af4b3d7471201d5cc4c7fb4609d1c53e65'),
	(123, 'account-acc_9dd499785da95f4300f7fe6d', 2, '01a22a6e-a9eb-87c6-a671-cf42b2ec4085', 'CreditsToppedUp', 1, '{"lotId":"lot_bfce084a157b90e5ccd3062b","amount":"100000000","source":{"kind":"grant","reason":"Welcome"}}', '{"actor":"admin","commandId":"01a22a6e-a9eb-7084-be34-ccdb5772896f","correlationId":"req_01a22a6e-a9ea-777a-a2a8-a4217d4f5031"}', '2026-11-30 03:10:25.26+00', '\x3daf7ce775f752d4f0c35b5aa73338299a10a59b088ba5fff2f60438bb044acc'),
	(124, 'account-acc_9dd499785da95f4300f7fe6d', 3, '01a22a6e-a9f2-884c-928a-5b62ac6a9825', 'KeyIssued', 1, '{"keyId":"key_d7397dfbc8c8c2df13ae20ef","name":"suspended","hash":"c674cce311ae26b6d5cc79c0a248c1306383a950f5f06c46245c7b154e740144","pepperId":"1","hint":"8f2r"}', '{"actor":"admin","commandId":"01a22a6e-a9f2-767c-86be-9e19b7f1bea5","correlationId":"req_01a22a6e-a9f1-75b9-9d8b-ca200b629d69"}', '2026-11-30 03:10:25.267+00', '\xa9539b33902a76e778bb2a8c446b91275111f894dfa491e0ba1543d2f00fcf11'),
	(125, 'account-acc_9dd499785da95f4300f7fe6d', 4, '01a22a6e-a9fb-88a6-8214-eda885ccb89c', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-a9fb-7563-a75d-32f140c8e556","amount":"550000","keyId":"key_d7397dfbc8c8c2df13ae20ef","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":120,"outputTokensBound":100},"at":1796008225276}', '{"actor":"key:key_d7397dfbc8c8c2df13ae20ef","commandId":"01a22a6e-a9fb-7563-a75d-32f140c8e556/reserve"}', '2026-11-30 03:10:25.277+00', '\xfccb9fc18481b781eee79869bc46adf9384b535a8d2fe62c491049b2ee5a0403'),
	(126, 'account-acc_9dd499785da95f4300f7fe6d', 5, '01a22a6e-a9fb-8cf0-b05a-a0194fd6ab77', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-a9fb-7563-a75d-32f140c8e556","keyId":"key_d7397dfbc8c8c2df13ae20ef","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":5,"cachedInput":0,"cacheWrite":0,"output":7,"reasoning":0},"cost":"33000","charged":"33000","held":"550000","released":"517000","drawn":[{"lotId":"lot_bfce084a157b90e5ccd3062b","amount":"33000"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-3270ed87ae786b0203e52dd3c72f0","firstByteMs":0,"totalMs":1,"anomalies":[]}}', '{"actor":"key:key_d7397dfbc8c8c2df13ae20ef","commandId":"01a22a6e-a9fb-7563-a75d-32f140c8e556/settle"}', '2026-11-30 03:10:25.28+00', '\x683214d0a62f6eeabdd918aaf73799fc6dddc2b152343caba50694d5ae39b464'),
	(127, 'account-acc_9dd499785da95f4300f7fe6d', 6, '01a22a6e-aa07-82c3-be21-51de43e5f062', 'AccountSuspended', 1, '{"reason":"Resale of access"}', '{"actor":"admin","commandId":"01a22a6e-aa07-73d5-9a3e-2eca9db39bc9","correlationId":"req_01a22a6e-aa07-75ba-b9f6-ff9268d9f6f2"}', '2026-11-30 03:10:25.289+00', '\xf6115ceecad363ac13f3e6a7cdbc33efa0f9358b3ce3d5ed5a6580d3914535ce'),
	(128, 'account-acc_7a1e04b31e858a346a198428', 0, '01a22a6e-aa0e-8f3b-bc94-4c8b27f295ea', 'AccountRegistered', 2, '{"holder":"person","personal":"v1.K9pj5Phq4rvfAy3cNO1eYapPm5d-Oui_zhzRdRUXIM82g2d6--L9JLup0tOUB1GqHLBcKhelPUfV1M1TL2vQbOYvQoCC3g"}', '{"actor":"admin","commandId":"01a22a6e-aa0e-729b-b0bf-42fc0d222033","correlationId":"req_01a22a6e-aa0e-746d-8292-c4e108a16803"}', '2026-11-30 03:10:25.299+00', '\xfd4dbfac5fc0b41f614371a32dc877dddc25697a506bf1a1aafa68c4e02e41fb'),
	(129, 'account-acc_7a1e04b31e858a346a198428', 1, '01a22a6e-aa0e-8f9f-b48c-ee121765aa4e', 'TermsAccepted', 1, '{"version":"2026-11-24","how":"told by the administrator through the management API"}', '{"actor":"admin","commandId":"01a22a6e-aa0e-729b-b0bf-42fc0d222033/terms","correlationId":"req_01a22a6e-aa0e-746d-8292-c4e108a16803"}', '2026-11-30 03:10:25.301+00', '\xe50632c18c14c86befec1348dba1d976eb9a48bacab478ace64939588cb8e0c7'),
	(130, 'account-acc_7a1e04b31e858a346a198428', 2, '01a22a6e-aa21-8544-816d-658b1d4b8495', 'CreditsToppedUp', 1, '{"lotId":"lot_5026eb280a18a7757aad8f81","amount":"1000000000","source":{"kind":"grant","reason":"Welcome"}}', '{"actor":"admin","commandId":"01a22a6e-aa21-7080-8fed-3124644a3879","correlationId":"req_01a22a6e-aa20-73bd-9623-b3e591b74b6b"}', '2026-11-30 03:10:25.314+00', '\x4ed1eb4b657f9608646c52701327eb5e2a384d2eb976063df9e407724557a3a9'),
	(131, 'account-acc_7a1e04b31e858a346a198428', 3, '01a22a6e-aa2c-85ce-b22a-673032c3a261', 'KeyIssued', 1, '{"keyId":"key_21362041f07f1ff63a62522e","name":"holding","hash":"f3380c6a0ad6e87f1fbac00aebf7f834920138834b6658c4aa2a0d7402a030ef","pepperId":"1","hint":"Lrjb"}', '{"actor":"admin","commandId":"01a22a6e-aa2c-72f2-b0f0-36f70c2b1ef2","correlationId":"req_01a22a6e-aa2b-7131-82c7-08b3273f1d36"}', '2026-11-30 03:10:25.325+00', '\x9a68ca252e457ec51b6edfeae9ba8b8ce898c86d7b46687a75b5dbfd6f886a12'),
	(132, 'account-acc_7a1e04b31e858a346a198428', 4, '01a22a6e-aa35-86ae-b394-f49312304f74', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-aa35-739a-b442-fcff78fc962c","amount":"550000","keyId":"key_21362041f07f1ff63a62522e","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":120,"outputTokensBound":100},"at":1796008225334}', '{"actor":"key:key_21362041f07f1ff63a62522e","commandId":"01a22a6e-aa35-739a-b442-fcff78fc962c/reserve"}', '2026-11-30 03:10:25.335+00', '\x643fc55f0bbcda25e32cae79300d57b15b1e7db88b2fecc5bb94bade46fd5009'),
	(133, 'account-acc_7a1e04b31e858a346a198428', 5, '01a22a6e-aa35-880a-8210-d91c026fec41', 'HoldSettled', 1, '{"requestId":"gen-01a22a6e-aa35-739a-b442-fcff78fc962c","keyId":"key_21362041f07f1ff63a62522e","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"usage":{"input":5,"cachedInput":0,"cacheWrite":0,"output":5,"reasoning":0},"cost":"25000","charged":"25000","held":"550000","released":"525000","drawn":[{"lotId":"lot_5026eb280a18a7757aad8f81","amount":"25000"}],"delivery":{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-a74246e7056541663e39765fcdb66","firstByteMs":0,"totalMs":0,"anomalies":[]}}', '{"actor":"key:key_21362041f07f1ff63a62522e","commandId":"01a22a6e-aa35-739a-b442-fcff78fc962c/settle"}', '2026-11-30 03:10:25.34+00', '\xbaa170cf7ba45da992dc71cba225c3188a098e827f40edfb46da7f4e594001ba'),
	(134, 'account-acc_7a1e04b31e858a346a198428', 6, '01a22a6e-aa45-8f1c-a0fb-48d3b837d76b', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-aa45-750d-a90c-58facec01a94","amount":"591250","keyId":"key_21362041f07f1ff63a62522e","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":true,"inputTokensBound":153,"outputTokensBound":100},"at":1796008225349}', '{"actor":"key:key_21362041f07f1ff63a62522e","commandId":"01a22a6e-aa45-750d-a90c-58facec01a94/reserve"}', '2026-11-30 03:10:25.351+00', '\x43dae125d3b0edf3514a51c5f4a020f87679b1e97cb605bfc60da73b7022275b'),
	(135, 'account-acc_7a1e04b31e858a346a198428', 7, '01a22a6e-aa49-81ab-ac7e-99fdb71ea348', 'CreditsReserved', 3, '{"requestId":"gen-01a22a6e-aa49-7128-a2f1-db2516271593","amount":"553750","keyId":"key_21362041f07f1ff63a62522e","runId":"01a22a6e-9cdc-71bb-a43d-11e128fbe5ed","price":{"model":"simulated-chat","version":1,"rates":{"input":"1000000","cachedInput":"250000","cacheWrite":"1250000","output":"4000000","reasoning":"4000000"}},"request":{"endpoint":"/chat/completions","upstream":"simulated","streamed":false,"inputTokensBound":123,"outputTokensBound":100},"at":1796008225353}', '{"actor":"key:key_21362041f07f1ff63a62522e","commandId":"01a22a6e-aa49-7128-a2f1-db2516271593/reserve"}', '2026-11-30 03:10:25.356+00', '\x418d6702bfeb1b67ae8752bf34cdea69bfd273c789a062a01294b1b419fb7649');


--
-- Data for Name: log_checkpoints; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.log_checkpoints VALUES
	(34, '2026-11-30 03:10:22.153+00', '\xef8328ebbe125c3cbad0719364cbfea24544496c8cf1a6b3432a9521bb347bcf', '\x0000000000000000000000000000000000000000000000000000000000000000', '9a82517f9af19416', '\x6b046790834cefc4838fcdaef6b449da9e6f73a9dd4cf5570063b569a8234b767fb133fa39b5ba6bacd98e0712f303a9eb3542b63d28d200242563a927372306'),
	(135, '2026-11-30 03:10:32.239+00', '\x418d6702bfeb1b67ae8752bf34cdea69bfd273c789a062a01294b1b419fb7649', '\x2683efc031db3f00ad976b2336d567d3801fd31bf96718f1125de38bbf3bb73b', '9a82517f9af19416', '\x4d5b57c5717c0ecc4240bc47403019ec53787d817b33efac3869122aeeca014e59243acf0bd630a343a6b9d66b01ce002147030ba0d54fa92dceac8a0ea22e04');


--
-- Data for Name: log_head; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.log_head VALUES
	(true, 135, '2026-11-30 03:10:25.356+00', '\x418d6702bfeb1b67ae8752bf34cdea69bfd273c789a062a01294b1b419fb7649');


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.migrations VALUES
	('eventstore', '000001-events.sql', '2026-11-30 03:10:21.156446+00'),
	('eventstore', '000002-append-slices.sql', '2026-11-30 03:10:21.186133+00'),
	('eventstore', '000003-checkpoints.sql', '2026-11-30 03:10:21.223064+00'),
	('eventstore', '000004-data-keys.sql', '2026-11-30 03:10:21.244931+00'),
	('eventstore', '000005-snapshots.sql', '2026-11-30 03:10:21.258643+00'),
	('eventstore', '000006-looked-up.sql', '2026-11-30 03:10:21.270787+00'),
	('eventstore', '000007-looked-up-limits.sql', '2026-11-30 03:10:21.277853+00'),
	('eventstore', '000008-append-plans.sql', '2026-11-30 03:10:21.286196+00'),
	('projections', '000001-projections.sql', '2026-11-30 03:10:21.614637+00'),
	('reactions', '000001-runs.sql', '2026-11-30 03:10:21.875489+00');


--
-- Data for Name: runs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.runs VALUES
	('01a22a6e-9cdc-71bb-a43d-11e128fbe5ed', '2026-11-30 03:10:21.957852+00', '2026-11-30 03:10:32.977302+00');


--
-- Data for Name: snapshots; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.snapshots VALUES
	('account-acc_3db599b0165e0eb2186ca7d5', 4, 50, '2026-11-30 03:10:23.218+00', '\x341a0d5ed68c1ec70b15e8c2cddde1a998a2e1ac12a2b18cea0ef9ee4ff9b68b', '\xff0f6f22087374616e64696e676f22067374617475732206616374697665220c726567697374726174696f6e6f2206686f6c6465722206706572736f6e2208706572736f6e616c225e76312e763948474f67647065786247435a5a496f6670783734763539594857624e4c64543653505a54583838496d664f796a49734e51785942795531566a5f62587a75574a79724876584b6747774e546d63305f725458355471507563737b02220c7465726d7356657273696f6e220a323032362d31312d3234221073757370656e73696f6e526561736f6e307b0422046b6579733b221c6b65795f3566303432373436346235326162333136373864376536636f22046e616d652203617070220468696e7422044c51556122077265766f6b6564467b03221c6b65795f3835623663663134663336383464303237393530303066616f22046e616d6522076c696d69746564220468696e74220449776c7922077265766f6b6564467b03221c6b65795f3262633137323137343666636532393934306562633966346f22046e616d6522077265766f6b6564220468696e7422044d79747722077265766f6b6564547b033a06220677616c6c65746f2208746f7070656455705a1000eb08bf010000002207636861726765645a10b0e20d0000000000220762616c616e63655a105008fbbe01000000220468656c645a1054bc08000000000022046c6f74733b221c6c6f745f3330326561613062666135353137326233393662373864316f2206616d6f756e745a1000f2052a01000000220972656d61696e696e675a10500ff829010000002206736f757263656f22046b696e6422056772616e742206726561736f6e220757656c636f6d657b027b03221c6c6f745f6563356338616637363231613439326633316531353035646f2206616d6f756e745a1000f9029500000000220972656d61696e696e675a1000f90295000000002206736f757263656f22046b696e6422056772616e742206726561736f6e220757656c636f6d657b027b033a042205686f6c64733b222867656e2d30316132326136652d613166312d373335612d623730322d6564376465616530326430386f2206616d6f756e745a1054bc08000000000022056b65794964221c6b65795f356630343237343634623532616233313637386437653663220572756e4964222430316132326136652d396364632d373162622d613433642d313165313238666265356564220570726963656f22056d6f64656c220e73696d756c617465642d63686174220776657273696f6e4902220572617465736f2205696e7075745a1040420f0000000000220b636163686564496e7075745a1090d0030000000000220a636163686557726974655a10d01213000000000022066f75747075745a1000093d00000000002209726561736f6e696e675a1000093d00000000007b057b03220261744e00101feaa6227a422206746f6b656e7349dc032208657874656e646564307b073a027b06220774616c6c6965736f220261744e00101feaa6227a4222076163636f756e746f22066c696d6974736f220f746f6b656e735065724d696e7574654980897a2212636f6e63757272656e74526571756573747349647b0222046f70656e490222087370656e64696e676f22036461796f220677696e646f7749e6c40222057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b0322096461794265666f72656f220677696e646f77490022057370656e745a00220468656c645a007b0322056d6f6e74686f220677696e646f774984fc0222057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b03220b6d6f6e74684265666f72656f220677696e646f77490022057370656e745a00220468656c645a007b032205746f74616c6f220677696e646f77490022057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b037b0522066d696e7574656f22066e657765737449bee1f7ba04220473756d736f220872657175657374734e00000000000035402206746f6b656e734e00000000002081407b022208726571756573747341154e00000000000035404e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000002400152206746f6b656e7341154e00000000002081404e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000004e00000000000000002400157b047b0422046b6579733b221c6b65795f3835623663663134663336383464303237393530303066616f22066c696d6974736f221172657175657374735065724d696e75746549b00922087370656e64696e676f22036461795a10005ed0b2000000002205746f74616c5a1000bca065010000007b0222066d6f64656c734101220e73696d756c617465642d6368617424000122096578706972657341742218323039392d30312d30315430303a30303a30302e3030305a7b0422046f70656e490022087370656e64696e676f22036461796f220677696e646f77490022057370656e745a00220468656c645a007b0322096461794265666f72656f220677696e646f77490122057370656e745a00220468656c645a007b0322056d6f6e74686f220677696e646f77490022057370656e745a00220468656c645a007b03220b6d6f6e74684265666f72656f220677696e646f77490122057370656e745a00220468656c645a007b032205746f74616c6f220677696e646f77490022057370656e745a00220468656c645a007b037b0522066d696e7574656f22066e65776573744900220473756d736f2208726571756573747349002206746f6b656e7349007b022208726571756573747341154900490049004900490049004900490049004900490049004900490049004900490049004900490049002400152206746f6b656e7341154900490049004900490049004900490049004900490049004900490049004900490049004900490049002400157b047b04221c6b65795f3566303432373436346235326162333136373864376536636f22066c696d6974733022046f70656e490222087370656e64696e676f22036461796f220677696e646f7749e6c40222057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b0322096461794265666f72656f220677696e646f77490022057370656e745a00220468656c645a007b0322056d6f6e74686f220677696e646f774984fc0222057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b03220b6d6f6e74684265666f72656f220677696e646f77490022057370656e745a00220468656c645a007b032205746f74616c6f220677696e646f77490022057370656e745a10b0e20d0000000000220468656c645a1054bc0800000000007b037b0522066d696e757465307b043a047b037b04', '\x1b75f8c28c517efd0de5dbd98eb3833b061e968a88468937ba98fc0bc836ff74');


--
-- Data for Name: turns; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: turns_number_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.turns_number_seq', 1, false);


--
-- Name: balances balances_pkey; Type: CONSTRAINT; Schema: projections; Owner: -
--

ALTER TABLE ONLY projections.balances
    ADD CONSTRAINT balances_pkey PRIMARY KEY (account_id);


--
-- Name: checkpoints checkpoints_pkey; Type: CONSTRAINT; Schema: projections; Owner: -
--

ALTER TABLE ONLY projections.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (name);


--
-- Name: daily_usage daily_usage_pkey; Type: CONSTRAINT; Schema: projections; Owner: -
--

ALTER TABLE ONLY projections.daily_usage
    ADD CONSTRAINT daily_usage_pkey PRIMARY KEY (day, account_id, key_id, model);


--
-- Name: requests requests_pkey; Type: CONSTRAINT; Schema: projections; Owner: -
--

ALTER TABLE ONLY projections.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (request_id);


--
-- Name: data_keys data_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.data_keys
    ADD CONSTRAINT data_keys_pkey PRIMARY KEY (account_id);


--
-- Name: events events_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_id_key UNIQUE (id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY ("position");


--
-- Name: events events_stream_revision_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_stream_revision_key UNIQUE (stream, revision);


--
-- Name: log_checkpoints log_checkpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_checkpoints
    ADD CONSTRAINT log_checkpoints_pkey PRIMARY KEY ("position");


--
-- Name: log_checkpoints log_checkpoints_previous_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_checkpoints
    ADD CONSTRAINT log_checkpoints_previous_key UNIQUE (previous);


--
-- Name: log_head log_head_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_head
    ADD CONSTRAINT log_head_pkey PRIMARY KEY (only_row);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (room, file);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: snapshots snapshots_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (stream, version, revision);


--
-- Name: turns turns_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (stream, writer);


--
-- Name: daily_usage_account_id; Type: INDEX; Schema: projections; Owner: -
--

CREATE INDEX daily_usage_account_id ON projections.daily_usage USING btree (account_id);


--
-- Name: daily_usage_key_id; Type: INDEX; Schema: projections; Owner: -
--

CREATE INDEX daily_usage_key_id ON projections.daily_usage USING btree (key_id);


--
-- Name: requests_run_id; Type: INDEX; Schema: projections; Owner: -
--

CREATE INDEX requests_run_id ON projections.requests USING btree (run_id) WHERE (status = 'open'::text);


--
-- Name: requests_upstream_id; Type: INDEX; Schema: projections; Owner: -
--

CREATE INDEX requests_upstream_id ON projections.requests USING btree (upstream_id);


--
-- Name: events_looked_up; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_looked_up ON public.events USING btree ("position") WHERE (type = ANY (ARRAY['KeyIssued'::text, 'KeyRevoked'::text, 'KeyLimitsSet'::text, 'PriceListed'::text]));


--
-- Name: snapshots_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX snapshots_by_time ON public.snapshots USING btree (stream, version, "time");


--
-- Name: events events_are_never_changed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER events_are_never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON public.events FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: log_checkpoints log_checkpoints_are_never_changed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_checkpoints_are_never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON public.log_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- PostgreSQL database dump complete
--


