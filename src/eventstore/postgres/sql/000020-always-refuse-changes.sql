-- A session with session_replication_role = replica does not run ordinary triggers. Partitions have triggers of their own.
do $$
declare one record;
begin
  for one in select tgrelid::regclass as relation, tgname as name from pg_trigger where tgfoid = 'refuse_change'::regproc loop
    execute format('alter table %s enable always trigger %I', one.relation, one.name);
  end loop;
end $$;
