import { z } from 'zod';

// What `navigator.credentials` returns in a browser, as its `toJSON` writes it (WebAuthn Level 3, section 5.1).

const base64url = z
  .string()
  .regex(/^[\w-]+=*$/)
  .max(100_000);
/** 1023 bytes (WebAuthn Level 3, section 5.4.3). Larger ids do not fit into the index of the table. */
export const MAX_CREDENTIAL_ID = 1364;
const credential = {
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
};

const registration = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z
      .array(z.string().regex(/^[\w-]{1,32}$/))
      .max(16)
      .optional(),
  }),
});
const assertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
});
const clientData = z.object({ challenge: z.string() });

/** A response with the challenge that it answers. */
export type Answer<Response> = { readonly response: Response; readonly challenge: string };

const answerOf = <Response extends { readonly response: { readonly clientDataJSON: string } }>(
  schema: z.ZodType<Response>,
  body: unknown,
): Answer<Response> | undefined => {
  const { data: response } = schema.safeParse(body);
  if (!response) return undefined;
  const text = Buffer.from(response.response.clientDataJSON, 'base64url').toString();
  const challenge = clientData.safeParse(parsed(text)).data?.challenge;
  return challenge === undefined ? undefined : { response, challenge };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Undefined if the body is not such a response. */
export const readRegistration = (body: unknown): Answer<z.infer<typeof registration>> | undefined =>
  answerOf(registration, body);
export const readAssertion = (body: unknown): Answer<z.infer<typeof assertion>> | undefined =>
  answerOf(assertion, body);
