-- The ids of the peppers and master keys that a run accepts. Null for runs of a release that did not state it.
alter table runs add column accepts jsonb;
