-- How far each process has reacted to the log. The newest row of a process is its checkpoint; older ones, ever further apart,
-- find the place where the log diverges if it went back in time. The hash is that of the event at the position.
create table process_checkpoints (
  process text not null,
  position bigint not null,
  hash bytea not null,
  saved_at timestamptz not null default clock_timestamp(),
  primary key (process, position)
);
