-- Names this log wherever it is copied or restored to, so that a process knows again what it saw of it.
alter table log_head add column log_id uuid not null default gen_random_uuid();

-- Times at which the log was found to have gone back in time: a restore, or a failover to a standby that was behind. While
-- one is open no gateway takes completions. Events that were lost cannot be in the log, so what is known of them is here.
create table log_rewinds (
  id uuid primary key,
  noticed_at timestamptz not null default clock_timestamp(),
  -- The newest place that a gateway had seen and the log no longer has.
  seen_position bigint not null,
  seen_hash bytea not null,
  -- The newest place that is known to be in both histories; the lost events come after it.
  common_position bigint not null,
  -- The end of the log when it was first noticed.
  head_position bigint not null,
  head_hash bytea not null,
  acknowledged_at timestamptz
);
create unique index log_rewinds_one_open on log_rewinds ((true)) where acknowledged_at is null;

-- Events that gateways had appended and been told were durable, and that the log does not have any more.
create table log_rewind_events (
  rewind_id uuid not null references log_rewinds (id),
  event_id uuid not null,
  position bigint not null,
  stream text collate "C" not null,
  revision bigint not null,
  type text collate "C" not null,
  version int not null,
  data json not null,
  time timestamptz not null,
  primary key (rewind_id, event_id)
);
