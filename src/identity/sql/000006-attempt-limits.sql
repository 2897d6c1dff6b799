-- Buckets of attempts that are not full. A full bucket has no row.
create table attempt_limits (
  -- SHA-256 of the action and of what is counted: an account, the hash of an address, or a network.
  key bytea primary key,
  -- When the bucket will be full again.
  full_at timestamptz not null
);
create index attempt_limits_by_end on attempt_limits (full_at);
