import { accountStream } from '../../domain/account/account.ts';
import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import type { MailReference } from '../../domain/mail/mail.ts';
import { formatUsdPerMillion, type Rates } from '../../domain/money.ts';
import { PRICES_STREAM } from '../../domain/prices/decide.ts';
import { delistingAt, priceAt, type PriceBook } from '../../domain/prices/price-book.ts';
import { documentNames, documentPaths } from '../../domain/terms/names.ts';
import type { TermsDocument } from '../../domain/terms/events.ts';
import { findVersion, TERMS_STREAM, type KnownVersion } from '../../domain/terms/terms.ts';
import { streamPages, type StoredEvent } from '../../eventstore/event-store.ts';
import { decodeEvent } from '../../eventstore/journal/codec.ts';
import type { Recipient } from '../../mail/compose.ts';
import type { QueuedMail } from '../../mail/mail-sender.ts';
import type { MailTexts } from '../../mail/templates/template.ts';
import type { TemplateName } from '../../mail/templates/templates.ts';
import type { PeopleMail } from '../mail-data.ts';
import type { NoticeOptions } from './notice-options.ts';
import { queuedEventIdOf } from './notice-run.ts';

type TextOptions = Pick<NoticeOptions, 'accounts' | 'vault' | 'store' | 'foldTerms' | 'foldPrices'> & {
  readonly publicUrl: () => string;
};

const WITHDRAWN = 'announcement_withdrawn' satisfies TemplateName;
const OF_NOTICES: ReadonlySet<string> = new Set<TemplateName>([
  ...(['terms_changed', 'price_changed', 'model_delisted'] as const),
  WITHDRAWN,
]);

/** Adds the contacts of accounts and the texts of notices to the mail data of persons. */
export const withNoticeMail = (options: TextOptions, people: PeopleMail): PeopleMail => ({
  ...people,
  addressOf: (to) => (to.kind === 'account' ? addressOfAccount(options, to) : people.addressOf(to)),
  textsOf: (mail) => (OF_NOTICES.has(mail.template) ? textsOf(options, mail) : people.textsOf(mail)),
});

/** Undefined after an erasure. */
const addressOfAccount = async (
  { accounts, vault }: TextOptions,
  { id }: MailReference,
): Promise<Recipient | undefined> => {
  const { state } = await accounts.read(accountStream(id));
  const sealed = state.standing.registration?.personal;
  const personal = sealed === undefined ? undefined : await vault.open(id, sealed);
  return personal && { name: personal.name, email: personal.email };
};

/** Undefined if the mail is obsolete: the announcement of a notice was withdrawn, or the withdrawal is no longer in the log. */
const textsOf = async (options: TextOptions, { params, template }: QueuedMail): Promise<MailTexts | undefined> => {
  const { account_id: accountId = '', notice_id: noticeId = '' } = params;
  const queued = await options.store.findEvent(accountStream(accountId), queuedEventIdOf(noticeId));
  const about = queued && aboutOf(queued);
  if (!about) return undefined;
  const isWithdrawal = template === WITHDRAWN;
  if (about.kind === 'terms') return textsOfTerms(options, about, isWithdrawal);
  const { state: book } = await options.foldPrices(PRICES_STREAM);
  if (about.kind === 'price') return isWithdrawal ? withdrawnPrice(book, about) : textsOfPrice(book, about);
  return isWithdrawal ? withdrawnDelisting(about) : textsOfDelisting(book, about);
};

const aboutOf = (stored: StoredEvent): NoticeAbout | undefined => {
  const event = decodeEvent(stored);
  return event.type === 'NoticeQueued' ? event.about : undefined;
};

type About<Kind extends NoticeAbout['kind']> = Extract<NoticeAbout, { kind: Kind }>;

const textsOfTerms = async (
  { store, foldTerms, publicUrl }: TextOptions,
  { document, version }: About<'terms'>,
  isWithdrawal: boolean,
): Promise<MailTexts | undefined> => {
  const { state: terms } = await foldTerms(TERMS_STREAM);
  const known = findVersion(terms, document as TermsDocument, version);
  if (!known || known.withdrawn !== isWithdrawal) return undefined;
  const name = documentNames[known.document];
  if (isWithdrawal) return { what: `${name}, version ${version}`, reason: await reasonOf(store, known) };
  return { document: name, version, ...urlsOf(known, publicUrl()), ...effectOf(known) };
};

const reasonOf = async (store: TextOptions['store'], { document, version }: KnownVersion): Promise<string> => {
  for await (const page of streamPages(store, TERMS_STREAM)) {
    for (const event of page.map(decodeEvent)) {
      const isOfIt = event.type === 'TermsWithdrawn' && event.document === document && event.version === version;
      if (isOfIt) return event.reason;
    }
  }
  return '';
};

const effectOf = ({ effectiveAt, summary }: KnownVersion): MailTexts => ({
  summary,
  effective_at: effectiveAt?.toISOString() ?? '',
});

const urlsOf = ({ document, version }: KnownVersion, publicUrl: string): MailTexts => {
  const url = `${publicUrl}${documentPaths[document]}/${version}`;
  return { url, changes_url: `${url}/changes` };
};

const textsOfPrice = (book: PriceBook, { model, version }: About<'price'>): MailTexts | undefined => {
  const price = book.get(model)?.versions.find((one) => one.version === version);
  const before = price && priceAt(book, model, new Date(price.effectiveFrom.getTime() - 1));
  if (!before) return undefined;
  return {
    ...{ model, effective_at: price.effectiveFrom.toISOString() },
    ...{ ...ratesAs('old', before.rates), ...ratesAs('new', price.rates) },
  };
};

const ratesAs = (when: 'old' | 'new', rates: Rates): MailTexts => ({
  [`${when}_input`]: formatUsdPerMillion(rates.input),
  [`${when}_cached_input`]: formatUsdPerMillion(rates.cachedInput),
  [`${when}_cache_write`]: formatUsdPerMillion(rates.cacheWrite),
  [`${when}_output`]: formatUsdPerMillion(rates.output),
  [`${when}_reasoning`]: formatUsdPerMillion(rates.reasoning),
});

const withdrawnPrice = (book: PriceBook, { model, version }: About<'price'>): MailTexts | undefined => {
  const price = book.get(model)?.withdrawn.find((one) => one.version === version);
  return price && { what: `the price of ${model} from ${dayOf(price.effectiveFrom)}`, reason: price.reason };
};

const textsOfDelisting = (book: PriceBook, { model, effectiveFrom }: About<'delisting'>): MailTexts | undefined => {
  const end = new Date(effectiveFrom);
  const delisting = delistingAt(book, model, end);
  return delisting && { model, effective_at: end.toISOString(), reason: delisting.reason };
};

const withdrawnDelisting = ({ model, effectiveFrom }: About<'delisting'>): MailTexts => ({
  what: `the end of sale of ${model} on ${dayOf(new Date(effectiveFrom))}`,
  reason: 'The model stays on sale.',
});

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);
