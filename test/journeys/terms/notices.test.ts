import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { mailsTo, mailTo, registerPerson, type Person } from '../../support/customers/person.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat, errorOf } from '../../support/traffic.ts';

const VERSION = '2998-12-20';
/** The account that a gateway of development opens. */
const DEMO = 1;
const SUMMARY = 'Refunds are described in more detail.';

type Account = { readonly accountId: string; readonly apiKey: string; readonly email: string };
type Event = { readonly type: string; readonly revision: number; readonly data: Readonly<Record<string, unknown>> };
type Notices = {
  readonly announcement_id: string;
  readonly about: { readonly kind: string };
  readonly accounts: number;
  readonly pending: number;
};

let smtp: TestSmtp;
let premises: Premises;
/** The second one requires an explicit acceptance after a notice that failed. */
let nodes: readonly [RunningGateway, RunningGateway];
let ada: Person & Account;
const accounts = new Map<string, Account>();

const openAccount = async (name: string): Promise<Account> => {
  const email = `${name}@example.com`;
  const body = { name, email, adult: true, holder: 'entity', accept_terms: await inForce() };
  const { account_id: accountId } = await nodes[0].manage<{ account_id: string }>('POST', '/accounts', body);
  const account = { accountId, email, apiKey: await fund(accountId) };
  accounts.set(name, account);
  return account;
};
const fund = async (accountId: string): Promise<string> => {
  await nodes[0].manage('POST', `/accounts/${accountId}/grants`, { usd: '5.00', reason: 'test' });
  const key = await nodes[0].manage<{ secret: string }>('POST', `/accounts/${accountId}/keys`, { name: 'test' });
  return key.secret;
};
const inForce = async (): Promise<string> => {
  type Version = { readonly version: string; readonly in_force: boolean };
  const { data } = await nodes[0].manage<{ data: readonly Version[] }>('GET', '/terms?document=terms');
  return data.find((one) => one.in_force)?.version ?? '';
};
const account = (name: string): Account => {
  const found = accounts.get(name);
  if (!found) throw new Error(`there is no account ${name}`);
  return found;
};
const use = async (node: RunningGateway, { apiKey }: Account): Promise<unknown> => {
  const answer = await chat(node, apiKey, { maxTokens: 10 }).answer;
  return answer.status === 200 ? 200 : [answer.status, errorOf(answer).code];
};
const eventsOf = async ({ accountId }: Account): Promise<readonly Event[]> =>
  (await nodes[0].manage<{ data: readonly Event[] }>('GET', `/accounts/${accountId}/events?limit=100`)).data.toSorted(
    (a, b) => a.revision - b.revision,
  );
/** Waits until each mail of the announcement has an outcome. */
const noticesOf = async (kind: string): Promise<Notices> => {
  let found: Notices | undefined;
  const isAnswered = async (): Promise<boolean> => {
    const { data } = await nodes[0].manage<{ data: readonly Notices[] }>('GET', '/notices');
    found = data.find(({ about }) => about.kind === kind);
    return found !== undefined && found.pending === 0;
  };
  await expect.poll(isAnswered, SOON).toBe(true);
  if (!found) throw new Error(`there are no notices of ${kind}`);
  return found;
};
const subjectsTo = (email: string): readonly string[] => mailsTo(smtp, email).map(({ subject }) => subject);

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  nodes = [
    await premises.startGateway(env),
    await premises.startGateway({ ...env, TERMS_AFTER_FAILED_NOTICE: 'explicit' }),
  ];
  const person = await registerPerson(nodes[0].url, smtp, 'ada@example.com');
  ada = { ...person, apiKey: await fund(person.accountId) };
  for (const name of ['gone', 'lost', 'idle']) await openAccount(name);
  smtp.refuse('gone@example.com');
  smtp.refuse('lost@example.com');
  expect(await use(nodes[0], ada)).toBe(200);
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

