import { expect } from 'vitest';
import { says } from '../../support/scripted-upstream.ts';
import { SOON } from '../../support/soon.ts';
import { send, wordsOf } from '../../support/traffic.ts';
import { answered, contract, one, question, type At, type Seen } from './contract.ts';
import { answer, begins, role, says as saying, sse } from './support/wire.ts';

const FIRST = 10;
/** More than a step holds. */
const REST = 10_000;

type Key = { readonly key_id: string; readonly secret: string };
const ofAccount = ({ customer }: At, path: string) => `/accounts/${customer.accountId}${path}`;

/** The books are read with the customer's own key, so the request is sent with another one, which can be revoked. */
const otherKey = (at: At): Promise<Key> =>
  at.house.gateway.manage('POST', ofAccount(at, '/keys'), { name: 'to be revoked' });
const revoke = (at: At, { key_id: id }: Key) => at.house.gateway.manage('DELETE', ofAccount(at, `/keys/${id}`));
const suspend = (at: At) => at.house.gateway.manage('POST', ofAccount(at, '/suspend'), { reason: 'resale' });
const reinstate = (at: At) => at.house.gateway.manage('POST', ofAccount(at, '/reinstate'), { reason: 'a mistake' });

/** The provider writes a few words, access ends, and the provider goes on beyond the hold. */
const midStream = (end: (at: At, key: Key) => Promise<unknown>, after: (at: At) => unknown = () => undefined) =>
  one(async (at) => {
    const started = Promise.withResolvers<() => void>();
    const gone = Promise.withResolvers<'left'>();
    at.upstream.play((response) => {
      response.on('close', () => gone.resolve('left'));
      begins(response, true).write(sse(role, ...Array.from({ length: FIRST }, () => saying(' word'))));
      started.resolve(() => void response.write(sse(saying(' word')).repeat(REST)));
    });
    const key = await otherKey(at);
    const sent = send(at.house.gateway, key.secret, '/chat/completions', question(true));
    const goOn = await started.promise;
    await expect.poll(() => sent.words(), SOON).toBe(FIRST);
    await end(at, key);
    goOn();
    const seen = await answered(sent);
    expect(await gone.promise).toBe('left');
    await after(at);
    return seen;
  });

/** The key is revoked when the provider is asked; it then writes more than is held at once. */
const atOnce = (text: string, streamed: boolean) =>
  one(async (at) => {
    const key = await otherKey(at);
    at.upstream.play((...line) => {
      const [response] = line;
      void revoke(at, key).then(() => (streamed ? begins(response, true).write(text) : says(text)(...line)));
    });
    return answered(send(at.house.gateway, key.secret, '/chat/completions', question(true)));
  });

const paysForItsWords = {
  check: ({ answer: sent, generation }: Seen) =>
    expect(wordsOf(sent).trim().split(' ')).toHaveLength(generation?.tokens?.['output'] ?? 0),
};

contract('access-ended', {}, (row) => {
  row('key revoked mid-stream', midStream(revoke), paysForItsWords);
  row('account suspended mid-stream', midStream(suspend, reinstate), paysForItsWords);
  row('key revoked before the first token of more than is held', atOnce(sse(role, saying(' word'.repeat(REST))), true));
  row(
    'key revoked before an answer that came whole instead of as a stream',
    atOnce(answer(' word'.repeat(REST)), false),
  );
});
