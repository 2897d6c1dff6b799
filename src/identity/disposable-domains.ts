import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';

/** Read when it is first needed: about ten thousand domains. */
let blocklist: ReadonlySet<string> | undefined;

/** Whether the domain, or one that it is a subdomain of, gives mailboxes for minutes to anybody. */
export const isDisposableDomain = (domain: string): boolean => {
  blocklist ??= disposableEmailBlocklistSet();
  const labels = normalised(domain).split('.');
  for (let n = 0; n < labels.length - 1; n++) if (blocklist.has(labels.slice(n).join('.'))) return true;
  return false;
};

/** Where most mistyped addresses were meant to go. In shorter domains, one other letter often makes another real one. */
const COMMON = [
  ...['gmail.com', 'googlemail.com', 'hotmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'protonmail.com'],
  ...['fastmail.com', 'hotmail.co.uk', 'yahoo.co.uk'],
];
/** Real providers that are one letter from a common one. */
const REAL = new Set([...COMMON, 'mail.com', 'email.com', 'ymail.com', 'fastemail.com']);

/** The common mail domain that was probably meant, such as gmail.com for gmial.com. For a hint, never for a refusal. */
export const typoHint = (domain: string): string | undefined => {
  const given = normalised(domain);
  if (REAL.has(given)) return undefined;
  return COMMON.find((meant) => isOneTypoAway(given, meant));
};

const normalised = (domain: string): string => domain.trim().toLowerCase().replace(/\.$/, '');

/** One letter missing, added or replaced, or two neighbours exchanged. */
const isOneTypoAway = (given: string, meant: string): boolean => {
  if (Math.abs(given.length - meant.length) > 1) return false;
  let start = 0;
  while (start < meant.length && given[start] === meant[start]) start++;
  const [a, b] = [given.slice(start), meant.slice(start)];
  return (
    a.slice(1) === b || // Added.
    a === b.slice(1) || // Missing.
    a.slice(1) === b.slice(1) || // Replaced.
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2)) // Exchanged.
  );
};
