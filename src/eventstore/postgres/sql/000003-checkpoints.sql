-- The head of the log, signed every so often by a key that the database does not have. Whoever rewrites the log and
-- all hashes in it cannot make these again. Each follows the digest of the one before it, and only one can: gateways
-- that sign at once make one checkpoint.
create table log_checkpoints (
  position bigint primary key,
  time timestamptz not null,
  hash bytea not null,
  previous bytea not null unique,
  key_id text not null,
  signature bytea not null
);
create trigger log_checkpoints_are_never_changed before update or delete or truncate on log_checkpoints
  for each statement execute function refuse_change();
