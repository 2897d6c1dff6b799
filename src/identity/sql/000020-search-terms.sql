-- What support finds persons, accounts and keys by. Keyed hashes of words of names, of addresses, and of ids and hints of keys:
-- without the shared secret `identities`, none of them can be compared with a name. Written from the log by a process.
create table search_terms (
  hash bytea not null,
  kind text collate "C" not null check (kind in ('person', 'account', 'key')),
  -- The id of the person or of the account; of a key, that of its account, a slash, and its own.
  subject text collate "C" not null,
  primary key (hash, kind, subject)
);
create index search_terms_of_subject on search_terms (subject);
