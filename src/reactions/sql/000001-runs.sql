-- The processes that hold credits for requests. One that has not been seen for a while is dead, or as good as dead.
create table runs (
  id text primary key,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
