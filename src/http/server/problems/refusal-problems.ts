import type { AccountRefusal } from '../../../domain/account/decide.ts';
import type { ApprovalRefusal } from '../../../domain/approvals/approvals.ts';
import type { InvitationRefusal } from '../../../domain/identity/invitations.ts';
import type { StaffRefusal } from '../../../domain/identity/staff.ts';
import type { PriceRefusal } from '../../../domain/prices/decide.ts';
import type { TermsRefusal } from '../../../domain/terms/terms.ts';
import { paymentRefusals } from './payment-problems.ts';
import { termsRefusals } from './terms-problems.ts';
import { type ProblemEntry, forbidden, heldByOthers, invalid, overLimit, tooMany } from './problem-entries.ts';

/** Refusals of the domain. A new refusal does not compile until it has an entry. */
export const refusals = {
  account_exists: invalid(
    409,
    'This account is already registered.',
    'Read the account, or use another Idempotency-Key.',
  ),
  account_not_found: invalid(404, 'There is no account with this id.', 'Check the account id.'),
  under_age: forbidden(
    'A person must be 18 or older to hold an account.',
    'Send "adult": true once the holder has declared it.',
  ),
  account_closed: forbidden('This account is closed.', 'Contact support.'),
  account_not_closed: invalid(409, 'This account is not closed.', 'Close it first.'),
  account_not_terminated: invalid(
    409,
    'This account was not closed for a violation of the terms, so its credits stay owed.',
    'Refund them, record that the holder gives them up, or record a violation with the consequence termination.',
  ),
  resale_authorized: invalid(
    409,
    'Resale and sharing of access are authorised for this account.',
    'End the authorisation first.',
  ),
  resale_not_authorized: invalid(409, 'Resale is not authorised for this account.', 'There is nothing to end.'),
  notice_not_found: invalid(
    404,
    'This account has no notice with this id.',
    'GET /api/accounts/{account_id} lists its notices.',
  ),
  holds_open: {
    ...invalid(409, 'Requests of this account are still in progress.', 'Try again when they have ended.'),
    ...{ shouldRetry: true, retryAfterMs: 1000 },
  },
  personal_data_erased: invalid(
    409,
    'The personal data of this account was erased.',
    'Register another account for the holder.',
  ),
  contact_changed: invalid(409, 'The name or the address of the account was changed meanwhile.', 'Try again.'),
  account_suspended: forbidden('This account is suspended.', 'Contact support.'),
  account_not_suspended: invalid(409, 'This account is not suspended.', 'There is nothing to reinstate.'),
  terms_not_accepted: forbidden(
    'The Terms of Service have not been accepted for this account.',
    'Read them at GET /terms, accept that version, then try again.',
  ),
  key_not_found: invalid(404, 'This account has no key with this id.', 'List its keys and check the id.'),
  key_revoked: { ...invalid(401, 'This API key was revoked.', 'Use another key.'), code: 'invalid_api_key' },
  key_expired: invalid(401, 'This API key has expired.', 'Use another key.'),
  key_already_replaced: invalid(
    409,
    'Another key has already replaced this key.',
    'Change or replace that key instead.',
  ),
  key_not_revoked: invalid(409, 'This key is not revoked.', 'Revoke it first.'),
  member_not_found: invalid(404, 'This person is not a member of the account.', 'List its members.'),
  member_exists: invalid(409, 'This person is a member with another role.', 'Change the role instead.'),
  duplicate_not_found: invalid(
    404,
    'This account is not suspected to be a duplicate of the other one.',
    'List the suspected duplicates.',
  ),
  last_owner: invalid(409, 'An account keeps at least one owner.', 'Make another member an owner first.'),
  personal_account: invalid(
    409,
    'The account of a person has no other members.',
    'Register an account for an entity, and invite members to that.',
  ),
  too_many_members: invalid(409, 'This account has the maximum number of members.', 'Remove one first.'),
  model_not_allowed: forbidden(
    'This API key or its account may not use this model.',
    'Ask the manager of the key, or use another model.',
  ),
  too_many_keys: invalid(
    409,
    'This account has the maximum number of keys: 500 live ones, or 10,000 including the revoked.',
    'Revoke keys that are not used any more. If none is left to revoke, contact support.',
  ),
  invalid_limits: invalid(
    400,
    'A limit is invalid.',
    'Send a whole number of at least 1, or an amount that is not negative.',
  ),
  invalid_amount: invalid(400, 'The amount must be more than zero.', 'Send another amount.'),
  lot_exists: invalid(409, 'These credits were already added with another amount.', 'Send a new Idempotency-Key.'),
  lot_not_found: invalid(404, 'This account has no such lot of paid credits.', 'Read the account to see its lots.'),
  refund_exists: invalid(409, 'This refund was requested before.', 'Send the request with a new Idempotency-Key.'),
  refund_not_open: invalid(409, 'This refund does not hold credits any more.', 'Read the payment to see its outcome.'),
  lot_disputed: invalid(
    409,
    'The payment of these credits is disputed at the payment partner.',
    'Wait for the end of the dispute.',
  ),
  lot_not_disputed: invalid(
    409,
    'This dispute does not concern the payment of these credits.',
    'Check the dispute id.',
  ),
  more_than_refundable: invalid(
    409,
    'The amount is more than what can be refunded.',
    'Read the account: each lot has its refundable_usd.',
  ),
  refund_open: invalid(409, 'A refund of this account is open.', 'Try again when it is completed or refused.'),
  debt_open: invalid(409, 'This account has an open debt.', 'Wait for a payment, or write the debt off.'),
  debt_not_found: invalid(404, 'This lot has no open debt.', 'Read the account to see its debts.'),
  more_than_owed: invalid(409, 'The amount is more than the open debt of the lot.', 'Send a smaller amount.'),
  more_than_charged: invalid(
    409,
    'All reversals of a generation together can be at most its charge.',
    'Read its receipt: reversed_usd is what was reversed before.',
  ),
  reversal_too_late: invalid(409, 'A charge can be reversed for 120 days.', 'Grant credits instead.'),
  request_id_reused: invalid(409, 'This id was used for another request.', 'Send the request with a new id.'),
  hold_not_open: invalid(409, 'This request has already ended.', 'Fetch its receipt by its generation id.'),
  concurrency_limit_exceeded: tooMany(
    250,
    'The limit of concurrent requests is reached.',
    'Try again when one has ended.',
  ),
  rate_limit_exceeded: tooMany(
    3000,
    'The limit of requests or tokens per minute is reached.',
    'Try again after the time in the header retry-after.',
  ),
  key_limit_exceeded: overLimit(
    'This API key has reached its spending limit.',
    'Ask the manager of the key to raise it.',
  ),
  account_limit_exceeded: overLimit(
    'This account has reached its spending limit.',
    'Raise it, or wait until it resets.',
  ),
  limit_held_by_concurrent_requests: heldByOthers('The rest of the spending limit is held by concurrent requests.'),
  credits_held_by_concurrent_requests: heldByOthers(
    'The credits that this request needs are held by concurrent requests.',
  ),
  insufficient_credits: {
    ...overLimit('The available credits do not cover this request.', 'Top up, or ask for less.'),
    code: 'credit_balance_exhausted',
  },
  invalid_price: invalid(
    400,
    'A price is invalid.',
    'Send prices that are not negative and whole pico-USD per token, and an output limit within the context length.',
  ),
  price_lines_overlap: invalid(400, 'Two lines of a price match the same tokens.', 'Send one line for each class.'),
  price_lines_incomplete: invalid(
    400,
    'The price has no line for a class of tokens.',
    'Send one line for each of input, cachedInput, cacheWrite, output and reasoning.',
  ),
  price_version_not_found: invalid(
    404,
    'This model has no price with this version.',
    'GET /api/prices/history lists its versions.',
  ),
  takes_effect_too_soon: invalid(
    409,
    'A change takes effect after a minute at the earliest, so that all nodes have it by then.',
    'Choose a later time.',
  ),
  notice_too_short: invalid(
    409,
    'A change that may be worse for customers needs a notice of 14 days.',
    'Choose a time at least 14 days ahead.',
  ),
  takes_effect_before_a_listed_price: invalid(
    409,
    'A price of this model that takes effect later is already listed.',
    'Choose a later time.',
  ),
  model_not_listed: invalid(
    404,
    'The price book does not contain this model.',
    'GET /api/prices lists the models on sale.',
  ),
  invitation_not_found: invalid(404, 'There is no invitation with this id.', 'List the open invitations.'),
  invitation_ended: invalid(
    409,
    'This invitation was used or revoked before, or its seven days are over.',
    'Ask for a new one.',
  ),
  staff_not_found: invalid(404, 'This person is not staff.', 'GET /api/staff lists the staff.'),
  last_staff_owner: invalid(409, 'The staff keeps at least one owner.', 'Make another person an owner first.'),
  approval_not_found: invalid(404, 'There is no approval with this id.', 'GET /api/approvals lists those that wait.'),
  approval_closed: invalid(409, 'This approval was given or refused before.', 'Read it to see the outcome.'),
  approval_ended: invalid(409, 'The seven days of this approval are over.', 'Ask for the act again.'),
  role_not_sufficient: forbidden('Your role may not approve this act.', 'Ask staff with the role.'),
  second_person_required: forbidden(
    'The person who asked for an act cannot approve it.',
    'Another person with the role must give the approval.',
  ),
  ...paymentRefusals,
  ...termsRefusals,
} satisfies Record<
  (AccountRefusal | PriceRefusal | TermsRefusal | InvitationRefusal | StaffRefusal | ApprovalRefusal)['code'],
  ProblemEntry
>;
