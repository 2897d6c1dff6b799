-- The keys that personal data in the log is sealed with, one for each account, wrapped by a master key that is not here.
-- Unlike the log this table may change: whoever destroys a key makes what it sealed unreadable for good, in every copy of
-- the log, and the log stays as it is. So no export of the log may take this table along.
create table data_keys (
  account_id text collate "C" primary key,
  -- Null once it is destroyed: the row stays, so that nobody makes another key for the account.
  wrapped bytea,
  master_key_id text not null,
  created_at timestamptz not null default now()
);
