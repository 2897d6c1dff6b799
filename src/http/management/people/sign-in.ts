import { z } from 'zod';
import { defineRoute } from '../router/route.ts';
import { time } from '../router/fields.ts';
import {
  address,
  newSessionExample,
  newSessionView,
  notRedeemed,
  personId,
  proof,
  proofExample,
  PROBLEMS_OF_CODES,
  tooManyAttempts,
  viewSession,
} from './fields.ts';

export const signedInView = z.strictObject({ person_id: personId, session: newSessionView });
export const signedInExample = { person_id: 'per_5b0d27c41e8f4a96b3c7d810', session: newSessionExample };

export const askSignInCode = defineRoute({
  method: 'post',
  path: '/sign-in/codes',
  principals: ['public'],
  summary: 'Ask for a sign-in code by mail',
  description: 'The answer is the same for every address. A mail is sent only if the address belongs to a person.',
  body: { schema: z.strictObject({ email: address }), example: { email: 'ada@example.com' } },
  success: {
    status: 202,
    description: 'A mail is sent if the address belongs to a person',
    schema: z.strictObject({
      sign_in_id: z.string().meta({ example: 'sgn_7c30d5b1e94f4a08b26d1f93' }),
      browser_secret: z.string().meta({ description: 'Send it with the code. Only who has it can use the code' }),
      expires_at: time,
    }),
    example: {
      sign_in_id: 'sgn_7c30d5b1e94f4a08b26d1f93',
      browser_secret: 'Zm9yIHRoZSBleGFtcGxl',
      expires_at: '2026-01-31T10:10:00.000Z',
    },
  },
  problems: ['too_many_attempts'],
  handle: async ({ body: { email }, client, commandId }, { people }) => {
    const asked = await people.signIn.ask(email, client, commandId);
    if (asked.kind === 'wait') return tooManyAttempts(asked);
    const { signInId: sign_in_id, browserSecret: browser_secret, expiresAt } = asked;
    return { answer: { sign_in_id, browser_secret, expires_at: expiresAt.toISOString() } };
  },
});

export const redeemSignInCode = defineRoute({
  method: 'post',
  path: '/sign-in/codes/{sign_in_id}/redeem',
  principals: ['public'],
  summary: 'Sign in with the code or the link of a mail',
  body: { schema: proof, example: proofExample },
  success: { status: 201, description: 'A new session', schema: signedInView, example: signedInExample },
  problems: [...PROBLEMS_OF_CODES],
  handle: async ({ params: { sign_in_id }, body, client }, { people }) => {
    const signedIn = await people.signIn.redeem(sign_in_id, body, client);
    if (signedIn.kind !== 'signed_in') return notRedeemed(signedIn);
    const { personId: person_id, session, token } = signedIn;
    return { answer: { person_id, session: { ...viewSession(session), token } } };
  },
});
