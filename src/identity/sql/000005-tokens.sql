-- Tokens for programs. Deleted when they are revoked and after their end.
create table tokens (
  -- SHA-256 of the token, which has more than 190 random bits.
  hash bytea primary key,
  -- Identifies the token in lists and events, and is worthless as a token.
  id text collate "C" not null unique,
  kind text collate "C" not null check (kind in ('management', 'service')),
  -- Of management tokens.
  account_id text collate "C",
  -- The scopes of a management token, or the one role of a service token.
  grants text[] not null,
  -- The person who created it; null for the administrator.
  created_by text collate "C",
  name text not null,
  -- The last four characters.
  hint text not null,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  -- To the minute, so that a request seldom writes.
  used_at timestamptz,
  check ((kind = 'management') = (account_id is not null))
);
create index tokens_of_account on tokens (account_id);
create index tokens_of_creator on tokens (created_by);
create index tokens_by_end on tokens (ends_at);
