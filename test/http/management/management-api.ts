import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { v7 } from 'uuid';
import { expect } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import { contactDecider } from '../../../src/domain/contacts/contact.ts';
import { unknownPerson } from '../../../src/domain/identity/person.ts';
import type { PaymentCommand } from '../../../src/domain/payments/commands.ts';
import { paymentStream } from '../../../src/domain/payments/payment.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import { priceDecider } from '../../../src/domain/prices/decide.ts';
import { TERMS_STREAM, termsDecider } from '../../../src/domain/terms/terms.ts';
import { emptyPriceBook } from '../../../src/domain/prices/price-book.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { decodeFact, journal } from '../../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { createVault } from '../../../src/eventstore/journal/personal-data.ts';
import { createManagementRouter, type ManagementDeps } from '../../../src/http/management/router/router.ts';
import { routes } from '../../../src/http/management/routes.ts';
import { createContacts } from '../../../src/people/contacting/contacts.ts';
import { createIdentities } from '../../../src/people/identities.ts';
import { isSimulatedPartner } from '../../../src/payments/partner.ts';
import { receiptPdf } from '../../../src/payments/receipt/receipt-pdf.ts';
import { receipt } from '../../../src/payments/receipt/receipt.ts';
import { createContactList } from '../../../src/projections/views/contact-list.ts';
import { createTermsList, type DocumentVersion } from '../../../src/projections/views/terms-list.ts';
import { createOpenPayments } from '../../../src/projections/views/open-payments.ts';
import { createMemoryDataKeys } from '../../support/postgres/data-keys.ts';

export const TOKEN = 'admin-token-that-is-at-least-32-characters-long';
export const TERMS = '2026-01-01';

const firstTerms: DocumentVersion = {
  ...{ document: 'terms', version: TERMS, sha256: 'a'.repeat(64), summary: '', significant: false },
  ...{ effectiveAt: null, publishedAt: new Date('2026-01-01T00:00:00.000Z'), withdrawn: undefined },
};

