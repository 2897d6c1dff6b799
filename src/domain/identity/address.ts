/** An e-mail address in the two forms that it is compared in. */
export type Address = {
  /** For signing in: the address as its owner writes it, but for case and Unicode forms. */
  readonly exact: string;
  /** For uniqueness: equal for all spellings that certainly reach the same mailbox. */
  readonly canonical: string;
};

/** RFC 5321, 4.5.3.1. */
const MAX_LOCAL_BYTES = 64;
const MAX_ADDRESS_CHARS = 254;

type Mailboxes = {
  /** The domain that stands for all domains of these mailboxes. */
  readonly domain?: string;
  readonly ignoresDots?: true;
  /** Text from here on to the end of the local part is ignored. */
  readonly tag: '+' | '-';
};

const gmail: Mailboxes = { domain: 'gmail.com', ignoresDots: true, tag: '+' };
const plus: Mailboxes = { tag: '+' };

/** Providers whose mailboxes have several spellings. Of other domains nothing is known, so local parts stay as they are. */
const providers: ReadonlyMap<string, Mailboxes> = new Map([
  ['gmail.com', gmail],
  ['googlemail.com', gmail],
  ...['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'icloud.com', 'me.com', 'mac.com'].map(
    (domain) => [domain, plus] as const,
  ),
  ...['proton.me', 'protonmail.com', 'pm.me', 'fastmail.com', 'fastmail.fm'].map((domain) => [domain, plus] as const),
  ...['yahoo.com', 'ymail.com', 'rocketmail.com'].map((domain) => [domain, { tag: '-' } as const] as const),
]);

/** Printable, without space, quotes and the characters that RFC 5322 reserves. */
const localPart = /^[^\s"(),:;<>@[\\\]\p{C}]+$/u;

/** Undefined if the text is not an e-mail address. Quoted local parts and address literals are not accepted. */
export const readAddress = (written: string): Address | undefined => {
  const text = written.normalize('NFKC').trim();
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at).toLowerCase();
  const domain = asciiDomain(text.slice(at + 1));
  if (at < 1 || domain === undefined || !localPart.test(local) || /^\.|\.\.|\.$/.test(local)) return undefined;
  if (new TextEncoder().encode(local).length > MAX_LOCAL_BYTES) return undefined;
  const exact = `${local}@${domain}`;
  return exact.length > MAX_ADDRESS_CHARS ? undefined : { exact, canonical: canonical(local, domain) };
};

const canonical = (local: string, domain: string): string => {
  const mailboxes = providers.get(domain);
  if (!mailboxes) return `${local}@${domain}`;
  const [name = ''] = local.split(mailboxes.tag);
  const mailbox = mailboxes.ignoresDots ? name.replaceAll('.', '') : name;
  // A local part that is only a tag has no mailbox before it.
  return `${mailbox === '' ? local : mailbox}@${mailboxes.domain ?? domain}`;
};

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** A domain in ASCII (IDNA), in lower case; undefined if it is not a host name with at least two labels. */
const asciiDomain = (written: string): string | undefined => {
  if (written.includes('/') || written.includes('?') || written.includes('#')) return undefined;
  const url = URL.parse(`http://${written}`);
  const host = url?.hostname.replace(/\.$/, '') ?? '';
  const labels = host.split('.');
  const isName = labels.length > 1 && labels.every((one) => label.test(one)) && !/^\d+$/.test(labels.at(-1) ?? '');
  return isName && url?.port === '' && url.username === '' ? host : undefined;
};
