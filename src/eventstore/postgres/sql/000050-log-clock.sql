-- The clock of the log is in the row that every append locks, so that it costs an append nothing. In development it may be moved.
alter table log_head
  -- How far the clock is ahead of real time, in milliseconds; null: never moved, as in production.
  add column clock_moved_ms bigint,
  -- Set by the first gateway in production: from then on the clock of this log cannot be moved.
  add column clock_is_real boolean not null default false,
  add constraint log_head_real_clock check (clock_moved_ms is null or not clock_is_real);

-- For readers of the time outside the log.
create function log_clock_moved_ms() returns bigint
language sql stable as $$ select clock_moved_ms from log_head $$;

-- The functions that append take the time of the events from this clock, and are otherwise unchanged. They keep their names, so
-- gateways of the release before append by the same clock.
do $$
declare
  name text;
  definition text;
  real_time constant text := 'greatest(clock_timestamp(), head.time)';
begin
  foreach name in array array['append_slices', 'append_batch'] loop
    definition := pg_get_functiondef(name::regproc);
    assert position(real_time in definition) > 0, name || ' takes the time in another way than this migration expects';
    execute replace(definition, real_time,
      'greatest(clock_timestamp() + coalesce(head.clock_moved_ms, 0) * interval ''1 millisecond'', head.time)');
  end loop;
end $$;
