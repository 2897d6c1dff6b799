import type { ContactRefusal } from '../../../domain/contacts/contact.ts';
import { forbidden, invalid, tooMany, unavailable, type ProblemEntry } from './problem-entries.ts';
import { refusals } from './refusal-problems.ts';

const authentication = {
  invalid_api_key: invalid(
    401,
    'This API key is not valid.',
    'Check that it was copied completely, or use another key.',
  ),
  not_signed_in: invalid(
    401,
    'You are not signed in, or the session has ended.',
    'Sign in, and send the session token in the header Authorization: Bearer TOKEN.',
  ),
  not_allowed: forbidden(
    'Your role or your token does not allow this request.',
    'Ask an owner of the account, or use another token.',
  ),
  second_step_required: forbidden(
    'This request needs the second step of your sign-in.',
    'Pass it with POST /api/me/second-step, then try again.',
  ),
  recent_sign_in_required: forbidden(
    'You signed in too long ago for this change.',
    'Sign in again, or pass the second step with POST /api/me/second-step. Each counts for 15 minutes.',
  ),
  second_step_not_set_up: invalid(
    409,
    'You have neither a passkey nor an authenticator app for this.',
    'Add a passkey or an authenticator app first.',
  ),
  last_second_step: invalid(
    409,
    'Staff keep at least one passkey or authenticator app.',
    'Add another one first, then remove this one.',
  ),
  passkey_refused: invalid(
    400,
    'The passkey was not accepted.',
    'Ask for new options and try again, or sign in by mail.',
  ),
  passkey_not_found: invalid(404, 'You have no passkey with this id.', 'List your passkeys.'),
  too_many_passkeys: invalid(409, 'You have the maximum number of passkeys.', 'Remove one first.'),
  token_not_found: invalid(404, 'There is no valid token with this id.', 'List the tokens.'),
  too_many_tokens: invalid(409, 'There is the maximum number of tokens.', 'Revoke those that are not used any more.'),
  disposable_address: invalid(
    400,
    'Addresses of this domain are for short use only.',
    'Use an address at which you can be reached for as long as you have an account.',
  ),
  code_wrong: invalid(400, 'The code or the link is not correct.', 'Check it, or ask for a new one.'),
  code_expired: invalid(
    400,
    'The code or the link has expired, was replaced by a newer one, or belongs to another browser.',
    'Use the newest mail, or ask for a new code.',
  ),
  code_used: invalid(400, 'The code or the link was used before, or tried too often.', 'Ask for a new code.'),
  address_taken: invalid(409, 'This address already belongs to an account.', 'Sign in with it.'),
  second_account_not_approved: forbidden(
    'A person has one personal account.',
    'Ask support to approve a second one, then try again.',
  ),
  entity_taken: invalid(
    409,
    'This entity has an account already.',
    'Ask one of its owners to invite you, or ask support to approve a second account.',
  ),
  approval_ended: invalid(400, 'The end of the approval is over.', 'Send an end in the future.'),
  accounts_open: invalid(
    409,
    'The person owns an account that is not closed, or in which a request, refund, dispute or debt is open.',
    'Let support close the accounts, then try again.',
  ),
  person_is_staff: invalid(409, 'The person is staff.', 'End that first.'),
  erasure_by_support: invalid(
    409,
    'An account of yours was suspended when it was closed.',
    'Ask support to erase your data.',
  ),
  person_not_found: invalid(404, 'There is no person with this id.', 'Check the id.'),
  name_of_person: invalid(
    409,
    'The account of a person has the name of that person.',
    'Change it with PUT /api/me/name.',
  ),
  newcomer_details_required: invalid(
    400,
    'This address belongs to no person yet.',
    'Send name, declaration and accept_terms as well.',
  ),
  role_exists: invalid(409, 'This person has a role here already.', 'Ask an owner to change the role.'),
  session_not_found: invalid(404, 'You have no session with this id.', 'List your sessions.'),
  too_many_attempts: tooMany(60_000, 'There were too many attempts.', 'Wait, then try again.'),
  invalid_admin_token: invalid(
    401,
    'The request has no valid token.',
    'Send the header Authorization: Bearer TOKEN, with the administrator token, a management token, a service token or the token of a session.',
  ),
} satisfies Record<string, ProblemEntry>;

/** Contacts with support. */
const contacts = {
  contact_not_found: invalid(404, 'There is no contact with this id.', 'GET /api/contacts lists those that are open.'),
  contact_closed: invalid(409, 'This contact is closed.', 'GET /api/contacts/{contact_id} returns its answers.'),
  contact_of_account: invalid(
    409,
    'This contact belongs to another account.',
    'GET /api/contacts/{contact_id} names the account.',
  ),
  contact_erased: invalid(409, 'The texts of this contact were erased.', 'Write to the customer in another way.'),
} satisfies Record<ContactRefusal['code'] | 'contact_erased', ProblemEntry>;

const conduct = {
  evidence_not_found: invalid(
    404,
    'This account has no such key or generation.',
    'Check the id that `param` names. A generation is found a second after it has ended.',
  ),
  holder_excluded: forbidden(
    'An account of this holder was terminated for a violation of the terms, so another one cannot be opened.',
    'Contact support.',
  ),
} satisfies Record<string, ProblemEntry>;

