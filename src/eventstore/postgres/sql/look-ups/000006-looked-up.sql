-- Few of all events, which each process reads at its start to know keys and prices.
create index events_looked_up on events (position) where type in ('KeyIssued', 'KeyRevoked', 'PriceListed');
