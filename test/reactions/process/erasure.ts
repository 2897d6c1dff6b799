import { randomBytes, randomUUID } from 'node:crypto';
import { accountStream } from '../../../src/domain/account/account.ts';
import { encode } from '../../../src/eventstore/journal/codec.ts';
import { createDataKeys, type PostgresDataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { createErasure } from '../../../src/reactions/erasure.ts';
import { query } from '../../support/sql.ts';
import type { ProcessNode, Subject } from './subject.ts';

const withDataKeys = async (node: ProcessNode, use: (keys: PostgresDataKeys) => Promise<unknown>): Promise<void> => {
  const keys = createDataKeys(node.databaseUrl, [{ id: '1', key: secretKey(randomBytes(32)) }]);
  await use(keys).finally(keys.close);
};

/** Accounts that have a data key, and are erased. The effect is a key that is destroyed. */
export const subject: Subject = {
  commands: 1,
  prepare: () => Promise.resolve(),
  process: (node) => createErasure({ destroy: (accountId) => withDataKeys(node, (keys) => keys.destroy(accountId)) }),
  cause: async (node, n) => {
    const accountId = `acc_${n}`;
    await withDataKeys(node, (keys) => keys.obtain(accountId));
    const event = encode({ type: 'PersonalDataErased', reason: 'asked' }, randomUUID(), {
      ...{ actor: 'test', commandId: randomUUID() },
    });
    const [result] = await node.store.append([
      { stream: accountStream(accountId), expected: { revision: -1 }, events: [event] },
    ]);
    if (result?.kind !== 'appended') throw new Error(`cause ${n} was not appended`);
  },
  effects: async ({ databaseUrl }) => {
    const rows = await query<{ account_id: string }>(
      databaseUrl,
      'select account_id from data_keys where wrapped is null',
    );
    return rows.map(({ account_id }) => `${account_id.replace('acc_', '')}/0`);
  },
};