type Json = Readonly<Record<string, unknown>>;
export type Answer = { readonly status: number; readonly headers: Headers; readonly json: Json };
export type Send = {
  readonly body?: unknown;
  readonly key?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The management API on a real socket, over a log in memory. Every answer is checked against what its route documents. */
export const startManagementApi = async (overrides: Partial<ManagementDeps> = {}) => {
  let time = Date.parse('2026-01-31T10:00:00.000Z');
  const clock = { advance: (ms: number) => void (time += ms), now: () => new Date(time) };
  const log = createInMemoryLog(clock.now);
  const store = createInMemoryStore(log);
  const committer = createCommitter({ store });
  const commands = createCommands({ store, committer, codec: journal, decider: accountDecider });
  const priceCommands = createCommands({ store, committer, codec: journal, decider: priceDecider });
  const paymentCommands = createCommands({ store, committer, codec: journal, decider: paymentDecider });
  const termsCommands = createCommands({ store, committer, codec: journal, decider: termsDecider });
  const dataKeys = createMemoryDataKeys();
  /** The texts of documents that were stored. */
  const texts: string[] = [];
  const published: number[] = [];
  const failures: unknown[] = [];
  const contactCommands = createCommands({ store, committer, codec: journal, decider: contactDecider });
  const listed = async () => {
    const list = createContactList();
    void list.apply((await store.readAll(0, 1000)).map(decodeFact), await store.head(), 0);
    return list;
  };
  const contacts = createContacts({
    ...{ contacts: contactCommands, accounts: commands, store, listed, vault: createVault(dataKeys), now: clock.now },
    persons: { read: () => Promise.resolve({ state: unknownPerson(), revision: -1 }) } as never,
    mails: {} as never,
    foldContact: createFold({ store, codec: journal, decider: contactDecider }),
    attemptLimits: { allow: () => Promise.resolve({ kind: 'allowed' }) },
    identities: createIdentities('identities'),
    destroyKey: (id) => Promise.resolve(dataKeys.destroy(id)),
  });
  const deps: ManagementDeps = {
    commands,
    priceCommands,
    store,
    vault: createVault(dataKeys),
    foldAccount: createFold({ store, codec: journal, decider: accountDecider }),
    priceBook: emptyPriceBook,
    catalogue: { models: [], margin: 0n },
    findProvider: () => undefined,
    termsInForce: () => TERMS,
    publicUrl: () => 'https://api.example.com',
    support: () => ({ email: undefined, url: 'https://api.example.com/contact' }),
    contacts,
    listContacts: listed,
    findHttpRequest: () => Promise.resolve({ generations: [], events: [] }),
    listRequests: () => Promise.resolve([]),
    refusals: { ofAccount: () => Promise.resolve([]), byRequest: () => Promise.resolve([]) },
    termsCommands,
    termsTexts: { store: (text) => Promise.resolve(void texts.push(text.toString())) },
    publishedTerms: () => {
      const list = createTermsList();
      const published = log.events.filter(({ stream }) => stream === TERMS_STREAM);
      void list.apply(published.map(decodeFact), log.events.length, 0);
      return published.length > 0 ? list.all() : [firstTerms];
    },
    newestCheckpoint: () => Promise.resolve(undefined),
    publicKey: 'a public key',
    createSecret: () => {
      const secret = `kiss_test_${randomUUID()}`;
      return { secret, hash: createHash('sha256').update(secret).digest('hex'), pepperId: '1', hint: secret.slice(-4) };
    },
    findKey: () => undefined,
    publishKey: (position) => {
      published.push(position);
      return Promise.resolve();
    },
    adminToken: TOKEN,
    // The routes of persons are tested on a gateway.
    people: {} as ManagementDeps['people'],
    personCommands: {} as ManagementDeps['personCommands'],
    claimCommands: {} as ManagementDeps['claimCommands'],
    sessions: { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    tokens: { find: () => Promise.resolve(undefined) },
    attemptLimits: { allow: () => Promise.resolve({ kind: 'allowed' }) },
    networkOf: () => undefined,
    readPerson: () => Promise.resolve(unknownPerson()),
    readStaff: () => Promise.resolve(new Map()),
    openInvitations: () => Promise.resolve([]),
    suspectedDuplicates: () => Promise.resolve([]),
    waitingApprovals: () => Promise.resolve([]),
    payments: {
      partner: undefined,
      openTopUp: () => Promise.resolve({ kind: 'unavailable' }),
      find: () => Promise.resolve(undefined),
    } as unknown as ManagementDeps['payments'],
    ...{ paymentCommands, isSimulatedPartner },
    listPayments: () => Promise.resolve([]),
    listOwed: () => Promise.resolve([]),
    openPayments: async () => {
      const view = createOpenPayments();
      void view.apply((await store.readAll(0, 1000)).map(decodeFact), await store.head(), 0);
      return view;
    },
    notices: { announcements: () => Promise.resolve([]), ofAnnouncement: () => Promise.resolve([]) },
    findGenerations: () => Promise.resolve([]),
    signals: () => Promise.resolve([]),
    receipts: { of: receipt, pdf: receiptPdf },
    topUps: {
      ...{ least: 5_000_000_000n, most: 1_000_000_000_000n, presets: [10_000_000_000n, 25_000_000_000n] },
      payableMs: 86_400_000,
    },
    refundAlone: 100_000_000_000n,
    grantAlone: 100_000_000_000n,
    recordsAdminToken: false,
    newId: v7,
    now: clock.now,
    ...overrides,
  };
  const app = express();
  app.set('query parser', 'simple');
  app.use('/api', createManagementRouter(deps));
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    failures.push(error);
    response.status(500).end();
  };
  app.use(onError);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;

  const send = async (method: string, path: string, { body, key, token = TOKEN, headers }: Send = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const json = (await response.json()) as Json;
    expectAsDocumented(method, path, response.status, json);
    return { status: response.status, headers: response.headers, json } satisfies Answer;
  };

  const post = (path: string, body: unknown, sent: Send = {}): Promise<Answer> => send('POST', path, { body, ...sent });

  return {
    url,
    store,
    commands,
    priceCommands,
    paymentCommands,
    dataKeys,
    clock,
    published,
    texts,
    failures,
    send,
    post,
    get: (path: string, sent: Send = {}): Promise<Answer> => send('GET', path, sent),
    delete: (path: string, sent: Send = {}): Promise<Answer> => send('DELETE', path, sent),
    /** Registers somebody who has accepted the terms; tells the account's id. */
    account: async (): Promise<string> => {
      const { status, json } = await post('/accounts', { ...ada, accept_terms: TERMS });
      expect(status).toBe(201);
      return String(json['account_id']);
    },
    /** What the proxy would do. */
    execute: async (accountId: string, command: AccountCommand): Promise<void> => {
      const outcome = await commands.execute(accountStream(accountId), command, {
        actor: 'key:test',
        commandId: v7(),
      });
      expect(outcome.kind).toBe('accepted');
    },
    /** As the partner and the process of payments do. */
    executeOnPayment: async (paymentId: string, command: PaymentCommand): Promise<void> => {
      const metadata = { actor: 'partner:creem', commandId: v7() };
      const outcome = await paymentCommands.execute(paymentStream(paymentId), command, metadata);
      expect(outcome.kind).toBe('accepted');
    },
    close: async (): Promise<void> => {
      await new Promise((resolve) => server.close(resolve));
      await committer.close();
      expect(failures).toEqual([]);
    },
  };
};

export type ManagementApi = Awaited<ReturnType<typeof startManagementApi>>;

export const ada = { name: 'Ada Lovelace', email: 'ada@example.com', adult: true } as const;

const expectAsDocumented = (method: string, path: string, status: number, json: Json): void => {
  if (status >= 400) {
    expect(json).toEqual({
      error: {
        message: expect.stringMatching(/\w+.*\.$/s),
        type: expect.any(String),
        param: json['error'] && (json['error'] as Json)['param'] === null ? null : expect.any(String),
        code: expect.any(String),
        request_id: expect.stringMatching(/^req_/),
      },
    });
    return;
  }
  const route = routes.find(
    (one) =>
      one.method === method.toLowerCase() &&
      new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path.replace(/\?.*/, '')),
  );
  if (!route) return;
  if (status === 202 && route.deferred) {
    expect(route.deferred.schema.parse(json)).toEqual(json);
    return;
  }
  expect(status).toBe(route.success.status);
  expect(route.success.schema.parse(json)).toEqual(json);
};

/** The code of an error, beside its status. */
export const refusal = ({ status, json }: Answer): unknown => [status, (json['error'] as Json)['code']];
export const message = ({ json }: Answer): string => String((json['error'] as Json)['message']);
export const param = ({ json }: Answer): unknown => (json['error'] as Json)['param'];
