create table passkeys (
  -- As the authenticator chose it, in base64url.
  credential_id text collate "C" primary key,
  -- Derives from the credential id; identifies the passkey in lists and events.
  id text collate "C" not null unique,
  person_id text collate "C" not null,
  -- COSE key. It is public, and of use only to check signatures.
  public_key bytea not null,
  -- The authenticator's signature counter; 0 for authenticators that do not count.
  counter bigint not null,
  transports text[] not null,
  name text not null,
  created_at timestamptz not null,
  used_at timestamptz
);
create index passkeys_of_person on passkeys (person_id);

-- Challenges that are not answered yet. The answer deletes the row.
create table passkey_challenges (
  -- SHA-256 of the challenge.
  hash bytea primary key,
  purpose text collate "C" not null check (purpose in ('register', 'sign_in')),
  -- Null if the person is not known yet.
  person_id text collate "C",
  verify_user boolean not null,
  ends_at timestamptz not null
);
create index passkey_challenges_of_person on passkey_challenges (person_id);
create index passkey_challenges_by_end on passkey_challenges (ends_at);
