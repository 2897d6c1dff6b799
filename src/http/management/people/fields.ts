import { z } from 'zod';
import { readAddress } from '../../../domain/identity/address.ts';
import type { NotRedeemed, Proof } from '../../../people/people-options.ts';
import type { Session } from '../../../identity/sessions.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { time } from '../router/fields.ts';

/** An e-mail address, in the forms that it is compared in. */
export const address = z
  .string()
  .max(320)
  .transform((written, context) => {
    const read = readAddress(written);
    if (read) return read;
    context.addIssue({ code: 'custom', message: 'must be an e-mail address, such as ada@example.com' });
    return z.NEVER;
  })
  .meta({ description: 'E-mail address', example: 'ada@example.com', override: { type: 'string', format: 'email' } });

export const personId = z.string().meta({ description: 'Person', example: 'per_5b0d27c41e8f4a96b3c7d810' });

export const secret = z.string().regex(/^[\w-]{1,100}$/, 'must be the text that you received');

/** What a mail carried: the code with the secret of the browser, or the secret of the link. */
export const proof = z
  .strictObject({
    code: z
      .string()
      .regex(/^[\d\s-]{8,20}$/, 'must be the eight digits of the mail')
      .optional()
      .meta({ description: 'The code of the mail. Needs `browser_secret`', example: '4821 9037' }),
    link_secret: secret.optional().meta({ description: 'What follows the dot in the link of the mail' }),
    browser_secret: secret.optional().meta({ description: 'From the answer to the request that caused the mail' }),
  })
  .transform((given, context): Proof => {
    const { code, link_secret: linkSecret, browser_secret: browserSecret } = given;
    if (linkSecret !== undefined && code === undefined) return { linkSecret, browserSecret };
    if (linkSecret === undefined && code !== undefined && browserSecret !== undefined) return { code, browserSecret };
    context.addIssue({ code: 'custom', message: 'must have `code` and `browser_secret`, or `link_secret`' });
    return z.NEVER;
  });

export const proofExample = { code: '48219037', browser_secret: 'Zm9yIHRoZSBleGFtcGxl' };

/** The problems of a code or a link. */
export const PROBLEMS_OF_CODES = ['code_wrong', 'code_expired', 'code_used', 'too_many_attempts'] as const;

export const tooManyAttempts = ({ retryAfterMs }: { readonly retryAfterMs: number }): Problem =>
  problem('too_many_attempts', { retryAfterMs });

export const notRedeemed = (refused: NotRedeemed): Problem => {
  switch (refused.kind) {
    case 'wait':
      return tooManyAttempts(refused);
    case 'wrong': {
      const { triesLeft } = refused;
      const action = triesLeft > 0 ? `Tries left: ${triesLeft}.` : 'Ask for a new code.';
      return problem('code_wrong', { message: `The code or the link is not correct. ${action}` });
    }
    case 'expired':
      return problem('code_expired');
    case 'used_up':
      return problem('code_used');
  }
};

export const sessionView = z
  .strictObject({
    session_id: z.string().meta({ example: 'ses_8d2b64f09c1e4a7fb35d6c81' }),
    kind: z.enum(['customer', 'staff']),
    created_at: time,
    seen_at: time.meta({ description: 'To the minute' }),
    ends_at: time,
    second_step_passed: z.boolean(),
    network: z.string().nullable().meta({ example: '203.0.113.0/24' }),
    browser: z.string().nullable().meta({ example: 'Firefox on Linux' }),
  })
  .meta({ id: 'Session' });

export const viewSession = (session: Session): z.output<typeof sessionView> => ({
  session_id: session.id,
  kind: session.kind,
  created_at: session.createdAt.toISOString(),
  seen_at: session.seenAt.toISOString(),
  ends_at: session.endsAt.toISOString(),
  second_step_passed: session.secondStepAt !== null,
  network: session.network,
  browser: session.agent,
});

export const sessionExample: z.output<typeof sessionView> = {
  session_id: 'ses_8d2b64f09c1e4a7fb35d6c81',
  kind: 'customer',
  created_at: '2026-01-31T10:00:00.000Z',
  seen_at: '2026-01-31T10:42:00.000Z',
  ends_at: '2026-03-02T10:00:00.000Z',
  second_step_passed: false,
  network: '203.0.113.0/24',
  browser: 'Firefox on Linux',
};

/** A session with its token, which is shown only once. */
export const newSessionView = sessionView.extend({
  token: z.string().meta({ description: 'For the header Authorization: Bearer TOKEN. Shown only here' }),
});

export const newSessionExample = { ...sessionExample, token: 'kiss_ses_…' };
