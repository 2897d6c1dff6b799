-- The live rows of all projections; a rebuild fills a schema of its own and then takes over.
create schema projections;

create table projections.checkpoints (
  name text primary key,
  version int not null,
  -- Everything up to here is in the rows.
  position bigint not null
);
