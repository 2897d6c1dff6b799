-- Refusals of completions: a record beside the log, without content, for 30 days. Repeats within a minute are one row.
create table refusals (
  account_id text not null,
  key_id text not null,
  code text not null,
  minute timestamptz not null,
  status int not null,
  count int not null,
  -- The figures that decided: amounts and limits. Null for refusals because of the content of a request.
  figures text,
  -- At most 20 for each minute.
  request_ids text[] not null,
  last_at timestamptz not null,
  primary key (account_id, key_id, code, minute)
);
create index refusals_minute on refusals (minute);
create index refusals_request_ids on refusals using gin (request_ids);
