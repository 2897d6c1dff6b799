import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { violationCategories, violationConsequences } from '../../../domain/account/conduct/events.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { ownersOf } from '../../../domain/account/holder/members.ts';
import { invariant } from '../../../domain/decider.ts';
import { accountsOfPerson } from '../../../domain/identity/person.ts';
import { formatUsd } from '../../../domain/money.ts';
import { roleOf, staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, reason, revision, usd } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';
import { commandIdOfViolation, violationExample, violationIdOf, violationView } from './violation-view.ts';

const MAX_EVIDENCE = 50;
const evidence = z
  .array(
    z
      .string()
      .regex(/^(?:gen-|req_|key_|ctc_)[\w-]{1,60}$/, 'must be the id of a generation, a request, a key or a contact'),
  )
  .max(MAX_EVIDENCE)
  .default([])
  .meta({ description: `At most ${MAX_EVIDENCE} ids of generations, requests, keys and contacts. Never content` });

const body = z
  .strictObject({
    category: z.enum(violationCategories),
    evidence,
    consequence: z.enum(violationConsequences),
    reason,
    forfeit: z
      .boolean()
      .default(false)
      .meta({ description: 'Only with the consequence termination: the remaining paid credits are forfeited' }),
  })
  .refine(({ consequence, forfeit }) => !forfeit || consequence === 'termination', {
    path: ['forfeit'],
    message: 'only a termination can forfeit credits',
  });

const answer = violationView.omit({ recorded_by: true }).extend({
  account_id: accountId,
  status: z.enum(['active', 'suspended', 'closed']).meta({ description: 'Status of the account after this request' }),
  forfeited_usd: usd.meta({
    description: 'The forfeited credits. Credits that requests in progress hold are forfeited when these end',
  }),
  owed_usd: usd.meta({ description: 'Paid credits that stay owed to the holder' }),
  other_accounts: z
    .array(accountId)
    .meta({ description: 'Accounts of the same owners that are not closed. The consequence does not concern them' }),
  revision,
});

const { recorded_by: _, ...recorded } = violationExample;

export const recordViolation = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/violations',
  principals: ['admin', ...staff('support', 'operator', 'finance')],
  summary: 'Record a violation of the terms',
  description:
    'The consequence follows at once: `warning` informs the holder, `suspension` refuses requests until this cause is reinstated, `termination` closes the account permanently, and the holder cannot register again. ' +
    'Paid credits stay owed after a termination, unless `forfeit` is true, which only finance and owners of the staff can decide. ' +
    'The holder sees category, evidence, consequence and reason in the events of the account. Each consequence is mailed to the owners. ' +
    'If resale is authorised, a violation of the category `resale` is refused.',
  body: {
    schema: body,
    example: {
      ...{ category: recorded.category, evidence: [], consequence: recorded.consequence },
      reason: recorded.reason,
    },
  },
  success: {
    status: 201,
    description: 'The violation is recorded',
    schema: answer,
    example: {
      ...recorded,
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', evidence: [], status: 'suspended' as const },
      ...{ forfeited_usd: '0.00', owed_usd: '4.9975', other_accounts: [], revision: 9 },
    },
  },
  problems: ['account_not_found', 'account_closed', 'resale_authorized', 'evidence_not_found', 'not_allowed'],
  handle: async ({ params: { account_id }, body, ...identity }, deps) => {
    if (body.forfeit && !mayForfeit(identity)) return problem('not_allowed', { message: FINANCE_ONLY });
    const unknown = await unknownEvidence(deps, account_id, body.evidence);
    if (unknown) return unknown;
    const violationId = violationIdOf(identity.commandId);
    const asked = { ...identity, commandId: commandIdOfViolation(violationId) };
    const done = await carryOut(
      deps,
      asked,
      account_id,
      { type: 'RecordViolation', violationId, ...body },
      (event, all) => isAsked(event, all, body),
    );
    if (isProblem(done)) return done;
    const { recorded, repeated, revision, events } = done;
    invariant(recorded !== undefined, 'a violation is recorded once');
    // The keys are revoked by the last events of the append; the head of the log is late enough.
    if (body.consequence === 'termination' && !(await published(deps, await deps.store.head())))
      return problem('store_unavailable', { message: NOT_APPLIED });
    const { category, evidence, consequence, reason } = body;
    return {
      answer: {
        ...{ account_id, violation_id: violationId, category, evidence, consequence, reason },
        ...(await standingOf(deps, account_id, events)),
        ...{ revision, time: recorded.time.toISOString() },
      },
      repeated,
    };
  },
});

const FINANCE_ONLY =
  'Only finance and owners of the staff can forfeit credits. Terminate without forfeit, or ask them.';
const NOT_APPLIED =
  'The account is terminated in the log, but this node has not applied it yet. Send the request again to confirm.';

/** Forfeiture takes money from a customer, so it needs a role that decides about refunds. */
const mayForfeit = ({ principal }: Identity): boolean => {
  const role = roleOf(principal);
  return role === 'admin' || role === 'finance' || role === 'owner';
};

/** A problem if a key or a generation does not belong to the account. Ids of refused requests are in no event, so request ids are not checked. */
const unknownEvidence = async (
  { commands, findGenerations }: ManagementDeps,
  accountId: string,
  evidence: readonly string[],
): Promise<Problem | undefined> => {
  const { state } = await commands.read(accountStream(accountId));
  if (state.standing.status === 'unregistered') return problem('account_not_found');
  for (const [index, id] of evidence.entries()) {
    const isKnown = id.startsWith('key_')
      ? state.keys.has(id)
      : !id.startsWith('gen-') || (await findGenerations(id, accountId)).some(({ request_id }) => request_id === id);
    if (!isKnown) return problem('evidence_not_found', { param: `evidence.${index}` });
  }
  return undefined;
};

const isAsked = (event: AccountEvent, all: readonly AccountEvent[], asked: z.output<typeof body>): boolean => {
  if (event.type !== 'ViolationRecorded') return false;
  const { category, evidence, consequence, reason } = event;
  const forfeit = all.some((one) => one.type === 'AccountTerminated' && one.forfeited);
  return isDeepStrictEqual({ category, evidence: [...evidence], consequence, reason, forfeit }, asked);
};

const standingOf = async (deps: ManagementDeps, accountId: string, events: readonly AccountEvent[]) => {
  const { standing, wallet, members } = (await deps.commands.read(accountStream(accountId))).state;
  const paid = [...wallet.lots.values()].filter(({ source }) => source.kind === 'payment');
  const forfeited = events.reduce((sum, event) => (event.type === 'CreditsForfeited' ? sum + event.amount : sum), 0n);
  return {
    status: standing.status === 'unregistered' ? ('active' as const) : standing.status,
    forfeited_usd: formatUsd(forfeited),
    owed_usd: formatUsd(paid.reduce((sum, { remaining }) => sum + remaining, 0n)),
    other_accounts: await othersOf(deps, accountId, ownersOf(members)),
  };
};

/** Support decides about each of them. */
const othersOf = async (
  { commands, readPerson }: ManagementDeps,
  accountId: string,
  owners: readonly string[],
): Promise<string[]> => {
  const known = await Promise.all(owners.map(async (personId) => [personId, await readPerson(personId)] as const));
  const open: string[] = [];
  for (const [personId, person] of known) {
    for (const other of accountsOfPerson(person)) {
      if (other === accountId || open.includes(other)) continue;
      const { standing, members } = (await commands.read(accountStream(other))).state;
      if (standing.status !== 'closed' && members.get(personId) === 'owner') open.push(other);
    }
  }
  return open;
};
