import { describe, expect, it } from 'vitest';
import { createCall } from '../../../src/proxy/engine/call.ts';
import { createLedger } from '../../../src/proxy/engine/ledger.ts';
import { reserveCredits } from '../../../src/proxy/engine/hold/hold.ts';
import { KEY_ID, openAccount } from './account.ts';
import { countWords, price as listed, request, like } from '../examples.ts';
import { png } from '../media/media.ts';

const price = { ...listed, ...like('gpt-4o'), maxOutputTokens: 10_000 };
const url = `data:image/png;base64,${png(1024, 1024).toString('base64')}`;

describe('a call', () => {
  it('looks at its pictures once, though they are reckoned with again and again', async () => {
    let looks = 0;
    const picture = {
      type: 'image_url',
      image_url: { url },
    };
    const content = [{ type: 'text', text: 'What is this?' }, picture];
    const messages = [{ role: 'user', content }];
    const read = request({ stream: true, messages });
    const media = read.media;
    const asked = {
      ...read,
      media: () => {
        looks++;
        return media();
      },
    };
    looks = 0;

    const account = openAccount(5_000_000n);
    const ledger = createLedger({
      execute: account.execute,
      asked: { uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
      runId: () => 'run',
      now: () => new Date(),
      stopping: () => false,
    });
    const reservation = await reserveCredits({ job: asked, price, tokens: countWords, reserve: ledger.reserve });
    if (!reservation.reserved) throw new Error('it is reserved');
    const call = createCall({
      ...{ askedAt: new Date(0), gone: new AbortController().signal, job: asked, price, reservation, ledger },
      ...{ promptTokens: countWords, tokens: countWords, idleTimeoutMs: 60_000 },
    });
    const words = 'w '.repeat(5000);
    const refusal = await call.allowance.admit({ bytes: words.length, pieces: 1 }, [{ choice: 0, text: words }]);
    expect(refusal).toBe('insufficient_credits');
    const metered = { upstreamId: null, finishReason: null, usage: undefined, texts: ['one two'] };
    const { usage } = await call.settle(metered, 'client_gone');
    call.close();
    expect(usage).toMatchObject({ input: 3 + 85 + 4 * 170, output: 2 });
    expect(looks).toBe(1);
  });
});
