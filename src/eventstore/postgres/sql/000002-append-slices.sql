-- Appends by arrays instead of JSON, which cost more to write and to read than all else, and writers take turns.

-- Who found a stream elsewhere than expected comes next on it, in the order of asking: without turns, a writer that never
-- pauses would win every race. A turn that nobody takes up lapses; after a crash of the server none is left, nor needed.
create unlogged table turns (
  stream text collate "C" not null,
  writer text not null,
  number bigint generated always as identity,
  asked_at timestamptz not null,
  primary key (stream, writer)
);

drop function append_events(json, json);
drop aggregate chain(bytea, bytea);
drop function chain_link(bytea, bytea, bytea);

-- Appends a batch in one round trip.
-- streams, expected: the slices, each stream once, with the revision that it is expected to be at
-- slice: for each event the number of its slice, from 1; the events of a slice are in order and numbered by `revisions`
-- contents: of each event, the SHA-256 over all that its writer says of it
-- Returns for each slice its first position, or 0 where it had no events; null for those that were refused, because the
-- stream was elsewhere or it is another writer's turn.
create function append_slices(
  this_writer text, streams text[], expected bigint[],
  slice int[], event_streams text[], revisions bigint[], ids uuid[], types text[], versions smallint[],
  contents bytea[], datas text[], metadatas text[],
  out first_positions bigint[], out appended_at timestamptz)
language plpgsql as $$
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
