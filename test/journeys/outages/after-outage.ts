import { expect } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import type { Premises, RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat, errorOf, type Sent } from '../../support/traffic.ts';

/** A request that was sent during an outage was served in the end, or the client may send it again. */
export const expectServedOrRetry = async (meanwhile: Sent): Promise<void> => {
  const answer = await meanwhile.answer;
  if (answer.status === 200) return;
  expect(errorOf(answer).code).toBe('store_unavailable');
  expect(answer.headers.get('x-should-retry')).toBe('true');
};

/**
 * Once an outage is over, the account is served again, every hold has ended, and the books agree on all nodes. All of them
 * were alive, so no hold was taken for an orphan, and no charge is late.
 */
export const expectNothingLost = async (
  { databaseUrl }: Pick<Premises, 'databaseUrl'>,
  nodes: readonly [RunningGateway, RunningGateway],
  { accountId, apiKey }: { readonly accountId: string; readonly apiKey: string },
): Promise<void> => {
  const [node, other] = nodes;
  await expect.poll(async () => (await chat(node, apiKey).answer).status, SOON).toBe(200);
  const view = async (): Promise<AccountView> => node.manage('GET', `/accounts/${accountId}`);
  await expect.poll(async () => (await view()).open_holds, SOON).toEqual([]);
  const checked = await checkSettledBooks(other, accountId);
  expect(checked.events.filter((event) => event.type === 'HoldReleased' && event.reason === 'orphaned')).toEqual([]);
  expect(checked.events.filter(isCharge).map(({ type }) => type)).not.toContain('LateUsageCharged');
  await checkProjections(databaseUrl, accountId, checked);
  for (const { url } of nodes) await expect.poll(async () => (await fetch(`${url}/health`)).status, SOON).toBe(200);
};
