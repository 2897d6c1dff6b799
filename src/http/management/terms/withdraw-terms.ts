import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { changed, reason } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { carryOut } from './terms-command.ts';
import { documentField, versionView } from './terms-fields.ts';

export const withdrawTerms = defineRoute({
  method: 'post',
  path: '/terms/{document}/{version}/withdraw',
  principals: ['admin', ...staff('operator')],
  summary: 'Withdraw an announced version',
  description: 'Possible until a minute before its effect. The version in force stays in force.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'A mistake in clause 5' } },
  success: {
    status: 200,
    description: 'The version will not take effect',
    schema: z.strictObject({ ...versionView, changed }),
    example: { document: 'terms', version: '2026-12-20', changed: true },
  },
  problems: ['terms_version_not_found', 'terms_version_in_force'],
  handle: async ({ params, body: { reason }, ...identity }, deps) => {
    const document = documentField.safeParse(params.document).data;
    if (!document) return problem('terms_version_not_found');
    const { version } = params;
    const command = { type: 'WithdrawTerms', document, version, reason, at: deps.now() } as const;
    const done = await carryOut(deps, identity, command);
    if (isProblem(done)) return done;
    const { event, repeated } = done;
    // The Idempotency-Key includes the document and the version.
    if (event && (event.type !== 'TermsWithdrawn' || event.reason !== reason)) return problem('idempotency_key_reused');
    return { answer: { document, version, changed: event !== undefined }, repeated };
  },
});
