-- Codes and links that were sent by mail. They derive from a shared secret and the id, so neither is in a table or in the log.
create table one_time_codes (
  id text collate "C" primary key,
  purpose text collate "C" not null,
  -- The person or the claim that the code is about.
  subject text collate "C" not null,
  -- A newer code replaces the older of the same purpose, subject and scope.
  scope bytea not null,
  code_mac bytea not null,
  link_mac bytea not null,
  -- Hash of the secret of the browser that asked. Null if no browser asked.
  browser bytea,
  tries smallint not null default 0,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  redeemed_at timestamptz,
  unique (purpose, subject, scope)
);
create index one_time_codes_of_subject on one_time_codes (subject);
create index one_time_codes_by_end on one_time_codes (ends_at);
