-- Registrations whose address is not verified yet, and when they began. Written from the log by a process, so that those that
-- lapse are found without reading it.
create table pending_registrations (
  person_id text collate "C" primary key,
  since timestamptz not null
);
create index pending_registrations_by_time on pending_registrations (since);
