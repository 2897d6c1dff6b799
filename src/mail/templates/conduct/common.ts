import { z } from 'zod';
import { facts, paragraph, type MailBlock } from '../../mail-body.ts';
import { id, instant, timeInMail, type Operator, type TemplateInput } from '../template.ts';

/** The place of the event, from which the reason is read when the mail is sent, and plain facts of the event. */
export const ofEvent = { account_id: id, revision: z.string().regex(/^\d{1,10}$/), at: instant };

/** As they are in the log. */
export const category = z.enum(['illegal_content', 'circumvention', 'resale', 'provider_policy', 'damage']);

const categories: Readonly<Record<z.output<typeof category>, string>> = {
  illegal_content: 'illegal content',
  circumvention: 'circumvention of limits',
  resale: 'resale or sharing of access',
  provider_policy: 'a policy of a provider',
  damage: 'damage to the service',
};

export const greeting = (name: string | undefined): MailBlock =>
  paragraph(name === undefined ? 'Hello,' : `Hello ${name},`);

type Place = {
  readonly account_id: string;
  readonly at: string;
  readonly category?: z.output<typeof category> | undefined;
};

/** What happened to which account, and why. */
export const decision = (
  { params, text }: Pick<TemplateInput<Place>, 'params' | 'text'>,
  ...more: readonly (readonly [string, string])[]
): MailBlock =>
  facts(
    ['Account', params.account_id],
    ['Time', timeInMail(params.at)],
    ...(params.category === undefined ? [] : ([['Violation', categories[params.category]]] as const)),
    ['Reason', text('reason')],
    ...more,
  );

export const howToObject = ({ supportEmail, publicUrl }: Operator, account: string): MailBlock =>
  paragraph(
    `If you object, write to ${supportEmail} or use ${publicUrl}/contact and name the account. The evidence for the decision is in the events of the account: GET ${publicUrl}/api/accounts/${account}/events`,
  );
