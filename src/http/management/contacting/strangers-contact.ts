import { z } from 'zod';
import { address } from '../people/fields.ts';
import { text } from '../router/fields.ts';
import { about, contactText, topic } from './fields.ts';

export { MAX_TEXT } from './fields.ts';

/** What a stranger sends, by the API or by the page. */
export const strangersContact = z.strictObject({
  name: text(200).optional().meta({ description: 'Your name', example: 'Ada Lovelace' }),
  email: address.meta({ description: 'The address that the answer is sent to' }),
  ...{ topic, text: contactText },
  about: about.optional(),
});
