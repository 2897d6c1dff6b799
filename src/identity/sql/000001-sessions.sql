-- Sessions of persons who are signed in. Deleted at sign-out, when they are revoked, and after their end.
create table sessions (
  -- SHA-256 of the token, which has 256 random bits. The token itself is in no table.
  hash bytea primary key,
  -- Identifies the session in lists and events, and is worthless as a token.
  id text collate "C" not null unique,
  person_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('customer', 'staff')),
  created_at timestamptz not null,
  -- To the minute, so that a request seldom writes.
  seen_at timestamptz not null,
  ends_at timestamptz not null,
  second_step_at timestamptz,
  -- The first 24 bits of an IPv4 address or 56 bits of an IPv6 address, and the family of the browser: enough for the person
  -- to recognise the session.
  network text,
  agent text
);
create index sessions_of_person on sessions (person_id);
create index sessions_by_end on sessions (ends_at);
