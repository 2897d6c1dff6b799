create table totp_seeds (
  person_id text collate "C" primary key,
  -- Sealed under the person's data key. Null until the first seed is confirmed.
  sealed bytea,
  -- The next seed, until a code of it confirms it.
  pending bytea,
  -- The newest time step whose code was accepted: no code is accepted twice.
  last_step bigint not null default 0,
  confirmed_at timestamptz
);

-- Recovery codes that are not used yet. Use deletes the row.
create table recovery_codes (
  person_id text collate "C" not null,
  -- SHA-256 of the person's id and the code, which has 80 random bits.
  hash bytea not null,
  primary key (person_id, hash)
);
