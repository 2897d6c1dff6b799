-- From which networks each key was used, by the hour: truncated addresses (IPv4 /24, IPv6 /48), for 30 days. Beside the log.
create table key_networks (
  account_id text not null,
  key_id text not null,
  network text not null,
  hour timestamptz not null,
  primary key (account_id, key_id, network, hour)
);
create index key_networks_hour on key_networks (hour);
