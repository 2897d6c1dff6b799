import type { TermsDocument } from './events.ts';

export const documentNames: Readonly<Record<TermsDocument, string>> = {
  terms: 'Terms of Service',
  acceptable_use: 'Acceptable Use Policy',
  privacy: 'Privacy',
};

/** The paths of the documents under the public URL. */
export const documentPaths: Readonly<Record<TermsDocument, string>> = {
  terms: '/terms',
  acceptable_use: '/acceptable-use',
  privacy: '/privacy',
};

/** One digit, so that versions sort as text. */
const VERSION = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:\.[2-9])?$/;
export const isTermsVersion = (text: string): boolean => VERSION.test(text);

/** Control characters garble pages, mails and terminals. Lone surrogates cannot be encoded in UTF-8. */
const READABLE = /^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])*$/u;
export const isReadableText = (text: string): boolean => text.trim() !== '' && READABLE.test(text);
