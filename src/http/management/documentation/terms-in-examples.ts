/** Placeholder in examples for the version of the terms in force. */
export const TERMS_IN_EXAMPLES = '2000-01-01';

/** Replaces the placeholder in an example or in a document. */
export const withTermsInForce = <T>(document: T, version: string): T =>
  JSON.parse(JSON.stringify(document).replaceAll(TERMS_IN_EXAMPLES, version)) as T;
