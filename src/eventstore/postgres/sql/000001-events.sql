-- The log. Positions are dense and visible in order, because whoever appends holds the head until it commits.
create table events (
  position bigint primary key,
  stream text collate "C" not null check (position(E'\n' in stream) = 0),
  revision bigint not null check (revision >= 0),
  id uuid not null unique,
  type text collate "C" not null,
  version smallint not null,
  -- `json`, not `jsonb`: the text is kept byte for byte.
  data json not null,
  metadata json not null,
  time timestamptz not null,
  -- SHA-256 over this event and the hash before it.
  hash bytea not null,
  unique (stream, revision)
);

create table log_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null,
  time timestamptz not null,
  hash bytea not null
) with (fillfactor = 10);
insert into log_head (position, time, hash) values (0, '-infinity', decode(repeat('00', 32), 'hex'));

-- chain(start, link) over rows in order: each row's hash is SHA-256(the hash before it || its link).
create function chain_link(previous bytea, start bytea, link bytea) returns bytea
language sql immutable as $$ select sha256(coalesce(previous, start) || link) $$;
create aggregate chain(start bytea, link bytea) (sfunc = chain_link, stype = bytea);

-- The log is append-only even for whoever holds the connection string.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % refused', tg_op, tg_table_name;
end $$;
create trigger events_are_never_changed before update or delete or truncate on events
  for each statement execute function refuse_change();

-- Appends a batch in one round trip.
-- slices: [{"n": 0, "stream": "account-1", "expected": 4}, …], each stream once
-- batch:  [{"n": 0, "i": 0, "id": "…", "type": "…", "version": 1, "content": "…", "data": "{…}",
--         "metadata": "{…}"}, …]; i counts within n; content is the hash over all that the writer says of the event
-- Returns the slices that fitted, each with its first position (null where it had no events); the others clashed.
create function append_events(slices json, batch json)
returns table (n int, first_position bigint, appended_at timestamptz)
language plpgsql as $$
declare
  head log_head%rowtype;
  now timestamptz;
  now_ms bigint;
begin
  select * into strict head from log_head for update;
  now := date_trunc('milliseconds', greatest(clock_timestamp(), head.time));
  now_ms := extract(epoch from now) * 1000;
  return query
    with fitting as (
      select s.n, s.stream, s.expected
      from json_to_recordset(slices) as s (n int, stream text, expected bigint)
      where s.expected = coalesce(
        (select e.revision from events e where e.stream = s.stream collate "C" order by e.revision desc limit 1), -1)
    ),
    placed as (
      select f.n, b.i, f.stream, f.expected + 1 + b.i as revision,
             head.position + row_number() over (order by f.n, b.i) as position,
             b.id, b.type, b.version, decode(b.content, 'hex') as content, b.data, b.metadata
      from fitting f
      join json_to_recordset(batch) as b (
        n int, i int, id uuid, type text, version smallint, content text, data text, metadata text)
        on b.n = f.n
    ),
    chained as (
      select p.*, chain(head.hash, p.content || int8send(p.position) || int8send(now_ms)) over (order by p.position) as hash
      from placed p
    ),
    written as (
      insert into events (position, stream, revision, id, type, version, data, metadata, time, hash)
      select c.position, c.stream, c.revision, c.id, c.type, c.version, c.data::json, c.metadata::json, now, c.hash
      from chained c order by c.position
    ),
    moved as (
      update log_head h set position = last.position, time = now, hash = last.hash
      from (select c.position, c.hash from chained c order by c.position desc limit 1) last
    )
    select f.n, p.position, now from fitting f left join placed p on p.n = f.n and p.i = 0;
  perform pg_notify('kissapi_log', '') from log_head h where h.position > head.position;
end $$;
