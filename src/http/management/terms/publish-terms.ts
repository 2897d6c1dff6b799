import { hash } from 'node:crypto';
import { z } from 'zod';
import { TERMS_STREAM, effectByDefault, type PublishTerms } from '../../../domain/terms/terms.ts';
import type { TermsDocument, TermsEvent } from '../../../domain/terms/events.ts';
import { documentPaths } from '../../../domain/terms/names.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { changed, moment, time } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { documentField, summaryField, textField, versionField, versionView } from './terms-fields.ts';
import { carryOut } from './terms-command.ts';

const isAsked = (event: TermsEvent, command: PublishTerms, asksForTime: boolean): boolean =>
  event.type === 'TermsPublished' &&
  (['document', 'version', 'sha256', 'summary', 'significant'] as const).every(
    (field) => event[field] === command[field],
  ) &&
  (!asksForTime || event.effectiveAt?.getTime() === command.effectiveAt?.getTime());

export const publishTerms = defineRoute({
  method: 'post',
  path: '/terms',
  principals: ['admin', ...staff('operator')],
  summary: 'Publish a version of the terms, the acceptable-use policy or the privacy page',
  description:
    'It takes effect later: a significant version at least 14 days after its publication, any other at least a minute. The ' +
    'first version of a document takes effect at once. A text never changes under its version; until a minute before its ' +
    'effect a version can be withdrawn. A body has at most 64 KiB: use npm run terms for longer texts.',
  body: {
    schema: z.strictObject({
      document: documentField,
      version: versionField,
      text: textField,
      summary: summaryField,
      significant: z.boolean().default(false).meta({ description: 'Whether customers are notified by mail' }),
      effective_at: moment.optional().meta({
        description: 'When it takes effect. Default: in 2 minutes; if it is significant, in 14 days and 5 minutes',
      }),
    }),
    example: {
      ...{ document: 'terms', version: '2998-12-20', text: '# Terms of Service\n' },
      ...{ summary: 'Refunds are described in more detail.', significant: true },
    },
  },
  success: {
    status: 201,
    description: 'The version is announced',
    schema: z.strictObject({
      ...versionView,
      sha256: z.string(),
      effective_at: time.nullable().meta({ description: 'null: at once' }),
      url: z.string().meta({ description: 'Path of the text', example: '/terms/2026-12-20' }),
      changed,
    }),
    example: {
      ...{ document: 'terms', version: '2998-12-20' },
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      effective_at: '2998-12-20T10:05:00.000Z',
      url: '/terms/2998-12-20',
      changed: true,
    },
  },
  problems: [
    ...(['terms_version_changed', 'terms_version_not_newer', 'notice_too_short', 'takes_effect_too_soon'] as const),
    'takes_effect_before_another_version',
  ],
  handle: async ({ body, ...identity }, deps) => {
    const { document, version, summary, significant, effective_at: asked } = body;
    const text = Buffer.from(body.text);
    const sha256 = hash('sha256', text, 'hex');
    const at = deps.now();
    const { state } = await deps.termsCommands.read(TERMS_STREAM);
    const effectiveAt = asked ?? effectByDefault(state, { document, version, significant, at });
    const command = { type: 'PublishTerms', document, version, sha256, summary, significant, effectiveAt, at } as const;
    // Stored first, so that every version in the log has a text.
    await deps.termsTexts.store(text);
    const done = await carryOut(deps, identity, command);
    if (isProblem(done)) return done;
    const { event, repeated } = done;
    if (event && !isAsked(event, command, asked !== undefined)) return problem('idempotency_key_reused');
    const effect = event?.type === 'TermsPublished' ? event.effectiveAt : effectiveAt;
    return {
      answer: {
        ...{ document, version, sha256 },
        effective_at: effect?.toISOString() ?? null,
        url: urlOf(document, version),
        changed: event !== undefined,
      },
      repeated,
    };
  },
});

const urlOf = (document: TermsDocument, version: string): string => `${documentPaths[document]}/${version}`;
