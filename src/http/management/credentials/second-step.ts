import { z } from 'zod';
import type { SecondStepProof } from '../../../people/credentials/second-step.ts';
import { sessionExample, sessionView, viewSession } from '../people/fields.ts';
import { defineRoute, personOf } from '../router/route.ts';
import { askedBy, PROBLEMS_OF_CHANGES, refusedProblem } from './problems.ts';
import { browserOptions, browserResponse, requestOptionsExample, viewOptions } from './passkey-fields.ts';
import { totpCode } from './totp.ts';

const proof = z
  .strictObject({
    totp_code: totpCode.optional(),
    recovery_code: z
      .string()
      .regex(/^[\w\s-]{16,40}$/, 'must be a recovery code, such as 7K2M-0QXA-93TZ-VB5C')
      .optional()
      .meta({ description: 'One of your recovery codes. Each works once', example: '7K2M-0QXA-93TZ-VB5C' }),
    passkey: browserResponse.optional(),
  })
  .transform(({ totp_code, recovery_code, passkey }, context): SecondStepProof => {
    const given: readonly SecondStepProof[] = [
      ...(totp_code === undefined ? [] : [{ kind: 'totp' as const, code: totp_code }]),
      ...(recovery_code === undefined ? [] : [{ kind: 'recovery_code' as const, code: recovery_code }]),
      ...(passkey === undefined ? [] : [{ kind: 'passkey' as const, response: passkey }]),
    ];
    const [only] = given;
    if (only && given.length === 1) return only;
    context.addIssue({ code: 'custom', message: 'must have one of `totp_code`, `recovery_code` and `passkey`' });
    return z.NEVER;
  });

export const askSecondStepOptions = defineRoute({
  method: 'post',
  path: '/me/second-step/options',
  principals: ['person'],
  summary: 'Ask for the options of a second step with a passkey',
  description: 'For `navigator.credentials.get`; valid for five minutes. Your authenticator must verify you.',
  success: { status: 200, description: 'The options', schema: browserOptions, example: requestOptionsExample },
  problems: ['second_step_not_set_up'],
  handle: async (asked, { people }) => {
    const outcome = await people.credentials.secondStep.options(askedBy(asked));
    return outcome.kind === 'options' ? { answer: viewOptions(outcome.options) } : refusedProblem(outcome);
  },
});

export const passSecondStep = defineRoute({
  method: 'post',
  path: '/me/second-step',
  principals: ['person'],
  summary: 'Pass the second step in this session',
  body: { schema: proof, example: { totp_code: '492039' } },
  success: {
    status: 200,
    description: 'The session has passed it',
    schema: sessionView,
    example: { ...sessionExample, kind: 'staff', second_step_passed: true },
  },
  problems: ['code_wrong', 'passkey_refused', 'second_step_not_set_up', 'upgrade_in_progress'],
  handle: async ({ body, ...identity }, { people }) => {
    const outcome = await people.credentials.secondStep.pass(askedBy(identity), body);
    if (outcome.kind !== 'passed') return refusedProblem(outcome);
    const session = { ...personOf(identity), secondStepAt: outcome.at };
    return { answer: viewSession(session), repeated: outcome.repeated };
  },
});

export const renewRecoveryCodes = defineRoute({
  method: 'post',
  path: '/me/recovery-codes',
  principals: ['person'],
  summary: 'Make new recovery codes',
  description:
    'For the case that your passkey or authenticator app is lost: each code passes the second step once. Earlier codes become ' +
    'invalid. You must have signed in within 15 minutes or passed the second step; staff must have passed it.',
  success: {
    status: 201,
    description: 'The codes',
    schema: z.strictObject({
      codes: z.array(z.string()).nullable().meta({
        description: 'Shown only here. null in the answer to a repetition: send the request with a new Idempotency-Key',
      }),
    }),
    example: { codes: ['7K2M-0QXA-93TZ-VB5C', '1GHW-QE8N-4YRD-60SJ'] },
  },
  problems: ['second_step_not_set_up', ...PROBLEMS_OF_CHANGES],
  handle: async (asked, { people }) => {
    const outcome = await people.credentials.recoveryCodes.renew(askedBy(asked));
    if (outcome.kind !== 'renewed') return refusedProblem(outcome);
    const codes = outcome.codes && [...outcome.codes];
    return { answer: { codes }, repeated: codes === null };
  },
});
