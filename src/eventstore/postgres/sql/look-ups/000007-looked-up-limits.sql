-- The limits of a key say when it expires. Of a log in partitions the index is one of several, which go with their common root.
do $$
declare old regclass := to_regclass('events_looked_up');
begin
  if old is not null then
    execute format('drop index %s', coalesce(pg_partition_root(old), old));
  end if;
end $$;
create index events_looked_up on events (position) where type in ('KeyIssued', 'KeyRevoked', 'KeyLimitsSet', 'PriceListed');
