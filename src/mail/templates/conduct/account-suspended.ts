import { z } from 'zod';
import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';
import { category, decision, greeting, howToObject, ofEvent } from './common.ts';

/** As they are in the log. */
const cause = z.enum(['staff', 'violation', 'dispute', 'debt']);

const causes: Readonly<Record<z.output<typeof cause>, string>> = {
  staff: 'by a decision of the operator',
  violation: 'for a violation of the terms',
  dispute: 'because of a dispute about a payment',
  debt: 'because credits are owed',
};

export const accountSuspended = defineTemplate({
  params: { ...ofEvent, cause, category: category.optional() },
  body: (input) => ({
    subject: `Your account with ${input.operator.name} is suspended`,
    blocks: [
      greeting(input.name),
      paragraph(
        `your account is suspended ${causes[input.params.cause]}. New requests are refused; those in progress complete. The balance stays.`,
      ),
      decision(input),
      howToObject(input.operator, input.params.account_id),
      paragraph(ending(input.operator)),
    ],
  }),
});

export const accountReinstated = defineTemplate({
  params: { ...ofEvent, cause },
  body: (input) => ({
    subject: `The suspension of your account with ${input.operator.name} has ended`,
    blocks: [
      greeting(input.name),
      paragraph(
        `your account is no longer suspended ${causes[input.params.cause]}. Requests are accepted again, unless the account is also suspended for another cause.`,
      ),
      decision(input),
      paragraph(ending(input.operator)),
    ],
  }),
});
