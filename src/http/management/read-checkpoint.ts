import { z } from 'zod';
import { staff } from '../auth/principals.ts';
import { checkpointJson } from '../../eventstore/integrity/checkpoint.ts';
import { defineRoute } from './router/route.ts';

const checkpointView = checkpointJson.meta({
  id: 'Checkpoint',
  description: 'A signed head of the log; null before the first event was signed',
});

export const readCheckpoint = defineRoute({
  method: 'get',
  path: '/log/checkpoint',
  principals: ['admin', ...staff('finance', 'operator')],
  summary: 'Read the newest signed checkpoint of the log',
  description:
    'Store each answer as a line of a file that database administrators cannot change: ' +
    '`npm run verify -- --checkpoint <file>` then proves that the log still contains what was signed, even if its end was ' +
    'cut off.',
  success: {
    status: 200,
    description: 'The checkpoint and the public key of this gateway',
    schema: z.strictObject({
      checkpoint: checkpointView.nullable(),
      public_key: z.string().meta({ description: 'Ed25519, as PEM' }),
    }),
    example: {
      checkpoint: {
        position: 41_000,
        time: '2026-01-31T10:00:00.000Z',
        hash: '9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c',
        previous: '0000000000000000000000000000000000000000000000000000000000000000',
        key_id: '7e389dfe830c28a4',
        signature: 'RPqhkDGyxD7TUg9O/k6jRfXimiSeIfMo1oBU3ZFXnBXq76B9/5gFgve4BiU4jXorNvy7kPDY2G0YtGhB0zIrBA==',
      },
      public_key:
        '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAtaBrstvbUNvWLideyWba0iKI14Dmv+ynY18t7NT8Se0=\n-----END PUBLIC KEY-----\n',
    },
  },
  problems: [],
  handle: async (_, { newestCheckpoint, publicKey }) => ({
    answer: { checkpoint: (await newestCheckpoint()) ?? null, public_key: publicKey },
  }),
});
