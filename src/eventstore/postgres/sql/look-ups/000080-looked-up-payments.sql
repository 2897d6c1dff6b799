-- What is under way with payments is looked up by each process, too. Of a log in partitions the index is one of several, which go with their common root.
do $$
declare old regclass := to_regclass('events_looked_up');
begin
  if old is not null then
    execute format('drop index %s', coalesce(pg_partition_root(old), old));
  end if;
end $$;
create index events_looked_up on events (position) where type in
  ('KeyIssued', 'KeyRehashed', 'KeyRevoked', 'KeyLimitsSet', 'PriceListed', 'ModelDelisted', 'TermsPublished',
  'PersonInvited', 'InvitationAccepted', 'InvitationRevoked', 'ApprovalAsked', 'ApprovalRefused', 'ActApproved',
  'DuplicateSuspected', 'DuplicateDismissed', 'AccountClosed',
  'PaymentOpened', 'PaymentExpired', 'PaymentCompleted', 'PaymentQuarantined', 'QuarantineReleased', 'QuarantineRejected',
  'RefundRequested', 'RefundRefused', 'RefundCompleted', 'RefundFailed', 'DisputeOpened', 'DisputeClosed');
