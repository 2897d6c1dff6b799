/** In examples this stands for the version in force: the documentation is shown with that version in its place. */
export const TERMS_IN_EXAMPLES = '2000-01-01';

/** An example, or a whole document of them, as it works on this gateway. */
export const withTermsInForce = <T>(document: T, version: string): T =>
  JSON.parse(JSON.stringify(document).replaceAll(TERMS_IN_EXAMPLES, version)) as T;
