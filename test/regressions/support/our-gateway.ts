import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkBooks } from '../../support/events/account-history.ts';
import { ADMIN_TOKEN, createPremises, type RunningGateway } from '../../support/gateway.ts';
import { createScriptedUpstream } from '../../support/scripted-upstream.ts';
import { SOON } from '../../support/soon.ts';
import { nanoUsd, type Prices, type Tokens } from '../../support/money.ts';
import { openOurPartner, ourPayments, paymentsOf } from './our-payments.ts';
import type { Customer, Entry, Target, TargetOptions } from './target.ts';

const OTHER_PROVIDERS = ['deepseek', 'xai', 'gemini', 'groq'];
const REASON = 'regression';

/** KissAPI: real processes on a new database, with the scripted upstream as every provider. */
export const ourGateway = async ({ nodes: count = 1, silenceMs, payments }: TargetOptions): Promise<Target> => {
  const upstream = await createScriptedUpstream();
  const premises = await createPremises();
  const folder = await mkdtemp(join(tmpdir(), 'kissapi-regressions-'));
  const file = join(folder, 'upstreams.json');
  const others = OTHER_PROVIDERS.map((name) => ({ name, baseUrl: upstream.url, apiKeyEnv: 'OPENAI_API_KEY' }));
  await writeFile(file, JSON.stringify({ upstreams: others }));
  const partner = payments === true ? await openOurPartner() : undefined;
  const silence = silenceMs === undefined ? undefined : String(silenceMs);
  const start = (over: Readonly<Record<string, string>> = {}): Promise<RunningGateway> =>
    premises.startGateway({
      OPENAI_UPSTREAM_URL: upstream.url,
      OPENAI_API_KEY: 'sk-of-the-operator',
      KISSAPI_UPSTREAMS: file,
      ...(silence === undefined ? {} : { UPSTREAM_FIRST_BYTE_TIMEOUT_MS: silence, UPSTREAM_IDLE_TIMEOUT_MS: silence }),
      ...partner?.env,
      ...over,
    });
  const close = async (): Promise<void> => {
    await premises.close();
    await upstream.close();
    await partner?.standIn.close();
    await rm(folder, { recursive: true });
  };

  let gateways: readonly RunningGateway[];
  try {
    gateways = await Promise.all(Array.from({ length: count }, () => start()));
  } catch (error) {
    await close();
    throw error;
  }
  const gateway = (node = 0): RunningGateway => {
    const found = gateways[node];
    if (!found) throw new Error(`There is no node ${node}.`);
    return found;
  };

  return {
    get nodes() {
      return gateways.map(({ url }) => `${url}/v1`);
    },
    upstream,
    model: 'gpt-4o-mini',
    silenceMs,
    prices: async (model) => {
      const { data } = await gateway().manage<{ data: Price[] }>('GET', '/prices');
      const found = data.find((price) => price.model === model);
      if (!found) throw new Error(`${model} has no price.`);
      return found.usd_per_million_tokens;
    },
    openCustomer: async (usd) => {
      const { accountId, apiKey } = await gateway().openAccount(usd);
      const customer = customerOf(gateway, accountId, apiKey);
      for (const node of gateways.keys()) {
        await expect.poll(() => customer.balance(node).catch(() => 'not visible yet'), SOON).toHaveProperty('balance');
      }
      return customer;
    },
    ...(partner
      ? {
          payments: ourPayments({
            partner,
            databaseUrl: premises.databaseUrl,
            gateway,
            gateways: () => gateways,
            start,
          }),
        }
      : {}),
    crash: async () => void (await gateway().process.stop('SIGKILL')),
    restart: async () => {
      gateways = [await start(), ...gateways.slice(1)];
    },
    pause: () => {
      const { pid } = gateway(1).process;
      process.kill(pid, 'SIGSTOP');
      return () => void process.kill(pid, 'SIGCONT');
    },
    close,
  };
};

type Price = { readonly model: string; readonly usd_per_million_tokens: Prices };
type Credits = {
  readonly data: Readonly<Record<'balance' | 'held' | 'total_credits_usd' | 'total_usage_usd', string>>;
};
type Receipt = { readonly data: { readonly status: string; readonly total_cost_usd: string; readonly tokens: Tokens } };

const customerOf = (
  gateway: (node?: number) => RunningGateway,
  accountId: string,
  apiKey: string,
): Required<Customer> => {
  const read = async <Body>(path: string, node?: number): Promise<Body> => {
    const response = await fetch(`${gateway(node).url}/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  };
  const manage = (node: number, method: string, path: string, body?: unknown) =>
    gateway(node).manage<Readonly<Record<string, string>>>(method, `/accounts/${accountId}${path}`, body);

  return {
    apiKey,
    balance: async (node) => {
      const { balance, held } = (await read<Credits>('/credits', node)).data;
      return { balance: nanoUsd(balance), held: nanoUsd(held) };
    },
    totals: async (node) => {
      const { total_credits_usd, total_usage_usd } = (await read<Credits>('/credits', node)).data;
      const { usage_usd } = (await read<{ data: { usage_usd: string } }>('/key', node)).data;
      return { credited: nanoUsd(total_credits_usd), spent: nanoUsd(total_usage_usd), byKey: nanoUsd(usage_usd) };
    },
    receipt: async (generationId, node) => {
      const { status, total_cost_usd, tokens } = (await read<Receipt>(`/generation?id=${generationId}`, node)).data;
      return { status, cost: nanoUsd(total_cost_usd), tokens };
    },
    // Checks every promise about money for each event, too.
    history: async () => (await checkBooks(gateway(), accountId)).events.map(entryOf),
    grant: async ({ usd, reason = REASON, idempotencyKey, node = 0, authorization = `Bearer ${ADMIN_TOKEN}` }) => {
      const response = await fetch(`${gateway(node).url}/api/accounts/${accountId}/grants`, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        body: JSON.stringify({ usd, reason }),
      });
      await response.arrayBuffer();
      return response.status;
    },
    payments: paymentsOf(gateway, accountId),
    edits: [
      async (node) => {
        const { key_id } = await manage(node, 'POST', '/keys', { name: REASON });
        await manage(node, 'DELETE', `/keys/${key_id}`);
      },
      async (node) => {
        await manage(node, 'POST', '/suspend', { reason: REASON });
        await manage(node, 'POST', '/reinstate', { reason: REASON });
      },
    ],
  };
};

type OurEvent = Awaited<ReturnType<typeof checkBooks>>['events'][number];

const entryOf = (event: OurEvent): Entry => {
  const generationId = 'requestId' in event ? event.requestId : undefined;
  const entry = (kind: Entry['kind'], amount: bigint): Entry => ({ kind, amount, generationId });
  switch (event.type) {
    case 'CreditsToppedUp':
      return entry('credited', event.amount);
    case 'CreditsReserved':
      return entry('held', event.amount);
    case 'HoldExtended':
      return entry('held', event.by);
    case 'HoldSettled':
    case 'LateUsageCharged':
      return entry('charged', event.charged);
    case 'HoldReleased':
      return entry('given_back', event.released);
    case 'UsageWrittenOff':
      return entry('written_off', event.amount);
    case 'CreditsRefunded':
    case 'CreditsChargedBack':
    case 'DebtRepaid':
      return entry('taken_back', event.amount);
    default:
      return entry('other', 0n);
  }
};
