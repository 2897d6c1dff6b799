-- Withdrawals of announced terms and prices, and contacts with support, are looked up by each process, too. Of a log in partitions the index is one of several, which go with their common root.
do $$
declare old regclass := to_regclass('events_looked_up');
begin
  if old is not null then
    execute format('drop index %s', coalesce(pg_partition_root(old), old));
  end if;
end $$;
create index events_looked_up on events (position) where type in
  ('KeyIssued', 'KeyRehashed', 'KeyRevoked', 'KeyLimitsSet', 'PriceListed', 'PriceWithdrawn', 'ModelDelisted', 'TermsPublished',
  'TermsWithdrawn', 'PersonInvited', 'InvitationAccepted', 'InvitationRevoked', 'ApprovalAsked', 'ApprovalRefused', 'ActApproved',
  'DuplicateSuspected', 'DuplicateDismissed', 'AccountClosed',
  'PaymentOpened', 'PaymentExpired', 'PaymentCompleted', 'PaymentQuarantined', 'QuarantineReleased', 'QuarantineRejected',
  'RefundRequested', 'RefundRefused', 'RefundCompleted', 'RefundFailed', 'DisputeOpened', 'DisputeClosed',
  'ContactOpened', 'ContactLinked', 'ContactAnswered', 'ContactClosed');
