-- What all nodes must agree on. None of these rows can be turned into the secret that it is about.

-- A check value for each pepper and master key, by its id: a node that has another secret under the same id does not start.
create table secret_checks (
  kind text collate "C" not null,
  id text collate "C" not null,
  salt bytea not null,
  -- HMAC of the kind and the id, under a key derived from the secret and the salt by scrypt.
  mac bytea not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  primary key (kind, id)
);

-- Secrets that outlive the peppers: a retry under an Idempotency-Key must be recognised after the pepper has changed.
-- A secret has one row for each master key that it is wrapped by, as data_keys has for an account.
create table shared_secrets (
  name text collate "C" not null,
  master_key_id text collate "C" not null,
  wrapped bytea not null,
  -- A check value of the secret itself, as in secret_checks.
  salt bytea not null,
  mac bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (name, master_key_id)
);

-- The keys that have signed the log. The public half is null for keys that signed before this table existed.
create table signing_keys (
  id text collate "C" primary key,
  public_key text,
  first_used_at timestamptz not null default clock_timestamp()
);
insert into signing_keys (id, first_used_at) select key_id, min(time) from log_checkpoints group by key_id;
