import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromJson, isSignedBy, type CheckpointJson } from '../../../src/eventstore/integrity/checkpoint.ts';
import { verifyDatabase } from '../../../src/eventstore/integrity/verify/verify-database.ts';
import { tamper } from '../../eventstore/signed-logs.ts';
import { createPremises, type Premises } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let premises: Premises;
beforeAll(async () => (premises = await createPremises()));
afterAll(() => premises.close());

type Answer = { readonly checkpoint: CheckpointJson | null; readonly public_key: string };

describe('a gateway', () => {
  it('signs its log, tells the newest checkpoint, signs once more when it stops, and not what was tampered with', async () => {
    const gateway = await premises.startGateway({ KISSAPI_LOG: 'debug' });
    const newest = (): Promise<Answer> => gateway.manage<Answer>('GET', '/log/checkpoint');
    await expect.poll(async () => (await newest()).checkpoint, SOON).not.toBeNull();
    const { checkpoint, public_key: publicKey } = await newest();
    const kept = fromJson(checkpoint);
    expect(isSignedBy(kept, createPublicKey(publicKey))).toBe(true);
    await gateway.openAccount();
    await gateway.process.stop('SIGTERM');

    const [head] = await query<{ position: string; signed: string }>(
      premises.databaseUrl,
      'select position, (select max(position) from log_checkpoints) as signed from log_head',
    );
    expect(head?.signed).toBe(head?.position);
    expect(Number(head?.position)).toBeGreaterThan(kept.position);
    const verdict = await verifyDatabase(premises.databaseUrl, { publicKeys: [publicKey], kept: [kept], threads: 1 });
    expect(verdict).toMatchObject({ flaw: undefined, last: { position: Number(head?.position) } });

    await tamper(premises.databaseUrl, `update events set hash = sha256('') where position = ${head?.position}`);
    const again = await premises.startGateway();
    await expect.poll(() => again.process.output(), SOON).toContain('"alert":"log_tampered"');
    await again.process.stop('SIGTERM');
    const [after] = await query(premises.databaseUrl, 'select max(position) as signed from log_checkpoints');
    expect(after).toEqual({ signed: head?.signed });
  });
});
