-- A role or a session with session_replication_role = replica does not run ordinary triggers.
alter table events enable always trigger events_are_never_changed;
alter table log_checkpoints enable always trigger log_checkpoints_are_never_changed;
