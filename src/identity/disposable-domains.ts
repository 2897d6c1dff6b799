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

/** Providers that give mailboxes to anybody, besides the common ones. */
const PUBLIC = new Set(
  `
    126.com 139.com 163.com 189.cn 1und1.de aliyun.com aol.com arcor.de att.net bellsouth.net bigpond.com
    bk.ru bluewin.ch bol.com.br btinternet.com charter.net comcast.net cox.net daum.net docomo.ne.jp
    email.com ezweb.ne.jp fastmail.fm foxmail.com free.fr freenet.de hanmail.net hey.com inbox.com inbox.lv
    inbox.ru kakao.com laposte.net libero.it list.ru mac.com mail.com mail.ru mailbox.org me.com msn.com
    nate.com naver.com ntlworld.com o2.pl onet.pl op.pl orange.fr pm.me posteo.de proton.me protonmail.ch
    qq.com rambler.ru rediffmail.com riseup.net rocketmail.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca
    sina.com sky.com sohu.com swisscom.ch t-online.de terra.com.br tiscali.it tuta.com tuta.io tutamail.com
    tutanota.com ukr.net uol.com.br verizon.net virgilio.it virginmedia.com vodafone.de wanadoo.fr web.de
    wp.pl xtra.co.nz ya.ru yeah.net ymail.com zoho.com zohomail.com
  `
    .trim()
    .split(/\s+/),
);
/** Providers with a domain for each country. */
const PUBLIC_EVERYWHERE = /^(?:yahoo|hotmail|outlook|live|gmx|yandex|windowslive)\.[a-z]{2,3}(?:\.[a-z]{2})?$/;

/** Whether addresses at the domain have nothing in common, because anybody can have one. */
export const isPublicDomain = (domain: string): boolean => {
  const given = normalised(domain);
  return PUBLIC.has(given) || COMMON.includes(given) || PUBLIC_EVERYWHERE.test(given);
};