const requests = {
  model_not_found: invalid(404, 'There is no model with this name.', 'GET /v1/models lists the models on sale.'),
  model_delisted: invalid(404, 'This model is no longer on sale.', 'GET /v1/models lists the models on sale.'),
  invalid_json: invalid(400, 'The body is not valid JSON.', 'Check it and send it again.'),
  invalid_request: invalid(400, 'The request is invalid.', 'Check the field that `param` names and send it again.'),
  unsupported_parameter: invalid(400, 'This parameter is not supported.', 'Omit it.'),
  context_length_exceeded: invalid(400, 'The prompt exceeds the context length of this model.', 'Send a shorter one.'),
  terms_not_in_force: invalid(
    400,
    'Only the terms in force can be accepted.',
    'GET /terms returns their text and version.',
  ),
  terms_not_found: invalid(404, 'There is no such version of the terms.', 'GET /api/terms lists the versions.'),
  request_too_large: invalid(413, 'The body is too large.', 'Send a smaller one.'),
  request_timeout: {
    ...invalid(408, 'The request did not arrive completely in time. It had no effect.', 'Send it again.'),
    shouldRetry: true,
  },
  headers_too_large: invalid(431, 'The headers are larger than 64 KiB.', 'Send fewer or shorter headers.'),
  expectation_failed: invalid(417, 'The header Expect has a value other than 100-continue.', 'Omit the header.'),
  unsupported_media_type: invalid(
    415,
    'The body has an unsupported content type.',
    'Send JSON with content-type: application/json.',
  ),
  method_not_allowed: invalid(
    405,
    'This path does not support the method.',
    'Use a method that the header Allow lists.',
  ),
  not_found: invalid(404, 'There is no such path.', 'Check the path.'),
  announcement_not_found: invalid(404, 'No account has a notice with this id.', 'GET /api/notices lists them.'),
  generation_not_found: invalid(404, 'This account has no charged generation with this id.', 'Check the id.'),
  idempotency_key_reused: invalid(
    409,
    'This Idempotency-Key was used for another request.',
    'Send this request with a new key.',
  ),
  idempotency_in_progress: {
    ...invalid(409, 'A request with this Idempotency-Key is in progress.', 'Try again when it has ended.'),
    ...{ shouldRetry: true, retryAfterMs: 1000 },
  },
  idempotency_key_used: invalid(
    409,
    'The request with this Idempotency-Key has already completed and was charged. Its answer is not stored.',
    'Fetch the receipt at GET /v1/generation?id=, or send the request with a new key, which is charged again.',
  ),
} satisfies Record<string, ProblemEntry>;

/** The proxy sets `shouldRetry` if the provider certainly has not charged. */
const upstreams = {
  upstream_refused: invalid(
    400,
    'The provider refused the request. Status, type, code and message are those of the provider.',
    'Correct what the message names.',
  ),
  upstream_error: {
    ...{ status: 502, type: 'upstream_error', shouldRetry: false },
    meaning: 'The provider failed. Nothing was charged for what was not delivered.',
    action: 'Try again, or use another model.',
  },
  upstream_timeout: {
    ...{ status: 504, type: 'upstream_error', shouldRetry: false },
    meaning: 'The provider did not answer in time. Nothing was charged for what was not delivered.',
    action: 'Try again later.',
  },
  no_provider: unavailable(
    5000,
    'No provider of this model is currently available.',
    'Try again, or use another model.',
  ),
} satisfies Record<string, ProblemEntry>;

const service = {
  server_is_overloaded: unavailable(2000, 'The gateway is overloaded.', 'Try again shortly.'),
  store_unavailable: unavailable(2000, 'The ledger is temporarily unavailable.', 'Try again shortly.'),
  upgrade_in_progress: unavailable(
    10_000,
    'This request requires all gateways to run the new release, and one still runs the previous one. It had no effect.',
    'Try again when the upgrade is complete.',
  ),
  service_paused: unavailable(
    10_000,
    'The service is paused while its operators check the ledger after a database restore. Nothing was charged.',
    'Try again later.',
  ),
  log_copy_too_old: unavailable(
    2000,
    'The prices and terms of this node are more than 30 seconds old. Nothing was charged.',
    'Try again: another node may answer.',
  ),
  draining: unavailable(500, 'This node is shutting down.', 'Try again: another node will answer.'),
  payments_unavailable: {
    ...{ status: 503, type: 'service_unavailable_error', shouldRetry: false },
    meaning: 'Payments are switched off: no payment partner is configured.',
    action: 'Contact support.',
  },
  payment_partner_failed: {
    ...{ status: 502, type: 'payment_error', shouldRetry: true, retryAfterMs: 5000 },
    meaning: 'The payment partner has not answered. Nothing was paid or returned.',
    action: 'Try again shortly.',
  },
  // The request may have had its effect, so it must not be repeated without a check.
  server_error: {
    ...{ status: 500, type: 'server_error', shouldRetry: false },
    meaning: 'An internal error occurred.',
    action: 'Contact support with the request id.',
  },
} satisfies Record<string, ProblemEntry>;

export const problemTable = {
  ...{ ...refusals, ...authentication, ...conduct, ...contacts },
  ...{ ...requests, ...upstreams, ...service },
};
export type ProblemCode = keyof typeof problemTable;
