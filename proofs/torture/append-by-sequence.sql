-- The usual way to number a log, for the torture to break: positions from a sequence, and nobody waits for anybody. Takes
-- what append_events takes, leaves the head alone and chains nothing.
create sequence position_sequence;

create function append_by_sequence(slices json, batch json)
returns table (n int, first_position bigint, appended_at timestamptz)
language plpgsql as $$
begin
  return query
    with asked as (
      select s.n, s.stream, s.expected + 1 + b.i as revision, b.id, b.type, b.version, b.data, b.metadata
      from json_to_recordset(slices) as s (n int, stream text, expected bigint)
      join json_to_recordset(batch) as b (n int, i int, id uuid, type text, version smallint, data text, metadata text)
        on b.n = s.n
      order by s.n, b.i
    ),
    placed as (select a.*, nextval('position_sequence') as position from asked a),
    written as (
      insert into events (position, stream, revision, id, type, version, data, metadata, time, hash)
      select p.position, p.stream, p.revision, p.id, p.type, p.version, p.data::json, p.metadata::json,
             date_trunc('milliseconds', clock_timestamp()), decode(repeat('00', 32), 'hex')
      from placed p
    )
    select p.n, min(p.position), clock_timestamp() from placed p group by p.n;
  notify kissapi_log;
end $$;
