-- The log may be committed in EventStoreDB, and these tables are then its copy, which gives each event its position and hash.
alter table log_head
  -- Which store accepts appends.
  add column store text not null default 'postgres' check (store in ('postgres', 'eventstoredb')),
  -- The names of the log's streams in EventStoreDB begin with this.
  add column store_streams text,
  -- The content of the first event there: it identifies the server, wherever it moves.
  add column store_marker uuid,
  -- Where the head of the copy is in EventStoreDB. The next event to copy comes after it.
  add column store_position bigint,
  -- Increased whenever a gateway connects to EventStoreDB anew: what was read there before is not copied any more.
  add column store_epoch bigint not null default 0,
  add constraint log_head_store check (store = 'postgres' or num_nulls(store_streams, store_marker, store_position) = 0);

-- In EventStoreDB each stream has a chain of its own. Null: the hash of the event is also its token.
alter table events add column token bytea;

-- The functions that append refuse a log that is committed elsewhere, and are otherwise unchanged.
do $$
declare
  name text;
  definition text;
  locked constant text := 'select * into strict head from log_head for update;';
begin
  foreach name in array array['append_slices', 'append_batch'] loop
    definition := pg_get_functiondef(name::regproc);
    assert position(locked in definition) > 0, name || ' locks the head in another way than this migration expects';
    execute replace(definition, locked, locked || '
  if head.store <> ''postgres'' then
    raise exception ''this log is committed in EventStoreDB: set EVENT_STORE_URL'' using errcode = ''KA001'';
  end if;');
  end loop;
end $$;

-- Adds events from EventStoreDB to the copy. Nothing is written unless the head is still where the caller read it: outcome
-- `moved`. `at_positions`: the positions of events that had one before; another position is outcome `out_of_order`.
-- first_streams, first_revisions, first_tokens: for the first event of each stream in the call, the token of the event
-- before it as the event states it, empty for none; another event in the copy is outcome `other_history`.
-- An id that the log has already is outcome `known_ids`, with all of them in `what`, separated by commas.
-- times: milliseconds since 1970. A time before that of the head becomes that of the head.
create function copy_events(
  this_epoch bigint, basis bigint, next_basis bigint,
  first_streams text[], first_revisions bigint[], first_tokens bytea[],
  streams text[], revisions bigint[], ids uuid[], types text[], versions smallint[], contents bytea[], datas text[],
  metadatas text[], tokens bytea[], times bigint[], at_positions bigint[],
  out outcome text, out what text)
language plpgsql as $$
declare
  head log_head%rowtype;
  at bigint;
  at_ms bigint;
  last_hash bytea;
  n int := cardinality(contents);
  hashes bytea[] := array_fill(null::bytea, array[n]);
  stamps bigint[] := array_fill(null::bigint, array[n]);
begin
  select * into strict head from log_head for update;
  if head.store <> 'eventstoredb' or head.store_epoch <> this_epoch or head.store_position <> basis then
    outcome := 'moved';
    return;
  end if;
  select f.stream || '@' || f.revision into what
    from unnest(first_streams, first_revisions, first_tokens) as f (stream, revision, token)
    left join events e on e.stream = f.stream collate "C" and e.revision = f.revision - 1
    where coalesce(e.token, e.hash, '') <> f.token limit 1;
  if what is not null then
    outcome := 'other_history';
    return;
  end if;

  what := (select string_agg(e.id::text, ',') from unnest(ids) as new (id) join events e on e.id = new.id);
  if what is not null then
    outcome := 'known_ids';
    return;
  end if;

  at := head.position;
  at_ms := case when head.position = 0 then 0 else (extract(epoch from head.time) * 1000)::bigint end;
  last_hash := head.hash;
  for i in 1 .. n loop
    at := at + 1;
    if at_positions[i] <> at then
      outcome := 'out_of_order';
      what := streams[i] || '@' || revisions[i];
      return;
    end if;
    at_ms := greatest(at_ms, times[i]);
    last_hash := sha256(last_hash || contents[i] || int8send(at) || int8send(at_ms));
    hashes[i] := last_hash;
    stamps[i] := at_ms;
  end loop;
  insert into events (position, stream, revision, id, type, version, data, metadata, time, hash, token)
    select head.position + e.i, e.stream, e.revision, e.id, e.type, e.version, e.data::json, e.metadata::json,
           timestamptz 'epoch' + e.ms * interval '1 millisecond', e.hash, nullif(e.token, e.hash)
    from unnest(streams, revisions, ids, types, versions, datas, metadatas, stamps, hashes, tokens)
      with ordinality as e (stream, revision, id, type, version, data, metadata, ms, hash, token, i);
  update log_head set position = at, time = timestamptz 'epoch' + at_ms * interval '1 millisecond', hash = last_hash,
    store_position = next_basis;
  perform pg_notify('kissapi_log', '');
  outcome := 'copied';
end $$;
alter function copy_events(
  bigint, bigint, bigint, text[], bigint[], bytea[], text[], bigint[], uuid[], text[], smallint[], bytea[], text[], text[],
  bytea[], bigint[], bigint[]) set plan_cache_mode = force_generic_plan;

-- How much of the log migrate-log found, byte for byte, in an EventStoreDB. Its next run goes on from there.
create table log_copies (
  -- The content of the first event there, as in log_head.
  marker uuid primary key,
  -- The last event that was compared, and its place in EventStoreDB.
  position bigint not null,
  hash bytea not null,
  store_position bigint not null,
  -- Up to here the chain of hashes was verified.
  chained bigint not null default 0
);
