/** Where support can be reached. */
export type Support = {
  /** Undefined if SUPPORT_EMAIL is not set. */
  readonly email: string | undefined;
  /** The page of SUPPORT_URL. */
  readonly url: string;
};

const ASKS = /\b(?:contact|ask|let) support\b/i;
const AT_THE_END = /\b(contact support)\.$/i;

/** Whether one of our texts asks the reader to contact support. */
export const asksForSupport = (text: string): boolean => ASKS.test(text);

/** Adds the address and the page of support to a text that asks the reader to contact it. */
export const withSupport = (text: string, { email, url }: Support): string => {
  const place = email === undefined ? url : `${email} or ${url}`;
  return AT_THE_END.test(text) ? text.replace(AT_THE_END, `$1: ${place}.`) : `${text} Support: ${place}.`;
};
