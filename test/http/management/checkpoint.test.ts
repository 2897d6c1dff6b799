import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_CHECKPOINT, publicKeyPem, signCheckpoint, toJson } from '../../../src/eventstore/integrity/checkpoint.ts';
import { startManagementApi, type ManagementApi } from './management-api.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const checkpoint = signCheckpoint(
  { position: 7, time: new Date('2026-01-31T10:00:00Z'), hash: 'a'.repeat(64), previous: NO_CHECKPOINT },
  privateKey,
);

let api: ManagementApi;
afterEach(() => api.close());

describe('GET /log/checkpoint', () => {
  it('200: the newest signed head of the log, and the key to check it with', async () => {
    const publicKey = publicKeyPem(privateKey);
    api = await startManagementApi({ newestCheckpoint: () => Promise.resolve(toJson(checkpoint)), publicKey });
    const { status, json } = await api.get('/log/checkpoint');
    expect([status, json]).toEqual([200, { checkpoint: toJson(checkpoint), public_key: publicKey }]);
  });

  it('200: none before the first', async () => {
    api = await startManagementApi();
    expect((await api.get('/log/checkpoint')).json).toMatchObject({ checkpoint: null });
  });
});
