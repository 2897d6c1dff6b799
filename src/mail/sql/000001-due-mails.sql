-- The mails that wait to be sent, and when the next attempt is due. The log decides: a row that is missing is written again by
-- the process that reads the queued mails, and one that is too early or too late is corrected when its mail is read.
create table due_mails (
  mail_id text primary key,
  queued_at timestamptz not null,
  due_at timestamptz not null
);
create index due_mails_by_time on due_mails (due_at);
