import { facts, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, id, instant, timeInMail } from './template.ts';

/** To support. */
export const keyLeaked = defineTemplate({
  params: { account_id: id, key_id: id, reported_at: instant, since: instant.optional() },
  body: ({ params, operator }) => ({
    subject: `Leaked key ${params.key_id} of ${params.account_id}`,
    blocks: [
      paragraph('A holder has reported that an API key leaked. The key is revoked. Check what it was used for:'),
      facts(
        ['Account', params.account_id],
        ['Key', params.key_id],
        ['Reported', timeInMail(params.reported_at)],
        ...(params.since === undefined ? [] : ([['Leaked since', timeInMail(params.since)]] as const)),
      ),
      link('Management API', `${operator.publicUrl}/api/docs`),
      paragraph(ending(operator)),
    ],
  }),
});
