import { z } from 'zod';
import { documents } from '../../../domain/terms/events.ts';
import { versionsAt } from '../../../domain/terms/standing.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';
import { defineRoute } from '../router/route.ts';
import { documentField, termsView, viewTerms } from './terms-fields.ts';

export const listTerms = defineRoute({
  method: 'get',
  path: '/terms',
  principals: ['public'],
  summary: 'List the versions of the terms, the acceptable-use policy and the privacy page',
  description:
    'The newest version of a document comes first. It may take effect later. GET /terms, /acceptable-use and /privacy return ' +
    'the text in force. Add /{version} for another version, and /{version}/changes for the differences to the version ' +
    'before it, or to ?from=.',
  query: z.strictObject({ document: documentField.optional() }),
  success: {
    status: 200,
    description: 'Every version that was published',
    schema: z.strictObject({ data: z.array(termsView) }),
    example: {
      data: [
        {
          ...{ document: 'terms' as const, version: TERMS_IN_EXAMPLES, summary: '', significant: false },
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          status: 'in_force',
          in_force: true,
          published_at: '2026-11-24T08:00:00.000Z',
          since: '2026-11-24T08:00:00.000Z',
          until: null,
          url: `/terms/${TERMS_IN_EXAMPLES}`,
        },
      ],
    },
  },
  problems: [],
  handle: ({ query: { document } }, { publishedTerms, now }) => {
    const wanted = document === undefined ? documents : [document];
    const [all, at] = [publishedTerms(), now()];
    const data = wanted.flatMap((one) => versionsAt(all, one, at).toReversed().map(viewTerms));
    return Promise.resolve({ answer: { data } });
  },
});
