-- The log. Positions are dense and visible in order, because whoever appends holds the head until it commits.
create table events (
  position bigint primary key,
  stream text collate "C" not null,
  revision bigint not null check (revision >= 0),
  id uuid not null unique,
  type text collate "C" not null,
  version smallint not null,
  -- `json`, not `jsonb`: the text is kept byte for byte.
  data json not null,
  metadata json not null,
  time timestamptz not null,
  unique (stream, revision)
);

create table log_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null,
  time timestamptz not null
) with (fillfactor = 10);
insert into log_head (position, time) values (0, '-infinity');

-- The log is append-only even for whoever holds the connection string.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % refused', tg_op, tg_table_name;
end $$;
create trigger events_are_never_changed before update or delete or truncate on events
  for each statement execute function refuse_change();

-- Appends a batch in one round trip.
-- slices: [{"n": 0, "stream": "account-1", "expected": 4}, …], each stream once
-- batch:  [{"n": 0, "i": 0, "id": "…", "type": "…", "version": 1, "data": "{…}", "metadata": "{…}"}, …]; i counts within n
-- Returns the slices that fitted, each with its first position (null where it had no events); the others clashed.
create function append_events(slices json, batch json)
returns table (n int, first_position bigint, appended_at timestamptz)
language plpgsql as $$
declare
  head log_head%rowtype;
  now timestamptz;
begin
  select * into strict head from log_head for update;
  now := date_trunc('milliseconds', greatest(clock_timestamp(), head.time));
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
             b.id, b.type, b.version, b.data, b.metadata
      from fitting f
      join json_to_recordset(batch) as b (n int, i int, id uuid, type text, version smallint, data text, metadata text)
        on b.n = f.n
    ),
    written as (
      insert into events (position, stream, revision, id, type, version, data, metadata, time)
      select p.position, p.stream, p.revision, p.id, p.type, p.version, p.data::json, p.metadata::json, now
      from placed p order by p.position
    ),
    moved as (
      update log_head h set position = counted.last, time = now
      from (select max(p.position) as last from placed p) counted
      where counted.last is not null
    )
    select f.n, p.position, now from fitting f left join placed p on p.n = f.n and p.i = 0;
  perform pg_notify('kissapi_log', '') from log_head h where h.position > head.position;
end $$;
