import { z } from 'zod';
import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, usd } from '../template.ts';
import { category, decision, greeting, howToObject, ofEvent } from './common.ts';

export const accountTerminated = defineTemplate({
  params: { ...ofEvent, category: category.optional(), forfeited: z.enum(['yes', 'no']), amount_usd: usd },
  body: (input) => {
    const { params, operator } = input;
    const isForfeited = params.forfeited === 'yes';
    return {
      subject: `Your account with ${operator.name} is terminated`,
      blocks: [
        greeting(input.name),
        paragraph(
          'your account was terminated for a violation of the terms. Its API keys are revoked, and promotional credits have ended. You cannot open another account.',
        ),
        decision(input, [
          isForfeited ? 'Paid credits that are forfeited' : 'Paid credits that we still owe you',
          `${params.amount_usd} USD`,
        ]),
        paragraph(
          isForfeited
            ? 'This amount does not include the credits that requests in progress hold. What these requests do not use is forfeited when they end.'
            : `You can still sign in, read the events of the account, and ask for a refund: POST ${operator.publicUrl}/api/accounts/${params.account_id}/refunds`,
        ),
        howToObject(operator, params.account_id),
        paragraph(ending(operator)),
      ],
    };
  },
});
