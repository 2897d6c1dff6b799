import { expect } from 'vitest';
import { audited } from '../../support/customers/audit.ts';
import { says } from '../../support/scripted-upstream.ts';
import { costUsdOf, wordsOf } from '../../support/traffic.ts';
import { answered, contract, none, one } from './contract.ts';
import { answer, begins, complete, plays, role, says as saying, sse, stays } from './support/wire.ts';

const LONG = ' word'.repeat(50_000);

contract('out-of-credits', {}, (row) => {
  row(
    'too little for the request',
    none(({ upstream, streamed, ask }) => {
      upstream.play(plays(streamed, complete(streamed)));
      return answered(ask({ max_tokens: 2000 }));
    }),
    { usd: '0.001' },
  );

  row(
    'held by requests under way',
    async (at) => {
      const line = stays(at.streamed);
      at.upstream.play(line.script);
      const { result, generations } = await audited(at.house, at.customer, async () => {
        const first = at.ask({ max_tokens: 1500 });
        await line.asked;
        const seen = await answered(at.ask({ max_tokens: 1500 }));
        first.leave();
        await line.gone;
        return seen;
      });
      expect(generations, 'the one that was under way').toHaveLength(1);
      return { ...result, generation: undefined };
    },
    {
      usd: '0.0015',
      check: ({ answer: { headers } }) => expect(Number(headers.get('retry-after-ms'))).toBeGreaterThan(0),
    },
  );

  row(
    'used up before the first token',
    one(({ upstream, ask }) => {
      upstream.play(plays(true, sse(role, saying(LONG))));
      return answered(ask());
    }),
    {
      usd: '0.002',
      check: (seen) => {
        expect(wordsOf(seen.answer)).toBe('');
        expect(costUsdOf(seen.answer)).toBe('0.00');
      },
    },
  );

  row(
    'used up mid-stream',
    one(async ({ upstream, ask }) => {
      const gone = Promise.withResolvers<'left'>();
      upstream.play((response) => {
        response.on('close', () => gone.resolve('left'));
        begins(response, true).write(sse(role));
        for (let n = 0; n < 10_000; n++) response.write(sse(saying(' word')));
      });
      const seen = await answered(ask());
      expect(await gone.promise).toBe('left');
      return seen;
    }),
    {
      usd: '0.002',
      check: ({ answer: told, generation }) => {
        expect(wordsOf(told).trim().split(' ')).toHaveLength(generation?.tokens?.['output'] ?? 0);
        expect(costUsdOf(told)).toBe(generation?.chargedUsd);
      },
    },
  );

  row(
    'too little for an answer that came whole instead of as a stream',
    one(({ upstream, ask }) => {
      upstream.play(says(answer(LONG)));
      return answered(ask());
    }),
    { usd: '0.002' },
  );
});
