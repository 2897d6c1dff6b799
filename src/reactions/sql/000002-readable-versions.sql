-- The event types and versions that a run can read. Null for runs of a release that did not state it.
alter table runs add column reads jsonb;
