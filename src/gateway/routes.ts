import { AT } from '../domain/prices/model-name.ts';
import type { Config } from '../config/config.ts';
import { accountStream } from '../domain/account/account.ts';
import { forbids, limitedBy, pacesNow } from '../domain/account/limits/within-limits.ts';
import { invariant } from '../domain/decider.ts';
import { personStream } from '../domain/identity/person.ts';
import { STAFF_STREAM } from '../domain/identity/staff.ts';
import { formatUsd } from '../domain/money.ts';
import { changesAfter } from '../domain/prices/price-book.ts';
import { documentPaths } from '../domain/terms/names.ts';
import { termsInForce } from '../domain/terms/in-force.ts';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import { bodyMemoryBytes } from './body-memory.ts';
import { createSignals } from './conduct/signals.ts';
import { newId } from './new-id.ts';
import { createApp } from '../http/server/app.ts';
import { createNetworkPrefixes, networkPrefix } from '../identity/network-prefix.ts';
import { createManagementRouter } from '../http/management/router/router.ts';
import { getMetrics } from '../http/get-metrics.ts';
import type { ReadReadiness } from '../http/get-health.ts';
import { isSimulatedPartner } from '../payments/partner.ts';
import { receiptPdf } from '../payments/receipt/receipt-pdf.ts';
import { receipt } from '../payments/receipt/receipt.ts';
import { PAYABLE_MS } from '../payments/top-ups.ts';
import type { Completions } from './completions.ts';
import type { GatewayOptions, Rooms } from './rooms.ts';

/** The parts that the routes call. */
type Parts = Rooms & {
  readonly completions: Completions;
  readonly readiness: { readonly read: ReadReadiness };
  readonly publicUrl: () => string;
};

/** Refusals for credits, limits and rights, whose messages have amounts and limits only. */
const WITH_FIGURES: ReadonlySet<number> = new Set([402, 403, 429]);

export const createRoutes = ({ config, adminToken, log }: GatewayOptions, parts: Parts) => {
  const { eventLog, providers, providerList, views, watchers, keyring, completions } = parts;
  const { accounts } = eventLog;
  const { now } = watchers;
  const prefixOf = createNetworkPrefixes(48);
  return createApp({
    newId,
    now,
    support: parts.contacting.support,
    maxBodyBytes: config.maxBodyBytes,
    maxBodyMemoryBytes: bodyMemoryBytes(config),
    commentAfterMs: config.commentAfterMs,
    slowReaderMs: config.slowReaderMs,
    hashKey: keyring.hashes,
    keyUsed: watchers.keyUsed,
    findKeyOwner: views.findKeyOwner,
    complete: completions.complete,
    countTokens: completions.countTokens,
    balanceUsd: (accountId) => {
      const account = accounts.lastKnown(accountStream(accountId));
      return account && formatUsd(account.wallet.balance);
    },
    rateLimits: (accountId, keyId) => {
      const tallies = accounts.lastKnown(accountStream(accountId))?.tallies;
      return tallies ? pacesNow(tallies, keyId, now().getTime()) : {};
    },
    listModels: async ({ accountId, keyId }) => {
      const { state } = await accounts.read(accountStream(accountId));
      const limited = limitedBy(state.tallies, keyId);
      const isForbidden = (model: string): boolean => limited.some((one) => forbids(one, model));
      const at = now();
      return views
        .pricesAt(at)
        .filter(({ upstream, model }) => providers.has(upstream) && !isForbidden(model) && !model.includes(AT))
        .map((price) => ({
          price,
          upcoming: changesAfter(views.priceBook(), price.model, at),
          usagePolicyUrl: providerList.get(price.upstream)?.usagePolicyUrl ?? null,
          endpoints: [
            price,
            ...[...providers.keys()].flatMap((name) => views.findPrice(`${price.model}${AT}${name}`, at) ?? []),
          ].map((one) => ({
            ...{ price: one, provider: providerList.get(one.upstream)?.name ?? one.upstream },
          })),
        }));
    },
    usedFrom: ({ accountId, keyId }, address) => {
      const network = prefixOf(address);
      if (network !== undefined) watchers.keyNetworks.add(accountId, keyId, network, now().getTime());
    },
    refused: ({ accountId, keyId, requestId, problem: { code, status, message } }) => {
      // Other messages may quote the request.
      const figures = WITH_FIGURES.has(status) ? message : null;
      watchers.refusals.add({ accountId, keyId, requestId, code, status, figures, at: now() });
    },
    delistedSince: (model) => views.findDelisting(model, now())?.effectiveFrom,
    findGenerations: views.findGenerations,
    findKeyUsage: (keyId) => views.findKeyUsage(keyId, now()),
    findAccount: async (accountId) => (await accounts.read(accountStream(accountId))).state,
    publishedTerms: views.publishedTerms,
    findTermsText: eventLog.termsTexts.find,
    termsUrl: () => `${parts.publicUrl()}${documentPaths.terms}`,
    ...{ payments: parts.payments.payments, isSimulatedPartner, contacts: parts.contacting.contacts },
    management: createManagement(adminToken, config, parts),
    metrics: getMetrics(adminToken, watchers.metrics),
    devOutbox: parts.mail.outboxPage,
    trustedProxies: config.trustedProxies,
    answered: watchers.metrics.answered,
    readiness: parts.readiness.read,
    isStoreUnavailable: (error) => error instanceof StoreUnavailable,
    failed: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
  });
};

