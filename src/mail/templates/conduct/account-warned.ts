import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';
import { category, decision, greeting, howToObject, ofEvent } from './common.ts';

export const accountWarned = defineTemplate({
  params: { ...ofEvent, category },
  body: (input) => ({
    subject: `Warning: your account with ${input.operator.name}`,
    blocks: [
      greeting(input.name),
      paragraph(
        'we have recorded a violation of the terms by your account. You can continue to use it, but a further violation can lead to a suspension or a termination.',
      ),
      decision(input),
      howToObject(input.operator, input.params.account_id),
      paragraph(ending(input.operator)),
    ],
  }),
});
