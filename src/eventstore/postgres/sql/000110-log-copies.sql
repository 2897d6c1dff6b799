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