describe('a significant version of the terms', () => {
  it('is announced by mail to every account that is there, with its text, its differences and its effect', async () => {
    const published = { document: 'terms', version: VERSION, text: '# Terms\n\nNew.\n', summary: SUMMARY };
    const answer = await nodes[0].manage<{ effective_at: string }>('POST', '/terms', {
      ...published,
      significant: true,
    });
    await openAccount('later');
    const { text } = await mailTo(smtp, ada.email, 2);
    for (const part of [SUMMARY, VERSION, ada.accountId, `/terms/${VERSION}/changes`, 'you accept this version']) {
      expect(text.replace(/\s+/g, ' ')).toContain(part);
    }
    expect(text).toContain(answer.effective_at.slice(0, 10));
    expect(text).toContain('Hello Ada Lovelace,');
    await mailTo(smtp, 'idle@example.com');
    expect(await noticesOf('terms')).toMatchObject({ accepted: 2 + DEMO, failed: 2, pending: 0 });
    expect(subjectsTo('later@example.com')).toEqual([]);
  });

  it('has the accounts whose mailbox rejected it in a list for staff', async () => {
    const { announcement_id: id } = await noticesOf('terms');
    const { data } = await nodes[1].manage<{ data: readonly { account_id: string }[] }>(
      'GET',
      `/notices/${id}?outcome=failed`,
    );
    expect(data.map((one) => one.account_id).toSorted()).toEqual(
      ['gone', 'lost'].map((name) => account(name).accountId).toSorted(),
    );
    await expect(nodes[0].manage('GET', '/notices/ann_0')).rejects.toThrow('announcement_not_found');
  });

  it('does not bind before its effect', async () => {
    expect(await use(nodes[0], ada)).toBe(200);
    expect((await eventsOf(ada)).filter(({ data }) => data['version'] === VERSION)).toEqual([]);
  });

  it('binds each account with its next use, in one append, with the state of its notice', async () => {
    await forward(premises.databaseUrl, 15 * DAY_MS, nodes);
    for (const [who, notice] of [
      [ada, 'accepted'],
      [account('gone'), 'failed'],
      [account('later'), 'not_due'],
    ] as const) {
      expect(await use(nodes[0], who)).toBe(200);
      const events = await eventsOf(who);
      const at = events.findIndex(({ type, data }) => type === 'TermsAccepted' && data['version'] === VERSION);
      expect(events[at]?.data).toMatchObject({ how: 'use', notice });
      expect(events[at + 1]?.type).toBe('CreditsReserved');
    }
  });

  it('binds an account whose notice failed only after its explicit acceptance, if that is set', async () => {
    const lost = account('lost');
    expect(await use(nodes[1], lost)).toEqual([403, 'terms_not_accepted']);
    expect(await use(nodes[1], account('idle'))).toBe(200);
    await nodes[1].manage('POST', `/accounts/${lost.accountId}/terms`, { version: VERSION });
    expect(await use(nodes[1], lost)).toBe(200);
  });
});

describe('a price that can cost more', () => {
  it('is announced to the accounts that used the model, and to no other', async () => {
    const unused = await openAccount('unused');
    const { data } = await nodes[0].manage<{
      data: readonly { model: string; usd_per_million_tokens: Readonly<Record<string, string>> }[];
    }>('GET', '/prices');
    const before = data.find(({ model }) => model === 'simulated-chat')?.usd_per_million_tokens;
    const usd_per_million_tokens = { ...before, output: '99.00' };
    await nodes[0].manage('POST', '/prices', { model: 'simulated-chat', usd_per_million_tokens });
    await expect.poll(() => subjectsTo(ada.email).length, SOON).toBe(3);
    const { text } = await mailTo(smtp, ada.email, 3);
    expect(text).toContain(`Output: ${before?.['output']} -> 99.00`);
    expect(text).toContain('Model: simulated-chat');
    expect((await noticesOf('price')).accounts).toBe(5);
    expect(subjectsTo(unused.email)).toEqual([]);
  });
});

describe('an end of sale', () => {
  it('is announced to the accounts that used the model, and so is its withdrawal', async () => {
    const reason = 'Its provider ends "it", see @notes';
    await nodes[0].manage('POST', '/delistings', { model: 'simulated-chat', reason });
    const { text } = await mailTo(smtp, ada.email, 4);
    expect(text).toContain(`Reason: ${reason}`);
    expect((await noticesOf('delisting')).accounts).toBe(5);
    await nodes[0].manage('POST', '/relistings', { model: 'simulated-chat' });
    const withdrawn = await mailTo(smtp, ada.email, 5);
    expect(withdrawn.subject).toBe('A change that KissAPI announced is withdrawn');
    expect(withdrawn.text).toContain('the end of sale of simulated-chat');
    expect(subjectsTo(account('unused').email)).toEqual([]);
  });
});
