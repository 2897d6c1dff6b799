import { request, Agent } from 'node:http';
import { registerPerson, registration } from '../../test/support/customers/person.ts';
import type { TestSmtp } from '../../test/mail/smtp.ts';
import type { Random } from '../random.ts';

export type Sample = { readonly known: number[]; readonly unknown: number[] };
export type Route = 'registration' | 'sign-in code';

const PATHS: Readonly<Record<Route, string>> = { registration: '/registrations', 'sign-in code': '/sign-in/codes' };

const known = (n: number): string => `known-${String(n).padStart(4, '0')}@example.com`;
const unknown = (n: number): string => `other-${String(n).padStart(4, '0')}@example.com`;

/** Registers the persons whose addresses are known, a few at a time. */
export const registerKnown = async (url: string, smtp: TestSmtp, persons: number, done: () => void): Promise<void> => {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < persons) {
      await registerPerson(url, smtp, known(next++), {}, { 'x-forwarded-for': networkOf(next) });
      done();
    }
  };
  await Promise.all([one(), one(), one(), one()]);
};

/** Each request comes from a network of its own, so that no limit applies. */
const networkOf = (n: number): string => `10.${(n >> 8) & 255}.${n & 255}.1`;

export type MeasureOptions = {
  readonly url: string;
  readonly persons: number;
  readonly rounds: number;
  readonly random: Random;
  readonly measured: () => void;
};

/** Asks for known and unknown addresses in random order, over one connection, and measures each answer in ms. */
export const measure = async ({ url, persons, rounds, random, measured }: MeasureOptions) => {
  const samples: Readonly<Record<Route, Sample>> = {
    registration: { known: [], unknown: [] },
    'sign-in code': { known: [], unknown: [] },
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let network = persons;
  for (let round = 0; round < rounds; round++) {
    const questions = Array.from({ length: persons }, (_, n) => n).flatMap((n) =>
      (['registration', 'sign-in code'] as const).flatMap((route) => [
        { route, kind: 'known' as const, email: known(n) },
        { route, kind: 'unknown' as const, email: unknown(n) },
      ]),
    );
    for (const { route, kind, email } of shuffled(questions, random)) {
      const body = JSON.stringify(route === 'registration' ? registration(email) : { email });
      samples[route][kind].push(await timed(agent, `${url}/api${PATHS[route]}`, body, networkOf(++network)));
      measured();
    }
  }
  agent.destroy();
  return samples;
};

const shuffled = <Item>(items: readonly Item[], random: Random): readonly Item[] => {
  const left = [...items];
  for (let n = left.length - 1; n > 0; n--) {
    const other = random.between(0, n);
    [left[n], left[other]] = [left[other] as Item, left[n] as Item];
  }
  return left;
};

const timed = (agent: Agent, url: string, body: string, network: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const headers = {
      ...{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      'x-forwarded-for': network,
    };
    const sent = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode !== 202) return reject(new Error(`${url} answered ${response.statusCode}`));
        resolve(Number(process.hrtime.bigint() - began) / 1e6);
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