const createManagement = (
  adminToken: string,
  { production, grantAlone, payments: { topUps, refundAlone } }: Config,
  { eventLog, providerList, views, watchers, people, contacting, payments, keyring, publicUrl }: Parts,
) =>
  createManagementRouter({
    commands: eventLog.accounts,
    personCommands: eventLog.persons,
    claimCommands: eventLog.claims,
    priceCommands: eventLog.prices,
    termsCommands: eventLog.terms,
    termsTexts: eventLog.termsTexts,
    vault: eventLog.vault,
    now: watchers.now,
    store: eventLog.store,
    foldAccount: eventLog.foldAccount,
    ...{ people: people.people, ...people.identity, tokens: people.people.tokens },
    ...{ networkOf: (address = '') => networkPrefix(address) },
    readPerson: async (personId) => (await eventLog.persons.read(personStream(personId))).state,
    readStaff: async () => (await eventLog.staff.read(STAFF_STREAM)).state,
    openInvitations: (accountId) => views.openInvitations(accountId, watchers.now()),
    suspectedDuplicates: views.duplicates,
    waitingApprovals: () => views.waitingApprovals(watchers.now()),
    ...{ adminToken, grantAlone, recordsAdminToken: production },
    ...{ payments: payments.payments, isSimulatedPartner },
    paymentCommands: eventLog.payments,
    ...{ contacts: contacting.contacts, listContacts: views.contacts, support: contacting.support },
    ...{ listPayments: views.listPayments, listOwed: views.listOwed, openPayments: views.openPayments },
    notices: views.notices,
    findGenerations: views.findGenerations,
    signals: createSignals({ ...watchers, filteredOn: views.filteredOn }),
    receipts: { of: receipt, pdf: receiptPdf },
    ...{ topUps: { ...topUps, payableMs: PAYABLE_MS }, refundAlone },
    newId,
    termsInForce: termsInForceOn({ views, watchers }),
    publishedTerms: views.publishedTerms,
    publicUrl,
    createSecret: keyring.create,
    findKey: (secret) => {
      for (const { hash } of keyring.hashes(secret)) {
        const owner = views.findKeyOwner(hash);
        if (owner) return owner;
      }
      return undefined;
    },
    publishKey: views.lookedUp,
    priceBook: views.priceBook,
    catalogue: eventLog.catalogue,
    findProvider: (upstream) => providerList.get(upstream),
    newestCheckpoint: watchers.newestCheckpoint,
    findHttpRequest: views.findHttpRequest,
    listRequests: views.listRequests,
    refusals: watchers.refusals,
    publicKey: watchers.checkpointKey,
  });

/** The version of the document `terms` that is in force by the clock of the log. */
export const termsInForceOn =
  ({ views, watchers }: Pick<Rooms, 'views' | 'watchers'>) =>
  (): string => {
    const inForce = termsInForce(views.publishedTerms(), 'terms', watchers.now());
    invariant(inForce !== undefined, 'terms are published before a gateway opens');
    return inForce.version;
  };
