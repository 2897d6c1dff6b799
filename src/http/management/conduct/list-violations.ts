import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { commandIdOfViolation, violationExample, violationView, type ViolationView } from './violation-view.ts';

export const listViolations = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/violations',
  principals: ['admin', ...staff('support', 'operator', 'finance')],
  summary: "List an account's violations of the terms",
  description:
    'Each with its time and the member of staff who recorded it. The holder sees violations in the events of the account.',
  success: {
    status: 200,
    description: 'The oldest first',
    schema: z.strictObject({ account_id: accountId, data: z.array(violationView) }),
    example: { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', data: [violationExample] },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, deps) => {
    const { state } = await deps.commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    const found = await Promise.all(
      [...state.conduct.violations.keys()].map((id) => readViolation(deps, account_id, id)),
    );
    return { answer: { account_id, data: found.filter((one) => one !== undefined) } };
  },
});

const readViolation = async (
  { store }: Pick<ManagementDeps, 'store'>,
  accountId: string,
  violationId: string,
): Promise<ViolationView | undefined> => {
  const types = ['ViolationRecorded'] as const;
  const recorded = await recordedBy(store, accountId, commandIdOfViolation(violationId), types);
  if (recorded?.event.type !== 'ViolationRecorded') return undefined;
  const { category, evidence, consequence, reason } = recorded.event;
  return {
    ...{ violation_id: violationId, category, evidence: [...evidence], consequence, reason },
    ...{ recorded_by: recorded.metadata.actor, time: recorded.time.toISOString() },
  };
};
