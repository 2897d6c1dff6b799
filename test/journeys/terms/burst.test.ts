import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forward, HOUR_MS } from '../../support/clock.ts';
import { openMany, useOnce, type Customer } from '../../support/customers/many.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { query } from '../../support/sql.ts';

const ACCOUNTS = 1000;
const AT_ONCE = 32;
const VERSION = '2030-01-01';

let premises: Premises;
let gateways: readonly RunningGateway[];
let customers: readonly Customer[];
beforeAll(async () => {
  premises = await createPremises();
  const first = await premises.startGateway();
  gateways = [first, await premises.startGateway()];
  customers = await openMany(first, ACCOUNTS);
  await first.manage('POST', '/terms', { document: 'terms', version: VERSION, text: '# Terms\n', summary: 'Shorter.' });
});
afterAll(() => premises.close());

/** How often each account accepted the version, and whether each acceptance is next to a hold of the same append. */
const acceptances = () =>
  query<{ stream: string; next: string; same_time: boolean }>(
    premises.databaseUrl,
    `select a.stream, b.type as next, a.time = b.time as same_time
     from events a left join events b on b.stream = a.stream and b.revision = a.revision + 1
     where a.type = 'TermsAccepted' and a.data::jsonb ->> 'version' = $1`,
    [VERSION],
  );

describe('the first uses of 1,000 accounts in the moment after new terms took effect, on two nodes', () => {
  it('all succeed before the effect, and bind no account', async () => {
    const { answers } = await useOnce(gateways, customers, AT_ONCE);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await acceptances()).toEqual([]);
  });

  it('all succeed after the effect, and each account is bound once, in the append of its hold', async () => {
    await forward(premises.databaseUrl, HOUR_MS, gateways);
    // Twice, so that each account also uses the other node.
    const { answers } = await useOnce(gateways, customers, AT_ONCE);
    const { answers: again } = await useOnce(gateways.toReversed(), customers, AT_ONCE);
    expect(new Set([...answers, ...again].map(({ status }) => status))).toEqual(new Set([200]));
    const accepted = await acceptances();
    expect(accepted).toHaveLength(ACCOUNTS);
    expect(new Set(accepted.map(({ stream }) => stream)).size).toBe(ACCOUNTS);
    for (const { next, same_time } of accepted)
      expect({ next, same_time }).toEqual({ next: 'CreditsReserved', same_time: true });
  });
});
