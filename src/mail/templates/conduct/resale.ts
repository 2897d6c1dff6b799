import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';
import { decision, greeting, ofEvent } from './common.ts';

export const resaleAuthorized = defineTemplate({
  params: ofEvent,
  body: (input) => ({
    subject: `You may resell access to ${input.operator.name}`,
    blocks: [
      greeting(input.name),
      paragraph(
        'your account may resell or share its access, which the terms forbid otherwise. You are responsible for everything that is done with its keys.',
      ),
      decision(input),
      paragraph(ending(input.operator)),
    ],
  }),
});

export const resaleEnded = defineTemplate({
  params: ofEvent,
  body: (input) => ({
    subject: `You may no longer resell access to ${input.operator.name}`,
    blocks: [
      greeting(input.name),
      paragraph(
        'the authorisation to resell or share the access of your account has ended. The terms forbid it from now on.',
      ),
      decision(input),
      paragraph(`If you did not expect this, write to ${input.operator.supportEmail}.`),
      paragraph(ending(input.operator)),
    ],
  }),
});
