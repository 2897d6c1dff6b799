import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';

describe('a newcomer', () => {
  let premises: Premises;
  let gateway: RunningGateway;
  beforeAll(async () => {
    premises = await createPremises({ empty: true });
    gateway = await premises.startGateway();
  });
  afterAll(() => premises.close());

  it('gets an answer with the key that was printed, and finds the balance less its cost', async () => {
    const answer = await gateway.client(gateway.demoKey).chat.completions.create({
      model: 'simulated-chat',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(answer.choices[0]?.message.content).toMatch(/\w/);
    const { data } = (await (
      await fetch(`${gateway.url}/v1/credits`, { headers: { authorization: `Bearer ${gateway.demoKey}` } })
    ).json()) as { data: { total_usage: number; total_usage_usd: string } };
    expect(answer.usage).toMatchObject({ cost: data.total_usage, cost_usd: data.total_usage_usd });
  });

  it('opens an account through the management API', async () => {
    const { apiKey } = await gateway.openAccount('1.00');
    const models = await gateway.client(apiKey).models.list();
    expect(models.data.map(({ id }) => id)).toContain('simulated-chat');
  });

  it('finds the same account, key and balance after a restart', async () => {
    const before = await gateway.manage<{ balance_usd: string }>('GET', '/accounts/acc_demo');
    expect(await gateway.process.stop()).toBe(0);
    const again = await premises.startGateway();
    expect(again.demoKey).toBe(gateway.demoKey);
    expect(await again.manage('GET', '/accounts/acc_demo')).toEqual(before);
  });
});
