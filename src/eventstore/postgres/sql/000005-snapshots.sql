-- Streams folded up to one of their events, so that a long one need not be read from its beginning. Disposable: whoever
-- truncates this table loses time, and nothing else.
create table snapshots (
  stream text collate "C" not null,
  -- Of the software's fold: a snapshot of another version is not looked at.
  version int not null,
  revision bigint not null,
  time timestamptz not null,
  -- Of the event at that revision. The chain makes it the hash of everything before it as well.
  hash bytea not null,
  -- As node:v8 serializes it, by the algorithm of structured clones.
  state bytea not null,
  -- Of all this but the hash, under a secret that the database does not have.
  mac bytea not null,
  primary key (stream, version, revision)
);
create index snapshots_by_time on snapshots (stream, version, time);
