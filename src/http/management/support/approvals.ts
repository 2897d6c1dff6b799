import { z } from 'zod';
import { personStream } from '../../../domain/identity/person.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { personId } from '../people/fields.ts';
import { entityField } from '../people/register.ts';
import { moment, reason, time } from '../router/fields.ts';
import { defineRoute, type Identity, type Reply } from '../router/route.ts';

const approval = {
  until: moment.meta({ description: 'The approval can be used until then, once', example: '2026-02-28T00:00:00Z' }),
  reason,
};
const example = { until: '2099-12-31T00:00:00Z', reason: 'Keeps tests apart from production' };
const approvalView = z.strictObject({
  approval_id: z.string().meta({ example: 'app_6f0e3c1d9a7b4e52b8d4a1c0' }),
  until: time,
});
const approvalExample = { approval_id: 'app_6f0e3c1d9a7b4e52b8d4a1c0', until: '2099-12-31T00:00:00.000Z' };

/** The command of an approval, and the answer to its outcome. */
const approving = (
  { actor, commandId, requestId: correlationId, mayRepeat }: Identity,
  { until, reason }: { readonly until: Date; readonly reason: string },
  now: Date,
) => {
  const approvalId = derivedId('app', commandId);
  return {
    given: { approvalId, until: until.getTime(), at: now.getTime(), reason },
    metadata: { actor, commandId, correlationId },
    options: { mayRepeat },
    reply: (events: readonly object[]): Reply<z.output<typeof approvalView>> | Problem => {
      const [event] = events;
      const isSame = event === undefined || ('until' in event && event.until === until.getTime());
      return isSame
        ? { answer: { approval_id: approvalId, until: until.toISOString() } }
        : problem('idempotency_key_reused');
    },
  };
};

export const approveSecondAccount = defineRoute({
  method: 'post',
  path: '/persons/{person_id}/second-account-approvals',
  principals: ['admin', ...staff('support')],
  summary: 'Approve a second personal account',
  description: 'The person opens it with POST /me/accounts. Each approval is for one account.',
  body: { schema: z.strictObject(approval), example },
  success: {
    status: 201,
    description: 'The approval',
    schema: approvalView.extend({ person_id: personId }),
    example: { ...approvalExample, person_id: 'per_5b0d27c41e8f4a96b3c7d810' },
  },
  problems: ['person_not_found', 'approval_ended'],
  handle: async ({ params: { person_id }, body, ...identity }, { personCommands, now }) => {
    const { given, metadata, options, reply } = approving(identity, body, now());
    const command = { type: 'ApproveSecondAccount', ...given } as const;
    const outcome = await personCommands.execute(personStream(person_id), command, metadata, options);
    if (outcome.kind === 'refused') {
      return problem(outcome.refusal.code === 'approval_ended' ? 'approval_ended' : 'person_not_found');
    }
    const replied = reply(outcome.events);
    return 'answer' in replied ? { answer: { ...replied.answer, person_id } } : replied;
  },
});

export const approveSecondOwner = defineRoute({
  method: 'post',
  path: '/identities/entity-approvals',
  principals: ['admin', ...staff('support')],
  summary: 'Approve a second account of an entity',
  description: 'The next person who opens an account for this entity gets one, although it has an account already.',
  body: {
    schema: entityField.extend(approval),
    example: { country: 'DE', registration_number: 'HRB 12345', ...example },
  },
  success: { status: 201, description: 'The approval', schema: approvalView, example: approvalExample },
  problems: ['approval_ended'],
  handle: async ({ body: { country, registration_number: number, ...body }, ...identity }, deps) => {
    const { given, metadata, options, reply } = approving(identity, body, deps.now());
    const stream = deps.people.identities.ofEntity({ country, number });
    const command = { type: 'ApproveSecondOwner', ...given } as const;
    const outcome = await deps.claimCommands.execute(stream, command, metadata, options);
    return outcome.kind === 'refused' ? problem('approval_ended') : reply(outcome.events);
  },
});
