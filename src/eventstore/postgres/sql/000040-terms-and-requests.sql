-- The texts of the terms, each under its hash: a node can show the text in force whatever files it was started with.
create table terms_texts (
  sha256 text collate "C" primary key check (sha256 = encode(sha256(text), 'hex')),
  text bytea not null,
  stored_at timestamptz not null default clock_timestamp()
);

-- Terms and delistings are looked up by each process as well. Of a log in partitions the index is one of several, which go with their common root.
do $$
declare old regclass := to_regclass('events_looked_up');
begin
  if old is not null then
    execute format('drop index %s', coalesce(pg_partition_root(old), old));
  end if;
end $$;
create index events_looked_up on events (position)
  where type in ('KeyIssued', 'KeyRehashed', 'KeyRevoked', 'KeyLimitsSet', 'PriceListed', 'ModelDelisted', 'TermsPublished');

-- Support finds events by the HTTP request that they came with. Events of completions are found by their generation, so the
-- index leaves them out, and costs their appends nothing.
create index events_by_request on events ((metadata ->> 'correlationId'))
  where type not in ('CreditsReserved', 'HoldExtended', 'HoldSettled', 'HoldReleased', 'LateUsageCharged', 'UsageWrittenOff')
    -- PostgreSQL cannot read every escape of JSON, and an append must not fail by an index.
    and position('\u' in metadata::text) = 0;
