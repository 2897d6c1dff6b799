import { z } from 'zod';
import { problem, type Problem } from '../../server/problems.ts';
import { withSupport } from '../../server/support.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';
import { accountId, text, time } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { comingTerms, viewComingTerms } from '../terms/terms-fields.ts';
import {
  address,
  newSessionExample,
  newSessionView,
  notRedeemed,
  personId,
  proof,
  proofExample,
  PROBLEMS_OF_CODES,
  tooManyAttempts,
  viewSession,
} from './fields.ts';

/** Stored with the registration as evidence. A new wording is added, and none is changed. */
export const DECLARATIONS = {
  person: 'I am 18 or older.',
  entity: 'I am 18 or older and may act for this entity.',
} as const;

export const entityField = z.strictObject({
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'must be the two letters of a country, such as DE')
    .meta({ description: 'Country of registration, ISO 3166-1', example: 'DE' }),
  registration_number: text(64).meta({ description: 'In the register of companies, or for VAT', example: 'HRB 12345' }),
});

export const acceptance = {
  declaration: z
    .enum([DECLARATIONS.person, DECLARATIONS.entity])
    .meta({ description: 'Your declaration, word for word: the first for a person, the second for an entity' }),
  accept_terms: text(64).meta({ description: 'The version of the terms in force', example: TERMS_IN_EXAMPLES }),
};

const registration = z.strictObject({
  name: text(200).meta({ description: 'Your name, or the name of the entity', example: 'Ada Lovelace' }),
  email: address,
  entity: entityField.optional().meta({ description: 'If the account is for an entity and not for a person' }),
  ...acceptance,
});

type Body = z.output<typeof registration>;

export const register = defineRoute({
  method: 'post',
  path: '/registrations',
  principals: ['public'],
  summary: 'Register',
  description:
    'Sends a code and a link to the address; nothing is open before one of them is confirmed, within ten minutes. The answer is the same ' +
    'if the address already has an account: its owner is then told so by mail.',
  body: {
    schema: registration,
    example: {
      ...{ name: 'Ada Lovelace', email: 'ada@example.com' },
      ...{ declaration: DECLARATIONS.person, accept_terms: TERMS_IN_EXAMPLES },
    },
  },
  success: {
    status: 202,
    description: 'A mail is sent',
    schema: z.strictObject({
      registration_id: z.string().meta({ example: 'per_5b0d27c41e8f4a96b3c7d810' }),
      browser_secret: z.string().meta({ description: 'Send it with the code. Only who has it can use the code' }),
      expires_at: time,
      hint: z.string().nullable().meta({ description: 'If the address may have a typo' }),
      coming_terms: comingTerms.nullable().meta({
        description: 'The version of the terms that will replace the accepted one; null if none is announced',
      }),
    }),
    example: {
      registration_id: 'per_5b0d27c41e8f4a96b3c7d810',
      browser_secret: 'Zm9yIHRoZSBleGFtcGxl',
      expires_at: '2026-01-31T10:10:00.000Z',
      hint: null,
      coming_terms: null,
    },
  },
  problems: ['disposable_address', 'terms_not_in_force', 'too_many_attempts'],
  handle: async ({ body, client, commandId, requestId }, deps) => {
    const refused = notAccepted(body, deps.termsInForce());
    if (refused) return refused;
    const { name, email, entity: asked, declaration: wording, accept_terms: termsVersion } = body;
    const domain = email.exact.slice(email.exact.lastIndexOf('@') + 1);
    const meant = deps.people.typoHint(domain);
    const hint = meant === undefined ? null : `Did you mean ${meant}?`;
    if (deps.people.isDisposableDomain(domain)) {
      const { message } = problem('disposable_address');
      return problem('disposable_address', { message: hint ? `${message} ${hint}` : message, param: 'email' });
    }
    const registered = await deps.people.registration.register({
      ...{ name, address: email, client, commandId, requestId },
      entity: asked && { country: asked.country, number: asked.registration_number },
      asked: { holder: asked ? 'entity' : 'person', termsVersion, declared: { adult: true, wording } },
    });
    if (registered.kind === 'wait') return tooManyAttempts(registered);
    const { registrationId: registration_id, browserSecret: browser_secret, expiresAt } = registered;
    return {
      answer: {
        ...{ registration_id, browser_secret, expires_at: expiresAt.toISOString(), hint },
        coming_terms: viewComingTerms(deps),
      },
    };
  },
});

/** Both the declaration and the terms must be those of now. */
export const notAccepted = (
  { entity, declaration, accept_terms }: Pick<Body, 'entity' | 'declaration' | 'accept_terms'>,
  inForce: string,
): Problem | undefined => {
  const expected = DECLARATIONS[entity ? 'entity' : 'person'];
  if (declaration !== expected) {
    const message = `declaration: must be "${expected}" for ${entity ? 'an entity' : 'a person'}.`;
    return problem('invalid_request', { message, param: 'declaration' });
  }
  if (accept_terms === inForce) return undefined;
  const message = `Only the terms in force can be accepted: version ${inForce}. GET /terms returns their text.`;
  return problem('terms_not_in_force', { message, param: 'accept_terms' });
};

export const verifyRegistration = defineRoute({
  method: 'post',
  path: '/registrations/{registration_id}/verify',
  principals: ['public'],
  summary: 'Confirm the address of a registration',
  description: 'Opens the account. The browser that registered is signed in.',
  body: { schema: proof, example: proofExample },
  success: {
    status: 200,
    description: 'The address is verified',
    schema: z.strictObject({
      person_id: personId,
      account_id: accountId.nullable().meta({ description: 'null if the entity already has an account' }),
      session: newSessionView.nullable().meta({ description: 'null in another browser: sign in there' }),
      note: z.string().nullable(),
    }),
    example: {
      person_id: 'per_5b0d27c41e8f4a96b3c7d810',
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      session: newSessionExample,
      note: null,
    },
  },
  problems: [...PROBLEMS_OF_CODES, 'address_taken', 'holder_excluded'],
  handle: async ({ params: { registration_id }, body, client }, { people, support }) => {
    const verified = await people.registration.verify(registration_id, body, client);
    if (verified.kind === 'address_taken') return problem('address_taken');
    if (verified.kind === 'holder_excluded') return problem('holder_excluded');
    if (verified.kind !== 'verified') return notRedeemed(verified);
    const { personId, accountId, session } = verified;
    return {
      answer: {
        person_id: personId,
        account_id: accountId,
        session: session ? { ...viewSession(session.session), token: session.token } : null,
        note: accountId === null ? withSupport(ENTITY_TAKEN, support()) : null,
      },
    };
  },
});

const ENTITY_TAKEN =
  'Your address is verified. The entity already has an account: ask one of its owners to invite you, or contact support.';
