import { z } from 'zod';
import { documents } from '../../../domain/terms/events.ts';
import { upcomingTerms } from '../../../domain/terms/in-force.ts';
import { documentPaths, isReadableText, isTermsVersion } from '../../../domain/terms/names.ts';
import type { WithStanding } from '../../../domain/terms/standing.ts';
import type { DocumentVersion } from '../../../projections/views/terms-list.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { text, time } from '../router/fields.ts';

export const documentField = z.enum(documents).meta({ description: 'Which document', example: 'terms' });

export const versionField = z
  .string()
  .refine(isTermsVersion, 'must be a date, with a number from 2 to 9 if a day has several: 2026-12-20, 2026-12-20.2')
  .meta({ description: 'A date, with a number if a day has several', example: '2026-12-20' });

/** A version in an answer. */
export const versionView = { document: documentField, version: z.string().meta({ example: '2026-12-20' }) };

/** JSON bodies are limited to 64 KiB. */
const MAX_CHARACTERS = 60_000;

export const textField = z
  .string()
  .max(MAX_CHARACTERS)
  .refine(isReadableText, 'must not be empty or contain control characters other than line ends and tabs')
  .meta({ description: 'The text in Markdown, stored unchanged', example: '# Terms of Service\n' });

export const summaryField = text(500).meta({
  description: 'What changes, in one or two sentences for customers',
  example: 'Refunds are described in more detail.',
});

export const termsView = z
  .strictObject({
    document: documentField,
    version: z.string().meta({ example: TERMS_IN_EXAMPLES }),
    sha256: z.string().meta({ description: 'SHA-256 of the text, in hexadecimal' }),
    summary: z.string().meta({ description: 'What changes; empty for the first version' }),
    significant: z.boolean().meta({ description: 'Whether customers are notified by mail, at least 14 days ahead' }),
    status: z
      .enum(['in_force', 'upcoming', 'past', 'withdrawn'])
      .meta({ description: 'withdrawn: announced, but withdrawn before it took effect' }),
    in_force: z.boolean(),
    published_at: time,
    since: time.nullable().meta({ description: 'When it came or comes into force; null if it was withdrawn' }),
    until: time.nullable().meta({ description: 'When the next version replaces it; null if there is none' }),
    url: z.string().meta({ description: 'Path of the text', example: `/terms/${TERMS_IN_EXAMPLES}` }),
  })
  .meta({ id: 'Terms' });

export const viewTerms = (one: WithStanding<DocumentVersion>): z.output<typeof termsView> => ({
  document: one.document,
  version: one.version,
  sha256: one.sha256,
  summary: one.summary,
  significant: one.significant,
  status: one.standing,
  in_force: one.standing === 'in_force',
  published_at: one.publishedAt.toISOString(),
  since: one.since?.toISOString() ?? null,
  until: one.until?.toISOString() ?? null,
  url: `${documentPaths[one.document]}/${one.version}`,
});

/** The announced version that will replace the one in force, shown to a person who accepts the latter. */
export const comingTerms = z
  .strictObject({
    version: z.string().meta({ example: '2026-12-20' }),
    effective_at: time,
    summary: z.string(),
    url: z
      .string()
      .meta({ description: 'Where the text can be read', example: 'https://api.example.com/terms/2026-12-20' }),
  })
  .meta({ id: 'ComingTerms' });

export const viewComingTerms = (deps: Pick<ManagementDeps, 'publishedTerms' | 'publicUrl' | 'now'>) => {
  const [coming] = upcomingTerms(deps.publishedTerms(), 'terms', deps.now());
  if (!coming?.effectiveAt) return null;
  const { version, effectiveAt, summary } = coming;
  const url = `${deps.publicUrl()}${documentPaths.terms}/${version}`;
  return { version, effective_at: effectiveAt.toISOString(), summary, url } satisfies z.output<typeof comingTerms>;
};
