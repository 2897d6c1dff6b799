import { z } from 'zod';
import { changed } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { askedBy, PROBLEMS_OF_CHANGES, refusedProblem } from './problems.ts';

export const totpCode = z
  .string()
  .regex(/^\d{3} ?\d{3}$/, 'must be the six digits of the authenticator app')
  .meta({ description: 'Six digits of the authenticator app', example: '492 039' });

const hasTotp = <Value extends boolean>(value: Value) => z.strictObject({ has_totp: z.literal(value) });

export const enrolTotp = defineRoute({
  method: 'post',
  path: '/me/totp',
  principals: ['person'],
  summary: 'Set up an authenticator app',
  description:
    'The secret is shown only here. It counts once a code of it is confirmed; an earlier app works until then. If you have a ' +
    'passkey or an authenticator app, you must have signed in within 15 minutes or passed the second step; staff must have passed it.',
  success: {
    status: 201,
    description: 'The secret for the app',
    schema: z.strictObject({
      secret: z.string().meta({ description: 'Base 32, to type in' }),
      otpauth_uri: z.string().meta({ description: 'The same, for a QR code' }),
    }),
    example: {
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      otpauth_uri: 'otpauth://totp/KissAPI:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=KissAPI',
    },
  },
  problems: PROBLEMS_OF_CHANGES,
  handle: async (asked, { people }) => {
    const outcome = await people.credentials.totp.enrol(askedBy(asked));
    if (outcome.kind !== 'enrolled') return refusedProblem(outcome);
    return { answer: { secret: outcome.secret, otpauth_uri: outcome.uri } };
  },
});

export const confirmTotp = defineRoute({
  method: 'post',
  path: '/me/totp/confirm',
  principals: ['person'],
  summary: 'Confirm an authenticator app with a code of it',
  body: { schema: z.strictObject({ code: totpCode }), example: { code: '492039' } },
  success: { status: 200, description: 'The app is set up', schema: hasTotp(true), example: { has_totp: true } },
  problems: ['code_wrong', ...PROBLEMS_OF_CHANGES],
  handle: async ({ body: { code }, ...identity }, { people }) => {
    const outcome = await people.credentials.totp.confirm(askedBy(identity), code);
    if (outcome.kind !== 'confirmed') return refusedProblem(outcome);
    return { answer: { has_totp: true as const }, repeated: outcome.repeated };
  },
});

export const removeTotp = defineRoute({
  method: 'delete',
  path: '/me/totp',
  principals: ['person'],
  summary: 'Remove the authenticator app',
  description:
    'The session must have passed the second step: within 15 minutes, except that of staff. Staff keep at least one passkey or app.',
  success: {
    status: 200,
    description: 'There is no app any more',
    schema: z.strictObject({ ...hasTotp(false).shape, changed }),
    example: { has_totp: false, changed: true },
  },
  problems: ['last_second_step', 'second_step_required', 'upgrade_in_progress'],
  handle: async (asked, { people }) => {
    const outcome = await people.credentials.totp.remove(askedBy(asked));
    if (outcome.kind !== 'removed') return refusedProblem(outcome);
    return { answer: { has_totp: false as const, changed: outcome.changed } };
  },
});
