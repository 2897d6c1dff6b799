-- Deliveries of the payment partner that could not be read or belong to no payment, for an operator to look at. The bodies have
-- personal data: they are encrypted, and deleted after 30 days.
create table kept_deliveries (
  delivery_id text primary key,
  event_id text,
  event_type text,
  reason text not null,
  body bytea not null,
  times int not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null
);
create index kept_deliveries_by_time on kept_deliveries (last_at);
