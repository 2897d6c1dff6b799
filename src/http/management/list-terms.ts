import { z } from 'zod';
import { time } from './router/fields.ts';
import { defineRoute } from './router/route.ts';
import { TERMS_IN_EXAMPLES } from './documentation/terms-in-examples.ts';

const termsView = z
  .strictObject({
    version: z.string().meta({ example: TERMS_IN_EXAMPLES }),
    sha256: z.string().meta({ description: 'SHA-256 of the text, in hexadecimal' }),
    in_force: z.boolean(),
    since: time.meta({ description: 'When it came into force' }),
    until: time.nullable().meta({ description: 'When the next version came into force; null for the one in force' }),
    url: z.string().meta({ description: 'Path of the text', example: `/terms/${TERMS_IN_EXAMPLES}` }),
  })
  .meta({ id: 'Terms' });

export const listTerms = defineRoute({
  method: 'get',
  path: '/terms',
  principals: ['public'],
  summary: 'List the versions of the terms',
  description:
    'The version in force comes first. GET /terms returns its text, GET /terms/{version} that of any version.',
  success: {
    status: 200,
    description: 'Every version that was published',
    schema: z.strictObject({ data: z.array(termsView) }),
    example: {
      data: [
        {
          version: TERMS_IN_EXAMPLES,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          in_force: true,
          since: '2026-11-24T08:00:00.000Z',
          until: null,
          url: `/terms/${TERMS_IN_EXAMPLES}`,
        },
      ],
    },
  },
  problems: [],
  handle: (_, { publishedTerms }) => {
    const published = publishedTerms();
    const data = published.map(({ version, sha256, since }, n) => {
      const until = published[n + 1]?.since.toISOString() ?? null;
      return { version, sha256, in_force: until === null, since: since.toISOString(), until, url: `/terms/${version}` };
    });
    return Promise.resolve({ answer: { data: data.toReversed() } });
  },
});
