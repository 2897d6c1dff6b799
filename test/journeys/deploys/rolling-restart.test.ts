import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch as fetchBy } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBalancer, type Balancer } from '../../support/nodes/balancer.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat, chatBody, costUsdOf, errorOf } from '../../support/traffic.ts';

const isReady = async (url: string): Promise<boolean> =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

/**
 * As balancers do: asks every gateway once a second, leaves out one that was not ready twice, takes it back when it is ready
 * again, and leaves out no one if none is ready.
 */
const pollReady = (balancer: Balancer, urls: readonly string[]): (() => Promise<void>) => {
  const failures = new Map<string, number>();
  let polling = true;
  const poll = async (): Promise<void> => {
    while (polling) {
      for (const url of urls) {
        failures.set(url, (await isReady(url)) ? 0 : (failures.get(url) ?? 0) + 1);
        const out = (failures.get(url) ?? 0) >= 2;
        if (out && balancer.targets.length > 1) balancer.leaveOut(url);
        if (!out && !balancer.targets.includes(url)) balancer.add(url);
      }
      await sleep(1000);
    }
  };
  const done = poll();
  return () => ((polling = false), done);
};

describe('a rolling restart behind a balancer that asks for readiness once a second', () => {
  let premises: Premises;
  let nodes: readonly [RunningGateway, RunningGateway];
  beforeAll(async () => {
    premises = await createPremises();
    const settings = { DRAIN_DELAY_MS: '5000' };
    nodes = await Promise.all([premises.startGateway(settings), premises.startGateway(settings)]);
  });
  afterAll(() => premises.close());

  it('refuses no request, on connections that are kept open and on new ones', async () => {
    const [leaving, staying] = nodes;
    const { apiKey } = await leaving.openAccount();
    // A key that was just issued on one gateway is known to the other a moment later.
    await expect.poll(async () => (await chat(staying, apiKey, { maxTokens: 5 }).answer).status, SOON).toBe(200);
    const balancer = await createBalancer(leaving.url, staying.url);
    const stopPolling = pollReady(balancer, [leaving.url, staying.url]);
    const agent = new Agent({ connections: 4, pipelining: 1 });
    const answers: number[] = [];
    let running = true;
    const customer = async (options: { readonly dispatcher?: Agent }): Promise<void> => {
      while (running) {
        const response = await fetchBy(`${balancer.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(chatBody({ maxTokens: 5 })),
          ...options,
        }).catch(() => undefined);
        await response?.text();
        answers.push(response?.status ?? 0);
      }
    };
    const customers = [{ dispatcher: agent }, { dispatcher: agent }, {}, {}].map(customer);
    await expect.poll(() => answers.length, SOON).toBeGreaterThan(20);

    const before = answers.length;
    expect(await leaving.process.stop('SIGTERM')).toBe(0);
    expect(balancer.targets).toEqual([staying.url]);
    const meanwhile = answers.length - before;
    running = false;
    await Promise.all(customers);
    await stopPolling();
    await agent.close();
    await balancer.close();
    expect(meanwhile).toBeGreaterThan(10);
    expect(answers.filter((status) => status !== 200)).toEqual([]);
  });
});

describe('a gateway that is told to stop, with a drain delay', () => {
  let premises: Premises;
  beforeAll(async () => {
    premises = await createPremises();
  });
  afterAll(() => premises.close());

  it('is not ready at once, serves for the delay, then refuses while what is under way finishes', async () => {
    const gateway = await premises.startGateway({ DRAIN_DELAY_MS: '3000' });
    const { apiKey } = await gateway.openAccount();
    const running = chat(gateway, apiKey, {
      stream: true,
      maxTokens: 300,
      simulate: { outputTokens: 300, tokenMs: 20 },
    });
    await expect.poll(() => running.words(), SOON).toBeGreaterThan(2);
    const ended = gateway.process.stop('SIGTERM');
    await expect.poll(() => isReady(gateway.url), SOON).toBe(false);
    const ready = await fetch(`${gateway.url}/health/ready`);
    expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([503, 'stopping']);
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);

    const served = await chat(gateway, apiKey).answer;
    expect(costUsdOf(served)).toBeDefined();
    expect(served.headers.get('connection')).toBe('close');

    await expect
      .poll(async () => {
        const { status, body, ...answer } = await chat(gateway, apiKey).answer;
        return status === 503 ? errorOf({ status, body, ...answer }).code : status;
      }, SOON)
      .toBe('draining');
    expect(costUsdOf(await running.answer)).toBeDefined();
    expect(await ended).toBe(0);
  });

  it('leaves at once at a second signal, also during the delay', async () => {
    const gateway = await premises.startGateway({ DRAIN_DELAY_MS: '600000' });
    const ended = gateway.process.stop('SIGTERM');
    await expect.poll(() => isReady(gateway.url), SOON).toBe(false);
    await sleep(1000); // Sooner, it may be the same signal that came in two ways.
    process.kill(gateway.process.pid, 'SIGTERM');
    expect(await ended).toBe(1);
  });
});
