import { facts, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';

export const adminTokenUsed = defineTemplate({
  params: { used_at: instant },
  body: ({ params, operator }) => ({
    subject: `The admin token of ${operator.name} was used`,
    blocks: [
      paragraph('The admin token was used for a request that can change something. It is for emergencies.'),
      facts(['First used in this hour', timeInMail(params.used_at)]),
      paragraph(
        'Further uses in the same hour send no mail. The log lists each of them as AdminTokenUsed. If you do not know ' +
          'the cause, replace KISSAPI_ADMIN_TOKEN.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
